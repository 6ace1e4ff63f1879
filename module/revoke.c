// SPDX-License-Identifier: GPL-2.0-only
/*
 * The REVOKE ioctl: end the life of everything that is derived from a dataspace.
 *
 * The caller marks all of it as revoked (walk.c). From then on no new use begins.
 * What is in use is cut off by backing->revoke_work, which belongs to nobody, so
 * that several callers share what it costs and none waits for another one's
 * thread, not even for one that is still marking. It takes what has been marked so
 * far and
 *
 *  1. waits for an RCU grace period, so that copies and mapping ahead have ended;
 *  2. unmaps the union of the ranges, each page once however many map it;
 *  3. waits for VMAs that were being unmapped by their owners just then: for each
 *     that the reverse mapping does not have, until a TLB flush is not pending in
 *     its mm, or until it is closed, whichever is first. VMAs that are made later
 *     are copies of what was unmapped, so that nobody can draw this out by making
 *     more. The work looks again at every tick and does not wait itself: who
 *     stalls a flush holds up only those who revoke from him. It waits in the same
 *     way for who is punching a hole (lazy.c);
 *  4. waits for devices that have got at the memory by dma-bufs to be cut off
 *     (dmabuf.c), which was begun before, in the same way;
 *  5. ends the cover of the dataspace and its mappings, releases pages that
 *     nothing else covers, and takes it out of the lineage. Only now pollers are
 *     told, so that they can rely on it.
 *
 * The caller waits until nothing revoked is left among the descendants. If it is
 * killed, nothing has to be undone, and the next one to call waits for the rest.
 */
#include <linux/build_bug.h>
#include <linux/list_sort.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>

#include "private.h"
#include "trace.h"

static_assert(sizeof(struct dataspace_revoke) == 8);
static_assert(sizeof_field(struct dataspace_revoke, size) +
		      sizeof_field(struct dataspace_revoke, flags) ==
	      8);

/* How long the work lets callers mark more before it cuts off what is marked */
#define REVOKE_MARKING_MAX_MS 100

static struct workqueue_struct *dataspace_revoke_wq;

/**
 * struct revocation - what one call revokes
 * @root: the dataspace that it was called for
 * @self: whether to revoke that, too
 * @nr_marked: how many it has marked
 */
struct revocation {
	struct dataspace *root;
	bool self;
	u32 nr_marked;
};

/*
 * Have the work cut off a dataspace, whether or not its caller gets a processor to
 * mark more. What others are derived from comes before them. The work holds the
 * inode once for being queued, and once for running: it may be both.
 */
static void revoke_add(struct dataspace *ds, bool is_root)
{
	struct backing *backing = ds->backing;

	if (list_empty(&backing->revoked) &&
	    queue_delayed_work(dataspace_revoke_wq, &backing->revoke_work,
			       msecs_to_jiffies(REVOKE_MARKING_MAX_MS)))
		ihold(&backing->inode);
	if (is_root)
		list_add(&ds->revoked_node, &backing->revoked);
	else
		list_add_tail(&ds->revoked_node, &backing->revoked);
}

static bool revoke_visit(struct dataspace *ds, void *arg)
{
	struct revocation *revocation = arg;

	lockdep_assert_held(&ds->backing->lock);
	if (ds->revoked || (ds == revocation->root && !revocation->self))
		return true;
	WRITE_ONCE(ds->revoked, true);
	dataspace_set_seal_pending(ds, NULL); /* there is nothing to decide */
	ds->live = false;
	ds->member.count = (struct lineage_count){
		.revoked = 1,
		.punching = ds->member.count.punching,
	};
	lineage_update_sums_deferred(&ds->member);
	kref_get(&ds->ref);
	revoke_add(ds, ds == revocation->root);
	revocation->nr_marked++;
	return true;
}

/* Have the work begin at once, if anything is marked */
static void revoke_submit(struct backing *backing)
{
	bool is_marked;

	spin_lock(&backing->lock);
	is_marked = !list_empty(&backing->revoked);
	spin_unlock(&backing->lock);
	if (!is_marked)
		return;
	ihold(&backing->inode);
	if (mod_delayed_work(dataspace_revoke_wq, &backing->revoke_work, 0))
		iput(&backing->inode);
}

/* Let others have the lock every few steps */
static void revoke_pause(struct backing *backing, unsigned int *steps)
{
	if (++*steps % DATASPACE_BATCH)
		return;
	range_tree_settle(&backing->cover);
	spin_unlock(&backing->lock);
	cond_resched();
	spin_lock(&backing->lock);
}

static int revoke_compare(void *priv, const struct list_head *one,
			  const struct list_head *other)
{
	unsigned int *steps = priv;

	if (!(++*steps % DATASPACE_BATCH))
		cond_resched();
	return list_entry(one, struct dataspace, revoked_node)->start >
	       list_entry(other, struct dataspace, revoked_node)->start;
}

/*
 * Sort by place, so that what is derived comes after what it is derived from. If the
 * ranges go up or down without an overlap there is nothing to do: no one of them is
 * derived from another.
 */
static void revoke_sort(struct list_head *list)
{
	bool ascending = true;
	bool descending = true;
	const struct dataspace *ds, *prev = NULL;
	unsigned int steps = 0;

	list_for_each_entry(ds, list, revoked_node) {
		if (prev) {
			ascending = ascending && prev->end <= ds->start;
			descending = descending && ds->end <= prev->start;
		}
		if (!ascending && !descending) {
			list_sort(&steps, list, revoke_compare);
			return;
		}
		prev = ds;
		if (!(++steps % DATASPACE_BATCH))
			cond_resched();
	}
}

/*
 * Call for each run of the union of the ranges, all or of those that are mapped.
 * That is once for each page if the list is sorted.
 */
static void revoke_call_on_runs(struct backing *backing, struct list_head *list,
				bool mapped, backing_range_t call)
{
	unsigned int steps = 0;
	unsigned long start = 0;
	unsigned long end = 0;
	struct dataspace *ds;

	list_for_each_entry(ds, list, revoked_node) {
		if (!(++steps % DATASPACE_BATCH))
			cond_resched();
		if (mapped && !READ_ONCE(ds->nr_mappings))
			continue;
		if (end && (ds->start > end || ds->end < start)) {
			call(backing, start, end);
			end = 0;
		}
		start = end ? min(start, ds->start) : ds->start;
		end = max(end, ds->end);
	}
	if (end)
		call(backing, start, end);
}

/*
 * Whether nobody uses a dataspace any more: no TLB, no device, and nobody who takes
 * pages out of it. A mapping that is found not to be in a flush once is done; those
 * that are done are at the end of the list.
 */
static bool revoke_is_flushed(struct dataspace *ds, unsigned int *steps)
{
	struct dataspace_mapping *mapping;

	lockdep_assert_held(&ds->backing->lock);
	if (ds->nr_exports_busy || ds->member.count.punching)
		return false;
	for (;;) {
		mapping = dataspace_first_mapping(ds);
		if (!mapping || mapping->flushed)
			return true;
		if (mm_tlb_flush_pending(mapping->vma->vm_mm))
			return false;
		mapping->flushed = true;
		if (list_is_singular(&ds->mappings))
			return true;
		list_rotate_left(&ds->mappings);
		revoke_pause(ds->backing, steps);
	}
}

static void revoke_uncover_mapping(struct dataspace *ds,
				   struct dataspace_mapping *mapping)
{
	struct range_tree *cover = &ds->backing->cover;

	if (!mapping->covers)
		return;
	mapping->covers = false;
	if (!mapping->shares_cover)
		range_tree_remove_deferred(cover, &mapping->cover);
	else if (!--ds->nr_sharing_cover && !ds->covers)
		range_tree_remove_deferred(cover, &ds->cover);
}

/*
 * End the cover of a dataspace and of its mappings. Mappings that are made meanwhile
 * cover nothing and are behind the others in the list.
 */
static void revoke_uncover(struct dataspace *ds, unsigned int *steps)
{
	struct dataspace_mapping *mapping;
	u32 left = ds->nr_mappings;

	lockdep_assert_held(&ds->backing->lock);
	while (left--) {
		mapping = dataspace_first_mapping(ds);
		if (mapping)
			revoke_uncover_mapping(ds, mapping);
		if (!mapping || !left)
			break;
		list_rotate_left(&ds->mappings);
		revoke_pause(ds->backing, steps);
	}
	if (ds->covers && !ds->nr_sharing_cover)
		range_tree_remove_deferred(&ds->backing->cover, &ds->cover);
	ds->covers = false;
}

/*
 * Take those out of the lineage from which nothing is derived that is still in use,
 * or has yet to be marked: a REVOKE that waits for one of them waits for that, too.
 * The list is sorted so that most come after what they are derived from.
 */
static void revoke_unlink(struct backing *backing, struct list_head *list)
{
	const __poll_t events = EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR;
	struct dataspace *ds, *prev, *childless;
	unsigned int steps, nr_unlinked;
	LIST_HEAD(in_use);

	while (!list_empty(list)) {
		childless = NULL;
		nr_unlinked = 0;
		ds = list_last_entry(list, struct dataspace, revoked_node);
		spin_lock(&backing->lock);
		for (steps = 0; steps < DATASPACE_BATCH; steps++, ds = prev) {
			if (childless ||
			    list_entry_is_head(ds, list, revoked_node))
				break;
			prev = list_prev_entry(ds, revoked_node);
			if (lineage_has_descendants(&ds->member)) {
				list_move(&ds->revoked_node, &in_use);
				continue;
			}
			childless = dataspace_unlink_deferred(ds);
			nr_unlinked++;
		}
		lineage_settle(&backing->lineage);
		spin_unlock(&backing->lock);
		dataspace_wake_childless(childless);
		for (; nr_unlinked; nr_unlinked--) {
			ds = list_last_entry(list, struct dataspace,
					     revoked_node);
			list_del(&ds->revoked_node);
			/* who polls from now on sees that it was revoked */
			if (wq_has_sleeper(&ds->wait))
				wake_up_poll(&ds->wait, events);
			dataspace_put(ds);
		}
		cond_resched();
	}
	list_splice(&in_use, list);
}

/*
 * Finish those that nobody uses any more, of dataspaces that were unmapped: let go of
 * their pages, and of themselves. Return whether that is all of them.
 */
static bool revoke_finish(struct backing *backing, struct list_head *list)
{
	struct dataspace *ds, *next;
	unsigned int steps = 0;
	LIST_HEAD(in_use);

	spin_lock(&backing->lock);
	list_for_each_entry_safe(ds, next, list, revoked_node) {
		ds->unmapped = true;
		if (revoke_is_flushed(ds, &steps))
			revoke_uncover(ds, &steps);
		else
			list_move_tail(&ds->revoked_node, &in_use);
		revoke_pause(backing, &steps);
	}
	range_tree_settle(&backing->cover);
	spin_unlock(&backing->lock);
	revoke_call_on_runs(backing, list, false, backing_sweep);
	revoke_unlink(backing, list);
	list_splice(&in_use, list);
	return list_empty(list);
}

/* Cut off what was marked since the last time, maybe by callers who go on marking */
static void revoke_cut_off(struct backing *backing, struct list_head *marked)
{
	struct dataspace *ds;

	/* nobody exports any more what is marked */
	if (READ_ONCE(backing->nr_exports)) {
		list_for_each_entry(ds, marked, revoked_node) {
			dataspace_revoke_exports(ds);
			cond_resched();
		}
	}
	backing_grace_period();
	revoke_sort(marked);
	revoke_call_on_runs(backing, marked, true, backing_zap);
	if (revoke_finish(backing, marked))
		return;
	revoke_call_on_runs(backing, marked, true, backing_mark_linked);
	revoke_finish(backing, marked);
	list_splice_tail_init(marked, &backing->flushing);
}

static void revoke_work(struct work_struct *work)
{
	struct backing *backing = container_of(to_delayed_work(work),
					       struct backing, revoke_work);
	LIST_HEAD(marked);
	bool is_new;
	bool done;

	spin_lock(&backing->lock);
	list_splice_init(&backing->revoked, &marked);
	spin_unlock(&backing->lock);
	revoke_finish(backing, &backing->flushing);
	if (!list_empty(&marked))
		revoke_cut_off(backing, &marked);
	spin_lock(&backing->lock);
	is_new = !list_empty(&backing->revoked);
	done = !is_new && list_empty(&backing->flushing);
	spin_unlock(&backing->lock);
	wake_up_all(&backing->wait);
	if (done || !queue_delayed_work(dataspace_revoke_wq,
					&backing->revoke_work, !is_new))
		iput(&backing->inode);
}

static bool revoke_is_done(const struct dataspace *root)
{
	bool done;

	spin_lock(&root->backing->lock);
	if (root->revoked)
		done = !root->linked;
	else
		done = !lineage_count(&root->member).revoked;
	spin_unlock(&root->backing->lock);
	return done;
}

/**
 * dataspace_ioctl_revoke - revoke everything derived from a dataspace
 * @file: its file
 * @arg: struct dataspace_revoke
 *
 * Return: 0, -EOPNOTSUPP, -ESTALE if the dataspace itself was revoked by somebody
 * else, or -EINTR if a fatal signal is pending.
 */
int dataspace_ioctl_revoke(struct file *file, void *arg)
{
	struct dataspace *ds = dataspace_of(file);
	struct backing *backing = ds->backing;
	const struct dataspace_revoke *args = arg;
	struct revocation revocation = {
		.root = ds,
		.self = args->flags & DATASPACE_REVOKE_SELF,
	};
	unsigned int flags = DATASPACE_WALK_KILLABLE;
	int ret;

	if (args->flags & ~DATASPACE_REVOKE_SELF)
		return -EOPNOTSUPP;
	if (revocation.self)
		flags |= DATASPACE_WALK_ROOT_LAST;
	ret = dataspace_walk(ds, revoke_visit, &revocation, flags);
	revoke_submit(backing);
	if (ret != -EINTR &&
	    wait_event_killable(backing->wait, revoke_is_done(ds)))
		ret = -EINTR;
	trace_dataspace_revoke(ds, args->flags, revocation.nr_marked, ret);
	return ret;
}

/**
 * dataspace_revoke_prepare - prepare a new backing for revocations
 * @backing: the backing
 */
void dataspace_revoke_prepare(struct backing *backing)
{
	INIT_DELAYED_WORK(&backing->revoke_work, revoke_work);
}

int __init dataspace_revoke_init(void)
{
	dataspace_revoke_wq =
		alloc_workqueue("dataspace_revoke", WQ_UNBOUND, 0);
	return dataspace_revoke_wq ? 0 : -ENOMEM;
}

void dataspace_revoke_exit(void)
{
	destroy_workqueue(dataspace_revoke_wq);
}
