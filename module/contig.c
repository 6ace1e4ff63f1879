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

#include "extent.h"

#define MAX_ATTEMPTS 32

static DEFINE_MUTEX(contig_lock);

/**
 * struct contig_search - one search for contiguous memory
 * @request: what is wanted
 * @movable: whether pages in use that can be moved will do
 * @attempts: how many more runs may be tried
 * @largest: the longest run seen, in pages
 */
struct contig_search {
	const struct extent_request *request;
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

static int clear_pages(struct extent *extent)
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

/* Take a run, as chunks first and single pages for the rest */
static int take_run(struct extent *extent, unsigned long pfn,
		    unsigned long nr_pages)
{
	int ret = 0;

	extent->pfn = pfn;
	extent->nr_pages = 0;
	while (!ret && nr_pages - extent->nr_pages >= CHUNK_PAGES) {
		ret = fatal_signal_pending(current) ?
			      -EINTR :
			      compat_alloc_chunk(pfn + extent->nr_pages);
		if (!ret)
			extent->nr_pages += CHUNK_PAGES;
	}
	if (!ret && nr_pages > extent->nr_pages) {
		ret = compat_alloc_pages_at(pfn + extent->nr_pages,
					    nr_pages - extent->nr_pages);
		if (!ret)
			extent->nr_pages = nr_pages;
	}
	if (!ret)
		ret = clear_pages(extent);
	if (ret)
		extent_free(extent, 0);
	return ret;
}

/* A free page says how many more are free behind it; it may be wrong by now */
static unsigned long free_pages_at(struct page *page)
{
	unsigned long order = READ_ONCE(page_private(page));

	return BIT(min_t(unsigned long, order, MAX_PAGE_ORDER));
}

static bool block_is_takeable(struct zone *zone, unsigned long pfn,
			      bool movable)
{
	unsigned long end = pfn + pageblock_nr_pages;

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
	unsigned long pfn = round_down(zone_end_pfn(zone), pageblock_nr_pages);
	unsigned long end = pfn;

	while (pfn >= zone->zone_start_pfn + pageblock_nr_pages) {
		unsigned long start;
		int ret;

		pfn -= pageblock_nr_pages;
		cond_resched();
		if (!block_is_takeable(zone, pfn, search->movable)) {
			end = pfn;
			continue;
		}
		search->largest = max(search->largest, end - pfn);
		if (end < request->nr_pages)
			break;
		start = round_down(end - request->nr_pages, request->align);
		if (pfn > start)
			continue;
		ret = take_run(extent, start, request->nr_pages);
		if (!ret || ret == -EINTR || !--search->attempts)
			return ret;
		end = round_down(start + request->nr_pages - 1,
				 pageblock_nr_pages);
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

/**
 * contig_alloc - allocate a run of any length
 * @extent: filled in
 * @request: what is wanted
 *
 * Return: 0, -ENOMEM after naming the longest run in the log, or -EINTR if a
 * fatal signal is pending.
 */
int contig_alloc(struct extent *extent, const struct extent_request *request)
{
	struct contig_search search = {
		.request = request,
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
