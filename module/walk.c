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
 * A walk waits for others that began at the same dataspace or at an ancestor. Those
 * that go through different parts of the lineage have nothing to do with each other:
 * holders who were given parts of the same memory never wait for each other's. And
 * a walk that begins at an ancestor does not wait for those below: it takes their
 * place, and they begin anew after it. So who has handed out memory never waits for
 * those who got it.
 *
 * Walks that have begun are in a tree in the order of their roots. None of these is
 * derived from another, so the last one up to a dataspace is the only one that may
 * go through that, which is found in O(log n) of the lineage for each of O(log w)
 * steps for w walks. While one displaces others it is there with them, as
 * backing->arriving. It goes through nothing itself then, so what is found is right;
 * but another walk may not see it, and begin below. For this reason who wants to
 * begin has to displace for who is arriving first, a few with the lock held at a
 * time; it does not matter whether the other one gets a processor.
 *
 * Who revokes the dataspace itself comes to that at the end, so that it is in the
 * lineage until then. Others may have revoked it, and taken it out, whenever a walk
 * begins anew.
 */
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
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

/**
 * dataspace_walk_comes_to - tell whether a dataspace is ahead of a walk
 * @ds: a member of the lineage; the backing is locked
 *
 * Return: whether a walk that has let others have the lock comes to @ds later.
 */
bool dataspace_walk_comes_to(const struct dataspace *ds)
{
	const struct dataspace_walk *walk = dataspace_walk_over(ds);

	if (!walk)
		return false;
	if (ds == walk->root && walk->root_last)
		return true;
	return walk->next && !lineage_is_before(&ds->member, walk->next);
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

/* Take away some walks that began below the one that is arriving */
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
			return;
		}
		dataspace_walk_remove(other);
	}
}

/* Let others have the lock */
static void dataspace_walk_pause(struct backing *backing)
{
	spin_unlock(&backing->lock);
	cond_resched();
	spin_lock(&backing->lock);
}

/* Whether it is no use to wait any longer */
static bool dataspace_walk_may_begin(const struct dataspace_walk *walk)
{
	const struct dataspace *root = walk->root;
	bool may;

	spin_lock(&root->backing->lock);
	may = root->revoked || !dataspace_walk_over(root);
	spin_unlock(&root->backing->lock);
	return may;
}

static int dataspace_walk_wait(const struct dataspace_walk *walk, bool killable)
{
	wait_queue_head_t *wait = &walk->root->backing->wait;

	if (!killable)
		wait_event(*wait, dataspace_walk_may_begin(walk));
	else if (wait_event_killable(*wait, dataspace_walk_may_begin(walk)))
		return -EINTR;
	return 0;
}

/* Begin, or begin anew. The lock is held again at the end, whatever comes of it */
static int dataspace_walk_begin(struct dataspace_walk *walk, bool killable)
{
	struct dataspace *root = walk->root;
	struct backing *backing = root->backing;
	int ret = 0;

	while (!ret) {
		if (backing->arriving) {
			dataspace_walk_displace(backing);
			if (backing->arriving)
				dataspace_walk_pause(backing);
		} else if (!RB_EMPTY_NODE(&walk->node)) {
			break;
		} else if (root->revoked) {
			ret = -ESTALE;
		} else if (!dataspace_walk_over(root)) {
			dataspace_walk_insert(walk);
			backing->arriving = walk;
		} else {
			spin_unlock(&backing->lock);
			ret = dataspace_walk_wait(walk, killable);
			spin_lock(&backing->lock);
		}
	}
	return ret;
}

/**
 * dataspace_walk - visit a dataspace and all that is derived from it
 * @root: the dataspace, which the caller keeps open
 * @visit: called under the backing's lock, parents before children; it may defer
 *	the update of sums; to be called again for the same dataspace if it returns
 *	false, which it must not for a @root that comes last. It may be called for a
 *	dataspace that it has been done with before.
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
		.root_last = flags & DATASPACE_WALK_ROOT_LAST,
	};
	bool killable = flags & DATASPACE_WALK_KILLABLE;
	struct lineage_member *next, *last;
	int steps, ret;
	u32 left;

	RB_CLEAR_NODE(&walk.node);
	spin_lock(&backing->lock);
	do {
		next = walk.next;
		if (RB_EMPTY_NODE(&walk.node)) {
			ret = dataspace_walk_begin(&walk, killable);
			if (ret) {
				spin_unlock(&backing->lock);
				return ret;
			}
			killable = false;
			next = &root->member;
			if (walk.root_last)
				next = lineage_next(&root->member, next);
		}
		left = next ? lineage_count_behind(&root->member, next) : 0;
		for (steps = 0; next && steps < DATASPACE_BATCH; steps++) {
			last = next;
			if (!visit(to_dataspace(last), arg))
				continue;
			next = left-- ? lineage_successor(last) : NULL;
		}
		if (!next && walk.root_last)
			visit(root, arg);
		lineage_settle(&backing->lineage);
		dataspace_walk_set_next(&walk, next);
		if (next)
			dataspace_walk_pause(backing);
	} while (next);
	dataspace_walk_remove(&walk);
	spin_unlock(&backing->lock);
	wake_up_all(&backing->wait);
	return 0;
}
