// SPDX-License-Identifier: GPL-2.0-only
/* The ALIAS ioctl: hand out a part of a dataspace, with no more rights. */
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "private.h"

#define FIELD(name) sizeof_field(struct dataspace_alias, name)
static_assert(FIELD(size) + FIELD(flags) + FIELD(offset) + FIELD(length) +
		      FIELD(rights) + FIELD(__reserved) ==
	      32);
static_assert(sizeof(struct dataspace_alias) == 32);
#undef FIELD

static int dataspace_check_alias(const struct dataspace *source,
				 const struct dataspace_alias *args)
{
	u64 end;

	if (args->flags & ~DATASPACE_ALIAS_FLAGS ||
	    args->rights & ~DATASPACE_RIGHTS || args->__reserved)
		return -EOPNOTSUPP;
	if (!(args->rights & DATASPACE_READ))
		return -EINVAL;
	if (!args->length || !PAGE_ALIGNED(args->offset | args->length) ||
	    check_add_overflow(args->offset, args->length, &end) ||
	    end > dataspace_length(source))
		return -EINVAL;
	if (READ_ONCE(source->revoked))
		return -ESTALE;
	return 0;
}

/**
 * dataspace_ioctl_alias - make an alias
 * @file: the file of the dataspace that it is derived from
 * @arg: struct dataspace_alias
 *
 * This is the only place where rights pass from one dataspace to another. If the
 * source is sealed before the alias is live, the alias will be, too (object.c).
 *
 * Return: the alias, not live yet, or ERR_PTR().
 */
struct dataspace *dataspace_ioctl_alias(struct file *file, void *arg)
{
	const struct dataspace_alias *args = arg;
	struct dataspace *source = dataspace_of(file);
	struct dataspace *ds;
	unsigned long start;
	u32 rights;
	int ret;

	ret = dataspace_check_alias(source, args);
	if (ret)
		return ERR_PTR(ret);
	rights = args->rights & dataspace_rights(source);
	if (!(source->rights & DATASPACE_DERIVE))
		return ERR_PTR(-EPERM);
	if (rights != args->rights && !(args->flags & DATASPACE_ALIAS_CLIP))
		return ERR_PTR(-EPERM);
	start = source->start + (args->offset >> PAGE_SHIFT);
	ds = dataspace_create(source->backing, start,
			      start + (args->length >> PAGE_SHIFT), rights);
	if (!IS_ERR(ds))
		ds->alias = true;
	return ds;
}
