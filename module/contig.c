// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous memory beyond what the page allocator serves in one piece.
 *
 * Memory is searched from the top of each zone downwards for a run of blocks
 * that are free, or else that are free or movable. The run is then taken by
 * isolating it, which moves the pages out that are in use. Nothing of this
 * needs CMA. A page that looked movable may still turn out not to be: then the
 * search goes on below, up to a limit, since every attempt stalls all CPUs for
 * a moment. For the same reason one search is done at a time.
 *
 * The look at the pages takes no lock and may be wrong; it only chooses where
 * to try. What is taken is decided by the attempt.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuset.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "memory.h"

#define MAX_ATTEMPTS 32

/* What is looked at as a whole: where the kernel's blocks are large, a part */
#define BLOCK_PAGES \
	min_t(unsigned long, pageblock_nr_pages, SZ_2M >> PAGE_SHIFT)

static DEFINE_MUTEX(contig_lock);

/**
 * struct contig_search - one search for contiguous memory
 * @request: what is wanted
 * @align: alignment of the run, in pages
 * @movable: whether pages in use that can be moved will do
 * @attempts: how many more runs may be tried
 * @largest: the longest run seen, in pages
 */
struct contig_search {
	const struct extent_request *request;
	unsigned long align;
	bool movable;
	int attempts;
	unsigned long largest;
};

static bool page_is_movable(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_lru(folio) && !folio_test_unevictable(folio);
}

static bool page_is_takeable(struct page *page, bool movable)
{
	if (PageReserved(page) || PageHWPoison(page) || PageHuge(page))
		return false;
	if (!PageCompound(page) && !page_ref_count(page))
		return true;
	return movable && page_is_movable(page);
}

/* Zeroing is left out where the kernel does it for all memory */
static bool pages_come_zeroed(void)
{
	return want_init_on_alloc(GFP_KERNEL) || want_init_on_free();
}

static int clear_extent(struct extent *extent)
{
	unsigned long i;

	if (pages_come_zeroed())
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
 * contig_take_pages - take single pages at a place
 * @pfn: the first one
 * @nr_pages: how many
 *
 * Return: 0, with undefined contents, or a negative errno.
 */
int contig_take_pages(unsigned long pfn, unsigned long nr_pages)
{
	return alloc_contig_range(pfn, pfn + nr_pages, KVER_MOVABLE,
				  GFP_KERNEL | __GFP_NOWARN);
}

/* As many at once as the kernel can make, as each call waits for all CPUs */
static int take_chunks(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long end = pfn + nr_pages;
	int ret = kver_alloc_compound(pfn, end, KVER_MOVABLE,
				      GFP_KERNEL | __GFP_NOWARN | __GFP_COMP);

	for (; !ret && pfn < end; pfn += LARGE_FOLIO_PAGES)
		kver_finish_large_folio(pfn_to_page(pfn));
	return ret;
}

/* Take more of a run: chunks as long as a whole one is left, then single pages */
static int take_more(struct extent *extent, unsigned long nr_pages)
{
	unsigned long left = nr_pages - extent->nr_pages;
	unsigned long pfn = extent->pfn + extent->nr_pages;
	int ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (LARGE_FOLIO_PAGES > 1 && chunks_can_be_taken() &&
	    left >= LARGE_FOLIO_PAGES) {
		left = min(left / LARGE_FOLIO_PAGES, LARGE_FOLIOS_AT_ONCE) *
		       LARGE_FOLIO_PAGES;
		ret = take_chunks(pfn, left);
	} else {
		ret = contig_take_pages(pfn, left);
	}
	if (!ret)
		extent->nr_pages += left;
	return ret;
}

/* On failure nothing is kept; the extent tells how much could be taken */
static int take_run(struct extent *extent, unsigned long pfn,
		    unsigned long nr_pages)
{
	int ret = 0;

	extent->pfn = pfn;
	extent->nr_pages = 0;
	while (!ret && extent->nr_pages < nr_pages)
		ret = take_more(extent, nr_pages);
	if (ret)
		extent_free(extent, 0);
	return ret;
}

/* A free page says how many more are free behind it; it may be wrong by now */
static unsigned long free_pages_at(struct page *page)
{
	unsigned long order = READ_ONCE(page_private(page));

	return BIT(min_t(unsigned long, order, pageblock_order));
}

static bool run_is_takeable(struct zone *zone, unsigned long pfn,
			    unsigned long nr_pages, bool movable)
{
	unsigned long end = pfn + nr_pages;

	if (!pfn_to_online_page(pfn) || page_zone(pfn_to_page(pfn)) != zone)
		return false;
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);

		if (PageBuddy(page))
			pfn += free_pages_at(page);
		else if (page_is_takeable(page, movable))
			pfn++;
		else
			return false;
	}
	return true;
}

/*
 * Look at the blocks of a zone once, from its end to its start, and try every
 * run of them that is long enough.
 */
static int search_zone(struct extent *extent, struct contig_search *search,
		       struct zone *zone)
{
	const struct extent_request *request = search->request;
	unsigned long pfn = round_down(zone_end_pfn(zone), BLOCK_PAGES);
	unsigned long end = pfn;

	while (pfn >= zone->zone_start_pfn + BLOCK_PAGES) {
		unsigned long start;
		int ret;

		pfn -= BLOCK_PAGES;
		cond_resched();
		if (!run_is_takeable(zone, pfn, BLOCK_PAGES, search->movable)) {
			end = pfn;
			continue;
		}
		search->largest = max(search->largest, end - pfn);
		if (end < request->nr_pages)
			break;
		start = round_down(end - request->nr_pages, search->align);
		if (pfn > start)
			continue;
		ret = take_run(extent, start, request->nr_pages);
		if (!ret || ret == -EINTR || !--search->attempts)
			return ret;
		/* what has failed lies behind what was taken */
		end = round_down(start + extent->nr_pages, BLOCK_PAGES);
	}
	return -ENOMEM;
}

/* Zones whose pages may stay in use for good, those with fewest limits first */
static int search_node(struct extent *extent, struct contig_search *search,
		       int node)
{
	int ret = -ENOMEM;
	int i;

	for (i = ZONE_NORMAL; i >= 0; i--) {
		struct zone *zone = &NODE_DATA(node)->node_zones[i];

		if (!populated_zone(zone))
			continue;
		ret = search_zone(extent, search, zone);
		if (!ret || ret == -EINTR || !search->attempts)
			break;
	}
	return ret;
}

static int search_nodes(struct extent *extent, struct contig_search *search)
{
	int wanted = search->request->node;
	int ret = -ENOMEM;
	int node;

	if (wanted != NUMA_NO_NODE)
		return search_node(extent, search, wanted);
	for_each_node_mask(node, cpuset_current_mems_allowed) {
		if (!node_state(node, N_MEMORY))
			continue;
		ret = search_node(extent, search, node);
		if (!ret || ret == -EINTR || !search->attempts)
			break;
	}
	return ret;
}

/* A chunk is a compound page, whose place is at a multiple of its size */
static unsigned long run_align(const struct extent_request *request)
{
	if (request->nr_pages < LARGE_FOLIO_PAGES)
		return request->align;
	return max(request->align, LARGE_FOLIO_PAGES);
}

/**
 * contig_take - search for a run of any length and take it
 * @extent: filled in; its contents are undefined
 * @request: what is wanted
 *
 * Return: 0, -ENOMEM after naming the longest run in the log, or -EINTR if a
 * fatal signal is pending.
 */
int contig_take(struct extent *extent, const struct extent_request *request)
{
	struct contig_search search = {
		.request = request,
		.align = run_align(request),
		.attempts = MAX_ATTEMPTS,
	};
	int ret;

	if (mutex_lock_killable(&contig_lock))
		return -EINTR;
	ret = search_nodes(extent, &search);
	if (ret && ret != -EINTR) {
		search.movable = true;
		search.attempts = MAX_ATTEMPTS;
		ret = search_nodes(extent, &search);
	}
	mutex_unlock(&contig_lock);
	if (!ret || ret == -EINTR)
		return ret;
	pr_info_ratelimited("no contiguous %lu KiB, the largest run has %lu\n",
			    request->nr_pages << (PAGE_SHIFT - 10),
			    search.largest << (PAGE_SHIFT - 10));
	return -ENOMEM;
}

/**
 * contig_take_chunk - take a chunk at a place, if all of it is free or movable
 * @zone: where it is
 * @pfn: its first page
 *
 * Return: 0 or a negative errno.
 */
int contig_take_chunk(struct zone *zone, unsigned long pfn)
{
	if (!run_is_takeable(zone, pfn, LARGE_FOLIO_PAGES, true))
		return -EBUSY;
	return LARGE_FOLIO_PAGES > 1 ? take_chunks(pfn, LARGE_FOLIO_PAGES) :
				       contig_take_pages(pfn, 1);
}

/**
 * contig_alloc - allocate a run of any length, zeroed
 * @extent: filled in
 * @request: what is wanted
 *
 * Return: 0, -ENOMEM, or -EINTR if a fatal signal is pending.
 */
int contig_alloc(struct extent *extent, const struct extent_request *request)
{
	int ret = pool_alloc(extent, request, run_align(request));

	if (ret)
		ret = contig_take(extent, request);
	if (ret)
		return ret;
	ret = clear_extent(extent);
	if (ret)
		extent_free(extent, 0);
	return ret;
}
