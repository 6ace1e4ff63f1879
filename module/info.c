// SPDX-License-Identifier: GPL-2.0-only
/* The INFO ioctl: tell what a dataspace is and what depends on it. */
#include <linux/build_bug.h>
#include <linux/uaccess.h>

#include "private.h"

static_assert(sizeof(struct dataspace_info) == 64);
static_assert(offsetof(struct dataspace_info, length) == 16);
static_assert(offsetof(struct dataspace_info, id) == 24);
static_assert(offsetof(struct dataspace_info, exclusive) == 32);
static_assert(offsetof(struct dataspace_info, aliases) == 40);
static_assert(offsetof(struct dataspace_info, mappings) == 48);
static_assert(offsetof(struct dataspace_info, granule) == 56);

/* What was revoked has nothing and nothing depends on it */
static void fill_counts(struct dataspace *ds, struct dataspace_info *info)
{
	struct backing *backing = ds->backing;

	mutex_lock(&backing->lock);
	if (!ds->revoked) {
		info->exclusive = backing_exclusive(backing, ds->start, ds->end)
				  << PAGE_SHIFT;
		info->aliases = lineage_count(&ds->member);
		info->mappings = atomic_read(&ds->mappings);
	}
	info->rights = dataspace_rights(ds);
	info->state = dataspace_state(ds);
	mutex_unlock(&backing->lock);
}

/**
 * info_ioctl - describe a dataspace
 * @ds: the dataspace
 * @arg: struct dataspace_info, filled in
 *
 * Return: 0 or a negative errno.
 */
long info_ioctl(struct dataspace *ds, void __user *arg)
{
	struct dataspace_info info;
	u32 size;
	int ret = ioctl_get(&info, sizeof(info), arg);

	if (ret)
		return ret;
	size = info.size;
	info = (struct dataspace_info){
		.size = size,
		.length = dataspace_length(ds),
		.id = ds->id,
		.granule = PAGE_SIZE,
	};
	fill_counts(ds, &info);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}
