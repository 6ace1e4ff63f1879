// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dataspaces: ranges of a backing, with rights.
 *
 * A dataspace is live from dataspace_link() on, until its file is released or it
 * is revoked. It covers its pages as long, or, if it was revoked, until nobody
 * uses it any more (revoke.c). It is in the lineage as long as it is live or
 * mapped, or revoked and in use. The object itself goes with the last of its
 * dentries, which others may hold through /proc for longer.
 *
 * Rights are set when the object is made and never change; an alias gets no right
 * that its source lacks (alias.c). What takes rights away later is the state of
 * being sealed (seal.c) or revoked (revoke.c). Both are written under the
 * backing's lock and read without it by those who use the memory.
 *
 * No function here sleeps or wakes anybody under the backing's lock, and each
 * holds it for a fixed number of operations on trees: O(log n) for n dataspaces
 * and mappings of the backing. Pages are released and pollers woken after the
 * lock has been dropped, by the one whose call was the reason for it.
 */
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "private.h"
#include "trace.h"

static struct kmem_cache *dataspace_cache;

/**
 * dataspace_create - make the object of a dataspace, not live yet
 * @backing: the memory
 * @start: first page, as an index of the page cache
 * @end: page after the last one
 * @rights: DATASPACE_READ and so on
 *
 * Return: the dataspace with a reference for the caller, or ERR_PTR(-ENOMEM).
 */
struct dataspace *dataspace_create(struct backing *backing, unsigned long start,
				   unsigned long end, u32 rights)
{
	struct dataspace *ds =
		kmem_cache_zalloc(dataspace_cache, DATASPACE_GFP);

	if (!ds)
		return ERR_PTR(-ENOMEM);
	ihold(&backing->inode);
	kref_init(&ds->ref);
	INIT_LIST_HEAD(&ds->mappings);
	INIT_LIST_HEAD(&ds->exports);
	init_waitqueue_head(&ds->wait);
	spin_lock_init(&ds->name_lock);
	ds->backing = backing;
	ds->start = start;
	ds->end = end;
	ds->rights = rights;
	ds->created = ktime_get_coarse_real();
	ds->creator = task_tgid_nr(current);
	strscpy(ds->creator_name, current->comm, sizeof(ds->creator_name));
	ds->serial = dataspace_new_serial();
	return ds;
}

static void dataspace_free(struct kref *ref)
{
	struct dataspace *ds = container_of(ref, struct dataspace, ref);
	struct backing *backing = ds->backing;

	kmem_cache_free(dataspace_cache, ds);
	iput(&backing->inode);
}

/**
 * dataspace_put - drop a reference
 * @ds: the dataspace
 */
void dataspace_put(struct dataspace *ds)
{
	kref_put(&ds->ref, dataspace_free);
}

/*
 * Whether it is clear if aliases of a dataspace are revoked or sealed; not if
 * a walk comes to the dataspace later. What is derived from those that the walk
 * has passed lies behind it, too: a walk ends however many aliases are made.
 */
static bool dataspace_is_settled(const struct dataspace *ds)
{
	lockdep_assert_held(&ds->backing->lock);
	if (ds->revoked)
		return true;
	return !ds->seal_pending && !dataspace_walk_comes_to(ds);
}

/* Wait for a SEAL_NOW that is being decided, or help a walk that is on its way */
static int dataspace_settle(struct dataspace *ds)
{
	if (wait_event_killable(ds->backing->wait,
				!READ_ONCE(ds->seal_pending)))
		return -EINTR;
	if (fatal_signal_pending(current))
		return -EINTR;
	dataspace_walk_help(ds);
	return 0;
}

/**
 * dataspace_link - make a dataspace live
 * @ds: the dataspace
 * @source: what it is derived from, or NULL for a root
 *
 * Waits if @source is just being sealed.
 *
 * Return: 0, -ESTALE if @source was revoked, or -EINTR if a fatal signal is
 * pending.
 */
int dataspace_link(struct dataspace *ds, struct dataspace *source)
{
	struct backing *backing = ds->backing;
	int ret;

	spin_lock(&backing->lock);
	while (source && !dataspace_is_settled(source)) {
		spin_unlock(&backing->lock);
		ret = dataspace_settle(source);
		if (ret)
			return ret;
		spin_lock(&backing->lock);
	}
	if (source && source->revoked) {
		spin_unlock(&backing->lock);
		return -ESTALE;
	}
	if (source)
		ds->seal = source->seal;
	range_tree_add(&backing->cover, &ds->cover, ds->start, ds->end);
	ds->covers = true;
	ds->member.count.live = 1;
	lineage_add(&backing->lineage, &ds->member,
		    source ? &source->member : NULL);
	ds->linked = true;
	ds->live = true;
	spin_unlock(&backing->lock);
	return 0;
}

/* Let those go on without a dataspace who have come to it in the lineage, or seal it */
static void dataspace_pass(struct dataspace *ds)
{
	struct backing *backing = ds->backing;
	struct backing_reader *reader;

	lockdep_assert_held(&backing->lock);
	dataspace_set_seal_pending(ds, NULL);
	if (list_empty(&backing->readers) && !ds->next_in_walk)
		return;
	lineage_settle(&backing->lineage);
	if (ds->next_in_walk)
		dataspace_walk_skip(ds);
	list_for_each_entry(reader, &backing->readers, node)
		lineage_cursor_forget(&reader->cursor, &ds->member);
}

static struct dataspace *dataspace_get_childless(struct lineage_member *member)
{
	if (!member)
		return NULL;
	kref_get(&to_dataspace(member)->ref);
	return to_dataspace(member);
}

/**
 * dataspace_unlink - take a dataspace out of the lineage
 * @ds: a member of its backing's lineage; the backing is locked
 *
 * Return: the dataspace that has lost its last descendant by this, for
 * dataspace_wake_childless() after the lock has been dropped, or NULL.
 */
struct dataspace *dataspace_unlink(struct dataspace *ds)
{
	struct lineage_member *childless;

	dataspace_pass(ds);
	ds->linked = false;
	childless = lineage_remove(&ds->backing->lineage, &ds->member);
	return dataspace_get_childless(childless);
}

/**
 * dataspace_unlink_deferred - take one of many dataspaces out of the lineage
 * @ds: as for dataspace_unlink(); the caller calls lineage_settle() in the end
 *
 * Return: as dataspace_unlink().
 */
struct dataspace *dataspace_unlink_deferred(struct dataspace *ds)
{
	struct lineage_member *childless;

	dataspace_pass(ds);
	ds->linked = false;
	childless = lineage_remove_deferred(&ds->backing->lineage, &ds->member);
	return dataspace_get_childless(childless);
}

/**
 * dataspace_wake_childless - wake those who wait for the last descendant to go
 * @ds: what dataspace_unlink() has returned; its reference is dropped
 */
void dataspace_wake_childless(struct dataspace *ds)
{
	if (!ds)
		return;
	wake_up_poll(&ds->wait, EPOLLIN | EPOLLRDNORM);
	dataspace_put(ds);
}

/**
 * dataspace_close_last - its file is gone: release what only the dataspace covered
 * @ds: the dataspace; may have been revoked, or never been live
 */
void dataspace_close_last(struct dataspace *ds)
{
	struct backing *backing = ds->backing;
	struct dataspace *childless = NULL;
	struct file *vma_file;
	bool was_live;

	spin_lock(&backing->lock);
	was_live = ds->live;
	if (was_live) {
		ds->live = false;
		ds->covers = false;
		if (!dataspace_is_covered(ds))
			range_tree_remove(&backing->cover, &ds->cover);
		if (ds->nr_mappings) {
			ds->member.count.live = 0;
			lineage_update_sums(&ds->member);
		} /* else it counts until it leaves the lineage, in a moment */
	}
	vma_file = ds->vma_file;
	ds->vma_file = NULL;
	spin_unlock(&backing->lock);
	if (was_live) {
		backing_sweep(backing, ds->start, ds->end);
		spin_lock(&backing->lock);
		if (ds->linked && !ds->nr_mappings && !ds->revoked)
			childless = dataspace_unlink(ds);
		spin_unlock(&backing->lock);
		dataspace_wake_childless(childless);
	}
	if (vma_file)
		fput(vma_file);
	trace_dataspace_release(ds);
}

/**
 * dataspace_get_name - copy a dataspace's name
 * @ds: the dataspace
 * @name: %DATASPACE_NAME_MAX bytes for it, and a null byte
 */
void dataspace_get_name(struct dataspace *ds, char *name)
{
	spin_lock(&ds->name_lock);
	memcpy(name, ds->name, DATASPACE_NAME_MAX);
	spin_unlock(&ds->name_lock);
}

int __init dataspace_init(void)
{
	dataspace_id_init();
	dataspace_cache = KMEM_CACHE(dataspace, SLAB_ACCOUNT);
	return dataspace_cache ? 0 : -ENOMEM;
}

void dataspace_exit(void)
{
	kmem_cache_destroy(dataspace_cache);
}
