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
 * The pool is a run of chunks, at a place that is fixed. Those that are set in
 * `held` are the pool's own, each a compound page as it came from the kernel.
 * All others are somebody else's: of a dataspace, or of the kernel, to which
 * pages of a dataspace go back one by one, as all do. From there the pool takes
 * them back, a chunk as soon as nothing is left in it that can't be moved: some
 * time after pages of its were released, and whenever it looks for a place and
 * comes across one that it does not hold. In between others may use the memory
 * for what can be moved, or, when they find nothing else, for what can't: then
 * that chunk is away for as long as this lasts.
 *
 * Memory in the pool is nobody's: it is not charged, does not count towards
 * limit_mb, and is zeroed when it is given out. If a request ends within a
 * chunk, the rest of that goes back to the kernel.
 *
 * The lock is the outermost here: it is held while chunks are taken, and none of
 * another part of the module is taken under it. Where the pool is and how long
 * is set before the device is there, so that it can be read without.
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
 * @lock: protects @held, and the chunks that it tells of
 * @run: all of the pool; set once
 * @zone: where that is; set once
 * @held: a bit for each chunk of it
 * @refill: takes back what has gone to the kernel
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

static unsigned long pool_chunks(void)
{
	return pool.run.nr_pages / LARGE_FOLIO_PAGES;
}

static unsigned long chunk_pfn(unsigned long chunk)
{
	return pool.run.pfn + chunk * LARGE_FOLIO_PAGES;
}

/* Let the pool hold a chunk, if that can be done */
static bool hold_chunk(unsigned long chunk)
{
	bool held = test_bit(chunk, pool.held);

	if (!held && !contig_take_chunk(pool.zone, chunk_pfn(chunk))) {
		__set_bit(chunk, pool.held);
		held = true;
	}
	return held;
}

static void pool_refill(struct work_struct *work)
{
	unsigned long chunk;

	for (chunk = 0; chunk < pool_chunks(); chunk++) {
		mutex_lock(&pool.lock);
		hold_chunk(chunk);
		mutex_unlock(&pool.lock);
		cond_resched();
	}
}

static void drop_chunk(unsigned long chunk)
{
	__clear_bit(chunk, pool.held);
	folio_put(extent_folio(&pool.run, chunk * LARGE_FOLIO_PAGES));
}

static bool node_suits(int wanted)
{
	int node = zone_to_nid(pool.zone);

	return wanted == NUMA_NO_NODE ?
		       node_isset(node, cpuset_current_mems_allowed) :
		       node == wanted;
}

/* How many chunks from a place on are held, as far as is wanted */
static unsigned long hold_run(unsigned long start, unsigned long wanted)
{
	unsigned long chunks = 0;

	while (chunks < wanted && hold_chunk(start + chunks))
		chunks++;
	return chunks;
}

/* The first place for as many chunks, or else the number of all chunks */
static unsigned long find_place(unsigned long chunks, unsigned long align)
{
	unsigned long step = max(align / LARGE_FOLIO_PAGES, 1UL);
	unsigned long start =
		(ALIGN(pool.run.pfn, align) - pool.run.pfn) / LARGE_FOLIO_PAGES;

	while (start < pool_chunks() && chunks <= pool_chunks() - start) {
		unsigned long held = hold_run(start, chunks);

		if (held == chunks)
			return start;
		start += roundup(held + 1, step);
	}
	return pool_chunks();
}

/* Give out what is held; of the last chunk only the pages that are wanted */
static int give_out(unsigned long start, unsigned long nr_pages)
{
	unsigned long chunks = nr_pages / LARGE_FOLIO_PAGES;
	unsigned long rest = nr_pages % LARGE_FOLIO_PAGES;
	int ret = 0;

	if (rest) {
		drop_chunk(start + chunks);
		ret = contig_take_pages(chunk_pfn(start + chunks), rest);
	}
	if (!ret)
		bitmap_clear(pool.held, start, chunks);
	return ret;
}

static int alloc_locked(struct extent *extent,
			const struct extent_request *request,
			unsigned long align)
{
	unsigned long chunks =
		DIV_ROUND_UP(request->nr_pages, LARGE_FOLIO_PAGES);
	unsigned long start;

	if (!pool.run.nr_pages || !node_suits(request->node))
		return -ENOMEM;
	start = find_place(chunks, align);
	if (start == pool_chunks())
		return -ENOMEM;
	extent->pfn = chunk_pfn(start);
	extent->nr_pages = request->nr_pages;
	return give_out(start, request->nr_pages);
}

/**
 * pool_alloc - take a run from the pool
 * @extent: filled in; its contents are undefined
 * @request: what is wanted
 * @align: alignment of the run, in pages
 *
 * Return: 0 or a negative errno.
 */
int pool_alloc(struct extent *extent, const struct extent_request *request,
	       unsigned long align)
{
	int ret;

	if (mutex_lock_killable(&pool.lock))
		return -EINTR;
	ret = alloc_locked(extent, request, align);
	mutex_unlock(&pool.lock);
	return ret;
}

/**
 * pool_released - take notice of memory that goes back to the kernel
 * @folio: the memory, of the pool or not; it may still be in use for a moment
 */
void pool_released(struct folio *folio)
{
	if (folio_pfn(folio) - pool.run.pfn < pool.run.nr_pages)
		schedule_delayed_work(&pool.refill,
				      msecs_to_jiffies(REFILL_DELAY_MS));
}

/*
 * The books are small and made once: not worth a way to do without them. Nobody
 * else knows of the pool yet.
 */
static int pool_reserve(const struct extent_request *request)
{
	unsigned long chunks = request->nr_pages / LARGE_FOLIO_PAGES;
	struct extent run;
	int ret = contig_take(&run, request);

	if (ret)
		return ret;
	pool.held = kvcalloc(BITS_TO_LONGS(chunks), sizeof(*pool.held),
			     GFP_KERNEL | __GFP_NOFAIL);
	bitmap_fill(pool.held, chunks);
	pool.zone = page_zone(pfn_to_page(run.pfn));
	pool.run = run;
	return 0;
}

/**
 * pool_init - set memory aside, if that is asked for
 *
 * There is none where runs can't be taken in chunks. Without it all works that
 * works with it, just not for as long: so a pool that can't be had is no reason
 * not to load the module.
 */
void __init pool_init(void)
{
	unsigned long most = totalram_pages() >> (20 - PAGE_SHIFT);
	struct extent_request request = {
		.nr_pages = roundup(min(pool_mb, most) << (20 - PAGE_SHIFT),
				    LARGE_FOLIO_PAGES),
		.align = LARGE_FOLIO_PAGES,
		.node = NUMA_NO_NODE,
	};

	if (!pool_mb || (chunks_can_be_taken() && !pool_reserve(&request)))
		return;
	pr_warn("no room for a pool of %lu MiB, going on without\n", pool_mb);
	pool_mb = 0;
}

/* Nothing of it is in use any more */
void pool_exit(void)
{
	unsigned long chunk;

	cancel_delayed_work_sync(&pool.refill);
	for_each_set_bit(chunk, pool.held, pool_chunks())
		drop_chunk(chunk);
	kvfree(pool.held);
}
