// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extents: physical memory as it comes from the kernel.
 *
 * An extent is taken in one piece and goes back page by page. Its pages are
 * single or compound; core splits a compound page when a part of it goes back.
 * None is larger than a chunk, which one huge entry maps: anything larger could
 * be neither mapped nor split. A smaller one costs hardly more to put into the
 * page cache, to map and to free than a single page, however long it is.
 *
 * What fits into one chunk comes from the page allocator, as one compound page
 * if its length is a power of two; where pages are so large that no chunk can be
 * mapped as one, so does what is longer. Everything else comes from the pool (see
 * pool.c), or else from a search for a run of free or movable pages (contig.c).
 * No allocation here invokes the OOM killer or warns.
 */
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "memory.h"

/* Core can split compound pages from this order on */
#define FOLIO_ORDER_MIN 2

/* What is taken at once where there is nothing larger */
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

/* One compound page, that of a chunk at most; it is aligned to its size */
static int alloc_folio(struct extent *extent,
		       const struct extent_request *request, unsigned int order,
		       gfp_t gfp)
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
static int alloc_single(struct extent *extent,
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

static bool can_be_folio(const struct extent_request *request)
{
	return request->nr_pages >= BIT(FOLIO_ORDER_MIN) &&
	       is_power_of_2(request->nr_pages) &&
	       request->align <= request->nr_pages;
}

/*
 * Chunks are worth a search only where one can be mapped by a huge entry. Where
 * pages are larger, the page allocator has much longer runs than chunks, and its
 * blocks are so large that hardly any is free or movable as a whole.
 */
static bool can_be_single(const struct extent_request *request)
{
	return (request->nr_pages < LARGE_FOLIO_PAGES ||
		LARGE_FOLIO_PAGES << PAGE_SHIFT != PMD_SIZE) &&
	       max(request->nr_pages, request->align) <= pageblock_nr_pages;
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
	gfp_t gfp = extent_gfp(request);
	int ret = -ENOMEM;

	if (request->nr_pages <= LARGE_FOLIO_PAGES && can_be_folio(request))
		ret = alloc_folio(extent, request, ilog2(request->nr_pages),
				  gfp);
	else if (can_be_single(request))
		ret = alloc_single(extent, request, gfp);
	return ret ? contig_alloc(extent, request) : 0;
}

/**
 * extent_alloc_scattered - allocate some of the zeroed memory that is wanted
 * @extent: filled in; at least one page
 * @request: what is wanted at most: a power of two, no more than one chunk
 *
 * Larger pieces are taken only where they are free: to make them takes long,
 * and would be done over and over again.
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
	    !alloc_folio(extent, request, order, hasty))
		return 0;
	if (order > PIECE_ORDER &&
	    !alloc_folio(extent, request, PIECE_ORDER, hasty))
		return 0;
	return alloc_single(extent, &page, gfp);
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
		pool_released(folio);
		folio_put(folio);
	}
}
