// SPDX-License-Identifier: GPL-2.0-only
/*
 * Releasing pages that nothing covers any more.
 *
 * A sweep looks at a range for gaps in the range tree and truncates them from the
 * page cache. It may be done at any time, for any range, any number of times, by
 * several at once. The backing's lock is held for each look into the tree only:
 * what nothing covers is never covered again, as an alias is within a live
 * dataspace, a new VMA within a live dataspace or an existing VMA. So truncation,
 * which sleeps, needs no lock of ours.
 *
 * Pinned pages stay in the page cache for now: nobody can reach them there, they
 * stay accounted as long as they are really in use, and a large folio of which a
 * page is pinned can't be split. Whether a folio is pinned is told by its counts
 * alone: references beyond those of the page cache and of page tables. What looks
 * up a folio for a moment looks like a pin, too, so that is tried a few times.
 * Then the part of the backing is noted in backing->deferred and swept again: after
 * 10 ms, 20 ms and so on up to once in a second. As long as anything is noted, the
 * work that does so holds a reference to the inode. It looks at each folio once.
 * The first few tries drain the per-CPU batches of the page cache, too, which may
 * hold a reference for ever.
 *
 * Works of all backings share a few workers. None of them waits for a grace period,
 * and they drain the batches for each other: how many backings have something
 * deferred is in the hands of their holders.
 *
 * Who copies from or to lazy memory refers to it meanwhile (io.c), but holds off
 * while somebody looks for pins. So after a grace period no reference is one of
 * these. Who punches a hole waits for that, and the work is queued again until it is
 * over; a sweep does neither.
 */
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/workqueue.h>

#include "kver.h"
#include "private.h"

#define SWEEP_RETRY_MIN_MS 10U
#define SWEEP_RETRY_MAX_MS 1000U
#define SWEEP_TRIES_MAX 7 /* that often doubled, the interval is at its limit */
#define SWEEP_DUE BIT(7) /* beside the number of tries: to be tried now */

/*
 * How often a folio is looked at before it counts as pinned, 10 us apart, and how
 * often a sweep looks again in all. Who has pinned many pages must not make others
 * wait for each of them: when a sweep has looked that often it takes every
 * reference for a pin, and what was none is released 10 ms later.
 */
#define SWEEP_LOOKS 20
#define SWEEP_LOOKS_AGAIN 100

static struct workqueue_struct *backing_sweep_wq;

/* In jiffies: until then nobody drains the batches of the page cache again */
static unsigned long backing_next_drain;

static unsigned long backing_end(const struct backing *backing)
{
	return backing->start + backing->nr_pages;
}

static unsigned long backing_deferred_bits(const struct backing *backing)
{
	return DIV_ROUND_UP(backing->nr_pages, LARGE_FOLIO_PAGES);
}

/* How often a part that is deferred was tried */
static unsigned int backing_nr_tries(const struct backing *backing,
				     unsigned long bit)
{
	return READ_ONCE(backing->tries[bit]) & ~SWEEP_DUE;
}

static unsigned long backing_retry_delay(unsigned int tries)
{
	unsigned int ms = SWEEP_RETRY_MIN_MS << tries;

	return msecs_to_jiffies(min(ms, SWEEP_RETRY_MAX_MS));
}

/*
 * Have the work run after @delay, or before: it is never put off. Return whether it
 * is queued by this, and was not before.
 */
static bool backing_arm_retry(struct backing *backing, unsigned long delay)
{
	unsigned long at = jiffies + delay;

	lockdep_assert_held(&backing->lock);
	if (delayed_work_pending(&backing->retry) &&
	    time_after_eq(at, backing->retry_at))
		return false;
	backing->retry_at = at;
	return !mod_delayed_work(backing_sweep_wq, &backing->retry, delay);
}

/*
 * Sweep the surroundings of a page again later, unless it is covered: then it was
 * to be punched out. The work holds the inode once for being queued, and once for
 * running: it may be both.
 */
static void backing_defer(struct backing *backing, unsigned long index)
{
	unsigned long bit = (index - backing->start) / LARGE_FOLIO_PAGES;
	unsigned long end = index + 1;
	unsigned long delay;
	bool armed = false;

	ihold(&backing->inode);
	spin_lock(&backing->lock);
	if (range_tree_next_gap(&backing->cover, 0, &index, &end)) {
		__set_bit(bit, backing->deferred);
		delay = backing_retry_delay(backing_nr_tries(backing, bit));
		armed = backing_arm_retry(backing, delay);
	}
	spin_unlock(&backing->lock);
	if (!armed)
		iput(&backing->inode);
}

/* Whether the folio at @index is pinned, and where it begins and ends */
static bool backing_page_is_pinned(struct backing *backing, unsigned long index,
				   unsigned long *start, unsigned long *end,
				   unsigned int *again)
{
	unsigned int looks;

	*start = index;
	*end = index + 1;
	for (looks = 0; looks < SWEEP_LOOKS; looks++) {
		struct folio *folio =
			filemap_get_folio(backing->inode.i_mapping, index);
		int extra;

		if (IS_ERR_OR_NULL(folio))
			return false;
		*start = folio->index;
		*end = folio_next_index(folio);
		extra = backing_extra_refs(folio);
		folio_put(folio);
		if (extra <= 0)
			return false;
		if (!*again)
			break;
		--*again;
		usleep_range(5, 10);
	}
	return true;
}

/* A large folio is split where the range ends in it, unless somebody looks it up */
static void backing_truncate(struct backing *backing, unsigned long start,
			     unsigned long end)
{
	unsigned int looks;

	for (looks = 0; looks < SWEEP_LOOKS; looks++) {
		truncate_inode_pages_range(backing->inode.i_mapping,
					   (loff_t)start << PAGE_SHIFT,
					   ((loff_t)end << PAGE_SHIFT) - 1);
		if (!backing_has_page(backing, start) &&
		    !backing_has_page(backing, end - 1))
			return;
		usleep_range(5, 10);
	}
	if (backing_has_page(backing, start))
		backing_defer(backing, start);
	if (backing_has_page(backing, end - 1))
		backing_defer(backing, end - 1);
}

static void backing_release_unpinned(struct backing *backing,
				     unsigned long start, unsigned long end,
				     unsigned int *again)
{
	unsigned long index = start;
	unsigned long limit = end;

	for (; backing_next_present(backing, &index, &limit); limit = end) {
		unsigned long folio_start, folio_end;

		if (!backing_page_is_pinned(backing, index, &folio_start,
					    &folio_end, again)) {
			index = folio_end;
			continue;
		}
		backing_defer(backing, index);
		if (start < folio_start)
			backing_truncate(backing, start, folio_start);
		start = folio_end;
		index = folio_end;
		cond_resched();
	}
	if (start < end)
		backing_truncate(backing, start, end);
}

/* Release pages that nothing covers; what is pinned is deferred */
static void backing_release(struct backing *backing, unsigned long start,
			    unsigned long end, unsigned int *again)
{
	backing_look_begin(backing, start, end);
	backing_release_unpinned(backing, start, end, again);
	backing_look_end(backing, start, end);
}

static bool backing_next_gap(struct backing *backing, int level,
			     unsigned long *start, unsigned long *end)
{
	bool found;

	spin_lock(&backing->lock);
	found = range_tree_next_gap(&backing->cover, level, start, end);
	spin_unlock(&backing->lock);
	return found;
}

static void backing_sweep_again(struct backing *backing, unsigned long start,
				unsigned long end, unsigned int again)
{
	unsigned long limit = end;

	while (backing_next_gap(backing, 0, &start, &limit)) {
		backing_release(backing, start, limit, &again);
		start = limit;
		limit = end;
		cond_resched();
	}
}

/**
 * backing_sweep - release the pages of a range that nothing covers
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 */
void backing_sweep(struct backing *backing, unsigned long start,
		   unsigned long end)
{
	backing_sweep_again(backing, start, end, SWEEP_LOOKS_AGAIN);
}

/* What an error has hit is not touched */
static void backing_zero(struct backing *backing, unsigned long start,
			 unsigned long end)
{
	unsigned long limit = end;

	for (; backing_next_present(backing, &start, &limit); limit = end) {
		struct folio *folio =
			filemap_lock_folio(backing->inode.i_mapping, start);

		if (IS_ERR_OR_NULL(folio))
			continue;
		limit = min(end, folio_next_index(folio));
		for (; start < limit; start++) {
			struct page *page = folio_file_page(folio, start);

			if (PageHWPoison(page))
				continue;
			clear_highpage(page);
			flush_dcache_page(page);
		}
		folio_unlock(folio);
		folio_put(folio);
		cond_resched();
	}
}

/**
 * backing_punch - make holes of the pages of a range, whatever covers them
 * @backing: the backing, which is lazy
 * @start: first page
 * @end: page after the last one
 *
 * What is pinned, or shares a large folio with what is, stays and is zeroed. So
 * does what was just filled again.
 */
void backing_punch(struct backing *backing, unsigned long start,
		   unsigned long end)
{
	unsigned int again = SWEEP_LOOKS_AGAIN;
	unsigned long left = start;
	unsigned long limit = end;

	backing_look_begin(backing, start, end);
	backing_release(backing, start, end, &again);
	if (backing_next_present(backing, &left, &limit)) {
		backing_grace_period();
		backing_release(backing, left, end, &again);
	}
	backing_look_end(backing, start, end);
	backing_forget_lost(backing, start, end);
	backing_zero(backing, start, end);
}

/**
 * backing_exclusive - count the pages that only one range covers
 * @backing: the backing
 * @start: first page of the range of a live dataspace
 * @end: page after the last one
 *
 * Return: the number of pages in the range that are there and covered once. It is
 * a sum over moments if dataspaces or pages come and go meanwhile.
 */
unsigned long backing_exclusive(struct backing *backing, unsigned long start,
				unsigned long end)
{
	unsigned long nr_pages = 0;
	unsigned long limit = end;

	while (backing_next_gap(backing, 1, &start, &limit)) {
		nr_pages += backing_resident(backing, start, limit);
		start = limit;
		limit = end;
		cond_resched();
	}
	return nr_pages;
}

/* Jiffies until the next try, or 0 if nothing is deferred any more */
static unsigned long backing_next_retry(struct backing *backing)
{
	unsigned long bits = backing_deferred_bits(backing);
	unsigned long delay = 0;
	unsigned long bit;

	for_each_set_bit(bit, backing->deferred, bits) {
		unsigned long next =
			backing_retry_delay(backing_nr_tries(backing, bit));

		delay = delay ? min(delay, next) : next;
	}
	return delay;
}

static unsigned long backing_part_start(const struct backing *backing,
					unsigned long bit)
{
	return backing->start + bit * LARGE_FOLIO_PAGES;
}

/*
 * Mark what is due. Who copies to lazy memory there lets go of it within a grace
 * period, which the work does not wait for: others need it, too.
 */
static void backing_begin_retry(struct backing *backing)
{
	unsigned long bits = backing_deferred_bits(backing);
	bool slow = time_after_eq(jiffies, backing->retry_slow);
	unsigned long bit;

	if (slow)
		backing->retry_slow =
			jiffies + msecs_to_jiffies(SWEEP_RETRY_MAX_MS);
	for_each_set_bit(bit, backing->deferred, bits) {
		unsigned long start = backing_part_start(backing, bit);
		unsigned int tries = backing_nr_tries(backing, bit);

		if (!slow && tries == SWEEP_TRIES_MAX)
			continue;
		WRITE_ONCE(backing->tries[bit], tries | SWEEP_DUE);
		backing_look_begin(backing, start, start + 1);
		cond_resched();
	}
	backing->retry_rcu = backing->lazy ? backing_grace_period_begin() : 0;
	backing->retry_begun = true;
}

/*
 * Drain the batches of the page cache, for all backings that are swept at the time.
 * What is swept has been deferred for 10 ms, or is swept again later.
 */
static void backing_drain_for_all(void)
{
	unsigned long next = READ_ONCE(backing_next_drain);

	if (time_before(jiffies, next) ||
	    !try_cmpxchg(&backing_next_drain, &next,
			 jiffies + backing_retry_delay(0)))
		return;
	backing_drain_cpus();
}

/* Try once to release what is due */
static void backing_end_retry(struct backing *backing)
{
	unsigned long bits = backing_deferred_bits(backing);
	unsigned long bit;

	for_each_set_bit(bit, backing->deferred, bits) {
		unsigned long start = backing_part_start(backing, bit);
		unsigned int tries = backing_nr_tries(backing, bit);

		if (!(backing->tries[bit] & SWEEP_DUE))
			continue;
		if (tries < SWEEP_TRIES_MAX) {
			backing_drain_for_all();
			tries++;
		}
		spin_lock(&backing->lock);
		__clear_bit(bit, backing->deferred);
		WRITE_ONCE(backing->tries[bit], tries);
		spin_unlock(&backing->lock);
		backing_sweep_again(backing, start,
				    min(start + LARGE_FOLIO_PAGES,
					backing_end(backing)),
				    0);
		backing_look_end(backing, start, start + 1);
		spin_lock(&backing->lock);
		if (!test_bit(bit, backing->deferred))
			WRITE_ONCE(backing->tries[bit], 0);
		spin_unlock(&backing->lock);
		cond_resched();
	}
	backing->retry_begun = false;
}

static void backing_retry(struct work_struct *work)
{
	struct backing *backing =
		container_of(to_delayed_work(work), struct backing, retry);
	unsigned long delay = backing_retry_delay(0);
	bool armed = false;

	if (!backing->retry_begun)
		backing_begin_retry(backing);
	if (!backing->lazy || poll_state_synchronize_rcu(backing->retry_rcu)) {
		backing_end_retry(backing);
		delay = backing_next_retry(backing);
	}
	if (delay) {
		spin_lock(&backing->lock);
		armed = backing_arm_retry(backing, delay);
		spin_unlock(&backing->lock);
	}
	if (!armed)
		iput(&backing->inode);
}

/**
 * backing_sweep_prepare - prepare a backing for releasing pages
 * @backing: the backing, of which the length is set and whether it is lazy
 *
 * Return: 0 or -ENOMEM; what was allocated goes with backing_sweep_finish().
 */
int backing_sweep_prepare(struct backing *backing)
{
	unsigned long bits = backing_deferred_bits(backing);

	INIT_DELAYED_WORK(&backing->retry, backing_retry);
	backing->retry_slow = jiffies;
	backing->deferred = bitmap_zalloc(bits, DATASPACE_GFP);
	backing->tries = kvzalloc(bits, DATASPACE_GFP);
	if (!backing->deferred || !backing->tries)
		return -ENOMEM;
	if (!backing->lazy)
		return 0;
	backing->looking =
		kvcalloc(bits, sizeof(*backing->looking), DATASPACE_GFP);
	return backing->looking ? 0 : -ENOMEM;
}

/**
 * backing_sweep_finish - free what backing_sweep_prepare() has allocated
 * @backing: the backing, of which nothing is deferred
 */
void backing_sweep_finish(struct backing *backing)
{
	bitmap_free(backing->deferred);
	kvfree(backing->tries);
	kvfree(backing->looking);
}

int __init backing_sweep_init(void)
{
	backing_next_drain = jiffies;
	backing_sweep_wq = alloc_workqueue("dataspace_sweep", WQ_UNBOUND, 2);
	return backing_sweep_wq ? 0 : -ENOMEM;
}

void backing_sweep_exit(void)
{
	destroy_workqueue(backing_sweep_wq);
}
