// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks: to do something with a dataspace and all that is derived from it.
 *
 * The number of descendants is in the hands of their holders, so a walk drops the
 * backing's lock every few steps. There is one walk of a backing at a time. While
 * it goes on nothing is derived from what it has yet to come to, see
 * dataspace_link(): otherwise it might never end. Where it comes to next is known
 * to those who take a dataspace out of the lineage, and moved on by them.
 *
 * A walk waits for others to end. But one that begins at an ancestor does not: it
 * takes the place of the other, which begins anew after it. So who has handed out
 * memory never waits for those who got it.
 *
 * A walk that has revoked the dataspace where it began goes on all the same: that
 * stays in the lineage until the walk is over, and nobody else revokes it while the
 * walk is in its place.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "private.h"

static bool dataspace_walk_can_begin(const struct dataspace_walk *walk)
{
	const struct dataspace *root = walk->root;
	const struct dataspace_walk *other = root->backing->walk;

	lockdep_assert_held(&root->backing->lock);
	if (!other || (root->revoked && !walk->revokes_root))
		return true;
	return root != other->root &&
	       lineage_contains(&root->member, &other->root->member);
}

static bool dataspace_walk_may_begin(const struct dataspace_walk *walk)
{
	struct backing *backing = walk->root->backing;
	bool can;

	spin_lock(&backing->lock);
	can = dataspace_walk_can_begin(walk);
	spin_unlock(&backing->lock);
	return can;
}

static int dataspace_walk_wait(const struct dataspace_walk *walk, bool killable)
{
	wait_queue_head_t *wait = &walk->root->backing->wait;

	if (killable)
		return wait_event_killable(*wait,
					   dataspace_walk_may_begin(walk));
	wait_event(*wait, dataspace_walk_may_begin(walk));
	return 0;
}

/**
 * dataspace_walk - visit a dataspace and all that is derived from it
 * @root: the dataspace, which the caller keeps open
 * @visit: called under the backing's lock, parents before children; it may defer
 *	the update of sums; to be called again for the same dataspace if it returns
 *	false. It may be called for a dataspace that it has been done with before.
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
	struct dataspace_walk walk = { .root = root };
	bool killable = flags & DATASPACE_WALK_KILLABLE;
	struct lineage_member *last;
	bool begun = false;
	int steps;
	u32 left;

	spin_lock(&backing->lock);
	while (!begun || walk.next) {
		if (backing->walk != &walk) {
			while (!dataspace_walk_can_begin(&walk)) {
				spin_unlock(&backing->lock);
				if (dataspace_walk_wait(&walk, killable))
					return -EINTR;
				spin_lock(&backing->lock);
			}
			if (root->revoked && !walk.revokes_root) {
				spin_unlock(&backing->lock);
				return -ESTALE;
			}
			begun = true;
			killable = false;
			walk.next = &root->member;
			backing->walk = &walk;
		}
		left = lineage_count_behind(&root->member, walk.next);
		for (steps = 0; walk.next && steps < DATASPACE_BATCH; steps++) {
			last = walk.next;
			if (!visit(to_dataspace(last), arg))
				continue;
			walk.next = left-- ? lineage_successor(last) : NULL;
		}
		lineage_settle(&backing->lineage);
		walk.revokes_root = root->revoked;
		if (walk.next) {
			spin_unlock(&backing->lock);
			cond_resched();
			spin_lock(&backing->lock);
		}
	}
	backing->walk = NULL;
	spin_unlock(&backing->lock);
	wake_up_all(&backing->wait);
	return 0;
}
