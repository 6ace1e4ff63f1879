/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical memory: extent.c takes it from the page allocator, from the pool
 * (pool.c), or from a search for a contiguous run (contig.c). Each calls only
 * those behind it in this list.
 */
#ifndef _MEMORY_H
#define _MEMORY_H

#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/mmzone.h>
#include <linux/types.h>

#include "kver.h"

#define LARGE_FOLIO_PAGES BIT(LARGE_FOLIO_ORDER)

/**
 * struct extent_request - what memory is wanted
 * @nr_pages: length in pages, not 0
 * @align: physical alignment in pages, a power of two
 * @node: NUMA node that it must come from, or NUMA_NO_NODE
 */
struct extent_request {
	unsigned long nr_pages;
	unsigned long align;
	int node;
};

/**
 * struct extent - physically contiguous pages, each with a reference of ours
 * @pfn: the first one
 * @nr_pages: how many
 *
 * They are one compound page, or from the first page on compound pages of
 * %LARGE_FOLIO_PAGES as long as a whole one fits, then single pages.
 */
struct extent {
	unsigned long pfn;
	unsigned long nr_pages;
};

static inline struct folio *extent_folio(struct extent *extent,
					 unsigned long index)
{
	return page_folio(pfn_to_page(extent->pfn + index));
}

/*
 * The page allocator makes no compound page of a part of a pageblock. Where
 * pageblocks are larger than a large folio, as with pages of 64 KiB, a run
 * consists of single pages.
 */
static inline bool contig_has_large_folios(void)
{
	return LARGE_FOLIO_PAGES == 1 || LARGE_FOLIO_ORDER >= pageblock_order;
}

/* extent.c */
int extent_alloc(struct extent *extent, const struct extent_request *request);
int extent_alloc_scattered(struct extent *extent,
			   const struct extent_request *request);
void extent_free(struct extent *extent, unsigned long from);

/* pool.c */
void dataspace_pool_init(void);
void dataspace_pool_exit(void);
int pool_alloc(struct extent *extent, const struct extent_request *request);
void pool_notice_release(struct folio *folio);
u64 pool_size_bytes(void);
u64 pool_free_bytes(void);

/* contig.c */
int contig_search(struct extent *extent, const struct extent_request *request);
int contig_take_pages(unsigned long pfn, unsigned long nr_pages);
int contig_take_large_folio(struct zone *zone, unsigned long pfn);

#endif /* _MEMORY_H */
