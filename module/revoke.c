// SPDX-License-Identifier: GPL-2.0-only
/*
 * The REVOKE ioctl: end the life of everything that is derived from a dataspace.
 *
 * All of it is marked as revoked at once, under the lock, so that nothing can
 * be derived from it any more; it covers nothing from then on. Then those who
 * use it at that moment are waited for, and what is mapped is unmapped. Only
 * after that it leaves the lineage: who is told that nothing is left can rely
 * on it. No page is released by this, as the dataspace itself covers them all.
 *
 * Revocations of one backing are done one after the other. So when one returns,
 * whatever it found revoked by an earlier one is unmapped, too.
 */
#include <linux/build_bug.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "private.h"

static_assert(sizeof_field(struct dataspace_revoke, size) +
		      sizeof_field(struct dataspace_revoke, flags) ==
	      8);
static_assert(sizeof(struct dataspace_revoke) == 8);

static void mark_revoked(struct dataspace *ds)
{
	WRITE_ONCE(ds->revoked, true);
	if (ds->live) {
		dataspace_uncover(ds);
		ds->member.count.live = 0;
		lineage_update_sums(&ds->member);
	}
	kref_get(&ds->ref);
}

/* Mark all descendants; the list holds a reference to each */
static struct dataspace *mark_descendants(struct dataspace *root)
{
	struct lineage_member *member = &root->member;
	struct dataspace *list = NULL;

	lockdep_assert_held(&root->backing->lock);
	while ((member = lineage_next(&root->member, member))) {
		struct dataspace *ds = to_dataspace(member);

		mark_revoked(ds);
		ds->next = list;
		list = ds;
		cond_resched();
	}
	return list;
}

static void finish_revocation(struct dataspace *ds)
{
	struct backing *backing = ds->backing;

	if (atomic_read(&ds->mappings))
		backing_zap(backing, ds->start, ds->end);
	mutex_lock(&backing->lock);
	dataspace_unlink(ds);
	mutex_unlock(&backing->lock);
	wake_up_poll(&ds->wait, EPOLLHUP | EPOLLERR);
	dataspace_put(ds);
}

static int revoke_descendants(struct dataspace *root)
{
	struct backing *backing = root->backing;
	struct dataspace *list = NULL;
	struct dataspace *next;
	bool stale;

	mutex_lock(&backing->lock);
	stale = root->revoked;
	if (!stale)
		list = mark_descendants(root);
	mutex_unlock(&backing->lock);
	if (list)
		synchronize_rcu_expedited();
	for (; list; list = next) {
		next = list->next;
		finish_revocation(list);
		cond_resched();
	}
	return stale ? -ESTALE : 0;
}

/**
 * dataspace_ioctl_revoke - revoke everything derived from a dataspace
 * @file: its file
 * @arg: struct dataspace_revoke
 *
 * Return: 0 or a negative errno.
 */
int dataspace_ioctl_revoke(struct file *file, void *arg)
{
	struct dataspace *ds = dataspace_of(file);
	const struct dataspace_revoke *args = arg;
	int ret;

	if (args->flags)
		return -EOPNOTSUPP;
	mutex_lock(&ds->backing->control);
	ret = revoke_descendants(ds);
	mutex_unlock(&ds->backing->control);
	return ret;
}
