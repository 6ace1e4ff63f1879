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
 * An extent comes from the pool (pool.c), if that has one ready; else from the
 * page allocator, if it is no longer than a large folio, and as one compound
 * page if its length is a power of two; where pages are so large that no PMD can
 * map a large folio, longer ones do, too. Everything else comes from a search
 * for a run of free or movable pages (contig.c). All of it is zeroed. No
 * allocation here invokes the OOM killer or warns.
 */
#include <linux/cpuset.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/vmstat.h>

#include "memory.h"

/* The page cache can split compound pages from this order on */
#define FOLIO_ORDER_MIN 2

/* The order of what is taken at once where there is no large folio */
#define PIECE_ORDER PAGE_ALLOC_COSTLY_ORDER

/**
 * extent_free - give back pages that nobody has used, and that are still zero
 * @extent: the extent
 * @from: index of the first page to give back
 */
void extent_free(struct extent *extent, unsigned long from)
{
	while (from < extent->nr_pages) {
		struct folio *folio = extent_folio(extent, from);

		from += folio_nr_pages(folio);
		if (!pool_take_back(folio))
			contig_free(folio);
	}
}

static bool extent_is_sound(struct extent *extent)
{
	unsigned long i;

	for (i = 0; i < extent->nr_pages;) {
		struct folio *folio = extent_folio(extent, i);

		if (!contig_is_sound(folio))
			return false;
		i += folio_nr_pages(folio);
	}
	return true;
}

/* What has a memory error leaves the pool; then there may be another place */
static int extent_alloc_from_pool(struct extent *extent,
				  const struct extent_request *request)
{
	int ret;

	for (;;) {
		ret = pool_alloc(extent, request);
		if (ret || extent_is_sound(extent))
			return ret;
		extent_free(extent, 0);
	}
}

static gfp_t extent_gfp(const struct extent_request *request)
{
	gfp_t gfp = GFP_USER | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;

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

/* Pages of a node that are free or may be made so */
static unsigned long extent_node_available(int node)
{
	unsigned long nr_pages = 0;
	int i;

	for (i = 0; i <= ZONE_NORMAL; i++) {
		struct zone *zone = &NODE_DATA(node)->node_zones[i];

		nr_pages += zone_page_state(zone, NR_FREE_PAGES) +
			    zone_page_state(zone, NR_ZONE_INACTIVE_ANON) +
			    zone_page_state(zone, NR_ZONE_ACTIVE_ANON) +
			    zone_page_state(zone, NR_ZONE_INACTIVE_FILE) +
			    zone_page_state(zone, NR_ZONE_ACTIVE_FILE);
	}
	return nr_pages;
}

/* Whether that much is neither free nor can be made so, contiguous or not */
static bool extent_is_lacking(unsigned long nr_pages, int wanted)
{
	unsigned long available = 0;
	int node;

	if (nr_pages > si_mem_available())
		return true;
	if (wanted != NUMA_NO_NODE)
		return nr_pages > extent_node_available(wanted);
	if (nodes_subset(node_states[N_MEMORY], cpuset_current_mems_allowed))
		return false;
	for_each_node_mask(node, cpuset_current_mems_allowed)
		available += extent_node_available(node);
	return nr_pages > available;
}

/**
 * extent_is_beyond_reach - tell whether there is too little memory for a request
 * @request: what is wanted, in as many extents as it takes
 *
 * What counts is how much there is in the pool, is free, or can be made so, in
 * all and on the nodes that the request may have.
 *
 * Return: whether the request can't be served.
 */
bool extent_is_beyond_reach(const struct extent_request *request)
{
	unsigned long ready = pool_free_bytes() >> PAGE_SHIFT;

	return request->nr_pages > ready &&
	       extent_is_lacking(request->nr_pages - ready, request->node);
}

/**
 * extent_run_begin - prepare to take a contiguous run
 * @run: filled in; to be ended with extent_run_end()
 * @request: what is wanted
 */
void extent_run_begin(struct extent_run *run,
		      const struct extent_request *request)
{
	run->request = *request;
	run->searching = false;
	/* a large folio lies at a multiple of its size */
	if (request->nr_pages >= LARGE_FOLIO_PAGES)
		run->request.align = max(request->align, LARGE_FOLIO_PAGES);
}

/* All of it at once, if there is such a run already */
static int extent_run_take_ready(struct extent_run *run, struct extent *extent)
{
	int ret = extent_alloc_from_pool(extent, &run->request);

	if (ret != -ENOMEM)
		return ret;
	if (!extent_alloc_buddy(extent, &run->request))
		return 0;
	/* nobody's pages are moved for what can't be had */
	if (extent_is_beyond_reach(&run->request))
		return -ENOMEM;
	return pool_reclaim(extent, &run->request);
}

/**
 * extent_run_take - take the next extent of a run
 * @run: the run; not to be called again once all of it is taken
 * @extent: filled in; zeroed
 *
 * What is taken from the kernel at a time is 16 MiB at most, so that no more has
 * to be held before it is charged. A single allocation of the page allocator is
 * longer only where pages are larger than 4 KiB.
 *
 * Return: 0; -EAGAIN if this run ends here: the caller gives back all extents of
 * it, and may call again, which begins another run; -ENOMEM if there is none;
 * -EINTR if a fatal signal is pending.
 */
int extent_run_take(struct extent_run *run, struct extent *extent)
{
	int ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (!run->searching) {
		ret = extent_run_take_ready(run, extent);
		if (ret != -ENOMEM)
			return ret;
		if (extent_is_lacking(run->request.nr_pages,
				      run->request.node)) {
			contig_report(&run->request);
			return -ENOMEM;
		}
		contig_search_begin(&run->search, &run->request);
		run->searching = true;
	}
	ret = contig_take(&run->search, extent);
	if (ret == -ENOMEM)
		contig_report(&run->request);
	return ret;
}

/**
 * extent_run_end - end taking a run
 * @run: the run; what was taken belongs to the caller
 */
void extent_run_end(struct extent_run *run)
{
	if (run->searching)
		contig_search_end(&run->search);
}

/**
 * extent_alloc_scattered - allocate some of the zeroed memory that is wanted
 * @extent: filled in; at least one page
 * @request: what is wanted at most: a power of two, no more than one large folio
 *
 * Folios of more than one page are taken only where they are free: to make them
 * by compaction takes long, and would be done over and over again.
 *
 * Return: 0, -ENOMEM, or -EINTR if a fatal signal is pending.
 */
int extent_alloc_scattered(struct extent *extent,
			   const struct extent_request *request)
{
	struct extent_request page = { 1, 1, request->node };
	unsigned int order = ilog2(request->nr_pages);
	gfp_t gfp = extent_gfp(request);
	gfp_t hasty = gfp & ~__GFP_RECLAIM;
	int ret = extent_alloc_from_pool(extent, request);

	if (ret != -ENOMEM)
		return ret;
	if (order >= FOLIO_ORDER_MIN &&
	    !extent_alloc_folio(extent, request, order, hasty))
		return 0;
	if (order > PIECE_ORDER &&
	    !extent_alloc_folio(extent, request, PIECE_ORDER, hasty))
		return 0;
	return extent_alloc_pages(extent, &page, gfp);
}
