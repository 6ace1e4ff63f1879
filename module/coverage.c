// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coverage: which pages lie in the range of some live dataspace.
 *
 * Every range contributes two points to one tree, a step up at its start and a
 * step down at its end. The number of ranges that cover a page is then the sum
 * of all steps at or before that page. Each node also knows the sum of the
 * steps in its subtree and the lowest value that their running sum takes, so
 * that the next place where coverage falls to a given level is found without
 * looking at the ranges in between: one descent for each gap found, however
 * many ranges there are. Adding and removing a range allocates nothing and
 * cannot fail.
 *
 * Where one range ends and another begins at the same position the step up
 * comes first, so that the running sum never dips between two ranges that meet.
 *
 * The caller serialises all calls on one tree.
 */
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/rbtree_augmented.h>

#include "coverage.h"

#define KEY_END 1UL

static struct coverage_point *to_point(const struct rb_node *rb)
{
	return rb_entry(rb, struct coverage_point, rb);
}

static unsigned long point_pos(const struct coverage_point *point)
{
	return point->key >> 1;
}

static int point_step(const struct coverage_point *point)
{
	return point->key & KEY_END ? -1 : 1;
}

static int subtree_sum(const struct rb_node *rb)
{
	return rb ? to_point(rb)->sum : 0;
}

static int subtree_min(const struct rb_node *rb)
{
	return rb ? to_point(rb)->min : INT_MAX / 2;
}

/* Recompute what a node knows of its subtree; true if that did not change it */
static bool point_update(struct coverage_point *point, bool exit)
{
	int here = subtree_sum(point->rb.rb_left) + point_step(point);
	int sum = here + subtree_sum(point->rb.rb_right);
	int min = min3(subtree_min(point->rb.rb_left), here,
		       here + subtree_min(point->rb.rb_right));

	if (exit && point->sum == sum && point->min == min)
		return true;
	point->sum = sum;
	point->min = min;
	return false;
}

static void point_propagate(struct rb_node *rb, struct rb_node *stop)
{
	while (rb != stop) {
		struct coverage_point *point = to_point(rb);

		if (point_update(point, true))
			break;
		rb = rb_parent(&point->rb);
	}
}

static void point_copy(struct rb_node *rb_old, struct rb_node *rb_new)
{
	to_point(rb_new)->sum = to_point(rb_old)->sum;
	to_point(rb_new)->min = to_point(rb_old)->min;
}

static void point_rotate(struct rb_node *rb_old, struct rb_node *rb_new)
{
	point_copy(rb_old, rb_new);
	point_update(to_point(rb_old), false);
}

static const struct rb_augment_callbacks point_augment = {
	.propagate = point_propagate,
	.copy = point_copy,
	.rotate = point_rotate,
};

static void point_insert(struct coverage *coverage,
			 struct coverage_point *point, unsigned long key)
{
	struct rb_node **link = &coverage->root.rb_node;
	struct rb_node *parent = NULL;

	point->key = key;
	while (*link) {
		parent = *link;
		link = key < to_point(parent)->key ? &parent->rb_left :
						     &parent->rb_right;
	}
	rb_link_node(&point->rb, parent, link);
	point_update(point, false);
	point_propagate(parent, NULL);
	rb_insert_augmented(&point->rb, &coverage->root, &point_augment);
}

/**
 * coverage_add - let a range cover its pages
 * @coverage: the tree
 * @range: the range, not in any tree; the tree refers to it until
 *	coverage_remove()
 * @start: first page
 * @end: page after the last one, greater than @start
 */
void coverage_add(struct coverage *coverage, struct coverage_range *range,
		  unsigned long start, unsigned long end)
{
	point_insert(coverage, &range->first, start << 1);
	point_insert(coverage, &range->last, end << 1 | KEY_END);
}

/**
 * coverage_remove - let a range cover nothing any more
 * @coverage: the tree
 * @range: a range that is in it
 */
void coverage_remove(struct coverage *coverage, struct coverage_range *range)
{
	rb_erase_augmented(&range->first.rb, &coverage->root, &point_augment);
	rb_erase_augmented(&range->last.rb, &coverage->root, &point_augment);
}

/*
 * Find the first point after @pos, with the number of ranges that cover @pos
 * in @sum.
 */
static struct coverage_point *point_after(struct coverage *coverage,
					  unsigned long pos, int *sum)
{
	struct rb_node *rb = coverage->root.rb_node;
	struct coverage_point *after = NULL;

	*sum = 0;
	while (rb) {
		struct coverage_point *point = to_point(rb);

		if (point_pos(point) > pos) {
			after = point;
			rb = rb->rb_left;
		} else {
			*sum += subtree_sum(rb->rb_left) + point_step(point);
			rb = rb->rb_right;
		}
	}
	return after;
}

/* The first point in a subtree where @sum plus its running sum is at @level */
static struct coverage_point *subtree_first_at(struct rb_node *rb, int level,
					       int sum)
{
	for (;;) {
		if (sum + subtree_min(rb->rb_left) <= level) {
			rb = rb->rb_left;
			continue;
		}
		sum += subtree_sum(rb->rb_left) + point_step(to_point(rb));
		if (sum <= level)
			return to_point(rb);
		rb = rb->rb_right;
	}
}

/*
 * The first point from @point on, itself included, after which coverage is at
 * or below @level. @sum is the coverage just before @point.
 */
static struct coverage_point *point_first_at(struct coverage_point *point,
					     int level, int sum)
{
	struct rb_node *rb = &point->rb;

	while (rb) {
		struct rb_node *child;

		sum += point_step(to_point(rb));
		if (sum <= level)
			return to_point(rb);
		if (sum + subtree_min(rb->rb_right) <= level)
			return subtree_first_at(rb->rb_right, level, sum);
		sum += subtree_sum(rb->rb_right);
		do {
			child = rb;
			rb = rb_parent(rb);
		} while (rb && child == rb->rb_right);
	}
	return NULL;
}

/**
 * coverage_next_gap - find the next pages that few ranges cover
 * @coverage: the tree
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
bool coverage_next_gap(struct coverage *coverage, int level,
		       unsigned long *start, unsigned long *end)
{
	struct coverage_point *after;
	int sum;

	if (*start >= *end)
		return false;
	after = point_after(coverage, *start, &sum);
	if (sum > level) {
		struct coverage_point *dip;

		dip = after ? point_first_at(after, level, sum) : NULL;
		if (!dip || point_pos(dip) >= *end)
			return false;
		*start = point_pos(dip);
		after = point_after(coverage, *start, &sum);
	}
	if (after)
		*end = min(*end, point_pos(after));
	return true;
}
