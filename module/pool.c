// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: contiguous memory that is set aside while the module is loaded.
 *
 * Whether there is a long run when one is wanted is a matter of what everybody
 * else has allocated by then. With the parameter pool_mb one is taken when the
 * module is loaded, which may be early, and requests that the page allocator
 * can't serve are served from it, first fit; those that find no place there go
 * on to the search (contig.c).
 *
 * The pool is a run of large folios, at a place that is fixed. The bitmap `held`
 * has a bit for each of them, which is set while the pool has that folio, as it
 * came from the kernel. All others belong to somebody else: to a dataspace, or
 * to the kernel, to which the pages of a dataspace return one by one, as all
 * pages do. From there the pool reclaims a large folio as soon as all of its
 * pages are free or movable: some time after pages of its range were released,
 * and whenever a request comes across one that the pool does not have. In
 * between others may use the pages for what can be moved, or, when they find
 * nothing else, for what can't: then the pool lacks that folio for as long as
 * this lasts.
 *
 * Memory in the pool is nobody's: it is not charged, does not count towards
 * limit_mb, and is zeroed when it is handed out. If a request ends within a
 * large folio, the rest of that returns to the kernel.
 *
 * The lock is the outermost here: it is held while large folios are taken, and
 * no lock of another part of the module is taken under it. Where the pool is and
 * how long is set before the device is there, so that it can be read without.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/cpuset.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "memory.h"

#define REFILL_DELAY_MS 200

static unsigned long pool_mb;
module_param(pool_mb, ulong, 0444);
MODULE_PARM_DESC(pool_mb,
		 "Contiguous memory to set aside in MiB (0: none, or no room)");

static void pool_refill(struct work_struct *work);

/**
 * struct pool - see above
 * @lock: protects @held, and the large folios that it tells of
 * @run: all of the pool; set once
 * @zone: the zone of @run; set once
 * @held: a bit for each large folio of it
 * @refill: reclaims what has returned to the kernel
 */
static struct pool {
	struct mutex lock; /* for held, see above */
	struct extent run;
	struct zone *zone;
	unsigned long *held;
	struct delayed_work refill;
} pool = {
	.lock = __MUTEX_INITIALIZER(pool.lock),
	.refill = __DELAYED_WORK_INITIALIZER(pool.refill, pool_refill, 0),
};

static unsigned long pool_nr_folios(void)
{
	return pool.run.nr_pages / LARGE_FOLIO_PAGES;
}

static unsigned long pool_pfn(unsigned long index)
{
	return pool.run.pfn + index * LARGE_FOLIO_PAGES;
}

/* Return: whether the pool has the folio now */
static bool pool_reclaim(unsigned long index)
{
	if (test_bit(index, pool.held))
		return true;
	if (contig_take_large_folio(pool.zone, pool_pfn(index)))
		return false;
	__set_bit(index, pool.held);
	return true;
}

static void pool_refill(struct work_struct *work)
{
	unsigned long index;

	for (index = 0; index < pool_nr_folios(); index++) {
		mutex_lock(&pool.lock);
		pool_reclaim(index);
		mutex_unlock(&pool.lock);
		cond_resched();
	}
}

/* To the kernel */
static void pool_return(unsigned long index)
{
	__clear_bit(index, pool.held);
	folio_put(pfn_folio(pool_pfn(index)));
}

static bool pool_suits_node(int wanted)
{
	int node = zone_to_nid(pool.zone);

	return wanted == NUMA_NO_NODE ?
		       node_isset(node, cpuset_current_mems_allowed) :
		       node == wanted;
}

/*
 * Find the first place for so many large folios, and have them all.
 *
 * Return: index of the first one, or else the number of all large folios.
 */
static unsigned long pool_find(unsigned long nr_folios, unsigned long align)
{
	unsigned long step = max(align / LARGE_FOLIO_PAGES, 1UL);
	unsigned long start =
		(ALIGN(pool.run.pfn, align) - pool.run.pfn) / LARGE_FOLIO_PAGES;

	while (start < pool_nr_folios() &&
	       nr_folios <= pool_nr_folios() - start) {
		unsigned long i = 0;

		while (i < nr_folios && pool_reclaim(start + i))
			i++;
		if (i == nr_folios)
			return start;
		start += roundup(i + 1, step);
	}
	return pool_nr_folios();
}

/* Of the last large folio only the pages that are wanted */
static int pool_hand_out(unsigned long start, unsigned long nr_pages)
{
	unsigned long nr_folios = nr_pages / LARGE_FOLIO_PAGES;
	unsigned long rest = nr_pages % LARGE_FOLIO_PAGES;
	int ret;

	if (rest) {
		pool_return(start + nr_folios);
		ret = contig_take_pages(pool_pfn(start + nr_folios), rest);
		if (ret)
			return ret;
	}
	bitmap_clear(pool.held, start, nr_folios);
	return 0;
}

static int pool_alloc_locked(struct extent *extent,
			     const struct extent_request *request)
{
	unsigned long start;

	if (!pool.run.nr_pages || !pool_suits_node(request->node))
		return -ENOMEM;
	start = pool_find(DIV_ROUND_UP(request->nr_pages, LARGE_FOLIO_PAGES),
			  request->align);
	if (start == pool_nr_folios())
		return -ENOMEM;
	extent->pfn = pool_pfn(start);
	extent->nr_pages = request->nr_pages;
	return pool_hand_out(start, request->nr_pages);
}

/**
 * pool_alloc - take a run from the pool
 * @extent: filled in; its contents are undefined
 * @request: what is wanted
 *
 * Return: 0 or a negative errno.
 */
int pool_alloc(struct extent *extent, const struct extent_request *request)
{
	int ret;

	if (mutex_lock_killable(&pool.lock))
		return -EINTR;
	ret = pool_alloc_locked(extent, request);
	mutex_unlock(&pool.lock);
	return ret;
}

/**
 * pool_notice_release - take notice of memory that returns to the kernel
 * @folio: the memory, of the pool or not; it may still be in use for a moment
 */
void pool_notice_release(struct folio *folio)
{
	if (folio_pfn(folio) - pool.run.pfn < pool.run.nr_pages)
		schedule_delayed_work(&pool.refill,
				      msecs_to_jiffies(REFILL_DELAY_MS));
}

/**
 * pool_size_bytes - tell how much memory is set aside
 *
 * Return: bytes, 0 without a pool.
 */
u64 pool_size_bytes(void)
{
	return (u64)pool.run.nr_pages << PAGE_SHIFT;
}

/**
 * pool_free_bytes - tell how much of the pool can be handed out now
 *
 * Return: bytes; out of date as soon as somebody else allocates or releases.
 */
u64 pool_free_bytes(void)
{
	unsigned long nr_folios = 0;

	mutex_lock(&pool.lock);
	if (pool.held)
		nr_folios = bitmap_weight(pool.held, pool_nr_folios());
	mutex_unlock(&pool.lock);
	return (u64)nr_folios * LARGE_FOLIO_PAGES << PAGE_SHIFT;
}

static int pool_get_free(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", pool_free_bytes());
}

static int pool_set_free(const char *value, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops pool_free_ops = {
	.set = pool_set_free,
	.get = pool_get_free,
};

module_param_cb(pool_free, &pool_free_ops, NULL, 0444);
MODULE_PARM_DESC(pool_free,
		 "Bytes of the pool that can be handed out now (read only)");

static void pool_return_run(const struct extent *run)
{
	unsigned long i;

	for (i = 0; i < run->nr_pages; i += LARGE_FOLIO_PAGES)
		folio_put(pfn_folio(run->pfn + i));
}

static int pool_take_run(struct extent *run,
			 const struct extent_request *request)
{
	struct contig_search search;
	int ret = 0;

	run->nr_pages = 0;
	contig_search_begin(&search, request);
	while (run->nr_pages < request->nr_pages) {
		struct extent extent;

		ret = contig_take(&search, &extent);
		if (ret) {
			pool_return_run(run);
			run->nr_pages = 0;
			if (ret != -EAGAIN)
				break;
			continue;
		}
		if (!run->nr_pages)
			run->pfn = extent.pfn;
		run->nr_pages += extent.nr_pages;
	}
	contig_search_end(&search);
	if (ret == -ENOMEM)
		contig_report(request);
	return ret;
}

/*
 * The bitmap is small and made once: not worth a way to do without it. Nobody
 * else knows of the pool yet.
 */
static int pool_reserve(const struct extent_request *request)
{
	unsigned long nr_folios = request->nr_pages / LARGE_FOLIO_PAGES;
	struct extent run;
	int ret = pool_take_run(&run, request);

	if (ret)
		return ret;
	pool.held = kvcalloc(BITS_TO_LONGS(nr_folios), sizeof(*pool.held),
			     GFP_KERNEL | __GFP_NOFAIL);
	bitmap_fill(pool.held, nr_folios);
	pool.zone = page_zone(pfn_to_page(run.pfn));
	pool.run = run;
	return 0;
}

/**
 * dataspace_pool_init - set memory aside, if that is asked for
 *
 * There is no pool where runs can't be taken in large folios. Without it all
 * works that works with it, just not for as long: so a pool that can't be had is
 * no reason not to load the module.
 */
void __init dataspace_pool_init(void)
{
	unsigned long most = totalram_pages() >> (20 - PAGE_SHIFT);
	struct extent_request request = {
		.nr_pages = roundup(min(pool_mb, most) << (20 - PAGE_SHIFT),
				    LARGE_FOLIO_PAGES),
		.align = LARGE_FOLIO_PAGES,
		.node = NUMA_NO_NODE,
	};

	if (!pool_mb || (contig_has_large_folios() && !pool_reserve(&request)))
		return;
	pr_warn("no room for a pool of %lu MiB, going on without\n", pool_mb);
	pool_mb = 0;
}

/* Nothing of it is in use any more */
void dataspace_pool_exit(void)
{
	unsigned long index;

	cancel_delayed_work_sync(&pool.refill);
	for_each_set_bit(index, pool.held, pool_nr_folios())
		pool_return(index);
	kvfree(pool.held);
}
