/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deferred updates of augmented red-black trees.
 *
 * Each node knows something of its subtree. When many nodes are changed or erased
 * one after the other, what is known would be computed up to the root for each.
 * Instead what is no longer true is marked as stale, upwards until a node is met
 * that is stale already: all above that are, too. In the end each stale node is
 * computed once. So of n nodes k neighbours cost O(k + log n), and any k of them
 * O(k log n), as they would one by one.
 *
 * As long as a node is stale, what nodes know must not be asked for.
 */
#ifndef _RB_DEFERRED_H
#define _RB_DEFERRED_H

#include <linux/rbtree_augmented.h>

/**
 * struct rb_deferred - how a tree defers updates
 * @is_stale: whether a node is marked
 * @mark: mark a node
 * @update: compute what a node knows from its children, and unmark it
 */
struct rb_deferred {
	bool (*is_stale)(const struct rb_node *rb);
	void (*mark)(struct rb_node *rb);
	void (*update)(struct rb_node *rb);
};

/**
 * rb_deferred_mark - mark a node and those above it
 * @ops: how
 * @rb: the node, or NULL
 * @stop: the first that is not to be marked, or NULL for all up to the root
 */
static __always_inline void rb_deferred_mark(const struct rb_deferred *ops,
					     struct rb_node *rb,
					     struct rb_node *stop)
{
	for (; rb != stop && !ops->is_stale(rb); rb = rb_parent(rb))
		ops->mark(rb);
}

/**
 * rb_deferred_rotate - update for a rotation when a node is erased
 * @ops: how
 * @rb_old: the node that was above @rb_new and is its child now
 * @rb_new: the other node
 *
 * Those above both are on the way from the erased node to the root, and marked.
 */
static __always_inline void rb_deferred_rotate(const struct rb_deferred *ops,
					       struct rb_node *rb_old,
					       struct rb_node *rb_new)
{
	ops->mark(rb_old);
	ops->mark(rb_new);
}

/**
 * rb_deferred_settle - compute what is stale
 * @ops: how
 * @rb: the root of the tree, or NULL
 */
static __always_inline void rb_deferred_settle(const struct rb_deferred *ops,
					       struct rb_node *rb)
{
	while (rb && ops->is_stale(rb)) {
		if (rb->rb_left && ops->is_stale(rb->rb_left)) {
			rb = rb->rb_left;
		} else if (rb->rb_right && ops->is_stale(rb->rb_right)) {
			rb = rb->rb_right;
		} else {
			ops->update(rb);
			rb = rb_parent(rb);
		}
	}
}

#endif /* _RB_DEFERRED_H */
