// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SEAL ioctl: take the right to write from a dataspace and all derived ones.
 *
 * A plain seal is a flag that is read wherever writing could begin: when an area
 * is made or made writable, when an alias is made, and by each piece of a write.
 *
 * To seal what is mapped writable already, everything is unmapped, and comes
 * back read-only (vm.c). But a page that a driver holds may be written at any
 * time, so none may be. Only when all is unmapped and nobody can get hold of a
 * page can it be told, and if one is held nothing must have happened. So for
 * that time everybody who wants to use the memory waits for the lock.
 */
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "private.h"

/* How long a page may be held before it counts as pinned, in milliseconds */
#define PIN_WAIT_MAX_MS 64

#define FIELD(name) sizeof_field(struct dataspace_seal, name)
static_assert(FIELD(size) + FIELD(flags) + FIELD(rights) + FIELD(__reserved) ==
	      16);
static_assert(sizeof(struct dataspace_seal) == 16);
#undef FIELD

/* Change the seal of a dataspace and of all that is derived from it */
static void change_seal(struct dataspace *root, u8 clear, u8 set)
{
	struct lineage_member *member = &root->member;

	lockdep_assert_held(&root->backing->lock);
	for (; member; member = lineage_next(&root->member, member)) {
		struct dataspace *ds = to_dataspace(member);

		WRITE_ONCE(ds->seal, (ds->seal & ~clear) | set);
		cond_resched();
	}
}

/* A reference that core holds for a moment only is no pin */
static bool stays_pinned(struct dataspace *ds)
{
	unsigned int wait_ms = 1;

	while (backing_is_pinned(ds->backing, ds->start, ds->end)) {
		if (wait_ms > PIN_WAIT_MAX_MS)
			return true;
		msleep(wait_ms);
		wait_ms *= 2;
	}
	return false;
}

static int seal_now(struct dataspace *ds)
{
	bool pinned;

	change_seal(ds, 0, SEAL_PENDING);
	synchronize_rcu_expedited();
	backing_zap(ds->backing, ds->start, ds->end);
	pinned = stays_pinned(ds);
	change_seal(ds, SEAL_PENDING, pinned ? 0 : SEAL_FUTURE | SEAL_NOW);
	return pinned ? -EBUSY : 0;
}

static int seal(struct dataspace *ds, u32 flags)
{
	if (ds->revoked)
		return -ESTALE;
	if (flags & DATASPACE_SEAL_NOW)
		return seal_now(ds);
	change_seal(ds, 0, SEAL_FUTURE);
	return 0;
}

/**
 * dataspace_ioctl_seal - seal a dataspace and everything derived from it
 * @file: its file
 * @arg: struct dataspace_seal
 *
 * Return: 0 or a negative errno.
 */
int dataspace_ioctl_seal(struct file *file, void *arg)
{
	struct dataspace *ds = dataspace_of(file);
	const struct dataspace_seal *args = arg;
	struct backing *backing = ds->backing;
	int ret;

	if (args->flags & ~DATASPACE_SEAL_FLAGS ||
	    args->rights & ~DATASPACE_WRITE || args->__reserved)
		return -EOPNOTSUPP;
	if (!args->rights)
		return -EINVAL;
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (!(ds->rights & DATASPACE_WRITE))
		return -EPERM;
	mutex_lock(&backing->control);
	mutex_lock(&backing->lock);
	ret = seal(ds, args->flags);
	mutex_unlock(&backing->lock);
	if (!ret)
		synchronize_rcu_expedited();
	mutex_unlock(&backing->control);
	return ret;
}
