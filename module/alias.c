// SPDX-License-Identifier: GPL-2.0-only
/* The ALIAS ioctl: hand out a part of a dataspace, with no more rights. */
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "private.h"

static_assert(sizeof(struct dataspace_alias) == 32);
static_assert(offsetof(struct dataspace_alias, offset) == 8);
static_assert(offsetof(struct dataspace_alias, length) == 16);
static_assert(offsetof(struct dataspace_alias, rights) == 24);

static int check_range(const struct dataspace *source,
		       const struct dataspace_alias *args)
{
	u64 end;

	if (!args->length || !PAGE_ALIGNED(args->offset | args->length) ||
	    check_add_overflow(args->offset, args->length, &end) ||
	    end > dataspace_length(source))
		return -EINVAL;
	return 0;
}

static int check_args(const struct dataspace *source,
		      const struct dataspace_alias *args)
{
	if (args->flags & ~DATASPACE_ALIAS_CLIP || args->__reserved ||
	    !rights_are_valid(args->rights))
		return -EINVAL;
	return check_range(source, args);
}

/*
 * The only place where rights pass from one dataspace to another. If the source
 * is sealed in the meantime the alias will be, too (object.c).
 */
static int grant_rights(const struct dataspace *source,
			const struct dataspace_alias *args, u32 *rights)
{
	*rights = args->rights & dataspace_rights(source);
	if (*rights != args->rights && !(args->flags & DATASPACE_ALIAS_CLIP))
		return -EPERM;
	return 0;
}

/**
 * alias_ioctl - make an alias
 * @source: the dataspace that it is derived from
 * @arg: struct dataspace_alias
 *
 * Return: a descriptor or a negative errno.
 */
long alias_ioctl(struct dataspace *source, void __user *arg)
{
	struct dataspace_alias args;
	struct dataspace *ds;
	unsigned long start;
	u32 rights;
	int ret = ioctl_get(&args, sizeof(args), arg);

	if (!ret)
		ret = check_args(source, &args);
	if (!ret && READ_ONCE(source->revoked))
		ret = -ESTALE;
	if (!ret)
		ret = grant_rights(source, &args, &rights);
	if (ret)
		return ret;
	start = source->start + (args.offset >> PAGE_SHIFT);
	ds = dataspace_create(source->backing, start,
			      start + (args.length >> PAGE_SHIFT), rights);
	if (!ds)
		return -ENOMEM;
	ds->alias = true;
	return dataspace_publish(ds, source);
}
