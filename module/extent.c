// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extents: physical memory as it comes from the kernel.
 *
 * An extent is taken in one piece and goes back page by page, so its pages are
 * either single or, where they can be mapped by one huge entry, compound pages
 * of exactly that size, which core can split when a part of them goes back.
 * Anything larger could be neither mapped nor split.
 *
 * What fits into one chunk comes from the page allocator, everything else from
 * a search for a run of free or movable pages (see contig.c). No allocation
 * here invokes the OOM killer or warns.
 */
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>

#include "extent.h"

/* What is taken at once where there are no chunks */
#define PIECE_PAGES BIT(PAGE_ALLOC_COSTLY_ORDER)

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

/* One compound page that can be mapped by one huge entry */
static int alloc_chunk(struct extent *extent,
		       const struct extent_request *request, gfp_t gfp)
{
	struct folio *folio =
		__folio_alloc(gfp, CHUNK_ORDER, extent_node(request), NULL);

	if (!folio)
		return -ENOMEM;
	extent->pfn = folio_pfn(folio);
	extent->nr_pages = CHUNK_PAGES;
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

	if (request->nr_pages == CHUNK_PAGES && request->align <= CHUNK_PAGES)
		ret = alloc_chunk(extent, request, gfp);
	else if (request->nr_pages < CHUNK_PAGES &&
		 request->align <= 1UL << MAX_PAGE_ORDER)
		ret = alloc_single(extent, request, gfp);
	return ret ? contig_alloc(extent, request) : 0;
}

/**
 * extent_alloc_scattered - allocate some of the zeroed memory that is wanted
 * @extent: filled in; at least one page, at most one chunk
 * @request: what is wanted
 *
 * Larger pieces are taken only where they are free: to make them takes long,
 * and would be done over and over again.
 *
 * Return: 0 or -ENOMEM.
 */
int extent_alloc_scattered(struct extent *extent,
			   const struct extent_request *request)
{
	struct extent_request piece = { PIECE_PAGES, 1, request->node };
	gfp_t gfp = extent_gfp(request);
	gfp_t hasty = gfp & ~__GFP_RECLAIM;

	if (request->nr_pages >= CHUNK_PAGES &&
	    !alloc_chunk(extent, request, hasty))
		return 0;
	if (request->nr_pages >= PIECE_PAGES &&
	    !alloc_single(extent, &piece, hasty))
		return 0;
	piece.nr_pages = 1;
	return alloc_single(extent, &piece, gfp);
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
		folio_put(folio);
	}
}
