/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical memory: extent.c takes it from the page allocator, from the pool
 * (pool.c), or from a search for a contiguous run (contig.c). Each calls only
 * those behind it in this list.
 */
#ifndef _MEMORY_H
#define _MEMORY_H

#include <linux/bits.h>
#include <linux/list.h>
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

/**
 * enum contig_pass - what a search puts up with, in this order
 * @CONTIG_FREE: all pages of the run have to be free
 * @CONTIG_MOVABLE: they may be in use, if they are movable
 * @CONTIG_CLAIMED: another search may be about to take them
 * @CONTIG_GIVE_UP: there is no run to be had
 */
enum contig_pass {
	CONTIG_FREE,
	CONTIG_MOVABLE,
	CONTIG_CLAIMED,
	CONTIG_GIVE_UP,
};

/**
 * struct contig_search - a search for contiguous memory; of contig.c alone
 * @request: what is wanted
 * @pass: what it puts up with at the moment
 * @zone: which zone it looks at
 * @pfn: how far down it has looked
 * @end: page after the last one of the run that goes on below @pfn
 * @attempts: how many more runs may be tried in this pass
 * @jiffies_left: how much longer it may take
 * @met_claim: whether there were runs that another search had claimed
 * @claim: in the list of all searches that have claimed a run
 * @run: what is claimed, or no pages
 * @nr_taken: how many pages of @run have been taken
 */
struct contig_search {
	const struct extent_request *request;
	enum contig_pass pass;
	unsigned int zone;
	unsigned long pfn;
	unsigned long end;
	int attempts;
	long jiffies_left;
	bool met_claim;
	struct list_head claim;
	struct extent run;
	unsigned long nr_taken;
};

/**
 * struct extent_run - a contiguous run that is taken extent by extent
 * @request: what is wanted; private, as what follows
 * @searching: whether there is a search
 * @search: the search
 */
struct extent_run {
	struct extent_request request;
	bool searching;
	struct contig_search search;
};

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
void extent_run_begin(struct extent_run *run,
		      const struct extent_request *request);
int extent_run_take(struct extent_run *run, struct extent *extent);
void extent_run_end(struct extent_run *run);
bool extent_is_beyond_reach(const struct extent_request *request);
int extent_alloc_scattered(struct extent *extent,
			   const struct extent_request *request);
void extent_free(struct extent *extent, unsigned long from);

/* pool.c */
void dataspace_pool_init(void);
void dataspace_pool_exit(void);
int pool_alloc(struct extent *extent, const struct extent_request *request);
int pool_reclaim(struct extent *extent, const struct extent_request *request);
bool pool_take_back(struct folio *folio);
void pool_notice_release(struct folio *folio);
u64 pool_size_bytes(void);
u64 pool_free_bytes(void);

/* contig.c */
void contig_search_begin(struct contig_search *search,
			 const struct extent_request *request);
int contig_take(struct contig_search *search, struct extent *extent);
void contig_search_end(struct contig_search *search);
void contig_report(const struct extent_request *request);
int contig_take_pages(unsigned long pfn, unsigned long nr_pages);
int contig_take_large_folio(unsigned long pfn);
bool contig_keep(unsigned long pfn);
void contig_end_keeping(unsigned long pfn);
bool contig_is_sound(struct folio *folio);
void contig_free(struct folio *folio);
bool contig_is_takeable(struct zone *zone, unsigned long pfn,
			unsigned long nr_pages);

#endif /* _MEMORY_H */
