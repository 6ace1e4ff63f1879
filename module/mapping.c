// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings: a record for each VMA that maps a dataspace.
 *
 * A mapping covers the pages that its VMA maps, from before the VMA can be found
 * by the reverse mapping until after its TLB entries have been flushed. So pages
 * that are mapped are covered, and what a mapping covers is in the same tree as
 * what dataspaces cover: nobody has to look at VMAs, which can be many, to find
 * out what can be released. Most map all of a dataspace: they keep the place of that
 * in the tree and have none of their own.
 *
 * The mm calls ->mmap() and ->open() before it links a VMA, and ->close() after
 * it has unlinked it and flushed the TLB, whatever happens to the VMA in between:
 *
 *  - fork() and mremap() make a copy, which covers what it maps as well;
 *  - a split makes a copy for one part before the other one shrinks. ->open() is
 *    the only call for it, so it shrinks what the original covers. The mm of both
 *    is locked for writing, so that nobody else changes the bounds of either;
 *  - a VMA never grows and is never merged with another one (VM_DONTEXPAND);
 *  - before 6.2 a split may fail after ->open(): the mm then calls ->close() for a
 *    copy without pages, and the original gets back what it covered.
 *
 * When a dataspace was revoked its mappings cover their pages until all that they
 * have mapped was unmapped (revoke.c). Copies that are made of them later cover
 * nothing.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "private.h"

static struct kmem_cache *dataspace_mapping_cache;

/**
 * dataspace_mapping_create - make a mapping that is nobody's yet
 * @gfp: how to allocate it; it is accounted
 *
 * Return: the mapping, or NULL.
 */
struct dataspace_mapping *dataspace_mapping_create(gfp_t gfp)
{
	return kmem_cache_zalloc(dataspace_mapping_cache, gfp);
}

/**
 * dataspace_mapping_destroy - free a mapping that is nobody's
 * @mapping: the mapping
 */
void dataspace_mapping_destroy(struct dataspace_mapping *mapping)
{
	kmem_cache_free(dataspace_mapping_cache, mapping);
}

/* Who maps all of a dataspace that is covered anyway shares the cover of that */
static void dataspace_mapping_cover(struct dataspace_mapping *mapping,
				    unsigned long start, unsigned long end)
{
	struct dataspace *ds = mapping->ds;

	lockdep_assert_held(&ds->backing->lock);
	mapping->shares_cover = start == ds->start && end == ds->end &&
				dataspace_is_covered(ds);
	if (mapping->shares_cover)
		ds->nr_sharing_cover++;
	else
		range_tree_add(&ds->backing->cover, &mapping->cover, start,
			       end);
}

static void dataspace_mapping_uncover(struct dataspace_mapping *mapping)
{
	struct dataspace *ds = mapping->ds;

	lockdep_assert_held(&ds->backing->lock);
	if (!mapping->shares_cover) {
		range_tree_remove(&ds->backing->cover, &mapping->cover);
		return;
	}
	ds->nr_sharing_cover--;
	if (!dataspace_is_covered(ds))
		range_tree_remove(&ds->backing->cover, &ds->cover);
}

static unsigned long
dataspace_mapping_start(const struct dataspace_mapping *mapping)
{
	return mapping->shares_cover ? mapping->ds->start :
				       range_tree_entry_start(&mapping->cover);
}

static unsigned long
dataspace_mapping_end(const struct dataspace_mapping *mapping)
{
	return mapping->shares_cover ? mapping->ds->end :
				       range_tree_entry_end(&mapping->cover);
}

/* A revoked dataspace has mappings that nobody counts any more */
static void dataspace_mapping_count(struct dataspace *ds)
{
	if (!ds->linked || ds->revoked)
		return;
	ds->member.count.mappings = ds->nr_mappings;
	lineage_update_sums(&ds->member);
}

static void dataspace_mapping_link(struct dataspace_mapping *mapping,
				   struct dataspace *ds,
				   struct vm_area_struct *vma)
{
	mapping->ds = ds;
	mapping->vma = vma;
	mapping->flushed = ds->unmapped;
	mapping->write_protected = ds->seal & SEAL_NOW;
	list_add_tail(&mapping->node, &ds->mappings);
	ds->nr_mappings++;
	dataspace_mapping_count(ds);
}

/**
 * dataspace_mapping_add - let a new VMA map a dataspace
 * @mapping: a new mapping, for the VMA
 * @ds: the dataspace, whose file the caller holds
 * @vma: the VMA, not linked yet, with its offset in the backing
 *
 * Return: 0, -ESTALE if the dataspace was revoked, or -EPERM if the VMA would be
 * shared and writable and the dataspace is sealed.
 */
int dataspace_mapping_add(struct dataspace_mapping *mapping,
			  struct dataspace *ds, struct vm_area_struct *vma)
{
	const unsigned long writable = VM_SHARED | VM_WRITE;
	int ret = 0;

	spin_lock(&ds->backing->lock);
	if (ds->revoked) {
		ret = -ESTALE;
	} else if (ds->seal && (vma->vm_flags & writable) == writable) {
		ret = -EPERM;
	} else {
		dataspace_mapping_link(mapping, ds, vma);
		dataspace_mapping_cover(mapping, vma->vm_pgoff,
					vma->vm_pgoff + vma_pages(vma));
		mapping->covers = true;
	}
	spin_unlock(&ds->backing->lock);
	return ret;
}

/* A part of the original's VMA is to be the copy's */
static bool dataspace_mapping_is_split(const struct dataspace_mapping *origin,
				       const struct vm_area_struct *vma)
{
	return origin->vma->vm_mm == vma->vm_mm &&
	       vma->vm_start >= origin->vma->vm_start &&
	       vma->vm_end <= origin->vma->vm_end;
}

/**
 * dataspace_mapping_copy - let the copy of a VMA map what that maps
 * @mapping: a new mapping, for the copy
 * @vma: the copy, which still refers to the mapping of the original
 */
void dataspace_mapping_copy(struct dataspace_mapping *mapping,
			    struct vm_area_struct *vma)
{
	struct dataspace_mapping *origin = vma->vm_private_data;
	struct dataspace *ds = origin->ds;
	unsigned long start = vma->vm_pgoff;
	unsigned long end = start + vma_pages(vma);

	spin_lock(&ds->backing->lock);
	mapping->origin = origin;
	mapping->covers = origin->covers && !ds->unmapped;
	dataspace_mapping_link(mapping, ds, vma);
	if (mapping->covers)
		dataspace_mapping_cover(mapping, start, end);
	if (origin->covers && dataspace_mapping_is_split(origin, vma)) {
		unsigned long from = dataspace_mapping_start(origin);
		unsigned long to = dataspace_mapping_end(origin);

		dataspace_mapping_uncover(origin);
		if (start == from)
			dataspace_mapping_cover(origin, end, to);
		else
			dataspace_mapping_cover(origin, from, start);
	}
	spin_unlock(&ds->backing->lock);
}

/* The split that the mapping was made for has failed */
static void dataspace_mapping_undo_split(struct dataspace_mapping *mapping)
{
	struct dataspace_mapping *origin = mapping->origin;
	unsigned long start = min(dataspace_mapping_start(mapping),
				  dataspace_mapping_start(origin));
	unsigned long end = max(dataspace_mapping_end(mapping),
				dataspace_mapping_end(origin));

	dataspace_mapping_uncover(origin);
	dataspace_mapping_cover(origin, start, end);
}

/**
 * dataspace_mapping_remove - a VMA is gone: release what only it covered
 * @mapping: its mapping
 */
void dataspace_mapping_remove(struct dataspace_mapping *mapping)
{
	struct dataspace *ds = mapping->ds;
	struct backing *backing = ds->backing;
	struct dataspace *childless = NULL;
	unsigned long start, end;
	bool release;

	spin_lock(&backing->lock);
	start = dataspace_mapping_start(mapping);
	end = dataspace_mapping_end(mapping);
	release = mapping->covers && !ds->live;
	if (mapping->covers) {
		if (!vma_pages(mapping->vma) && mapping->origin->covers)
			dataspace_mapping_undo_split(mapping);
		dataspace_mapping_uncover(mapping);
		mapping->covers = false;
	}
	if (release) {
		spin_unlock(&backing->lock);
		backing_sweep(backing, start, end);
		spin_lock(&backing->lock);
	}
	list_del(&mapping->node);
	ds->nr_mappings--;
	dataspace_mapping_count(ds);
	if (ds->linked && !ds->live && !ds->nr_mappings && !ds->revoked)
		childless = dataspace_unlink(ds);
	spin_unlock(&backing->lock);
	dataspace_wake_childless(childless);
	dataspace_mapping_destroy(mapping);
}

int __init dataspace_mapping_init(void)
{
	dataspace_mapping_cache = KMEM_CACHE(dataspace_mapping, SLAB_ACCOUNT);
	return dataspace_mapping_cache ? 0 : -ENOMEM;
}

void dataspace_mapping_exit(void)
{
	kmem_cache_destroy(dataspace_mapping_cache);
}
