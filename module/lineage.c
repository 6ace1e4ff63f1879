// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lineage: which dataspaces are derived from which.
 *
 * Derivation is a forest. It is kept as what a walk around it would write down:
 * a mark on entering a dataspace, then its descendants, then a mark on leaving
 * it. All marks of a backing sit in one tree that is ordered by nothing but
 * their places. So what is derived from a dataspace is what lies between its
 * two marks, and that stays so when one in the middle goes away: taking out its
 * two marks leaves its descendants where they are, between those of every
 * ancestor. There is nothing to hand over and nothing is left behind, however
 * deep the derivation is and in whatever order dataspaces go.
 *
 * Each node knows how many counted members its subtree holds, which gives the
 * number of live descendants by two walks to the root. Every operation takes
 * O(log n), allocates nothing and cannot fail.
 *
 * The caller serialises all calls on one lineage.
 */
#include <linux/rbtree_augmented.h>

#include "lineage.h"

static struct lineage_mark *to_mark(const struct rb_node *rb)
{
	return rb_entry(rb, struct lineage_mark, rb);
}

static u32 subtree_sum(const struct rb_node *rb)
{
	return rb ? to_mark(rb)->sum : 0;
}

static u32 mark_sum(const struct lineage_mark *mark)
{
	return subtree_sum(mark->rb.rb_left) + mark->weight +
	       subtree_sum(mark->rb.rb_right);
}

/* What has not changed changes nothing above */
static void mark_propagate(struct rb_node *rb, struct rb_node *stop)
{
	for (; rb != stop; rb = rb_parent(rb)) {
		struct lineage_mark *mark = to_mark(rb);
		u32 sum = mark_sum(mark);

		if (mark->sum == sum)
			break;
		mark->sum = sum;
	}
}

static void mark_copy(struct rb_node *rb_old, struct rb_node *rb_new)
{
	to_mark(rb_new)->sum = to_mark(rb_old)->sum;
}

static void mark_rotate(struct rb_node *rb_old, struct rb_node *rb_new)
{
	mark_copy(rb_old, rb_new);
	to_mark(rb_old)->sum = mark_sum(to_mark(rb_old));
}

static const struct rb_augment_callbacks mark_augment = {
	.propagate = mark_propagate,
	.copy = mark_copy,
	.rotate = mark_rotate,
};

/* Put a mark right after another one, or before all others */
static void mark_insert(struct lineage *lineage, struct lineage_mark *mark,
			struct lineage_mark *prev)
{
	struct rb_node **link = prev ? &prev->rb.rb_right :
				       &lineage->root.rb_node;
	struct rb_node *parent = prev ? &prev->rb : NULL;

	while (*link) {
		parent = *link;
		link = &parent->rb_left;
	}
	rb_link_node(&mark->rb, parent, link);
	mark->sum = mark->weight;
	mark_propagate(parent, NULL);
	rb_insert_augmented(&mark->rb, &lineage->root, &mark_augment);
}

/* The number of counted members that were entered up to a mark, inclusive */
static u32 mark_rank(const struct lineage_mark *mark)
{
	const struct rb_node *rb = &mark->rb;
	u32 rank = subtree_sum(rb->rb_left) + mark->weight;

	for (; rb_parent(rb); rb = rb_parent(rb)) {
		const struct rb_node *parent = rb_parent(rb);

		if (rb == parent->rb_right)
			rank += subtree_sum(parent->rb_left) +
				to_mark(parent)->weight;
	}
	return rank;
}

/**
 * lineage_add - enter a new member, which counts
 * @lineage: the lineage
 * @member: the member, in no lineage yet; referred to until lineage_remove()
 * @parent: what it is derived from, or NULL if from nothing
 */
void lineage_add(struct lineage *lineage, struct lineage_member *member,
		 struct lineage_member *parent)
{
	member->enter.weight = 1;
	member->enter.enter = true;
	member->leave.weight = 0;
	member->leave.enter = false;
	mark_insert(lineage, &member->enter, parent ? &parent->enter : NULL);
	mark_insert(lineage, &member->leave, &member->enter);
}

static struct lineage_member *to_member(const struct rb_node *rb)
{
	return container_of(to_mark(rb), struct lineage_member, enter);
}

/**
 * lineage_remove - take a member out; its descendants stay with its ancestors
 * @lineage: the lineage
 * @member: a member of it
 *
 * Return: the member that has lost its last descendant by this, or NULL.
 */
struct lineage_member *lineage_remove(struct lineage *lineage,
				      struct lineage_member *member)
{
	struct rb_node *prev = rb_prev(&member->enter.rb);

	rb_erase_augmented(&member->enter.rb, &lineage->root, &mark_augment);
	rb_erase_augmented(&member->leave.rb, &lineage->root, &mark_augment);
	if (!prev || !to_mark(prev)->enter || !lineage_is_last(to_member(prev)))
		return NULL;
	return to_member(prev);
}

/**
 * lineage_discount - keep a member in its place but count it no more
 * @member: a member of a lineage
 */
void lineage_discount(struct lineage_member *member)
{
	member->enter.weight = 0;
	mark_propagate(&member->enter.rb, NULL);
}

/**
 * lineage_count - count the descendants of a member
 * @member: a member of a lineage
 *
 * Return: the number of members that are derived from @member, at any depth,
 * and that count.
 */
u32 lineage_count(const struct lineage_member *member)
{
	return mark_rank(&member->leave) - mark_rank(&member->enter);
}

/**
 * lineage_is_last - look whether a member has descendants
 * @member: a member of a lineage
 *
 * Return: whether nothing is derived from @member.
 */
bool lineage_is_last(const struct lineage_member *member)
{
	return rb_next(&member->enter.rb) == &member->leave.rb;
}

/**
 * lineage_next - go through the descendants of a member
 * @root: whose descendants
 * @member: @root to begin with, then the one that was returned last
 *
 * Return: the next descendant of @root at any depth, or NULL after the last.
 */
struct lineage_member *lineage_next(const struct lineage_member *root,
				    const struct lineage_member *member)
{
	struct rb_node *rb = rb_next(&member->enter.rb);

	while (rb != &root->leave.rb && !to_mark(rb)->enter)
		rb = rb_next(rb);
	return rb == &root->leave.rb ? NULL : to_member(rb);
}
