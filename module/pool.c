// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool: contiguous memory that is set aside while the module is loaded.
 *
 * Whether there is a long run when one is wanted is a matter of what everybody
 * else has allocated by then, and to zero memory takes time. With the parameter
 * pool_mb a run is taken when the module is loaded, which may be early, or when
 * the parameter is written. All that the pool has is zeroed, and requests of
 * 64 KiB and more are served from it, first fit; those that find no place there
 * go on to the page allocator and to the search (contig.c).
 *
 * The pool is a run of large folios. It has each of them as a whole, which is a
 * bit in `folios`, or single pages of it, each of which is a bit in `pages`, for
 * requests that are not for whole ones. All else was lent: to a dataspace, whose
 * pages return to the kernel one by one, as all pages do, as only the kernel can
 * end their being charged and listed. From there the pool reclaims them a moment
 * later: a large folio as a whole, if all of its pages that the pool does not
 * have are free or movable, or else single pages of it, as they are. In between
 * others may use them for what can be moved, or, when they find nothing else,
 * for what can't: then the pool lacks these pages for as long as this lasts, and
 * others don't get more of that large folio meanwhile.
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
 * Memory errors hit the pool, too. Of them the kernel can only mark the page: it
 * does nothing about a large folio that is not on its lists, or about a page that
 * is kept. So what is handed out (extent.c) or taken back is looked at, and what has
 * such a page leaves the pool (contig_free()).
 *
 * When the pool is to be smaller its end returns to the kernel; when it is to be
 * larger there is another run, and all of the old one returns. What was lent of
 * it is the pool's no longer, and is no different from other memory from then on.
 *
 * Locks: that of the module's parameters, for changes of the size; refill_lock,
 * for as long as one large folio is taken and zeroed; then lock, which protects
 * the bitmaps, and under which nothing is taken. It is a spinlock, so that nobody
 * has to wait for the thread to run again. No lock of another part of the module
 * is taken under them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/cpuset.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "memory.h"

#define POOL_MIN_PAGES max(SZ_64K >> PAGE_SHIFT, 1)
#define POOL_DELAY_MIN_MS 10
#define POOL_DELAY_MAX_MS 30000

/* Once there was use for it, one in so many large folios is split in advance */
#define POOL_SPLIT_RATIO 16

/* No page, no large folio */
#define POOL_NONE ULONG_MAX

/**
 * struct pool - see above; indices count from the start of @run
 * @refill_lock: whoever takes pages of @run from the kernel has it
 * @lock: protects all that follows, up to @delay_ms
 * @run: all of the pool; written with @refill_lock, too, and read with either
 * @zone: the zone of @run
 * @folios: a bit for each large folio that the pool has as a whole
 * @pages: a bit for each single page that the pool has; it is kept (contig.c)
 * @nr_free: number of all pages that the pool has; read without the lock, too
 * @nr_split_wanted: how many large folios the thread keeps split
 * @delay_ms: how long the thread waits; read without the lock, too
 * @worker: the thread, which there is as soon as there was a pool
 * @refill: its work
 * @wanted_mb: size when the module is loaded; with the parameters' lock
 * @ready: whether the size can be changed; with the parameters' lock
 */
static struct pool {
	struct mutex refill_lock; /* for taking pages */
	spinlock_t lock; /* for what follows, see above */
	struct extent run;
	struct zone *zone;
	unsigned long *folios;
	unsigned long *pages;
	unsigned long nr_free;
	unsigned long nr_split_wanted;
	unsigned int delay_ms;
	struct kthread_worker *worker;
	struct kthread_delayed_work refill;
	unsigned long wanted_mb;
	bool ready;
} pool = {
	.refill_lock = __MUTEX_INITIALIZER(pool.refill_lock),
	.lock = __SPIN_LOCK_UNLOCKED(pool.lock),
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

/* With the lock held: whether a request may be served from here at all */
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

/* With the lock held: hand out what is there as it is wanted */
static bool pool_hand_out(struct extent *extent,
			  const struct extent_request *request)
{
	unsigned long nr_folios = request->nr_pages / LARGE_FOLIO_PAGES;
	unsigned long rest = request->nr_pages % LARGE_FOLIO_PAGES;
	unsigned long start, i;

	if (!pool_suits(request))
		return false;
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
	for (i = request->nr_pages - rest; i < request->nr_pages; i++)
		contig_end_keeping(extent->pfn + i);
	return true;
}

/* Single pages that were just taken and are zero; what is looked up goes back */
static void pool_add_pages(unsigned long start, unsigned long nr_pages)
{
	unsigned long end = start + nr_pages;
	unsigned long i;
	long kept = 0;

	spin_lock(&pool.lock);
	for (i = start; i < end; i++) {
		if (contig_keep(pool.run.pfn + i)) {
			__set_bit(i, pool.pages);
			kept++;
		} else {
			put_page(pfn_to_page(pool.run.pfn + i));
		}
	}
	pool_add_free(kept);
	spin_unlock(&pool.lock);
}

/* Split a large folio that the pool has */
static int pool_split(unsigned long index)
{
	unsigned long start = index * LARGE_FOLIO_PAGES;
	unsigned long pfn = pool.run.pfn + start;
	int ret;

	lockdep_assert_held(&pool.refill_lock);
	spin_lock(&pool.lock);
	if (index >= pool_nr_folios() || !test_bit(index, pool.folios)) {
		spin_unlock(&pool.lock);
		return -ENOMEM;
	}
	__clear_bit(index, pool.folios);
	pool_add_free(-(long)LARGE_FOLIO_PAGES);
	spin_unlock(&pool.lock);

	contig_free(pfn_folio(pfn));
	ret = contig_take_pages(pfn, LARGE_FOLIO_PAGES);
	if (ret)
		return ret;
	pool_add_pages(start, LARGE_FOLIO_PAGES);
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

	spin_lock(&pool.lock);
	if (!pool_suits(request)) {
		spin_unlock(&pool.lock);
		return -ENOMEM;
	}
	index = find_last_bit(pool.folios, pool_nr_folios());
	if (nr_folios || request->align > LARGE_FOLIO_PAGES) {
		start = pool_find_folios(nr_folios + 1, 0,
					 max(request->align,
					     LARGE_FOLIO_PAGES));
		index = start == POOL_NONE ?
				pool_nr_folios() :
				start / LARGE_FOLIO_PAGES + nr_folios;
	}
	spin_unlock(&pool.lock);
	if (index == pool_nr_folios())
		return -ENOMEM;
	return pool_split(index);
}

static bool pool_try_alloc(struct extent *extent,
			   const struct extent_request *request)
{
	bool done;

	spin_lock(&pool.lock);
	done = pool_hand_out(extent, request);
	spin_unlock(&pool.lock);
	return done;
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

	if (request->nr_pages > READ_ONCE(pool.nr_free) ||
	    request->nr_pages < POOL_MIN_PAGES)
		return -ENOMEM;
	if (pool_try_alloc(extent, request))
		return 0;
	if (request->nr_pages % LARGE_FOLIO_PAGES == 0)
		return -ENOMEM;
	if (mutex_lock_killable(&pool.refill_lock))
		return -EINTR;
	pool.nr_split_wanted = DIV_ROUND_UP(pool_nr_folios(), POOL_SPLIT_RATIO);
	/* somebody else may have split one meanwhile */
	done = pool_try_alloc(extent, request) ||
	       (!pool_split_for(request) && pool_try_alloc(extent, request));
	mutex_unlock(&pool.refill_lock);
	if (done)
		return 0;
	pool_wake(); /* for what could not be split, and is the kernel's now */
	return -ENOMEM;
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

/* With the lock held: return to the kernel what there is of a large folio */
static void pool_return_pages(unsigned long index)
{
	unsigned long start = index * LARGE_FOLIO_PAGES;
	unsigned long end = start + LARGE_FOLIO_PAGES;
	long nr_pages = 0;
	unsigned long i;

	if (__test_and_clear_bit(index, pool.folios)) {
		pool_add_free(-(long)LARGE_FOLIO_PAGES);
		contig_free(pfn_folio(pool.run.pfn + start));
		return;
	}
	for (i = start; i < end; i++) {
		if (!__test_and_clear_bit(i, pool.pages))
			continue;
		contig_end_keeping(pool.run.pfn + i);
		put_page(pfn_to_page(pool.run.pfn + i));
		nr_pages++;
	}
	pool_add_free(-nr_pages);
}

/* Whether pages of a large folio and what the pool has around them serve a request */
static bool pool_is_worth_taking(unsigned long start, unsigned long end)
{
	unsigned long first = round_down(start, LARGE_FOLIO_PAGES);
	unsigned long limit = first + LARGE_FOLIO_PAGES;

	while (start > first && test_bit(start - 1, pool.pages))
		start--;
	end = find_next_zero_bit(pool.pages, limit, end);
	return end - start >= POOL_MIN_PAGES;
}

/* Take those runs of pages of a large folio that a request can be served from */
static void pool_take_pages(unsigned long index)
{
	unsigned long start = index * LARGE_FOLIO_PAGES;
	unsigned long limit = start + LARGE_FOLIO_PAGES;
	unsigned long i;

	lockdep_assert_held(&pool.refill_lock);
	if (index >= pool_nr_folios())
		return;
	for (i = start; i <= limit; i++) {
		unsigned long pfn = pool.run.pfn + i;

		if (i < limit && !test_bit(i, pool.pages) &&
		    contig_is_takeable(pool.zone, pfn, 1))
			continue;
		if (start < i && pool_is_worth_taking(start, i) &&
		    !contig_take_pages(pool.run.pfn + start, i - start))
			pool_add_pages(start, i - start);
		start = i + 1;
	}
}

/* Return: whether the pool has that large folio as a whole now */
static bool pool_make_whole(unsigned long index)
{
	bool could_be;

	lockdep_assert_held(&pool.refill_lock);
	if (index >= pool_nr_folios())
		return false;
	spin_lock(&pool.lock);
	if (test_bit(index, pool.folios)) {
		spin_unlock(&pool.lock);
		return true;
	}
	could_be = pool_could_be_whole(index);
	if (could_be)
		pool_return_pages(index);
	spin_unlock(&pool.lock);

	if (!could_be)
		return false;
	if (contig_take_large_folio(pool.run.pfn + index * LARGE_FOLIO_PAGES))
		return false;

	spin_lock(&pool.lock);
	__set_bit(index, pool.folios);
	pool_add_free(LARGE_FOLIO_PAGES);
	spin_unlock(&pool.lock);
	return true;
}

/* Reclaim so many large folios from one on; the last one that was tried */
static int pool_make_all_whole(unsigned long *index, unsigned long nr_folios)
{
	unsigned long end = *index + nr_folios;

	for (; *index < end; ++*index) {
		bool whole;

		if (mutex_lock_killable(&pool.refill_lock))
			return -EINTR;
		whole = pool_make_whole(*index);
		mutex_unlock(&pool.refill_lock);
		if (!whole)
			return -ENOMEM;
	}
	return 0;
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
	unsigned long first, size, index;
	bool suits;

	if (request->nr_pages > READ_ONCE(pool.run.nr_pages))
		return -ENOMEM;
	spin_lock(&pool.lock);
	suits = pool_suits(request);
	first = pool_misalignment(align) / LARGE_FOLIO_PAGES;
	size = pool_nr_folios();
	spin_unlock(&pool.lock);
	if (!suits)
		return -ENOMEM;
	index = first;
	while (index + nr_folios <= size) {
		unsigned long failed = index;
		int ret = pool_make_all_whole(&failed, nr_folios);

		if (!ret)
			ret = pool_alloc(extent, request);
		if (ret != -ENOMEM)
			return ret;
		pool_wake(); /* for what has returned to the kernel by that */
		failed = min(failed, index + nr_folios - 1);
		index = first +
			roundup(failed + 1 - first, align / LARGE_FOLIO_PAGES);
	}
	return -ENOMEM;
}

static bool pool_is_split(unsigned long index)
{
	unsigned long start = index * LARGE_FOLIO_PAGES;
	unsigned long end = start + LARGE_FOLIO_PAGES;
	bool split;

	spin_lock(&pool.lock);
	split = index < pool_nr_folios() &&
		find_next_zero_bit(pool.pages, end, start) == end;
	spin_unlock(&pool.lock);
	return split;
}

/* Return: whether that large folio is one of those that are to be split */
static bool pool_refill_folio(unsigned long index, bool split_wanted)
{
	bool split;

	mutex_lock(&pool.refill_lock);
	split = split_wanted && pool_is_split(index);
	if (!split && !pool_make_whole(index))
		pool_take_pages(index);
	mutex_unlock(&pool.refill_lock);
	cond_resched();
	return split;
}

static void pool_refill(struct kthread_work *work)
{
	unsigned long nr_split_wanted = READ_ONCE(pool.nr_split_wanted);
	unsigned long nr_folios =
		READ_ONCE(pool.run.nr_pages) / LARGE_FOLIO_PAGES;
	unsigned int delay_ms = 2 * READ_ONCE(pool.delay_ms);
	unsigned long index;

	for (index = nr_folios; index--;) {
		if (pool_refill_folio(index, nr_split_wanted))
			nr_split_wanted--;
	}
	for (index = nr_folios; nr_split_wanted && index--;) {
		mutex_lock(&pool.refill_lock);
		if (!pool_split(index))
			nr_split_wanted--;
		mutex_unlock(&pool.refill_lock);
		cond_resched();
	}
	if (READ_ONCE(pool.nr_free) == READ_ONCE(pool.run.nr_pages) ||
	    delay_ms > POOL_DELAY_MAX_MS)
		return;
	WRITE_ONCE(pool.delay_ms, delay_ms);
	kthread_queue_delayed_work(pool.worker, &pool.refill,
				   msecs_to_jiffies(delay_ms));
}

static bool pool_has(struct folio *folio)
{
	return folio_pfn(folio) - READ_ONCE(pool.run.pfn) <
	       READ_ONCE(pool.run.nr_pages);
}

/**
 * pool_notice_release - take notice of memory that returns to the kernel
 * @folio: the memory, of the pool or not; it may still be in use for a moment
 */
void pool_notice_release(struct folio *folio)
{
	if (pool_has(folio))
		pool_wake();
}

/**
 * pool_take_back - take back what was handed out, but not used
 * @folio: zero, with the last reference; of the pool or not
 *
 * Return: whether the pool has it now; not if it has a memory error.
 */
bool pool_take_back(struct folio *folio)
{
	unsigned long start;
	bool taken = false;
	bool sound;

	if (!pool_has(folio))
		return false;
	sound = contig_is_sound(folio);
	spin_lock(&pool.lock);
	start = folio_pfn(folio) - pool.run.pfn;
	if (start >= pool.run.nr_pages) {
		spin_unlock(&pool.lock);
		return false;
	}
	if (sound && folio_nr_pages(folio) == LARGE_FOLIO_PAGES) {
		__set_bit(start / LARGE_FOLIO_PAGES, pool.folios);
		taken = true;
	} else if (!folio_test_large(folio) && contig_keep(folio_pfn(folio))) {
		__set_bit(start, pool.pages);
		taken = true;
	}
	if (taken)
		pool_add_free(folio_nr_pages(folio));
	spin_unlock(&pool.lock);
	if (!taken)
		pool_wake();
	return taken;
}

/**
 * pool_size_bytes - tell how much memory is set aside
 *
 * Return: bytes, 0 without a pool.
 */
u64 pool_size_bytes(void)
{
	return (u64)READ_ONCE(pool.run.nr_pages) << PAGE_SHIFT;
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
			contig_free(pfn_folio(run->pfn + i));
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

static int pool_start_worker(void)
{
	struct kthread_worker *worker;

	if (pool.worker)
		return 0;
	worker = kthread_run_worker(KTW_FREEZABLE, "dataspace_pool");
	if (IS_ERR(worker))
		return PTR_ERR(worker);
	set_user_nice(worker->task, MAX_NICE);
	kthread_init_delayed_work(&pool.refill, pool_refill);
	pool.delay_ms = POOL_DELAY_MIN_MS;
	pool.worker = worker;
	return 0;
}

/* What the pool has beyond a size returns to the kernel, from the end on */
static void pool_shrink(unsigned long nr_pages)
{
	unsigned long index;

	mutex_lock(&pool.refill_lock);
	for (index = pool_nr_folios();
	     index-- > nr_pages / LARGE_FOLIO_PAGES;) {
		spin_lock(&pool.lock);
		pool_return_pages(index);
		WRITE_ONCE(pool.run.nr_pages, index * LARGE_FOLIO_PAGES);
		spin_unlock(&pool.lock);
		cond_resched();
	}
	mutex_unlock(&pool.refill_lock);
}

/* Have another run, which the caller has taken, and these bitmaps for it */
static void pool_replace(const struct extent *run, unsigned long *folios,
			 unsigned long *pages)
{
	pool_shrink(0);
	bitmap_fill(folios, run->nr_pages / LARGE_FOLIO_PAGES);
	mutex_lock(&pool.refill_lock);
	spin_lock(&pool.lock);
	swap(pool.folios, folios);
	swap(pool.pages, pages);
	pool.zone = page_zone(pfn_to_page(run->pfn));
	WRITE_ONCE(pool.run.pfn, run->pfn);
	WRITE_ONCE(pool.run.nr_pages, run->nr_pages);
	pool.nr_split_wanted = 0;
	pool_add_free(run->nr_pages);
	spin_unlock(&pool.lock);
	mutex_unlock(&pool.refill_lock);
	kvfree(folios);
	kvfree(pages);
}

/* The old run returns to the kernel once the new one is there, else it stays */
static int pool_grow(unsigned long nr_pages)
{
	const struct extent_request request = {
		.nr_pages = nr_pages,
		.align = LARGE_FOLIO_PAGES,
		.node = NUMA_NO_NODE,
	};
	unsigned long *folios = pool_alloc_bitmap(nr_pages / LARGE_FOLIO_PAGES);
	unsigned long *pages = pool_alloc_bitmap(nr_pages);
	struct extent run;
	int ret = -ENOMEM;

	if (folios && pages)
		ret = pool_start_worker();
	if (!ret)
		ret = pool_take_run(&run, &request);
	if (ret) {
		kvfree(folios);
		kvfree(pages);
		return ret;
	}
	pool_replace(&run, folios, pages);
	return 0;
}

/* There is no pool where runs can't be taken in large folios */
static int pool_resize(unsigned long mb)
{
	unsigned long nr_pages =
		roundup(mb << (20 - PAGE_SHIFT), LARGE_FOLIO_PAGES);

	if (nr_pages <= pool.run.nr_pages) {
		pool_shrink(nr_pages);
		return 0;
	}
	return contig_has_large_folios() ? pool_grow(nr_pages) : -EOPNOTSUPP;
}

static int pool_set_mb(const char *value, const struct kernel_param *kp)
{
	unsigned long mb;

	if (kstrtoul(value, 0, &mb))
		return -EINVAL;
	if (!pool.ready) {
		pool.wanted_mb = mb;
		return 0;
	}
	if (mb > totalram_pages() >> (20 - PAGE_SHIFT))
		return -EINVAL;
	return pool_resize(mb);
}

static int pool_get_mb(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", pool_size_bytes() >> 20);
}

static const struct kernel_param_ops pool_mb_ops = {
	.set = pool_set_mb,
	.get = pool_get_mb,
};

module_param_cb(pool_mb, &pool_mb_ops, NULL, 0644);
MODULE_PARM_DESC(pool_mb,
		 "Contiguous memory to set aside in MiB (0: none, or no room)");

/**
 * dataspace_pool_init - set memory aside, if that is asked for
 *
 * Without a pool all works that works with it, just not for as long: so a pool
 * that can't be had is no reason not to load the module.
 */
void __init dataspace_pool_init(void)
{
	unsigned long most = totalram_pages() >> (20 - PAGE_SHIFT);
	unsigned long mb;

	kernel_param_lock(THIS_MODULE);
	mb = pool.wanted_mb;
	if (pool_resize(min(mb, most)))
		pr_warn("no room for a pool of %lu MiB, going on without\n",
			mb);
	pool.ready = true;
	kernel_param_unlock(THIS_MODULE);
}

/* Nothing of it is in use any more; the parameter can still be written */
void dataspace_pool_exit(void)
{
	kernel_param_lock(THIS_MODULE);
	pool.ready = false;
	kernel_param_unlock(THIS_MODULE);
	if (!pool.worker)
		return;
	kthread_cancel_delayed_work_sync(&pool.refill);
	kthread_destroy_worker(pool.worker);
	pool_shrink(0);
	kvfree(pool.folios);
	kvfree(pool.pages);
}
