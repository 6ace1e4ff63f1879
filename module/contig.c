// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous memory beyond what the page allocator serves in one piece.
 *
 * A search looks at each zone from its end to its start for a run of blocks
 * whose pages are free, or else for one whose pages are free or movable. The
 * run is then taken with alloc_contig_range(), which isolates it and migrates
 * the pages that are in use. Nothing of this needs CMA. A page that looked
 * movable may still turn out not to be: then the search goes on below that
 * page. The number of attempts is limited, since every attempt stalls all CPUs
 * for a moment. For the same reason one search is done at a time.
 *
 * The look at the pages takes no lock and may be wrong; it only chooses where
 * to try.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuset.h>
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

/* A search steps in pageblocks, or in parts of them where they are large */
#define BLOCK_PAGES \
	min_t(unsigned long, pageblock_nr_pages, SZ_2M >> PAGE_SHIFT)

static DEFINE_MUTEX(contig_lock);

/**
 * struct contig_search - one search for contiguous memory
 * @request: what is wanted
 * @movable: whether pages that are in use and movable will do
 * @attempts: how many more runs may be tried
 * @largest: the longest run seen, in pages
 */
struct contig_search {
	const struct extent_request *request;
	bool movable;
	int attempts;
	unsigned long largest;
};

static bool contig_page_is_takeable(struct page *page, bool movable)
{
	struct folio *folio;

	if (PageReserved(page) || PageHWPoison(page) || PageHuge(page))
		return false;
	if (!PageCompound(page) && !page_ref_count(page))
		return true;
	folio = page_folio(page);
	return movable && folio_test_lru(folio) &&
	       !folio_test_unevictable(folio);
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

/* As many at once as the kernel can make, since each call waits for all CPUs */
static int contig_take_large_folios(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long end = pfn + nr_pages;
	int ret = kver_alloc_compound(pfn, end, KVER_MOVABLE,
				      GFP_KERNEL | __GFP_NOWARN | __GFP_COMP);

	if (ret)
		return ret;
	for (; pfn < end; pfn += LARGE_FOLIO_PAGES)
		kver_finish_large_folio(pfn_to_page(pfn));
	return 0;
}

/*
 * Take more of a run: large folios as long as a whole one is left, then single
 * pages.
 */
static int contig_take_more(struct extent *extent, unsigned long nr_pages)
{
	unsigned long left = nr_pages - extent->nr_pages;
	unsigned long pfn = extent->pfn + extent->nr_pages;
	int ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	if (LARGE_FOLIO_PAGES > 1 && contig_has_large_folios() &&
	    left >= LARGE_FOLIO_PAGES) {
		left = min(left / LARGE_FOLIO_PAGES, LARGE_FOLIOS_AT_ONCE) *
		       LARGE_FOLIO_PAGES;
		ret = contig_take_large_folios(pfn, left);
	} else {
		ret = contig_take_pages(pfn, left);
	}
	if (ret)
		return ret;
	extent->nr_pages += left;
	return 0;
}

/*
 * Give back what was taken of a run. Nobody has used it yet, so that whatever
 * of it lies within the pool is no news to the pool.
 */
static void contig_give_back(const struct extent *extent)
{
	unsigned long i = 0;

	while (i < extent->nr_pages) {
		struct folio *folio = pfn_folio(extent->pfn + i);

		i += folio_nr_pages(folio);
		folio_put(folio);
	}
}

/* On failure the pages are free again; the extent tells how many were taken */
static int contig_take_run(struct extent *extent, unsigned long pfn,
			   unsigned long nr_pages)
{
	int ret;

	extent->pfn = pfn;
	extent->nr_pages = 0;
	while (extent->nr_pages < nr_pages) {
		ret = contig_take_more(extent, nr_pages);
		if (ret) {
			contig_give_back(extent);
			return ret;
		}
	}
	return 0;
}

static bool contig_run_is_takeable(struct zone *zone, unsigned long pfn,
				   unsigned long nr_pages, bool movable)
{
	unsigned long end = pfn + nr_pages;

	if (!pfn_to_online_page(pfn) || page_zone(pfn_to_page(pfn)) != zone)
		return false;
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned long order;

		if (PageBuddy(page)) {
			/* the order of the free pages, may be out of date */
			order = READ_ONCE(page_private(page));
			pfn += BIT(
				min_t(unsigned long, order, pageblock_order));
		} else if (contig_page_is_takeable(page, movable)) {
			pfn++;
		} else {
			return false;
		}
	}
	return true;
}

/*
 * Look at the blocks of a zone once, from its end to its start, and try every
 * run of them that is long enough.
 */
static int contig_search_zone(struct extent *extent,
			      struct contig_search *search, struct zone *zone)
{
	const struct extent_request *request = search->request;
	unsigned long pfn = round_down(zone_end_pfn(zone), BLOCK_PAGES);
	unsigned long end = pfn;

	while (pfn >= zone->zone_start_pfn + BLOCK_PAGES) {
		unsigned long start;
		int ret;

		pfn -= BLOCK_PAGES;
		cond_resched();
		if (!contig_run_is_takeable(zone, pfn, BLOCK_PAGES,
					    search->movable)) {
			end = pfn;
			continue;
		}
		search->largest = max(search->largest, end - pfn);
		if (end < request->nr_pages)
			break;
		start = round_down(end - request->nr_pages, request->align);
		if (pfn > start)
			continue;
		ret = contig_take_run(extent, start, request->nr_pages);
		if (!ret || ret == -EINTR || !--search->attempts)
			return ret;
		/* the page that could not be taken lies behind those taken */
		end = round_down(start + extent->nr_pages, BLOCK_PAGES);
	}
	return -ENOMEM;
}

/* Zones whose pages may stay in use for good, those with fewest limits first */
static int contig_search_node(struct extent *extent,
			      struct contig_search *search, int node)
{
	int ret = -ENOMEM;
	int i;

	for (i = ZONE_NORMAL; i >= 0; i--) {
		struct zone *zone = &NODE_DATA(node)->node_zones[i];

		if (!populated_zone(zone))
			continue;
		ret = contig_search_zone(extent, search, zone);
		if (!ret || ret == -EINTR || !search->attempts)
			break;
	}
	return ret;
}

static int contig_search_nodes(struct extent *extent,
			       struct contig_search *search)
{
	int wanted = search->request->node;
	int ret = -ENOMEM;
	int node;

	search->attempts = MAX_ATTEMPTS;
	if (wanted != NUMA_NO_NODE)
		return contig_search_node(extent, search, wanted);
	for_each_node_mask(node, cpuset_current_mems_allowed) {
		if (!node_state(node, N_MEMORY))
			continue;
		ret = contig_search_node(extent, search, node);
		if (!ret || ret == -EINTR || !search->attempts)
			break;
	}
	return ret;
}

/**
 * contig_search - search for a run of any length and take it
 * @extent: filled in; its contents are undefined
 * @request: what is wanted
 *
 * Return: 0, -ENOMEM after naming the longest run in the log, or -EINTR if a
 * fatal signal is pending.
 */
int contig_search(struct extent *extent, const struct extent_request *request)
{
	struct contig_search search = { .request = request };
	int ret;

	if (mutex_lock_killable(&contig_lock))
		return -EINTR;
	ret = contig_search_nodes(extent, &search);
	if (ret && ret != -EINTR) {
		search.movable = true;
		ret = contig_search_nodes(extent, &search);
	}
	mutex_unlock(&contig_lock);
	if (!ret || ret == -EINTR)
		return ret;
	pr_info_ratelimited(
		"no contiguous %lu KiB, the largest run has %lu KiB\n",
		request->nr_pages << (PAGE_SHIFT - 10),
		search.largest << (PAGE_SHIFT - 10));
	return -ENOMEM;
}

/**
 * contig_take_large_folio - take a large folio at a place
 * @zone: the zone of that place
 * @pfn: the first page
 *
 * Return: 0, with undefined contents, or a negative errno; -EBUSY without an
 * attempt if one of the pages is neither free nor movable.
 */
int contig_take_large_folio(struct zone *zone, unsigned long pfn)
{
	if (!contig_run_is_takeable(zone, pfn, LARGE_FOLIO_PAGES, true))
		return -EBUSY;
	return LARGE_FOLIO_PAGES > 1 ?
		       contig_take_large_folios(pfn, LARGE_FOLIO_PAGES) :
		       contig_take_pages(pfn, 1);
}
