// SPDX-License-Identifier: GPL-2.0-only
/*
 * Range tree: how many ranges cover each page of a backing.
 *
 * Ranges are those of live dataspaces and of VMAs that map them. Every range
 * contributes two points to one tree, a step up at its start and a step down at
 * its end. The number of ranges that cover a page is then the sum of all steps at
 * or before that page. Each node also knows the sum of the steps in its subtree
 * and the lowest value that their running sum takes, so that the next place where
 * the number falls to a given level is found without looking at the ranges in
 * between: one descent for each gap found, however many ranges there are. Adding
 * and removing a range takes O(log n), allocates nothing and cannot fail. Who removes
 * many defers the sums (rb_deferred.h).
 *
 * Where one range ends and another begins at the same position the step up comes
 * first, so that the running sum never dips between two ranges that meet.
 *
 * The caller serialises all calls on one tree.
 */
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>

#include "range_tree.h"
#include "rb_deferred.h"

#define KEY_END 1UL

/* In place of the lowest value of a point whose subtree has changed */
#define RANGE_STALE INT_MIN

static struct range_point *range_point_of(const struct rb_node *rb)
{
	return rb_entry(rb, struct range_point, rb);
}

static unsigned long range_point_pos(const struct range_point *point)
{
	return point->key >> 1;
}

static int range_point_step(const struct range_point *point)
{
	return point->key & KEY_END ? -1 : 1;
}

static int range_subtree_sum(const struct rb_node *rb)
{
	return rb ? range_point_of(rb)->sum : 0;
}

static int range_subtree_min(const struct rb_node *rb)
{
	return rb ? range_point_of(rb)->min : INT_MAX / 2;
}

/* Recompute what a node knows of its subtree; true if that did not change it */
static bool range_point_update(struct range_point *point, bool exit)
{
	const struct rb_node *left = point->rb.rb_left;
	const struct rb_node *right = point->rb.rb_right;
	int sum = range_point_step(point);
	int min;

	if (left)
		sum += range_point_of(left)->sum;
	min = sum;
	if (left)
		min = min(min, range_point_of(left)->min);
	if (right) {
		min = min(min, sum + range_point_of(right)->min);
		sum += range_point_of(right)->sum;
	}
	if (exit && point->sum == sum && point->min == min)
		return true;
	point->sum = sum;
	point->min = min;
	return false;
}

static void range_point_propagate(struct rb_node *rb, struct rb_node *stop)
{
	while (rb != stop) {
		struct range_point *point = range_point_of(rb);

		if (range_point_update(point, true))
			break;
		rb = rb_parent(&point->rb);
	}
}

static void range_point_copy(struct rb_node *rb_old, struct rb_node *rb_new)
{
	range_point_of(rb_new)->sum = range_point_of(rb_old)->sum;
	range_point_of(rb_new)->min = range_point_of(rb_old)->min;
}

static void range_point_rotate(struct rb_node *rb_old, struct rb_node *rb_new)
{
	range_point_copy(rb_old, rb_new);
	range_point_update(range_point_of(rb_old), false);
}

static const struct rb_augment_callbacks range_point_augment = {
	.propagate = range_point_propagate,
	.copy = range_point_copy,
	.rotate = range_point_rotate,
};

static bool range_point_is_stale(const struct rb_node *rb)
{
	return range_point_of(rb)->min == RANGE_STALE;
}

static void range_point_mark(struct rb_node *rb)
{
	range_point_of(rb)->min = RANGE_STALE;
}

static void range_point_recompute(struct rb_node *rb)
{
	range_point_update(range_point_of(rb), false);
}

static const struct rb_deferred range_point_deferred = {
	.is_stale = range_point_is_stale,
	.mark = range_point_mark,
	.update = range_point_recompute,
};

static void range_point_propagate_later(struct rb_node *rb,
					struct rb_node *stop)
{
	rb_deferred_mark(&range_point_deferred, rb, stop);
}

static void range_point_rotate_later(struct rb_node *rb_old,
				     struct rb_node *rb_new)
{
	rb_deferred_rotate(&range_point_deferred, rb_old, rb_new);
}

static const struct rb_augment_callbacks range_point_augment_later = {
	.propagate = range_point_propagate_later,
	.copy = range_point_copy,
	.rotate = range_point_rotate_later,
};

static void range_point_insert(struct range_tree *tree,
			       struct range_point *point, unsigned long key)
{
	struct rb_node **link = &tree->root.rb_node;
	struct rb_node *parent = NULL;

	point->key = key;
	while (*link) {
		parent = *link;
		link = key < range_point_of(parent)->key ? &parent->rb_left :
							   &parent->rb_right;
	}
	rb_link_node(&point->rb, parent, link);
	range_point_update(point, false);
	range_point_propagate(parent, NULL);
	rb_insert_augmented(&point->rb, &tree->root, &range_point_augment);
}

/**
 * range_tree_add - let a range cover its pages
 * @tree: the tree
 * @entry: the range, not in any tree; the tree refers to it until
 *	range_tree_remove()
 * @start: first page
 * @end: page after the last one, greater than @start
 */
void range_tree_add(struct range_tree *tree, struct range_tree_entry *entry,
		    unsigned long start, unsigned long end)
{
	range_point_insert(tree, &entry->start, start << 1);
	range_point_insert(tree, &entry->end, end << 1 | KEY_END);
}

/**
 * range_tree_remove - let a range cover nothing any more
 * @tree: the tree
 * @entry: a range that is in it
 */
void range_tree_remove(struct range_tree *tree, struct range_tree_entry *entry)
{
	rb_erase_augmented(&entry->start.rb, &tree->root, &range_point_augment);
	rb_erase_augmented(&entry->end.rb, &tree->root, &range_point_augment);
}

/**
 * range_tree_remove_deferred - remove one of many ranges
 * @tree: the tree, of which nothing else must be asked until range_tree_settle()
 * @entry: a range that is in it
 */
void range_tree_remove_deferred(struct range_tree *tree,
				struct range_tree_entry *entry)
{
	rb_erase_augmented(&entry->start.rb, &tree->root,
			   &range_point_augment_later);
	rb_erase_augmented(&entry->end.rb, &tree->root,
			   &range_point_augment_later);
}

/**
 * range_tree_settle - make the tree usable after many removals
 * @tree: the tree
 */
void range_tree_settle(struct range_tree *tree)
{
	rb_deferred_settle(&range_point_deferred, tree->root.rb_node);
}

/*
 * Find the first point after @pos, with the number of ranges that cover @pos
 * in @sum.
 */
static struct range_point *range_point_after(struct range_tree *tree,
					     unsigned long pos, int *sum)
{
	struct rb_node *rb = tree->root.rb_node;
	struct range_point *after = NULL;

	*sum = 0;
	while (rb) {
		struct range_point *point = range_point_of(rb);

		if (range_point_pos(point) > pos) {
			after = point;
			rb = rb->rb_left;
		} else {
			*sum += range_subtree_sum(rb->rb_left) +
				range_point_step(point);
			rb = rb->rb_right;
		}
	}
	return after;
}

/**
 * range_tree_count - count the ranges that cover a page
 * @tree: the tree
 * @page: the page
 *
 * Return: how many there are; found in O(log n) for n ranges.
 */
int range_tree_count(struct range_tree *tree, unsigned long page)
{
	int count;

	range_point_after(tree, page, &count);
	return count;
}

/* The first point in a subtree where @sum plus its running sum is at @level */
static struct range_point *range_subtree_first_at(struct rb_node *rb, int level,
						  int sum)
{
	for (;;) {
		if (sum + range_subtree_min(rb->rb_left) <= level) {
			rb = rb->rb_left;
			continue;
		}
		sum += range_subtree_sum(rb->rb_left) +
		       range_point_step(range_point_of(rb));
		if (sum <= level)
			return range_point_of(rb);
		rb = rb->rb_right;
	}
}

/*
 * The first point from @point on, itself included, after which coverage is at
 * or below @level. @sum is the coverage just before @point.
 */
static struct range_point *range_point_first_at(struct range_point *point,
						int level, int sum)
{
	struct rb_node *rb = &point->rb;

	while (rb) {
		struct rb_node *child;

		sum += range_point_step(range_point_of(rb));
		if (sum <= level)
			return range_point_of(rb);
		if (sum + range_subtree_min(rb->rb_right) <= level)
			return range_subtree_first_at(rb->rb_right, level, sum);
		sum += range_subtree_sum(rb->rb_right);
		do {
			child = rb;
			rb = rb_parent(rb);
		} while (rb && child == rb->rb_right);
	}
	return NULL;
}

/**
 * range_tree_next_gap - find the next pages that few ranges cover
 * @tree: the tree
 * @level: the most ranges that may cover a page of the gap. 0 finds pages that
 *	nothing covers; 1, within the range of one dataspace, finds those that
 *	nothing else covers.
 * @start: where to begin; the gap's first page on return
 * @end: where to stop; the page after the gap on return
 *
 * Takes O(log n) for n ranges. A gap is as long as it can be within [@start,
 * @end), but two that are found one after the other may touch.
 *
 * Return: whether there is a gap.
 */
bool range_tree_next_gap(struct range_tree *tree, int level,
			 unsigned long *start, unsigned long *end)
{
	struct range_point *after;
	int sum;

	if (*start >= *end)
		return false;
	after = range_point_after(tree, *start, &sum);
	if (sum > level) {
		struct range_point *dip;

		dip = after ? range_point_first_at(after, level, sum) : NULL;
		if (!dip || range_point_pos(dip) >= *end)
			return false;
		*start = range_point_pos(dip);
		after = range_point_after(tree, *start, &sum);
	}
	if (after)
		*end = min(*end, range_point_pos(after));
	return true;
}
