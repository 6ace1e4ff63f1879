// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous memory beyond what the page allocator serves in one piece.
 *
 * A search looks at each zone from its end to its start for a run of blocks
 * whose pages are free, or else for one whose pages are free or movable. The
 * run is then taken with alloc_contig_range(), which isolates it and migrates
 * the pages that are in use. Nothing of this needs CMA. A page that looked
 * movable may still turn out not to be: then the search goes on below that
 * page. The number of such attempts is limited, and so is the time that a
 * search may spend here.
 *
 * A run is taken step by step. Every step stalls all CPUs for a moment, so one
 * is done at a time; between two of them other searches have their turn. A
 * small request waits for one step of a large request at most. The run that a
 * search is going to take is claimed, so that others look elsewhere; a small
 * request may take a part of it away if there is nothing else.
 *
 * The look at the pages takes no lock and may be wrong; it only chooses where
 * to try.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpuset.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/ratelimit.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>

#include "memory.h"

/* The private word of a page that is kept, see contig_keep() */
#define CONTIG_KEPT 0x6b657074UL

#define CONTIG_MAX_ATTEMPTS 32
#define CONTIG_MAX_JIFFIES (10 * HZ)

/* What one step takes at most, and the longest request that is small */
#define CONTIG_STEP_PAGES (SZ_16M >> PAGE_SHIFT)

/* A search looks at pageblocks, or at parts of them where they are large */
#define CONTIG_BLOCK_PAGES \
	min_t(unsigned long, pageblock_nr_pages, SZ_2M >> PAGE_SHIFT)

/* Only in these zones pages may stay in use for good */
#define CONTIG_NR_ZONES (ZONE_NORMAL + 1)

/* Held for a step; a large request takes contig_large_lock first */
static DEFINE_MUTEX(contig_step_lock);
static DEFINE_MUTEX(contig_large_lock);

static DEFINE_SPINLOCK(contig_claims_lock);
static LIST_HEAD(contig_claims);

static bool contig_page_is_takeable(struct page *page, bool movable)
{
	struct folio *folio;

	if (PageReserved(page) || PageHWPoison(page) || PageHuge(page))
		return false;
	if (!PageCompound(page) && !page_ref_count(page))
		return page_private(page) != CONTIG_KEPT;
	folio = page_folio(page);
	return movable && folio_test_lru(folio) &&
	       !folio_test_unevictable(folio);
}

static bool contig_run_is_takeable(struct zone *zone, unsigned long pfn,
				   unsigned long nr_pages, bool movable)
{
	unsigned long end = pfn + nr_pages;

	if (!pfn_to_online_page(pfn) || page_zone(pfn_to_page(pfn)) != zone ||
	    kver_pageblock_is_cma(pfn))
		return false;
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		unsigned long order;

		if (PageBuddy(page)) {
			/* the order of the free pages, may be out of date */
			order = READ_ONCE(page_private(page));
			order = min_t(unsigned long, order, pageblock_order);
			pfn += BIT(order);
		} else if (contig_page_is_takeable(page, movable)) {
			pfn++;
		} else {
			return false;
		}
	}
	return true;
}

/* Does nothing where the kernel zeroes all memory, be it taken or freed */
static void contig_zero(unsigned long pfn, unsigned long nr_pages)
{
	if (want_init_on_alloc(GFP_KERNEL) || want_init_on_free())
		return;
	while (nr_pages--) {
		clear_highpage(pfn_to_page(pfn++));
		cond_resched();
	}
}

static int contig_alloc_pages(unsigned long pfn, unsigned long nr_pages)
{
	return alloc_contig_range(pfn, pfn + nr_pages, KVER_MOVABLE,
				  GFP_KERNEL | __GFP_NOWARN);
}

/* As many at once as the kernel can make, since each call waits for all CPUs */
static int contig_alloc_large_folios(unsigned long pfn, unsigned long nr_pages)
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

/**
 * contig_is_takeable - tell whether pages look as if they could be taken
 * @zone: the zone of all of them
 * @pfn: the first one
 * @nr_pages: how many; all in one pageblock
 *
 * Return: whether all of them are free or movable.
 */
bool contig_is_takeable(struct zone *zone, unsigned long pfn,
			unsigned long nr_pages)
{
	return contig_run_is_takeable(zone, pfn, nr_pages, true);
}

/**
 * contig_take_pages - take single pages at a place
 * @pfn: the first one
 * @nr_pages: how many
 *
 * Return: 0, and the pages are zero, or a negative errno.
 */
int contig_take_pages(unsigned long pfn, unsigned long nr_pages)
{
	int ret = contig_alloc_pages(pfn, nr_pages);

	if (ret)
		return ret;
	contig_zero(pfn, nr_pages);
	return 0;
}

/**
 * contig_keep - keep a page for later, so that others of its pageblock can be taken
 * @pfn: a page that contig_take_pages() has taken
 *
 * The kernel gives away no part of a pageblock in which a page is referred to that
 * can't be moved, but passes over pages without a reference. So a page that is kept
 * has none, and a mark by which a search knows that it isn't free.
 *
 * Return: whether it is kept, or false if somebody else refers to it at the moment,
 * or if it has a memory error.
 */
bool contig_keep(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	if (PageHWPoison(page) || !page_ref_freeze(page, 1))
		return false;
	set_page_private(page, CONTIG_KEPT);
	return true;
}

/**
 * contig_end_keeping - have a page with a reference again
 * @pfn: a page that was kept
 */
void contig_end_keeping(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	page_ref_unfreeze(page, 1);
	set_page_private(page, 0);
}

/**
 * contig_is_sound - tell whether no page of a folio has a memory error
 * @folio: the folio, which need not be on the lists of the kernel
 *
 * Return: whether all of it can be used; it may be hit at any time.
 */
bool contig_is_sound(struct folio *folio)
{
	struct page *page = folio_page(folio, 0);
	struct page *end = page + folio_nr_pages(folio);

	for (; page < end; page++)
		if (PageHWPoison(page))
			return false;
	return true;
}

/**
 * contig_free - return memory that nobody has used, and that nobody refers to
 * @folio: the memory, with the last reference
 *
 * The kernel frees no single page that has a memory error. But it would free a large
 * folio that has one as a whole, so that stays out of use for good.
 */
void contig_free(struct folio *folio)
{
	if (folio_test_large(folio) && !contig_is_sound(folio)) {
		pr_warn_ratelimited("%zu KiB with a memory error are lost\n",
				    folio_size(folio) >> 10);
		return;
	}
	folio_put(folio);
}

/**
 * contig_take_large_folio - take a large folio at a place
 * @pfn: the first page
 *
 * Return: 0, and the folio is zero, or a negative errno.
 */
int contig_take_large_folio(unsigned long pfn)
{
	int ret;

	if (LARGE_FOLIO_PAGES == 1)
		return contig_take_pages(pfn, 1);
	ret = contig_alloc_large_folios(pfn, LARGE_FOLIO_PAGES);
	if (ret)
		return ret;
	contig_zero(pfn, LARGE_FOLIO_PAGES);
	return 0;
}

/* Large folios as long as a whole one is left of the run, then single pages */
static int contig_take_step(const struct contig_search *search,
			    struct extent *extent)
{
	unsigned long left = search->run.nr_pages - search->nr_taken;

	/* What is in the way needs another place, or the mm warns */
	if (min_t(unsigned long, left, CONTIG_STEP_PAGES) > si_mem_available())
		return -ENOMEM;
	extent->pfn = search->run.pfn + search->nr_taken;
	if (LARGE_FOLIO_PAGES > 1 && contig_has_large_folios() &&
	    left >= LARGE_FOLIO_PAGES) {
		left = min(left / LARGE_FOLIO_PAGES, LARGE_FOLIOS_AT_ONCE);
		extent->nr_pages = left * LARGE_FOLIO_PAGES;
		return contig_alloc_large_folios(extent->pfn, extent->nr_pages);
	}
	extent->nr_pages = min_t(unsigned long, left, CONTIG_STEP_PAGES);
	return contig_alloc_pages(extent->pfn, extent->nr_pages);
}

static bool contig_is_large(const struct contig_search *search)
{
	return search->request->nr_pages > CONTIG_STEP_PAGES;
}

static int contig_take_step_in_turn(const struct contig_search *search,
				    struct extent *extent)
{
	bool large = contig_is_large(search);
	int ret = -EINTR;

	if (large && mutex_lock_killable(&contig_large_lock))
		return -EINTR;
	if (!mutex_lock_killable(&contig_step_lock)) {
		ret = contig_take_step(search, extent);
		mutex_unlock(&contig_step_lock);
	}
	if (large)
		mutex_unlock(&contig_large_lock);
	return ret;
}

/* If another search has claimed a part of the run, go on below that */
static bool contig_claim(struct contig_search *search, unsigned long pfn)
{
	unsigned long nr_pages = search->request->nr_pages;
	struct contig_search *other;

	spin_lock(&contig_claims_lock);
	list_for_each_entry(other, &contig_claims, claim) {
		if (search->pass == CONTIG_CLAIMED ||
		    other->run.pfn >= pfn + nr_pages ||
		    other->run.pfn + other->run.nr_pages <= pfn)
			continue;
		search->end = round_down(other->run.pfn, CONTIG_BLOCK_PAGES);
		search->pfn = min(search->pfn, search->end);
		search->met_claim = true;
		spin_unlock(&contig_claims_lock);
		return false;
	}
	search->run.pfn = pfn;
	search->run.nr_pages = nr_pages;
	search->nr_taken = 0;
	list_add(&search->claim, &contig_claims);
	spin_unlock(&contig_claims_lock);
	return true;
}

static void contig_unclaim(struct contig_search *search)
{
	if (!search->run.nr_pages)
		return;
	spin_lock(&contig_claims_lock);
	list_del(&search->claim);
	spin_unlock(&contig_claims_lock);
	search->run.nr_pages = 0;
}

/*
 * Go on through the blocks of a zone, down to its start, until a run of them is
 * long enough, and claim it.
 */
static bool contig_find_in_zone(struct contig_search *search, struct zone *zone)
{
	const struct extent_request *request = search->request;
	bool movable = search->pass != CONTIG_FREE;

	while (search->pfn >= zone->zone_start_pfn + CONTIG_BLOCK_PAGES) {
		unsigned long start;

		search->pfn -= CONTIG_BLOCK_PAGES;
		cond_resched();
		if (!contig_run_is_takeable(zone, search->pfn,
					    CONTIG_BLOCK_PAGES, movable)) {
			search->end = search->pfn;
			continue;
		}
		if (search->end < request->nr_pages)
			return false;
		start = round_down(search->end - request->nr_pages,
				   request->align);
		if (search->pfn <= start && contig_claim(search, start))
			return true;
	}
	return false;
}

/* Of each node the zones with the fewest limits come first */
static struct zone *contig_zone(int wanted, unsigned int index)
{
	int node = index / CONTIG_NR_ZONES;
	struct zone *zone;

	if (wanted != NUMA_NO_NODE ?
		    node != wanted :
		    !node_isset(node, cpuset_current_mems_allowed))
		return NULL;
	if (!node_state(node, N_MEMORY))
		return NULL;
	zone = &NODE_DATA(node)
			->node_zones[ZONE_NORMAL - index % CONTIG_NR_ZONES];
	return populated_zone(zone) ? zone : NULL;
}

static unsigned int contig_nr_zones(void)
{
	return nr_node_ids * CONTIG_NR_ZONES;
}

/* Find and claim the next run to try */
static int contig_find(struct contig_search *search)
{
	while (search->pass != CONTIG_GIVE_UP) {
		struct zone *zone;

		if (fatal_signal_pending(current))
			return -EINTR;
		if (search->zone == contig_nr_zones() || !search->attempts) {
			search->pass++;
			search->zone = 0;
			search->pfn = 0;
			search->attempts = CONTIG_MAX_ATTEMPTS;
			if (search->pass == CONTIG_CLAIMED &&
			    (contig_is_large(search) || !search->met_claim))
				search->pass = CONTIG_GIVE_UP;
			continue;
		}
		zone = contig_zone(search->request->node, search->zone);
		if (zone && !search->pfn) {
			search->pfn = round_down(zone_end_pfn(zone),
						 CONTIG_BLOCK_PAGES);
			search->end = search->pfn;
		}
		if (zone && contig_find_in_zone(search, zone))
			return 0;
		search->pfn = 0;
		search->zone++;
	}
	return -ENOMEM;
}

/**
 * contig_search_begin - prepare a search for a run
 * @search: filled in; to be ended with contig_search_end()
 * @request: what is wanted; has to stay until then
 */
void contig_search_begin(struct contig_search *search,
			 const struct extent_request *request)
{
	*search = (struct contig_search){
		.request = request,
		.attempts = CONTIG_MAX_ATTEMPTS,
		.jiffies_left = CONTIG_MAX_JIFFIES,
	};
}

/* The page that could not be taken lies behind those that were taken */
static void contig_attempt_failed(struct contig_search *search)
{
	search->end = round_down(search->run.pfn + search->nr_taken,
				 CONTIG_BLOCK_PAGES);
	search->pfn = min(search->pfn, search->end);
	contig_unclaim(search);
	search->attempts--;
	if (search->jiffies_left < 0)
		search->pass = CONTIG_GIVE_UP;
}

/**
 * contig_take - take the next pages of a run, up to 16 MiB of them
 * @search: the search; not to be used again once all of the run is taken
 * @extent: filled in; zeroed
 *
 * Return: 0; -EAGAIN if the next page can't be taken: the caller gives back all
 * that this search has taken, and may call again, which begins another run;
 * -ENOMEM if there is none; -EINTR if a fatal signal is pending.
 */
int contig_take(struct contig_search *search, struct extent *extent)
{
	for (;;) {
		unsigned long begin = jiffies;
		int ret = search->run.nr_pages ? 0 : contig_find(search);

		if (ret)
			return ret;
		ret = contig_take_step_in_turn(search, extent);
		search->jiffies_left -= jiffies - begin;
		if (!ret) {
			search->nr_taken += extent->nr_pages;
			contig_zero(extent->pfn, extent->nr_pages);
			return 0;
		}
		if (ret == -EINTR)
			return ret;
		contig_attempt_failed(search);
		if (search->nr_taken)
			return -EAGAIN;
	}
}

/**
 * contig_search_end - let others search where this search did
 * @search: the search; what was taken belongs to the caller
 */
void contig_search_end(struct contig_search *search)
{
	contig_unclaim(search);
}

static unsigned long contig_largest_run(int node)
{
	unsigned long largest = 0;
	unsigned int i;

	for (i = 0; i < contig_nr_zones(); i++) {
		struct zone *zone = contig_zone(node, i);
		unsigned long pfn, end;

		if (!zone)
			continue;
		end = round_down(zone_end_pfn(zone), CONTIG_BLOCK_PAGES);
		pfn = end;
		while (pfn >= zone->zone_start_pfn + CONTIG_BLOCK_PAGES &&
		       !fatal_signal_pending(current)) {
			pfn -= CONTIG_BLOCK_PAGES;
			if (contig_run_is_takeable(zone, pfn,
						   CONTIG_BLOCK_PAGES, true))
				largest = max(largest, end - pfn);
			else
				end = pfn;
			cond_resched();
		}
	}
	return largest;
}

/**
 * contig_report - tell in the log that there is no such run
 * @request: what was wanted
 */
void contig_report(const struct extent_request *request)
{
	static DEFINE_RATELIMIT_STATE(limit, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);
	unsigned long largest;

	if (!__ratelimit(&limit))
		return;
	largest = contig_largest_run(request->node);
	pr_info("no contiguous %lu KiB, the largest run has %lu KiB%s\n",
		request->nr_pages << (PAGE_SHIFT - 10),
		largest << (PAGE_SHIFT - 10),
		largest < request->nr_pages ? "" : ", but is in use");
}
