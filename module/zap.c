// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking memory away from those who use it now.
 *
 * Whether a dataspace may be used is a flag that users read without a lock.
 * Once it is set, those who read it before must be waited for:
 *
 *  - what is copied or mapped in advance is done in an RCU read-side critical
 *    section that begins before the flag is read;
 *  - a page that is mapped by a fault is locked from before the flag is read
 *    until it is mapped, so that having got every lock that was held is enough.
 *
 * Then what they have mapped is unmapped, and can't come back. Private copies
 * of pages belong to their process and stay.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "kver.h"
#include "private.h"

static void wait_for_fault(struct folio *folio)
{
	if (!folio_test_locked(folio))
		return;
	folio_lock(folio);
	folio_unlock(folio);
}

/**
 * backing_zap - unmap a range from everybody
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * The caller has set the flag and called synchronize_rcu() since. Whoever may
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
		for (i = 0; i < folio_batch_count(&batch); i++)
			wait_for_fault(batch.folios[i]);
		folio_batch_release(&batch);
		cond_resched();
	}
	unmap_mapping_pages(mapping, start, end - start, false);
}

/**
 * folio_is_pinned - look for users of a folio that are not known
 * @folio: a folio of a backing, with a reference of the caller
 *
 * Unmaps the folio from everybody. Page cache and caller are known users.
 *
 * Return: whether there are others.
 */
bool folio_is_pinned(struct folio *folio)
{
	bool pinned;

	folio_lock(folio);
	if (folio->mapping)
		unmap_mapping_pages(folio->mapping, folio->index,
				    folio_nr_pages(folio), false);
	pinned = folio_ref_count(folio) > folio_nr_pages(folio) + 1;
	folio_unlock(folio);
	return pinned;
}

/**
 * backing_is_pinned - look for users of a range that are not known
 * @backing: the backing, locked
 * @start: first page
 * @end: page after the last one
 *
 * Unmaps the range from everybody. Large folios at its ends count as a whole.
 *
 * Return: whether there are any.
 */
bool backing_is_pinned(struct backing *backing, unsigned long start,
		       unsigned long end)
{
	struct folio_batch batch;
	pgoff_t index = start;
	bool pinned = false;
	unsigned int i;

	folio_batch_init(&batch);
	while (!pinned && filemap_get_folios(backing->inode.i_mapping, &index,
					     end - 1, &batch)) {
		for (i = 0; !pinned && i < folio_batch_count(&batch); i++)
			pinned = folio_is_pinned(batch.folios[i]);
		folio_batch_release(&batch);
		cond_resched();
	}
	return pinned;
}
