// SPDX-License-Identifier: GPL-2.0-only
/* The ALLOC ioctl: make a root. */
#include <linux/build_bug.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nodemask.h>

#include "private.h"

static_assert(sizeof(struct dataspace_alloc) == 32);
static_assert(offsetof(struct dataspace_alloc, length) == 8);
static_assert(offsetof(struct dataspace_alloc, rights) == 16);
static_assert(offsetof(struct dataspace_alloc, node) == 20);
static_assert(offsetof(struct dataspace_alloc, align) == 24);

static bool node_is_valid(int node)
{
	return node == DATASPACE_NODE_ANY ||
	       (node >= 0 && node < MAX_NUMNODES && node_state(node, N_MEMORY));
}

static int check_args(const struct dataspace_alloc *args)
{
	if (args->flags & ~DATASPACE_ALLOC_SCATTERED)
		return -EINVAL;
	if (!args->length || !rights_are_valid(args->rights) ||
	    !node_is_valid(args->node))
		return -EINVAL;
	if (args->align && (!is_power_of_2(args->align) ||
			    args->flags & DATASPACE_ALLOC_SCATTERED))
		return -EINVAL;
	if (args->length > (u64)totalram_pages() << PAGE_SHIFT ||
	    args->align > (u64)totalram_pages() << PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

/**
 * alloc_ioctl - allocate memory and make a root of it
 * @device: the open device
 * @arg: struct dataspace_alloc
 *
 * Return: a descriptor or a negative errno.
 */
long alloc_ioctl(struct file *device, void __user *arg)
{
	struct dataspace_alloc args;
	struct backing *backing;
	struct dataspace *ds;
	int ret = ioctl_get(&args, sizeof(args), arg);

	if (!ret)
		ret = check_args(&args);
	if (ret)
		return ret;
	backing = backing_create(device, DIV_ROUND_UP(args.length, PAGE_SIZE));
	if (!backing)
		return -ENOMEM;
	ret = backing_fill(backing, args.node, args.align,
			   args.flags & DATASPACE_ALLOC_SCATTERED);
	if (ret)
		goto out;
	ds = dataspace_create(backing, 0, backing->nr_pages, args.rights);
	ret = ds ? dataspace_publish(ds, NULL) : -ENOMEM;
out:
	iput(&backing->inode);
	return ret;
}
