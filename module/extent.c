// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extents: physical memory as it comes from the kernel.
 *
 * An extent is taken in one piece and goes back page by page. Its pages are
 * single or compound; the page cache splits a compound page when a part of it
 * goes back. No compound page is longer than a large folio, which one PMD maps:
 * anything longer could be neither mapped nor split. A shorter compound page
 * costs hardly more to put into the page cache, to map and to free than a single
 * page, however long it is.
 *
 * An extent of up to one large folio comes from the page allocator, as one
 * compound page if its length is a power of two; where pages are so large that
 * no PMD can map a large folio, so does a longer extent. Everything else comes
 * from the pool (pool.c), or else from a search for a run of free or movable
 * pages (contig.c). No allocation here invokes the OOM killer or warns.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "memory.h"

/* The page cache can split compound pages from this order on */
#define FOLIO_ORDER_MIN 2

/* The order of what is taken at once where there is no large folio */
#define PIECE_ORDER PAGE_ALLOC_COSTLY_ORDER

static gfp_t extent_gfp(const struct extent_request *request)
{
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
		    __GFP_RETRY_MAYFAIL;

	return request->node == NUMA_NO_NODE ? gfp : gfp | __GFP_THISNODE;
}

static int extent_node(const struct extent_request *request)
{
	return request->node == NUMA_NO_NODE ? numa_mem_id() : request->node;
}

/* One compound page, a large folio at most; it is aligned to its size */
static int extent_alloc_folio(struct extent *extent,
			      const struct extent_request *request,
			      unsigned int order, gfp_t gfp)
{
	struct folio *folio =
		__folio_alloc(gfp, order, extent_node(request), NULL);

	if (!folio)
		return -ENOMEM;
	extent->pfn = folio_pfn(folio);
	extent->nr_pages = BIT(order);
	return 0;
}

/* Single pages; what the page allocator gives beyond them goes back at once */
static int extent_alloc_pages(struct extent *extent,
			      const struct extent_request *request, gfp_t gfp)
{
	unsigned int order =
		order_base_2(max(request->nr_pages, request->align));
	struct extent surplus;
	struct page *page;

	page = alloc_pages_node(extent_node(request), gfp, order);
	if (!page)
		return -ENOMEM;
	split_page(page, order);
	extent->pfn = page_to_pfn(page);
	extent->nr_pages = request->nr_pages;
	surplus.pfn = extent->pfn;
	surplus.nr_pages = 1UL << order;
	extent_free(&surplus, request->nr_pages);
	return 0;
}

/*
 * From the page allocator. A run of large folios is worth a search only where a
 * PMD maps one of them. Where pages are larger, the page allocator has much
 * longer runs, and pageblocks are so large that hardly any of them is free or
 * movable as a whole.
 */
static int extent_alloc_buddy(struct extent *extent,
			      const struct extent_request *request)
{
	unsigned long nr_pages = request->nr_pages;
	gfp_t gfp = extent_gfp(request);

	if (nr_pages <= LARGE_FOLIO_PAGES && nr_pages >= BIT(FOLIO_ORDER_MIN) &&
	    is_power_of_2(nr_pages) && request->align <= nr_pages)
		return extent_alloc_folio(extent, request, ilog2(nr_pages),
					  gfp);
	if (nr_pages >= LARGE_FOLIO_PAGES &&
	    LARGE_FOLIO_PAGES << PAGE_SHIFT == PMD_SIZE)
		return -ENOMEM;
	if (max(nr_pages, request->align) > pageblock_nr_pages)
		return -ENOMEM;
	return extent_alloc_pages(extent, request, gfp);
}

/* Does nothing where the kernel zeroes all memory */
static int extent_zero(struct extent *extent)
{
	unsigned long i;

	if (want_init_on_alloc(GFP_KERNEL) || want_init_on_free())
		return 0;
	for (i = 0; i < extent->nr_pages; i++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		clear_highpage(pfn_to_page(extent->pfn + i));
		cond_resched();
	}
	return 0;
}

/**
 * extent_alloc - allocate zeroed memory in one piece
 * @extent: filled in
 * @request: what is wanted
 *
 * Return: 0, -ENOMEM, or -EINTR if a fatal signal is pending.
 */
int extent_alloc(struct extent *extent, const struct extent_request *request)
{
	struct extent_request run = *request;
	int ret;

	if (!extent_alloc_buddy(extent, request))
		return 0;
	/* a large folio lies at a multiple of its size */
	if (run.nr_pages >= LARGE_FOLIO_PAGES)
		run.align = max(run.align, LARGE_FOLIO_PAGES);
	ret = pool_alloc(extent, &run);
	if (ret)
		ret = contig_search(extent, &run);
	if (ret)
		return ret;
	ret = extent_zero(extent);
	if (ret)
		extent_free(extent, 0);
	return ret;
}

/**
 * extent_alloc_scattered - allocate some of the zeroed memory that is wanted
 * @extent: filled in; at least one page
 * @request: what is wanted at most: a power of two, no more than one large folio
 *
 * Folios of more than one page are taken only where they are free: to make them
 * by compaction takes long, and would be done over and over again.
 *
 * Return: 0 or -ENOMEM.
 */
int extent_alloc_scattered(struct extent *extent,
			   const struct extent_request *request)
{
	struct extent_request page = { 1, 1, request->node };
	unsigned int order = ilog2(request->nr_pages);
	gfp_t gfp = extent_gfp(request);
	gfp_t hasty = gfp & ~__GFP_RECLAIM;

	if (order >= FOLIO_ORDER_MIN &&
	    !extent_alloc_folio(extent, request, order, hasty))
		return 0;
	if (order > PIECE_ORDER &&
	    !extent_alloc_folio(extent, request, PIECE_ORDER, hasty))
		return 0;
	return extent_alloc_pages(extent, &page, gfp);
}

/**
 * extent_free - give pages back that nobody else refers to
 * @extent: the extent
 * @from: index of the first page to give back
 */
void extent_free(struct extent *extent, unsigned long from)
{
	while (from < extent->nr_pages) {
		struct folio *folio = extent_folio(extent, from);

		from += folio_nr_pages(folio);
		pool_notice_release(folio);
		folio_put(folio);
	}
}
