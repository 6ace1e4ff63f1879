// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lazy memory: pages appear when they are touched first, and can be given back
 * while they are covered.
 *
 * A page that is not in the page cache of a lazy backing is a hole. A fault or a
 * write fills it, with a large folio if all of that is a hole and lies in the range
 * of the toucher (of the VMA, or of the dataspace that is written to), so that
 * nobody fills anything for others; else with a single page. A read takes zeroes
 * and fills nothing. A page that was lost to a memory error is missing, too, but no
 * hole: backing->lost has its index, noted before it is taken out, and whoever
 * finds no page looks there afterwards. Nothing fills it. To punch it out makes a
 * hole of it.
 *
 * Filling. The page cache decides between two who fill the same hole: the second
 * one gets -EEXIST, frees its folio and looks again. A new folio is zero before
 * anybody can find it, so that it changes nothing for anybody. It is charged to the
 * memory cgroup of the toucher, who in a fault holds its mmap_lock or the lock of
 * its VMA, as for any page of a file: to charge a large folio is given up at once,
 * for a single page its own cgroup is reclaimed from for a while, and nobody is
 * killed. If that fails the fault ends in SIGBUS.
 *
 * A page must not stay that appears after its last cover died. Who fills a hole
 * holds a cover: a writer holds the file of a live dataspace, and a fault holds the
 * VMA, whose mapping covers it until it was unlinked, for which the lock of the
 * fault is needed. Only a revocation ends either meanwhile. So whoever has filled a
 * hole looks whether the dataspace was revoked. If it was not, the page was there
 * before the flag was set, and the revocation, which sweeps the range after the
 * flag, a grace period and the end of the cover, finds it. If it was, either that
 * sweep has yet to come, or the cover has ended: the filler sweeps, too, and one of
 * the two is the later one. A fault then finds the flag once more under the folio's
 * lock, and maps nothing.
 *
 * Punching. To take a page out changes what others see, like a write, but it sleeps,
 * so that it can't be done in an RCU read-side critical section. Instead who punches
 * counts itself, under the backing's lock and only if the dataspace is neither
 * revoked nor sealed. REVOKE and SEAL, once they have set their flag, wait until
 * nobody punches through what they have set it for. A long hole is punched 2 MiB at
 * a time, and the right to do so looked at each time. What was there before is taken
 * out folio by folio, each locked and unmapped from everybody; a fault that comes
 * later finds a hole and fills it with zeroes. A copy by read or write holds a
 * reference to the folio, as there is no cover that would keep it; what it copies
 * then is from before the hole.
 *
 * A pinned page stays where it is and is zeroed there, so that whoever has pinned it
 * and those who map it do not part company, and so that it stays accounted as long
 * as it is in use. The same goes for pages of a large folio that is pinned: it can't
 * be split. It reads as zero in any case; that it stays shows in `resident`.
 *
 * fork() copies no page table entry of a shared mapping, and one of a private
 * mapping only for pages that are there. SEAL_NOW has to do with pages only that
 * are there; who would write to a hole of what is sealed is refused before it is
 * filled, and who reads there fills it with zeroes. To pin a hole fills it.
 */
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>

#include "private.h"

static bool dataspace_lazy_is_hole(struct backing *backing, unsigned long start,
				   unsigned long end)
{
	return !backing_next_present(backing, &start, &end);
}

/**
 * dataspace_lazy_fill_hole - make a page that is missing appear
 * @ds: the dataspace that the toucher uses
 * @start: first page that may appear by this, covered by what the toucher holds
 * @end: page after the last one
 * @index: the page that is missing
 *
 * Return: 0 also if there was a page by then, or if there is none again; -EIO if it
 * was lost to a memory error, -EDQUOT or -ENOMEM.
 */
int dataspace_lazy_fill_hole(struct dataspace *ds, unsigned long start,
			     unsigned long end, unsigned long index)
{
	unsigned long first = round_down(index, LARGE_FOLIO_PAGES);
	unsigned long behind = first + LARGE_FOLIO_PAGES;
	int ret = -EEXIST;

	if (first >= start && behind <= end &&
	    dataspace_lazy_is_hole(ds->backing, first, behind))
		ret = backing_fill_hole(ds->backing, index, LARGE_FOLIO_PAGES);
	if (ret)
		ret = backing_fill_hole(ds->backing, index, 1);
	if (ret)
		return ret == -EEXIST ? 0 : ret;
	smp_mb(); /* pairs with the grace period of a revocation, see above */
	if (READ_ONCE(ds->revoked))
		backing_sweep(ds->backing, max(first, start), min(behind, end));
	return 0;
}

/**
 * dataspace_lazy_fill - fill the holes of a range ahead of use
 * @ds: the dataspace, whose file the caller holds
 * @offset: where to begin, in bytes
 * @length: length in bytes, not beyond the end
 *
 * Memory that is not lazy has no holes.
 *
 * Return: 0, -ESTALE, -EINTR, -EIO if a page was lost to a memory error, -EDQUOT,
 * or -ENOMEM. What was filled until then stays.
 */
int dataspace_lazy_fill(struct dataspace *ds, loff_t offset, loff_t length)
{
	struct backing *backing = ds->backing;
	unsigned long index = ds->start + (offset >> PAGE_SHIFT);
	unsigned long end =
		ds->start + DIV_ROUND_UP_ULL(offset + length, PAGE_SIZE);
	unsigned long missing =
		end - index - backing_resident(backing, index, end);
	unsigned long start = index;
	int ret;

	if (!backing->lazy)
		return 0;
	ret = missing ? backing_check_fill(backing, missing) : 0;
	if (ret)
		return ret;
	while (index < end) {
		unsigned long found = index;
		unsigned long limit = end;

		if (READ_ONCE(ds->revoked))
			return -ESTALE;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
		if (backing_next_present(backing, &found, &limit) &&
		    found == index) {
			index = limit;
			continue;
		}
		ret = dataspace_lazy_fill_hole(ds, start, end, index);
		if (ret)
			return ret;
	}
	return 0;
}

/* Waits for a SEAL_NOW that is being decided */
static int dataspace_lazy_punch_begin(struct dataspace *ds)
{
	struct backing *backing = ds->backing;
	int ret = 0;

	spin_lock(&backing->lock);
	while (ds->seal_pending) {
		spin_unlock(&backing->lock);
		if (wait_event_killable(backing->wait,
					!READ_ONCE(ds->seal_pending)))
			return -EINTR;
		spin_lock(&backing->lock);
	}
	if (ds->revoked) {
		ret = -ESTALE;
	} else if (ds->seal) {
		ret = -EPERM;
	} else {
		ds->member.count.punching++;
		lineage_update_sums(&ds->member);
	}
	spin_unlock(&backing->lock);
	return ret;
}

static void dataspace_lazy_punch_end(struct dataspace *ds)
{
	struct backing *backing = ds->backing;

	spin_lock(&backing->lock);
	ds->member.count.punching--;
	lineage_update_sums(&ds->member);
	spin_unlock(&backing->lock);
	wake_up_all(&backing->wait);
}

/**
 * dataspace_lazy_punch - give the pages of a range back, and let it read as zero
 * @ds: the dataspace, whose file the caller holds and may write to
 * @offset: where to begin, in bytes
 * @length: length in bytes
 *
 * Return: 0, -EINVAL if the range is not page-aligned or ends beyond the end,
 * -ESTALE, -EPERM if the dataspace was sealed, or -EINTR.
 */
int dataspace_lazy_punch(struct dataspace *ds, loff_t offset, loff_t length)
{
	unsigned long index = ds->start + (offset >> PAGE_SHIFT);
	unsigned long end = index + (length >> PAGE_SHIFT);
	int ret;

	if (!PAGE_ALIGNED(offset | length) ||
	    offset + length > dataspace_length(ds))
		return -EINVAL;
	while (index < end) {
		unsigned long limit = round_down(index, LARGE_FOLIO_PAGES) +
				      LARGE_FOLIO_PAGES;

		limit = min(limit, end);
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = dataspace_lazy_punch_begin(ds);
		if (ret)
			return ret;
		backing_punch(ds->backing, index, limit);
		dataspace_lazy_punch_end(ds);
		index = limit;
		cond_resched();
	}
	return 0;
}

static bool dataspace_lazy_is_punched(struct dataspace *ds)
{
	bool punched;

	spin_lock(&ds->backing->lock);
	punched = !ds->revoked && (ds->member.count.punching ||
				   lineage_count(&ds->member).punching);
	spin_unlock(&ds->backing->lock);
	return punched;
}

/**
 * dataspace_lazy_wait_for_punches - wait for those who punch since before a seal
 * @ds: the dataspace that is sealed, or marked to be, with all derived from it
 *
 * Return: 0, or -EINTR if a fatal signal is pending.
 */
int dataspace_lazy_wait_for_punches(struct dataspace *ds)
{
	return wait_event_killable(ds->backing->wait,
				   !dataspace_lazy_is_punched(ds)) ?
		       -EINTR :
		       0;
}

/**
 * dataspace_lazy_seek - find data or a hole
 * @ds: the dataspace
 * @offset: where to begin, in bytes
 * @whence: SEEK_DATA or SEEK_HOLE
 *
 * Return: the offset of the first byte from @offset on that is in a page that is
 * there, or in none or at the end; or -ENXIO.
 */
loff_t dataspace_lazy_seek(const struct dataspace *ds, loff_t offset,
			   int whence)
{
	unsigned long index = ds->start + (offset >> PAGE_SHIFT);
	unsigned long start = index;
	unsigned long end = ds->end;

	if (offset < 0 || offset >= dataspace_length(ds))
		return -ENXIO;
	if (whence == SEEK_DATA &&
	    !backing_next_present(ds->backing, &start, &end))
		return -ENXIO;
	while (whence == SEEK_HOLE &&
	       backing_next_present(ds->backing, &start, &end) &&
	       index == start) {
		index = end;
		start = end;
		end = ds->end;
		cond_resched();
	}
	if (whence == SEEK_DATA)
		index = start;
	return max(offset, (loff_t)(index - ds->start) << PAGE_SHIFT);
}
