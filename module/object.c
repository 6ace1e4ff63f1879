// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dataspaces: ranges of a backing, with rights.
 *
 * A dataspace is live from dataspace_link() to dataspace_die(), which is when
 * its file is released: then it covers its pages. It stays a member of the
 * lineage until it is neither live nor mapped. The object itself goes with the
 * last of its dentries, which others may hold through /proc for longer.
 *
 * Rights are set when the object is made and never change. An alias gets no
 * right that its source lacks (alias.c).
 */
#include <linux/atomic.h>
#include <linux/file.h>
#include <linux/slab.h>

#include "dataspace.h"

static struct kmem_cache *dataspace_cache;
static atomic64_t last_id;

/**
 * dataspace_alloc - make the object of a dataspace, not live yet
 * @backing: the memory
 * @start: first page
 * @end: page after the last one
 * @rights: bits of enum dataspace_rights
 *
 * Return: the dataspace with a reference for the caller, or NULL.
 */
struct dataspace *dataspace_alloc(struct backing *backing, unsigned long start,
				  unsigned long end, u32 rights)
{
	struct dataspace *ds = kmem_cache_zalloc(dataspace_cache, GFP_KERNEL);

	if (!ds)
		return NULL;
	kref_init(&ds->ref);
	ds->backing = backing;
	ds->start = start;
	ds->end = end;
	ds->rights = rights;
	ds->id = atomic64_inc_return(&last_id);
	return ds;
}

static void dataspace_free(struct kref *ref)
{
	kmem_cache_free(dataspace_cache,
			container_of(ref, struct dataspace, ref));
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
 * @source: the live one that it is derived from, or NULL for a root
 *
 * Return: 0.
 */
int dataspace_link(struct dataspace *ds, struct dataspace *source)
{
	struct backing *backing = ds->backing;

	mutex_lock(&backing->lock);
	coverage_add(&backing->coverage, &ds->cover, ds->start, ds->end);
	lineage_add(&backing->lineage, &ds->member,
		    source ? &source->member : NULL);
	WRITE_ONCE(ds->live, true);
	mutex_unlock(&backing->lock);
	return 0;
}

/**
 * dataspace_die - end the life of a dataspace, and release what only it covered
 * @ds: the dataspace; if it was never live, nothing happens
 */
void dataspace_die(struct dataspace *ds)
{
	struct backing *backing = ds->backing;
	struct file *map;

	if (!ds->live)
		return;
	mutex_lock(&backing->lock);
	WRITE_ONCE(ds->live, false);
	coverage_remove(&backing->coverage, &ds->cover);
	map = ds->map;
	ds->map = NULL;
	if (map)
		lineage_discount(&ds->member);
	else
		lineage_remove(&backing->lineage, &ds->member);
	backing_sweep(backing, ds->start, ds->end);
	mutex_unlock(&backing->lock);
	if (map)
		fput(map);
}

/**
 * dataspace_unmapped - a dataspace that is dead is now not mapped either
 * @ds: the dataspace
 */
void dataspace_unmapped(struct dataspace *ds)
{
	mutex_lock(&ds->backing->lock);
	lineage_remove(&ds->backing->lineage, &ds->member);
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
