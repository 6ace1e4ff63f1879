/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MEMORY_H
#define _MEMORY_H

#include <linux/bits.h>
#include <linux/mm_types.h>
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

struct zone;

/* extent.c */
int extent_alloc(struct extent *extent, const struct extent_request *request);
int extent_alloc_scattered(struct extent *extent,
			   const struct extent_request *request);
void extent_free(struct extent *extent, unsigned long from);

static inline struct folio *extent_folio(struct extent *extent,
					 unsigned long index)
{
	return page_folio(pfn_to_page(extent->pfn + index));
}

/*
 * Core makes no compound page of a part of one of its blocks. Where those are
 * larger than a chunk, as with large pages, runs are single pages.
 */
static inline bool chunks_can_be_taken(void)
{
	return LARGE_FOLIO_PAGES == 1 || LARGE_FOLIO_ORDER >= pageblock_order;
}

/* contig.c */
int contig_alloc(struct extent *extent, const struct extent_request *request);
int contig_take(struct extent *extent, const struct extent_request *request);
int contig_take_pages(unsigned long pfn, unsigned long nr_pages);
int contig_take_chunk(struct zone *zone, unsigned long pfn);

/* pool.c */
void pool_init(void);
void pool_exit(void);
int pool_alloc(struct extent *extent, const struct extent_request *request,
	       unsigned long align);
void pool_released(struct folio *folio);

#endif /* _MEMORY_H */
