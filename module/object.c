// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dataspaces: ranges of a backing, with rights.
 *
 * A dataspace is live from dataspace_link() on, until its file is released or
 * it is revoked: as long it covers its pages. It is a member of the lineage
 * until it is revoked or neither live nor mapped. The object itself goes with
 * the last of its dentries, which others may hold through /proc for longer.
 *
 * Rights are set when the object is made and never change; an alias gets no
 * right that its source lacks (alias.c). What takes rights away later is the
 * state of being sealed (seal.c) or revoked (revoke.c). Both are written under
 * the backing's lock and read without it by those who use the memory.
 */
#include <linux/atomic.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "private.h"

static struct kmem_cache *dataspace_cache;
static atomic64_t last_id;

/**
 * dataspace_create - make the object of a dataspace, not live yet
 * @backing: the memory
 * @start: first page
 * @end: page after the last one
 * @rights: DATASPACE_READ and so on
 *
 * Return: the dataspace with a reference for the caller, or ERR_PTR(-ENOMEM).
 */
struct dataspace *dataspace_create(struct backing *backing, unsigned long start,
				   unsigned long end, u32 rights)
{
	struct dataspace *ds = kmem_cache_zalloc(dataspace_cache, GFP_KERNEL);

	if (!ds)
		return ERR_PTR(-ENOMEM);
	ihold(&backing->inode);
	kref_init(&ds->ref);
	init_waitqueue_head(&ds->wait);
	spin_lock_init(&ds->name_lock);
	ds->backing = backing;
	ds->start = start;
	ds->end = end;
	ds->rights = rights;
	ds->id = atomic64_inc_return(&last_id);
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

/**
 * dataspace_link - make a dataspace live
 * @ds: the dataspace
 * @source: what it is derived from, or NULL for a root
 *
 * Return: 0, or -ESTALE if @source was revoked.
 */
int dataspace_link(struct dataspace *ds, struct dataspace *source)
{
	struct backing *backing = ds->backing;
	int ret = 0;

	mutex_lock(&backing->lock);
	if (source && source->revoked) {
		ret = -ESTALE;
	} else {
		range_tree_add(&backing->cover, &ds->cover, ds->start, ds->end);
		ds->member.count.live = 1;
		lineage_add(&backing->lineage, &ds->member,
			    source ? &source->member : NULL);
		if (source)
			ds->seal = source->seal;
		WRITE_ONCE(ds->live, true);
	}
	mutex_unlock(&backing->lock);
	return ret;
}

/**
 * dataspace_unlink - take a dataspace out of the lineage
 * @ds: a member of its backing's lineage; the backing is locked
 *
 * Wakes those who wait for the last derived dataspace to go.
 */
void dataspace_unlink(struct dataspace *ds)
{
	struct lineage_member *childless;

	lockdep_assert_held(&ds->backing->lock);
	childless = lineage_remove(&ds->backing->lineage, &ds->member);
	if (childless)
		wake_up_poll(&to_dataspace(childless)->wait,
			     EPOLLIN | EPOLLRDNORM);
}

/**
 * dataspace_uncover - let a dataspace cover its pages no more
 * @ds: a live dataspace; its backing is locked
 */
void dataspace_uncover(struct dataspace *ds)
{
	lockdep_assert_held(&ds->backing->lock);
	WRITE_ONCE(ds->live, false);
	range_tree_remove(&ds->backing->cover, &ds->cover);
}

static void dataspace_end_life(struct dataspace *ds)
{
	dataspace_uncover(ds);
	if (ds->map) {
		ds->member.count.live = 0;
		lineage_update_sums(&ds->member);
	} else {
		dataspace_unlink(ds);
	}
	backing_sweep(ds->backing, ds->start, ds->end);
}

/**
 * dataspace_die - its file is gone: release what only the dataspace covered
 * @ds: the dataspace; may have been revoked, or never been live
 */
void dataspace_die(struct dataspace *ds)
{
	struct file *map;

	mutex_lock(&ds->backing->lock);
	if (ds->live)
		dataspace_end_life(ds);
	map = ds->map;
	ds->map = NULL;
	mutex_unlock(&ds->backing->lock);
	if (map)
		fput(map);
}

/**
 * dataspace_unmapped - a dataspace that is not live is now not mapped either
 * @ds: the dataspace
 */
void dataspace_unmapped(struct dataspace *ds)
{
	mutex_lock(&ds->backing->lock);
	if (!ds->revoked)
		dataspace_unlink(ds);
	mutex_unlock(&ds->backing->lock);
}

int __init dataspace_init(void)
{
	dataspace_cache = KMEM_CACHE(dataspace, SLAB_ACCOUNT);
	return dataspace_cache ? 0 : -ENOMEM;
}

void dataspace_exit(void)
{
	kmem_cache_destroy(dataspace_cache);
}
