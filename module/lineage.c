// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lineage: which dataspaces are derived from which.
 *
 * Derivation is a forest. It is kept as an Euler tour: a mark where a dataspace
 * starts, then its descendants, then a mark where it ends. All marks of a backing
 * sit in one red-black tree, ordered by their places in the tour. So what is
 * derived from a dataspace lies between its two marks, and that stays so when a
 * dataspace in the middle goes away: its two marks are taken out, its descendants
 * stay where they are, between those of every ancestor. Nothing is handed over
 * and nothing is left behind, however deep the derivation is and in whatever
 * order dataspaces go.
 *
 * Each node knows the number of members that start in its subtree and the sums
 * over them. So two walks to the root tell whether one member is
 * derived from another, and how many live dataspaces and mappings are derived
 * from it. Every operation takes O(log n), allocates nothing and cannot fail. Who
 * changes or removes many defers the sums (rb_deferred.h), and brings them up to date
 * before anybody else has the lock.
 *
 * The caller serialises all calls on one lineage.
 */
#include <linux/rbtree_augmented.h>

#include "lineage.h"
#include "rb_deferred.h"

static struct lineage_mark *lineage_mark_of(const struct rb_node *rb)
{
	return rb_entry(rb, struct lineage_mark, rb);
}

static struct lineage_member *lineage_member_of(const struct rb_node *rb)
{
	return container_of(lineage_mark_of(rb), struct lineage_member, start);
}

static void lineage_count_add(struct lineage_count *sum,
			      const struct lineage_count *count)
{
	sum->live += count->live;
	sum->mappings += count->mappings;
	sum->revoked += count->revoked;
	sum->punching += count->punching;
}

/* What has to be added to @other to get @one */
static struct lineage_count
lineage_count_change(const struct lineage_count *one,
		     const struct lineage_count *other)
{
	return (struct lineage_count){
		.live = one->live - other->live,
		.mappings = one->mappings - other->mappings,
		.revoked = one->revoked - other->revoked,
		.punching = one->punching - other->punching,
	};
}

static bool lineage_count_equal(const struct lineage_count *one,
				const struct lineage_count *other)
{
	return one->live == other->live && one->mappings == other->mappings &&
	       one->revoked == other->revoked &&
	       one->punching == other->punching;
}

/* Compute what a node knows of its subtree; true if @exit and that has not changed */
static bool lineage_mark_update(struct lineage_mark *mark, bool exit)
{
	struct lineage_count sum = {};
	u32 starts = mark->is_start;

	if (mark->is_start)
		sum = lineage_member_of(&mark->rb)->count;
	if (mark->rb.rb_left) {
		starts += lineage_mark_of(mark->rb.rb_left)->starts;
		lineage_count_add(&sum,
				  &lineage_mark_of(mark->rb.rb_left)->sum);
	}
	if (mark->rb.rb_right) {
		starts += lineage_mark_of(mark->rb.rb_right)->starts;
		lineage_count_add(&sum,
				  &lineage_mark_of(mark->rb.rb_right)->sum);
	}
	if (exit && mark->starts == starts &&
	    lineage_count_equal(&mark->sum, &sum))
		return true;
	mark->starts = starts;
	mark->sum = sum;
	return false;
}

/* Add to what nodes know, from one on upwards */
static void lineage_add_upwards(struct rb_node *rb, struct rb_node *stop,
				u32 starts, const struct lineage_count *count)
{
	for (; rb != stop; rb = rb_parent(rb)) {
		lineage_mark_of(rb)->starts += starts;
		lineage_count_add(&lineage_mark_of(rb)->sum, count);
	}
}

/* All that is above a node changes by as much as the node does */
static void lineage_propagate(struct rb_node *rb, struct rb_node *stop)
{
	struct lineage_mark *mark = lineage_mark_of(rb);
	struct lineage_count sum, change;
	u32 starts;

	if (rb == stop)
		return;
	starts = mark->starts;
	sum = mark->sum;
	if (lineage_mark_update(mark, true))
		return;
	change = lineage_count_change(&mark->sum, &sum);
	lineage_add_upwards(rb_parent(rb), stop, mark->starts - starts,
			    &change);
}

static void lineage_copy(struct rb_node *rb_old, struct rb_node *rb_new)
{
	lineage_mark_of(rb_new)->starts = lineage_mark_of(rb_old)->starts;
	lineage_mark_of(rb_new)->sum = lineage_mark_of(rb_old)->sum;
	lineage_mark_of(rb_new)->is_stale = lineage_mark_of(rb_old)->is_stale;
}

static void lineage_rotate(struct rb_node *rb_old, struct rb_node *rb_new)
{
	lineage_copy(rb_old, rb_new);
	lineage_mark_update(lineage_mark_of(rb_old), false);
}

static const struct rb_augment_callbacks lineage_augment = {
	.propagate = lineage_propagate,
	.copy = lineage_copy,
	.rotate = lineage_rotate,
};

static bool lineage_mark_is_stale(const struct rb_node *rb)
{
	return lineage_mark_of(rb)->is_stale;
}

static void lineage_mark_stale(struct rb_node *rb)
{
	lineage_mark_of(rb)->is_stale = true;
}

static void lineage_recompute(struct rb_node *rb)
{
	lineage_mark_update(lineage_mark_of(rb), false);
	lineage_mark_of(rb)->is_stale = false;
}

static const struct rb_deferred lineage_deferred = {
	.is_stale = lineage_mark_is_stale,
	.mark = lineage_mark_stale,
	.update = lineage_recompute,
};

static void lineage_propagate_later(struct rb_node *rb, struct rb_node *stop)
{
	rb_deferred_mark(&lineage_deferred, rb, stop);
}

static void lineage_rotate_later(struct rb_node *rb_old, struct rb_node *rb_new)
{
	rb_deferred_rotate(&lineage_deferred, rb_old, rb_new);
}

static const struct rb_augment_callbacks lineage_augment_later = {
	.propagate = lineage_propagate_later,
	.copy = lineage_copy,
	.rotate = lineage_rotate_later,
};

/* Put a mark right after another one, or before all others */
static void lineage_insert(struct lineage *lineage, struct lineage_mark *mark,
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
	mark->starts = mark->is_start;
	mark->sum = (struct lineage_count){};
	if (mark->is_start) {
		mark->sum = lineage_member_of(&mark->rb)->count;
		lineage_add_upwards(parent, NULL, 1, &mark->sum);
	}
	rb_insert_augmented(&mark->rb, &lineage->root, &lineage_augment);
}

/* Number of members that start up to and with @mark, and the sums over them */
static u32 lineage_rank(const struct lineage_mark *mark,
			struct lineage_count *sum)
{
	const struct rb_node *rb = &mark->rb;
	bool from_right = true;
	u32 rank = 0;

	for (; rb; rb = rb_parent(rb)) {
		const struct rb_node *parent = rb_parent(rb);

		if (from_right && lineage_mark_of(rb)->is_start) {
			rank++;
			lineage_count_add(sum, &lineage_member_of(rb)->count);
		}
		if (from_right && rb->rb_left) {
			rank += lineage_mark_of(rb->rb_left)->starts;
			lineage_count_add(sum,
					  &lineage_mark_of(rb->rb_left)->sum);
		}
		from_right = parent && rb == parent->rb_right;
	}
	return rank;
}

static u32 lineage_position(const struct lineage_mark *mark)
{
	struct lineage_count unused = {};

	return lineage_rank(mark, &unused);
}

/**
 * lineage_add - add a new member
 * @lineage: the lineage
 * @member: the member, in no lineage yet, with its count set; referred to until
 *	lineage_remove()
 * @parent: what it is derived from, or NULL if from nothing
 */
void lineage_add(struct lineage *lineage, struct lineage_member *member,
		 struct lineage_member *parent)
{
	member->start.is_stale = false;
	member->end.is_stale = false;
	member->start.is_start = true;
	member->end.is_start = false;
	lineage_insert(lineage, &member->start, parent ? &parent->start : NULL);
	lineage_insert(lineage, &member->end, &member->start);
}

/* The member whose last descendant went with what was behind @prev, or NULL */
static struct lineage_member *lineage_childless(const struct rb_node *prev)
{
	struct lineage_member *parent;

	if (!prev || !lineage_mark_of(prev)->is_start)
		return NULL;
	parent = lineage_member_of(prev);
	return lineage_has_descendants(parent) ? NULL : parent;
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
	struct rb_node *prev = rb_prev(&member->start.rb);

	rb_erase_augmented(&member->start.rb, &lineage->root, &lineage_augment);
	rb_erase_augmented(&member->end.rb, &lineage->root, &lineage_augment);
	return lineage_childless(prev);
}

/**
 * lineage_remove_deferred - take one of many members out
 * @lineage: the lineage, of which no order, number or sum must be asked until
 *	lineage_settle()
 * @member: a member of it
 *
 * Return: as lineage_remove().
 */
struct lineage_member *lineage_remove_deferred(struct lineage *lineage,
					       struct lineage_member *member)
{
	struct rb_node *prev = rb_prev(&member->start.rb);

	rb_erase_augmented(&member->start.rb, &lineage->root,
			   &lineage_augment_later);
	rb_erase_augmented(&member->end.rb, &lineage->root,
			   &lineage_augment_later);
	return lineage_childless(prev);
}

/**
 * lineage_settle - make the lineage usable after many changes
 * @lineage: the lineage
 */
void lineage_settle(struct lineage *lineage)
{
	rb_deferred_settle(&lineage_deferred, lineage->root.rb_node);
}

/**
 * lineage_update_sums - make a change of a member's count known
 * @member: a member of a lineage, whose count was changed
 */
void lineage_update_sums(struct lineage_member *member)
{
	lineage_propagate(&member->start.rb, NULL);
}

/**
 * lineage_update_sums_deferred - note that one of many counts was changed
 * @member: a member of a lineage, of which no sums must be asked until
 *	lineage_settle()
 */
void lineage_update_sums_deferred(struct lineage_member *member)
{
	rb_deferred_mark(&lineage_deferred, &member->start.rb, NULL);
}

/**
 * lineage_count - sum up over all descendants of a member
 * @member: a member of a lineage
 *
 * Return: the sums over all that is derived from @member, at any depth.
 */
struct lineage_count lineage_count(const struct lineage_member *member)
{
	struct lineage_count before = {};
	struct lineage_count sum = {};

	lineage_rank(&member->start, &before);
	lineage_rank(&member->end, &sum);
	return lineage_count_change(&sum, &before);
}

/**
 * lineage_has_descendants - tell whether anything is derived from a member
 * @member: a member of a lineage
 *
 * Return: whether there are descendants, live or not.
 */
bool lineage_has_descendants(const struct lineage_member *member)
{
	return rb_next(&member->start.rb) != &member->end.rb;
}

/**
 * lineage_is_before - compare two members' places
 * @member: a member of a lineage
 * @other: another member of it, or the same one
 *
 * Return: whether lineage_next() comes to @member before @other.
 */
bool lineage_is_before(const struct lineage_member *member,
		       const struct lineage_member *other)
{
	return lineage_position(&member->start) <
	       lineage_position(&other->start);
}

/**
 * lineage_contains - tell whether one member is derived from another
 * @ancestor: a member of a lineage
 * @member: another member of it, or the same one
 *
 * Return: whether @member is @ancestor or derived from it.
 */
bool lineage_contains(const struct lineage_member *ancestor,
		      const struct lineage_member *member)
{
	u32 position = lineage_position(&member->start);

	return position >= lineage_position(&ancestor->start) &&
	       position <= lineage_position(&ancestor->end);
}

static bool lineage_has_start(const struct rb_node *rb)
{
	return rb && lineage_mark_of(rb)->starts;
}

/* The first start after a mark, without a look at each end in between */
static struct rb_node *lineage_next_start(struct rb_node *rb)
{
	struct rb_node *next;

	while (!lineage_has_start(rb->rb_right)) {
		struct rb_node *child;

		do {
			child = rb;
			rb = rb_parent(child);
		} while (rb && child == rb->rb_right);
		if (!rb || lineage_mark_of(rb)->is_start)
			return rb;
	}
	next = rb->rb_right;
	while (lineage_has_start(next->rb_left) ||
	       !lineage_mark_of(next)->is_start)
		next = lineage_has_start(next->rb_left) ? next->rb_left :
							  next->rb_right;
	return next;
}

/**
 * lineage_count_behind - count the descendants of a member that come later
 * @root: whose descendants
 * @member: @root or one of them
 *
 * Return: how many of them lineage_successor() comes to after @member.
 */
u32 lineage_count_behind(const struct lineage_member *root,
			 const struct lineage_member *member)
{
	return lineage_position(&root->end) - lineage_position(&member->start);
}

/**
 * lineage_successor - go through all members
 * @member: the one that was returned last
 *
 * Return: the next one, parents before children, or NULL after the last.
 */
struct lineage_member *lineage_successor(struct lineage_member *member)
{
	struct rb_node *rb = lineage_next_start(&member->start.rb);

	return rb ? lineage_member_of(rb) : NULL;
}

/**
 * lineage_next - go through the descendants of a member
 * @root: whose descendants
 * @member: @root to begin with, then the one that was returned last
 *
 * Return: the next descendant of @root at any depth, parents before children, or
 * NULL after the last.
 */
struct lineage_member *lineage_next(const struct lineage_member *root,
				    struct lineage_member *member)
{
	return lineage_count_behind(root, member) ? lineage_successor(member) :
						    NULL;
}

static struct lineage_mark *lineage_mark_after(const struct lineage_mark *mark)
{
	struct rb_node *rb = rb_next(&mark->rb);

	return rb ? lineage_mark_of(rb) : NULL;
}

/**
 * lineage_cursor_begin - go to the beginning
 * @cursor: the cursor
 * @lineage: the lineage
 *
 * A cursor stays valid when members are added, and when they are removed if
 * lineage_cursor_forget() is called for it before. It comes once to each member
 * that is there all the time.
 */
void lineage_cursor_begin(struct lineage_cursor *cursor,
			  const struct lineage *lineage)
{
	struct rb_node *rb = rb_first(&lineage->root);

	cursor->next = rb ? lineage_mark_of(rb) : NULL;
	cursor->depth = 0;
}

/**
 * lineage_cursor_member - tell whether a cursor has come to a member
 * @cursor: the cursor
 *
 * Return: the member that starts here, derived from as many as the cursor's depth
 * says, or NULL.
 */
struct lineage_member *
lineage_cursor_member(const struct lineage_cursor *cursor)
{
	if (!cursor->next || !cursor->next->is_start)
		return NULL;
	return lineage_member_of(&cursor->next->rb);
}

/**
 * lineage_cursor_step - go on to the next mark, of which each member has two
 * @cursor: the cursor, not at the end
 */
void lineage_cursor_step(struct lineage_cursor *cursor)
{
	if (cursor->next->is_start)
		cursor->depth++;
	else
		cursor->depth--;
	cursor->next = lineage_mark_after(cursor->next);
}

static const struct lineage_member *
lineage_member_of_either(const struct lineage_mark *mark)
{
	if (mark->is_start)
		return container_of(mark, struct lineage_member, start);
	return container_of(mark, struct lineage_member, end);
}

/**
 * lineage_cursor_forget - prepare a cursor for the removal of a member
 * @cursor: the cursor
 * @member: the member, which is about to be removed
 */
void lineage_cursor_forget(struct lineage_cursor *cursor,
			   const struct lineage_member *member)
{
	if (!cursor->next)
		return;
	if (cursor->next == &member->start)
		cursor->next = lineage_mark_after(cursor->next);
	else if (lineage_contains(member,
				  lineage_member_of_either(cursor->next)))
		cursor->depth--;
	if (cursor->next == &member->end)
		cursor->next = lineage_mark_after(cursor->next);
}
