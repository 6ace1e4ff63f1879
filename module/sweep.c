// SPDX-License-Identifier: GPL-2.0-only
/*
 * Releasing pages that nothing covers any more.
 *
 * A sweep looks at a range for gaps in the coverage, then within each gap for
 * pieces that no area maps, and truncates those from the page cache. It may be
 * done at any time, for any range, any number of times. Between finding a piece
 * and truncating it no new cover can arise: an alias is within a live dataspace
 * and a new area within a live dataspace or an area that is there.
 *
 * A large folio of which only a part is released is split by core; the other
 * pages stay where they are. If one of its pages is pinned it can't be split:
 * then the part stays for now and its chunk is noted in backing->deferred, to
 * be swept again after a while, and again until it is gone.
 */
#include <linux/bitmap.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/workqueue.h>

#include "private.h"

#define RETRY_MIN_MS 10
#define RETRY_MAX_MS 1000

static inline unsigned long area_start(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static inline unsigned long area_last(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* The tree of areas is core's; this is for looking at it only */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, area_start, area_last,
		     static inline __maybe_unused, area_tree)

/* Areas of a dataspace that was revoked do not count */
static struct vm_area_struct *first_area(struct address_space *mapping,
					 unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	vma = area_tree_iter_first(&mapping->i_mmap, start, end - 1);
	while (vma && READ_ONCE(dataspace_of(vma->vm_file)->revoked))
		vma = area_tree_iter_next(vma, start, end - 1);
	return vma;
}

/*
 * Find the next piece of [@start, @end) that no area maps. Areas are met in the
 * order of their starts.
 */
static bool next_unmapped(struct backing *backing, unsigned long *start,
			  unsigned long *end)
{
	struct address_space *mapping = backing->inode.i_mapping;
	struct vm_area_struct *vma = NULL;

	i_mmap_lock_read(mapping);
	while (*start < *end) {
		vma = first_area(mapping, *start, *end);
		if (!vma || area_start(vma) > *start)
			break;
		*start = area_last(vma) + 1;
		vma = NULL;
	}
	if (vma)
		*end = area_start(vma);
	i_mmap_unlock_read(mapping);
	return *start < *end;
}

static void defer_release(struct backing *backing, unsigned long index)
{
	__set_bit(index / LARGE_FOLIO_PAGES, backing->deferred);
	schedule_delayed_work(&backing->retry,
			      msecs_to_jiffies(backing->retry_ms));
}

/*
 * If the folio at @index reaches beyond [@start, @end) and is pinned, so that a
 * part of it can't be released, return true and its limits.
 */
static bool part_is_pinned(struct backing *backing, unsigned long index,
			   unsigned long start, unsigned long end,
			   struct extent *limits)
{
	struct folio *folio =
		filemap_get_folio(backing->inode.i_mapping, index);
	bool pinned = false;

	if (IS_ERR_OR_NULL(folio))
		return false;
	limits->pfn = folio->index;
	limits->nr_pages = folio_nr_pages(folio);
	if (folio->index < start || folio_next_index(folio) > end)
		pinned = folio_is_pinned(folio);
	folio_put(folio);
	return pinned;
}

/* Release pages that nothing covers; what is pinned in parts is deferred */
static void release_piece(struct backing *backing, unsigned long start,
			  unsigned long end)
{
	struct extent folio;

	if (part_is_pinned(backing, start, start, end, &folio)) {
		defer_release(backing, start);
		start = folio.pfn + folio.nr_pages;
	}
	if (start < end &&
	    part_is_pinned(backing, end - 1, start, end, &folio)) {
		defer_release(backing, end - 1);
		end = folio.pfn;
	}
	if (start >= end)
		return;
	truncate_inode_pages_range(backing->inode.i_mapping,
				   (loff_t)start << PAGE_SHIFT,
				   ((loff_t)end << PAGE_SHIFT) - 1);
	if (backing_has_page(backing, start))
		defer_release(backing, start);
	if (backing_has_page(backing, end - 1))
		defer_release(backing, end - 1);
}

/**
 * backing_sweep - release the pages of a range that nothing covers
 * @backing: the backing, locked
 * @start: first page
 * @end: page after the last one
 */
void backing_sweep(struct backing *backing, unsigned long start,
		   unsigned long end)
{
	unsigned long limit = end;

	lockdep_assert_held(&backing->lock);
	while (range_tree_next_gap(&backing->cover, 0, &start, &limit)) {
		unsigned long gap_end = limit;

		while (next_unmapped(backing, &start, &limit)) {
			release_piece(backing, start, limit);
			start = limit;
			limit = gap_end;
		}
		start = gap_end;
		limit = end;
		cond_resched();
	}
}

/**
 * backing_exclusive - count the pages that only one dataspace covers
 * @backing: the backing, locked
 * @start: first page of the range of a live dataspace
 * @end: page after the last one
 *
 * Return: the number of pages in the range that one live dataspace covers and
 * that no area maps.
 */
unsigned long backing_exclusive(struct backing *backing, unsigned long start,
				unsigned long end)
{
	unsigned long nr_pages = 0;
	unsigned long limit = end;

	lockdep_assert_held(&backing->lock);
	while (range_tree_next_gap(&backing->cover, 1, &start, &limit)) {
		unsigned long gap_end = limit;

		while (next_unmapped(backing, &start, &limit)) {
			nr_pages += limit - start;
			start = limit;
			limit = gap_end;
		}
		start = gap_end;
		limit = end;
		cond_resched();
	}
	return nr_pages;
}

static void retry_release(struct work_struct *work)
{
	struct backing *backing =
		container_of(to_delayed_work(work), struct backing, retry);
	unsigned long bits = DIV_ROUND_UP(backing->nr_pages, LARGE_FOLIO_PAGES);
	unsigned long bit;

	mutex_lock(&backing->lock);
	backing->retry_ms = min(2 * backing->retry_ms, RETRY_MAX_MS);
	for_each_set_bit(bit, backing->deferred, bits) {
		unsigned long start = bit * LARGE_FOLIO_PAGES;

		__clear_bit(bit, backing->deferred);
		backing_sweep(backing, start,
			      min(start + LARGE_FOLIO_PAGES,
				  backing->nr_pages));
	}
	if (bitmap_empty(backing->deferred, bits))
		backing->retry_ms = RETRY_MIN_MS;
	mutex_unlock(&backing->lock);
}

/**
 * backing_release_init - prepare a backing for releasing pages
 * @backing: the backing; its work is to be cancelled before it is freed
 */
void backing_release_init(struct backing *backing)
{
	INIT_DELAYED_WORK(&backing->retry, retry_release);
	backing->retry_ms = RETRY_MIN_MS;
}
