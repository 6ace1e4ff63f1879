// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking memory away from those who use it now.
 *
 * Whether a dataspace may be used is a flag that users read without a lock. Once
 * it is set, those who read it before must be waited for:
 *
 *  - what is copied or mapped in advance is done in an RCU read-side critical
 *    section that begins before the flag is read;
 *  - a page that is mapped by a fault is locked from before the flag is read
 *    until it is mapped, so that having got every lock that was held is enough.
 *
 * Then what they have mapped is unmapped, and can't come back. Private copies of
 * pages belong to their process and stay.
 *
 * To unmap is not enough for a VMA that is just being unmapped by its owner: its
 * page table entries are gone and the reverse mapping does not have it any more,
 * but the TLB has not been flushed. Those that the reverse mapping has after
 * backing_zap() were flushed by it, also if others were about to: what unmaps
 * flushes all of an mm if it finds that somebody else is unmapping there.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interval_tree_generic.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "kver.h"
#include "private.h"

/* Each interrupts all CPUs */
#define EXPEDITED_PER_SECOND 20

static DEFINE_RATELIMIT_STATE(backing_expedited, HZ, EXPEDITED_PER_SECOND);

static inline unsigned long backing_vma_start(struct vm_area_struct *vma)
{
	return vma->vm_pgoff;
}

static inline unsigned long backing_vma_last(struct vm_area_struct *vma)
{
	return vma->vm_pgoff + vma_pages(vma) - 1;
}

/* The tree of VMAs is that of the mm; this is for looking at it only */
INTERVAL_TREE_DEFINE(struct vm_area_struct, shared.rb, unsigned long,
		     shared.rb_subtree_last, backing_vma_start,
		     backing_vma_last, static inline __maybe_unused,
		     backing_vma_tree)

static bool backing_may_expedite(void)
{
	ratelimit_set_flags(&backing_expedited, RATELIMIT_MSG_ON_RELEASE);
	return __ratelimit(&backing_expedited);
}

/**
 * backing_grace_period_begin - have a grace period that others need not wait for
 *
 * It takes a while if that has been asked for often in the last second.
 *
 * Return: what poll_state_synchronize_rcu() takes, to tell whether it is over.
 */
unsigned long backing_grace_period_begin(void)
{
	if (backing_may_expedite())
		return start_poll_synchronize_rcu_expedited();
	return start_poll_synchronize_rcu();
}

static long backing_expedite(void *unused)
{
	synchronize_rcu_expedited();
	return 0;
}

/**
 * backing_grace_period - wait for those who have read a flag before it was set
 *
 * That takes a while if it has been asked for often in the last second. Who calls
 * synchronize_rcu_expedited() holds a mutex that all others in the system wait for,
 * and a holder's thread may not get a processor then: so a worker does it.
 */
void backing_grace_period(void)
{
	if (!backing_may_expedite())
		synchronize_rcu();
	else if (current->flags & PF_KTHREAD)
		synchronize_rcu_expedited();
	else
		work_on_cpu(WORK_CPU_UNBOUND, backing_expedite, NULL);
}

/**
 * backing_zap - unmap a range from everybody
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * The caller has set the flag and called backing_grace_period() since. Whoever may
 * still use the pages maps them again.
 */
void backing_zap(struct backing *backing, unsigned long start,
		 unsigned long end)
{
	struct address_space *mapping = backing->inode.i_mapping;
	struct folio_batch batch;
	pgoff_t index = start;
	unsigned int i;

	folio_batch_init(&batch);
	while (filemap_get_folios(mapping, &index, end - 1, &batch)) {
		for (i = 0; i < folio_batch_count(&batch); i++) {
			struct folio *folio = batch.folios[i];

			if (!folio_test_locked(folio))
				continue;
			folio_lock(folio);
			folio_unlock(folio);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	unmap_mapping_pages(mapping, start, end - start, false);
}

/**
 * backing_mark_linked - note which mappings were unmapped by backing_zap()
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * Of dataspaces that have been unmapped, mappings that are found now were found
 * then, or have never mapped anything.
 */
void backing_mark_linked(struct backing *backing, unsigned long start,
			 unsigned long end)
{
	struct address_space *mapping = backing->inode.i_mapping;
	struct vm_area_struct *vma;

	i_mmap_lock_read(mapping);
	for (vma = backing_vma_tree_iter_first(&mapping->i_mmap, start,
					       end - 1);
	     vma; vma = backing_vma_tree_iter_next(vma, start, end - 1)) {
		struct dataspace_mapping *map = vma->vm_private_data;

		if (!READ_ONCE(map->ds->unmapped))
			continue;
		spin_lock(&backing->lock);
		map->flushed = true;
		list_move_tail(&map->node, &map->ds->mappings);
		spin_unlock(&backing->lock);
	}
	i_mmap_unlock_read(mapping);
}

static long backing_drain_cpu(void *unused)
{
	struct folio_batch batch;

	folio_batch_init(&batch);
	folio_batch_add(&batch, page_folio(ZERO_PAGE(0)));
	folio_get(batch.folios[0]);
	folio_batch_release(&batch);
	return 0;
}

/**
 * backing_drain_cpus - let go of the pages that are in batches of the page cache
 *
 * Single pages that were just added, or that MADV_PAGEOUT has met, are referred to
 * by a batch of their CPU until that is full, which may be never. To release any
 * batch sends off all of the CPU.
 */
void backing_drain_cpus(void)
{
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu)
		work_on_cpu(cpu, backing_drain_cpu, NULL);
	cpus_read_unlock();
}

/**
 * backing_extra_refs - count references to a folio that are not known
 * @folio: a folio of a backing, with a reference of the caller
 *
 * Unless the folio is locked and unmapped that is a hint: it may be mapped,
 * unmapped or looked up meanwhile.
 *
 * Return: the number of references beyond those of the page cache, of page tables
 * and of the caller.
 */
int backing_extra_refs(struct folio *folio)
{
	int refs = folio_ref_count(folio);

	smp_rmb(); /* what is mapped from now on is not taken for a pin */
	return refs - folio_nr_pages(folio) - kver_folio_mapcount(folio) - 1;
}

/* How often a folio is looked at before it counts as pinned */
#define PIN_LOOKS 20

/* Who looks a folio up lets go of it soon: what is not always there is no pin */
static bool backing_folio_seems_pinned(struct folio *folio)
{
	unsigned int looks;

	for (looks = 0; looks < PIN_LOOKS; looks++) {
		if (backing_extra_refs(folio) <= 0)
			return false;
		udelay(2);
	}
	return true;
}

/* Whether a test is true for any folio of a range */
static bool backing_any_folio(struct backing *backing, unsigned long start,
			      unsigned long end, bool (*test)(struct folio *))
{
	struct folio_batch batch;
	pgoff_t index = start;
	bool found = false;
	unsigned int i;

	folio_batch_init(&batch);
	backing_look_begin(backing, start, end);
	while (!found && filemap_get_folios(backing->inode.i_mapping, &index,
					    end - 1, &batch)) {
		for (i = 0; !found && i < folio_batch_count(&batch); i++)
			found = test(batch.folios[i]);
		folio_batch_release(&batch);
		cond_resched();
	}
	backing_look_end(backing, start, end);
	return found;
}

/* While the folio is locked it can't be mapped; fork() copies nothing then */
static bool backing_folio_unmap_and_test_pin(struct folio *folio)
{
	unsigned int looks;
	bool pinned = true;

	for (looks = 0; pinned && looks < PIN_LOOKS; looks++) {
		folio_lock(folio);
		if (folio->mapping)
			unmap_mapping_pages(folio->mapping, folio->index,
					    folio_nr_pages(folio), false);
		pinned = folio_ref_count(folio) > folio_nr_pages(folio) + 1;
		folio_unlock(folio);
		cond_resched();
	}
	return pinned;
}

/**
 * backing_seems_pinned - look for pins in a range without disturbing anybody
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * Large folios at the ends of the range count as a whole.
 *
 * Return: whether a folio has a reference that is not known.
 */
bool backing_seems_pinned(struct backing *backing, unsigned long start,
			  unsigned long end)
{
	return backing_any_folio(backing, start, end,
				 backing_folio_seems_pinned);
}

/**
 * backing_unmap_and_test_pin - unmap a range and tell whether a page is pinned
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * Unmaps from everybody, large folios at the ends of the range as a whole.
 *
 * Return: whether a folio has references beyond those of the page cache.
 */
bool backing_unmap_and_test_pin(struct backing *backing, unsigned long start,
				unsigned long end)
{
	return backing_any_folio(backing, start, end,
				 backing_folio_unmap_and_test_pin);
}
