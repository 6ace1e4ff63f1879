// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: contiguous memory that is set aside while the module is loaded.
 *
 * Whether there is a long run when one is wanted is a matter of what everybody
 * else has allocated by then, and to zero memory takes time. With the parameter
 * pool_mb a run is taken when the module is loaded, which may be early. All that
 * the pool has is zeroed, and requests of 64 KiB and more are served from it,
 * first fit; those that find no place there go on to the page allocator and to
 * the search (contig.c).
 *
 * The pool is a run of large folios, at a place that is fixed. It has each of
 * them as a whole, which is a bit in `folios`, or split into single pages, each
 * of which is a bit in `pages`, for requests that are not for whole ones. All
 * others belong to somebody else: to a dataspace, or to the kernel, to which the
 * pages of a dataspace return one by one, as all pages do. From there the pool
 * reclaims a large folio as soon as all pages of it that the pool does not have
 * are free or movable; the kernel gives away no part of a pageblock in which
 * there are pages of the pool. In between others may use the pages for what can
 * be moved, or, when they find nothing else, for what can't: then the pool lacks
 * that folio for as long as this lasts.
 *
 * A thread of the lowest priority reclaims some time after pages were released,
 * and again later if some were still in use. A request that finds too little
 * ready, and that nothing but a search would serve, reclaims by itself. To split
 * a large folio and to make it whole again means to return it to the kernel, to
 * take it anew and to zero it: so, once there has been a request for a part of
 * one, the thread keeps a few of them split.
 *
 * Memory in the pool is nobody's: it is not charged and does not count towards
 * limit_mb.
 *
 * Locks: refill_lock, for as long as one large folio is taken and zeroed, then
 * lock, which protects the bitmaps, and under which nothing is taken. No lock of
 * another part of the module is taken under them. Where the pool is and how long
 * is set before the device is there, so that it can be read without.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/cpuset.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "memory.h"

#define POOL_MIN_PAGES max(SZ_64K >> PAGE_SHIFT, 1)
#define POOL_DELAY_MIN_MS 50
#define POOL_DELAY_MAX_MS 30000

/* Once there was use for it, one in so many large folios is split in advance */
#define POOL_SPLIT_RATIO 16

/* No page, no large folio */
#define POOL_NONE ULONG_MAX

static unsigned long pool_mb;
module_param(pool_mb, ulong, 0444);
MODULE_PARM_DESC(pool_mb,
		 "Contiguous memory to set aside in MiB (0: none, or no room)");

/**
 * struct pool - see above; indices count from the start of @run
 * @run: all of the pool; set once
 * @zone: the zone of @run; set once
 * @refill_lock: whoever takes pages of @run from the kernel has it
 * @lock: protects all that follows but @worker and @refill
 * @folios: a bit for each large folio that the pool has as a whole
 * @pages: a bit for each single page that the pool has
 * @nr_free: number of all pages that the pool has; read without the lock, too
 * @nr_split_wanted: how many large folios the thread keeps split
 * @delay_ms: how long the thread waits; read without the lock, too
 * @worker: the thread, which there is as long as there is a pool
 * @refill: its work
 */
static struct pool {
	struct extent run;
	struct zone *zone;
	struct mutex refill_lock; /* for taking pages */
	struct mutex lock; /* for what follows, see above */
	unsigned long *folios;
	unsigned long *pages;
	unsigned long nr_free;
	unsigned long nr_split_wanted;
	unsigned int delay_ms;
	struct kthread_worker *worker;
	struct kthread_delayed_work refill;
} pool = {
	.refill_lock = __MUTEX_INITIALIZER(pool.refill_lock),
	.lock = __MUTEX_INITIALIZER(pool.lock),
};

static unsigned long pool_nr_folios(void)
{
	return pool.run.nr_pages / LARGE_FOLIO_PAGES;
}

static void pool_add_free(long nr_pages)
{
	lockdep_assert_held(&pool.lock);
	WRITE_ONCE(pool.nr_free, pool.nr_free + nr_pages);
}

/* The thread is to have a look soon */
static void pool_wake(void)
{
	unsigned long delay = msecs_to_jiffies(POOL_DELAY_MIN_MS);

	if (READ_ONCE(pool.delay_ms) == POOL_DELAY_MIN_MS) {
		kthread_queue_delayed_work(pool.worker, &pool.refill, delay);
		return;
	}
	WRITE_ONCE(pool.delay_ms, POOL_DELAY_MIN_MS);
	kthread_mod_delayed_work(pool.worker, &pool.refill, delay);
}

/* How many large folios or pages are to be skipped until one is aligned */
static unsigned long pool_misalignment(unsigned long align)
{
	return ALIGN(pool.run.pfn, align) - pool.run.pfn;
}

/*
 * The first place where there are so many large folios, and behind them some
 * pages of one that is split; index of the first page, or POOL_NONE.
 */
static unsigned long pool_find_folios(unsigned long nr_folios,
				      unsigned long rest, unsigned long align)
{
	unsigned long first = pool_misalignment(align) / LARGE_FOLIO_PAGES;
	unsigned long step = max(align / LARGE_FOLIO_PAGES, 1UL);
	unsigned long i = first;

	while (i + nr_folios + (rest > 0) <= pool_nr_folios()) {
		unsigned long end =
			find_next_zero_bit(pool.folios, i + nr_folios, i);
		unsigned long start = end * LARGE_FOLIO_PAGES;

		if (end == i + nr_folios &&
		    find_next_zero_bit(pool.pages, start + rest, start) ==
			    start + rest)
			return i * LARGE_FOLIO_PAGES;
		if (end == i + nr_folios)
			end = i;
		i = first + roundup(end + 1 - first, step);
	}
	return POOL_NONE;
}

/* The first place where there are so many single pages */
static unsigned long pool_find_pages(unsigned long nr_pages,
				     unsigned long align)
{
	unsigned long size = pool.run.nr_pages;
	unsigned long first = pool_misalignment(align);
	unsigned long i = find_next_bit(pool.pages, size, first);

	while (i < size) {
		unsigned long start = first + roundup(i - first, align);
		unsigned long end;

		if (start + nr_pages > size)
			break;
		end = find_next_zero_bit(pool.pages, start + nr_pages, start);
		if (end == start + nr_pages)
			return start;
		i = find_next_bit(pool.pages, size, end);
	}
	return POOL_NONE;
}

/* With the lock held: hand out what is there as it is wanted */
static bool pool_hand_out(struct extent *extent,
			  const struct extent_request *request)
{
	unsigned long nr_folios = request->nr_pages / LARGE_FOLIO_PAGES;
	unsigned long rest = request->nr_pages % LARGE_FOLIO_PAGES;
	unsigned long start;

	if (nr_folios)
		start = pool_find_folios(nr_folios, rest, request->align);
	else
		start = pool_find_pages(rest, request->align);
	if (start == POOL_NONE)
		return false;
	bitmap_clear(pool.folios, start / LARGE_FOLIO_PAGES, nr_folios);
	bitmap_clear(pool.pages, start + nr_folios * LARGE_FOLIO_PAGES, rest);
	pool_add_free(-(long)request->nr_pages);
	if (rest)
		pool_wake();
	extent->pfn = pool.run.pfn + start;
	extent->nr_pages = request->nr_pages;
	return true;
}

/* Split a large folio that the pool has */
static int pool_split(unsigned long index)
{
	unsigned long start = index * LARGE_FOLIO_PAGES;
	unsigned long pfn = pool.run.pfn + start;
	int ret;

	lockdep_assert_held(&pool.refill_lock);
	mutex_lock(&pool.lock);
	if (!test_bit(index, pool.folios)) {
		mutex_unlock(&pool.lock);
		return -ENOMEM;
	}
	__clear_bit(index, pool.folios);
	pool_add_free(-(long)LARGE_FOLIO_PAGES);
	mutex_unlock(&pool.lock);

	folio_put(pfn_folio(pfn));
	ret = contig_take_pages(pfn, LARGE_FOLIO_PAGES);
	if (ret)
		return ret;

	mutex_lock(&pool.lock);
	bitmap_set(pool.pages, start, LARGE_FOLIO_PAGES);
	pool_add_free(LARGE_FOLIO_PAGES);
	mutex_unlock(&pool.lock);
	return 0;
}

/*
 * Split the large folio of which a request wants a part. Where it does not matter
 * that is the last one, so that the long runs are at the start.
 */
static int pool_split_for(const struct extent_request *request)
{
	unsigned long nr_folios = request->nr_pages / LARGE_FOLIO_PAGES;
	unsigned long index, start;

	mutex_lock(&pool.lock);
	index = find_last_bit(pool.folios, pool_nr_folios());
	if (nr_folios || request->align > LARGE_FOLIO_PAGES) {
		start = pool_find_folios(nr_folios + 1, 0,
					 max(request->align,
					     LARGE_FOLIO_PAGES));
		index = start == POOL_NONE ?
				pool_nr_folios() :
				start / LARGE_FOLIO_PAGES + nr_folios;
	}
	mutex_unlock(&pool.lock);
	if (index == pool_nr_folios())
		return -ENOMEM;
	return pool_split(index);
}

static bool pool_try_alloc(struct extent *extent,
			   const struct extent_request *request)
{
	bool done;

	mutex_lock(&pool.lock);
	done = pool_hand_out(extent, request);
	mutex_unlock(&pool.lock);
	return done;
}

static bool pool_suits(const struct extent_request *request)
{
	int node;

	if (request->nr_pages < POOL_MIN_PAGES ||
	    request->nr_pages > pool.run.nr_pages)
		return false;
	node = zone_to_nid(pool.zone);
	return request->node == NUMA_NO_NODE ?
		       node_isset(node, cpuset_current_mems_allowed) :
		       node == request->node;
}

/**
 * pool_alloc - take a run from what the pool has ready
 * @extent: filled in; zeroed
 * @request: what is wanted
 *
 * At most one large folio has to be split, and is zeroed for that.
 *
 * Return: 0, -ENOMEM, or -EINTR if a fatal signal is pending.
 */
int pool_alloc(struct extent *extent, const struct extent_request *request)
{
	bool done;

	if (!pool_suits(request) || request->nr_pages > READ_ONCE(pool.nr_free))
		return -ENOMEM;
	if (pool_try_alloc(extent, request))
		return 0;
	if (request->nr_pages % LARGE_FOLIO_PAGES == 0)
		return -ENOMEM;
	WRITE_ONCE(pool.nr_split_wanted,
		   DIV_ROUND_UP(pool_nr_folios(), POOL_SPLIT_RATIO));
	if (mutex_lock_killable(&pool.refill_lock))
		return -EINTR;
	/* somebody else may have split one meanwhile */
	done = pool_try_alloc(extent, request) ||
	       (!pool_split_for(request) && pool_try_alloc(extent, request));
	mutex_unlock(&pool.refill_lock);
	return done ? 0 : -ENOMEM;
}

/* Of a large folio the next pages that the pool does not have */
static bool pool_next_gap(unsigned long *start, unsigned long *end,
			  unsigned long limit)
{
	*start = find_next_zero_bit(pool.pages, limit, *end);
	*end = find_next_bit(pool.pages, limit, *start);
	return *start < limit;
}

/* With the lock held: whether the pool has all pages of it, or could have them */
static bool pool_could_be_whole(unsigned long index)
{
	unsigned long end = index * LARGE_FOLIO_PAGES;
	unsigned long limit = end + LARGE_FOLIO_PAGES;
	unsigned long start;

	while (pool_next_gap(&start, &end, limit))
		if (!contig_is_takeable(pool.zone, pool.run.pfn + start,
					end - start))
			return false;
	return true;
}

/* With the lock held: return to the kernel what is there of a large folio */
static void pool_return_pages(unsigned long index)
{
	unsigned long i = index * LARGE_FOLIO_PAGES;
	unsigned long limit = i + LARGE_FOLIO_PAGES;
	long nr_pages = 0;

	for (; i < limit; i++) {
		if (!__test_and_clear_bit(i, pool.pages))
			continue;
		put_page(pfn_to_page(pool.run.pfn + i));
		nr_pages++;
	}
	pool_add_free(-nr_pages);
}

/* Return: whether the pool has that large folio as a whole now */
static bool pool_make_whole(unsigned long index)
{
	lockdep_assert_held(&pool.refill_lock);
	mutex_lock(&pool.lock);
	if (test_bit(index, pool.folios) || !pool_could_be_whole(index)) {
		bool whole = test_bit(index, pool.folios);

		mutex_unlock(&pool.lock);
		return whole;
	}
	pool_return_pages(index);
	mutex_unlock(&pool.lock);

	if (contig_take_large_folio(pool.run.pfn + index * LARGE_FOLIO_PAGES))
		return false;

	mutex_lock(&pool.lock);
	__set_bit(index, pool.folios);
	pool_add_free(LARGE_FOLIO_PAGES);
	mutex_unlock(&pool.lock);
	return true;
}

/**
 * pool_reclaim - take a run from the pool, which has to reclaim some of it first
 * @extent: filled in; zeroed
 * @request: what is wanted
 *
 * Return: 0, -ENOMEM, or -EINTR if a fatal signal is pending.
 */
int pool_reclaim(struct extent *extent, const struct extent_request *request)
{
	unsigned long nr_folios =
		DIV_ROUND_UP(request->nr_pages, LARGE_FOLIO_PAGES);
	unsigned long align = max(request->align, LARGE_FOLIO_PAGES);
	unsigned long first, i;

	if (!pool_suits(request))
		return -ENOMEM;
	first = pool_misalignment(align) / LARGE_FOLIO_PAGES;
	for (i = first; i + nr_folios <= pool_nr_folios();) {
		unsigned long end = i;
		bool whole = true;
		int ret;

		while (whole && end < i + nr_folios) {
			if (mutex_lock_killable(&pool.refill_lock))
				return -EINTR;
			whole = pool_make_whole(end++);
			mutex_unlock(&pool.refill_lock);
		}
		if (whole) {
			ret = pool_alloc(extent, request);
			if (ret != -ENOMEM)
				return ret;
			end = i + 1;
		}
		i = first + roundup(end - first, align / LARGE_FOLIO_PAGES);
	}
	return -ENOMEM;
}

static bool pool_is_split(unsigned long index)
{
	unsigned long start = index * LARGE_FOLIO_PAGES;
	unsigned long end = start + LARGE_FOLIO_PAGES;
	bool split;

	mutex_lock(&pool.lock);
	split = find_next_zero_bit(pool.pages, end, start) == end;
	mutex_unlock(&pool.lock);
	return split;
}

static void pool_refill(struct kthread_work *work)
{
	unsigned long nr_split_wanted = READ_ONCE(pool.nr_split_wanted);
	unsigned int delay_ms = 2 * READ_ONCE(pool.delay_ms);
	unsigned long index;

	for (index = pool_nr_folios(); index--;) {
		mutex_lock(&pool.refill_lock);
		if (nr_split_wanted && pool_is_split(index))
			nr_split_wanted--;
		else
			pool_make_whole(index);
		mutex_unlock(&pool.refill_lock);
		cond_resched();
	}
	for (index = pool_nr_folios(); nr_split_wanted && index--;) {
		mutex_lock(&pool.refill_lock);
		if (!pool_split(index))
			nr_split_wanted--;
		mutex_unlock(&pool.refill_lock);
		cond_resched();
	}
	if (READ_ONCE(pool.nr_free) == pool.run.nr_pages ||
	    delay_ms > POOL_DELAY_MAX_MS)
		return;
	WRITE_ONCE(pool.delay_ms, delay_ms);
	kthread_queue_delayed_work(pool.worker, &pool.refill,
				   msecs_to_jiffies(delay_ms));
}

/**
 * pool_notice_release - take notice of memory that returns to the kernel
 * @folio: the memory, of the pool or not; it may still be in use for a moment
 */
void pool_notice_release(struct folio *folio)
{
	if (folio_pfn(folio) - pool.run.pfn < pool.run.nr_pages)
		pool_wake();
}

/**
 * pool_take_back - take back what was handed out, but not used
 * @folio: zero, with the last reference; of the pool or not
 *
 * Return: whether the pool has it now.
 */
bool pool_take_back(struct folio *folio)
{
	unsigned long start = folio_pfn(folio) - pool.run.pfn;
	bool taken = true;

	if (start >= pool.run.nr_pages)
		return false;
	mutex_lock(&pool.lock);
	if (folio_nr_pages(folio) == LARGE_FOLIO_PAGES)
		__set_bit(start / LARGE_FOLIO_PAGES, pool.folios);
	else if (!folio_test_large(folio))
		__set_bit(start, pool.pages);
	else
		taken = false;
	if (taken)
		pool_add_free(folio_nr_pages(folio));
	mutex_unlock(&pool.lock);
	if (!taken)
		pool_notice_release(folio);
	return taken;
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
	return (u64)READ_ONCE(pool.nr_free) << PAGE_SHIFT;
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

/* On failure no pages are taken */
static int pool_take_run(struct extent *run,
			 const struct extent_request *request)
{
	struct contig_search search;
	int ret = 0;

	run->nr_pages = 0;
	contig_search_begin(&search, request);
	while (run->nr_pages < request->nr_pages) {
		struct extent extent;
		unsigned long i;

		ret = contig_take(&search, &extent);
		if (!ret) {
			if (!run->nr_pages)
				run->pfn = extent.pfn;
			run->nr_pages += extent.nr_pages;
			continue;
		}
		for (i = 0; i < run->nr_pages; i += LARGE_FOLIO_PAGES)
			folio_put(pfn_folio(run->pfn + i));
		run->nr_pages = 0;
		if (ret != -EAGAIN)
			break;
	}
	contig_search_end(&search);
	if (ret == -ENOMEM)
		contig_report(request);
	return ret;
}

static unsigned long *pool_alloc_bitmap(unsigned long bits)
{
	return kvcalloc(BITS_TO_LONGS(bits), sizeof(unsigned long), GFP_KERNEL);
}

static void pool_free_bitmaps(void)
{
	kvfree(pool.folios);
	kvfree(pool.pages);
}

/* Nobody else knows of the pool yet */
static int pool_reserve(const struct extent_request *request)
{
	unsigned long nr_folios = request->nr_pages / LARGE_FOLIO_PAGES;
	struct extent run;
	int ret;

	pool.folios = pool_alloc_bitmap(nr_folios);
	pool.pages = pool_alloc_bitmap(request->nr_pages);
	if (!pool.folios || !pool.pages) {
		ret = -ENOMEM;
		goto out_bitmaps;
	}
	pool.worker = kthread_run_worker(KTW_FREEZABLE, "dataspace_pool");
	if (IS_ERR(pool.worker)) {
		ret = PTR_ERR(pool.worker);
		goto out_bitmaps;
	}
	ret = pool_take_run(&run, request);
	if (ret)
		goto out_worker;
	set_user_nice(pool.worker->task, MAX_NICE);
	kthread_init_delayed_work(&pool.refill, pool_refill);
	bitmap_fill(pool.folios, nr_folios);
	pool.delay_ms = POOL_DELAY_MIN_MS;
	pool.nr_free = run.nr_pages;
	pool.zone = page_zone(pfn_to_page(run.pfn));
	pool.run = run;
	return 0;

out_worker:
	kthread_destroy_worker(pool.worker);
out_bitmaps:
	pool_free_bitmaps();
	return ret;
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

	if (!pool.run.nr_pages)
		return;
	kthread_cancel_delayed_work_sync(&pool.refill);
	kthread_destroy_worker(pool.worker);
	mutex_lock(&pool.lock);
	for (index = 0; index < pool_nr_folios(); index++) {
		if (test_bit(index, pool.folios))
			folio_put(pfn_folio(pool.run.pfn +
					    index * LARGE_FOLIO_PAGES));
		else
			pool_return_pages(index);
	}
	mutex_unlock(&pool.lock);
	pool_free_bitmaps();
}
