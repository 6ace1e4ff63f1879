// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks: to do something with a dataspace and all that is derived from it.
 *
 * The number of descendants is in the hands of their holders, so a walk drops the
 * backing's lock every few steps. While it goes on nothing is derived from what it
 * has yet to come to, see dataspace_link(): otherwise it might never end. Where it
 * comes to next is known to those who take a dataspace out of the lineage, and moved
 * on by them.
 *
 * Nobody waits until a walk is over: its thread may not get a processor. Whoever
 * can't go on before, as it wants to begin a walk at the same dataspace or below, or
 * to derive something from what the walk has yet to come to, takes the walk's next
 * steps itself. What that needs is in struct dataspace_walk, on the stack of the
 * thread that began it, which does not return before it has seen under the lock that
 * the walk is done.
 *
 * Walks that go through different parts of the lineage have nothing to do with each
 * other: holders who were given parts of the same memory never have to do with each
 * other's. And a walk that begins at an ancestor takes the place of those below, and
 * they begin anew after it. So who has handed out memory has nothing to do for those
 * who got it.
 *
 * Walks that have begun are in a tree in the order of their roots. None of these is
 * derived from another, so the last one up to a dataspace is the only one that may
 * go through that, which is found in O(log n) of the lineage for each of O(log w)
 * steps for w walks. While one displaces others it is there with them, as
 * backing->arriving. It goes through nothing itself then, so what is found is right;
 * but another walk may not see it, and begin below. For this reason who wants to
 * begin displaces for who is arriving first, a few with the lock held at a time.
 *
 * backing->walk_turn is taken outside of the lock by who goes on with a walk, so that
 * others have to let one batch pass at most, however many walks there are.
 *
 * Who revokes the dataspace itself comes to that at the end, so that it is in the
 * lineage until then. Others may have revoked it, and taken it out, whenever a walk
 * begins anew.
 */
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "private.h"

/* How many walks are displaced with the lock held: each takes a few searches */
#define WALK_DISPLACED_MAX 4

static struct dataspace_walk *dataspace_walk_of(struct rb_node *rb)
{
	return rb_entry_safe(rb, struct dataspace_walk, node);
}

/* The walk that goes through a dataspace, or NULL */
static struct dataspace_walk *dataspace_walk_over(const struct dataspace *ds)
{
	struct rb_node *rb = ds->backing->walks.rb_node;
	struct dataspace_walk *walk, *last = NULL;

	lockdep_assert_held(&ds->backing->lock);
	while (rb) {
		walk = dataspace_walk_of(rb);
		if (lineage_is_before(&ds->member, &walk->root->member)) {
			rb = rb->rb_left;
		} else {
			last = walk;
			rb = rb->rb_right;
		}
	}
	if (last && lineage_contains(&last->root->member, &ds->member))
		return last;
	return NULL;
}

/* Sets what a walk comes to next when it has the lock again */
static void dataspace_walk_set_next(struct dataspace_walk *walk,
				    struct lineage_member *next)
{
	if (walk->next)
		to_dataspace(walk->next)->next_in_walk = false;
	walk->next = next;
	if (next)
		to_dataspace(next)->next_in_walk = true;
}

/* The walk that has yet to come to a dataspace, or NULL */
static struct dataspace_walk *dataspace_walk_to(const struct dataspace *ds)
{
	struct dataspace_walk *walk = dataspace_walk_over(ds);

	if (!walk || (ds == walk->root && walk->root_last))
		return walk;
	if (!walk->next || lineage_is_before(&ds->member, walk->next))
		return NULL;
	return walk;
}

/**
 * dataspace_walk_comes_to - tell whether a dataspace is ahead of a walk
 * @ds: a member of the lineage; the backing is locked
 *
 * Return: whether a walk that has let others have the lock comes to @ds later.
 */
bool dataspace_walk_comes_to(const struct dataspace *ds)
{
	return dataspace_walk_to(ds);
}

/**
 * dataspace_walk_skip - let a walk go on without what it comes to next
 * @ds: that dataspace, about to be taken out of the lineage; the backing is locked
 */
void dataspace_walk_skip(struct dataspace *ds)
{
	struct dataspace_walk *walk = dataspace_walk_over(ds);

	dataspace_walk_set_next(walk,
				lineage_next(&walk->root->member, walk->next));
}

static void dataspace_walk_insert(struct dataspace_walk *walk)
{
	struct rb_root *walks = &walk->root->backing->walks;
	struct rb_node **link = &walks->rb_node;
	struct rb_node *parent = NULL;

	while (*link) {
		parent = *link;
		if (lineage_is_before(&walk->root->member,
				      &dataspace_walk_of(parent)->root->member))
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&walk->node, parent, link);
	rb_insert_color(&walk->node, walks);
}

static void dataspace_walk_remove(struct dataspace_walk *walk)
{
	dataspace_walk_set_next(walk, NULL);
	rb_erase(&walk->node, &walk->root->backing->walks);
	RB_CLEAR_NODE(&walk->node);
}

static void dataspace_walk_begin(struct dataspace_walk *walk)
{
	struct lineage_member *first = &walk->root->member;

	if (walk->root_last)
		first = lineage_next(first, first);
	walk->begun = true;
	dataspace_walk_set_next(walk, first);
}

/*
 * Take away some walks that began below the one that is arriving. When there are no
 * more of them that one begins.
 */
static void dataspace_walk_displace(struct backing *backing)
{
	struct dataspace_walk *walk = backing->arriving;
	struct dataspace_walk *other;
	int steps;

	for (steps = 0; steps < WALK_DISPLACED_MAX; steps++) {
		other = dataspace_walk_of(rb_next(&walk->node));
		if (!other || !lineage_contains(&walk->root->member,
						&other->root->member)) {
			backing->arriving = NULL;
			dataspace_walk_begin(walk);
			return;
		}
		dataspace_walk_remove(other);
	}
}

/* The next steps of a walk; maybe the last ones */
static void dataspace_walk_step(struct dataspace_walk *walk)
{
	struct dataspace *root = walk->root;
	struct lineage_member *next = walk->next, *last;
	u32 left = next ? lineage_count_behind(&root->member, next) : 0;
	int steps;

	for (steps = 0; next && steps < DATASPACE_BATCH; steps++) {
		last = next;
		if (!walk->visit(to_dataspace(last), walk->arg))
			continue;
		next = left-- ? lineage_successor(last) : NULL;
	}
	if (!next && walk->root_last)
		walk->visit(root, walk->arg);
	lineage_settle(&root->backing->lineage);
	dataspace_walk_set_next(walk, next);
	if (next)
		return;
	dataspace_walk_remove(walk);
	walk->done = true;
}

static void dataspace_walk_lock(struct backing *backing)
	__acquires(&backing->walk_turn) __acquires(&backing->lock)
{
	spin_lock(&backing->walk_turn);
	spin_lock(&backing->lock);
}

/* Those who wait for a SEAL_NOW may go on after some steps */
static void dataspace_walk_unlock(struct backing *backing, bool wake)
	__releases(&backing->lock) __releases(&backing->walk_turn)
{
	spin_unlock(&backing->lock);
	spin_unlock(&backing->walk_turn);
	if (wake)
		wake_up_all(&backing->wait);
	cond_resched();
}

/**
 * dataspace_walk_help - take the next steps of a walk that comes to a dataspace
 * @ds: a dataspace that is open
 *
 * To be called again as long as dataspace_walk_comes_to() says so.
 */
void dataspace_walk_help(struct dataspace *ds)
{
	struct backing *backing = ds->backing;
	struct dataspace_walk *walk;

	dataspace_walk_lock(backing);
	walk = backing->arriving || ds->revoked ? NULL : dataspace_walk_to(ds);
	if (backing->arriving)
		dataspace_walk_displace(backing);
	else if (walk)
		dataspace_walk_step(walk);
	dataspace_walk_unlock(backing, walk && walk->done);
}

/*
 * Go on with a walk, or with what is to be done before it can begin. The last steps
 * of another one and the first own ones are taken in one go, so that nobody else can
 * begin between them. Returns whether others may be waiting for what was done.
 */
static bool dataspace_walk_go_on(struct dataspace_walk *walk)
{
	struct backing *backing = walk->root->backing;
	struct dataspace_walk *other = NULL;

	if (!backing->arriving && RB_EMPTY_NODE(&walk->node)) {
		other = dataspace_walk_over(walk->root);
		if (other) {
			dataspace_walk_step(other);
			if (!other->done || walk->root->revoked)
				return other->done;
		}
		dataspace_walk_insert(walk);
		backing->arriving = walk;
	}
	if (backing->arriving)
		dataspace_walk_displace(backing);
	if (!backing->arriving && !RB_EMPTY_NODE(&walk->node))
		dataspace_walk_step(walk);
	return other || walk->done;
}

/* Why a walk can't begin, or begin anew; not before all below is revoked, too */
static int dataspace_walk_check(const struct dataspace_walk *walk,
				unsigned int flags)
{
	const struct dataspace *root = walk->root;

	if (walk->done || !RB_EMPTY_NODE(&walk->node))
		return 0;
	if (root->revoked && !(root->linked && dataspace_walk_over(root)))
		return -ESTALE;
	if (flags & DATASPACE_WALK_KILLABLE && !walk->begun &&
	    fatal_signal_pending(current))
		return -EINTR;
	return 0;
}

/**
 * dataspace_walk - visit a dataspace and all that is derived from it
 * @root: the dataspace, which the caller keeps open
 * @visit: called under the backing's lock by whoever goes on with the walk, parents
 *	before children; it may defer the update of sums; to be called again for the
 *	same dataspace if it returns false, which it must not for a @root that comes
 *	last. It may be called for a dataspace that it has been done with before.
 * @arg: for @visit
 * @flags: bits of enum dataspace_walk_flags
 *
 * Return: 0, -ESTALE if somebody else has revoked @root, maybe after some have been
 * visited, or -EINTR if a fatal signal is pending before any has.
 */
int dataspace_walk(struct dataspace *root, dataspace_visit_t visit, void *arg,
		   unsigned int flags)
{
	struct backing *backing = root->backing;
	struct dataspace_walk walk = {
		.root = root,
		.visit = visit,
		.arg = arg,
		.root_last = flags & DATASPACE_WALK_ROOT_LAST,
	};
	bool done, wake;
	int ret;

	RB_CLEAR_NODE(&walk.node);
	do {
		wake = false;
		dataspace_walk_lock(backing);
		ret = dataspace_walk_check(&walk, flags);
		if (!ret && !walk.done)
			wake = dataspace_walk_go_on(&walk);
		done = walk.done;
		dataspace_walk_unlock(backing, wake);
	} while (!ret && !done);
	return ret;
}
