// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ALLOC ioctl: make a root.
 *
 * The memory, and the memory of the kernel that a root consists of, is charged to
 * the memory cgroup of the caller, or with CHARGE_OPENER to that of the process
 * that opened the device, which the open file keeps. Then it is as if a process
 * of that cgroup had allocated: its limits count, it is reclaimed from, and it
 * does not matter whether it has processes, or whether these are frozen. But of
 * the file and the dentry, which the VFS allocates, the caller is charged: the VFS
 * would have somebody killed rather than fail.
 */
#include <linux/build_bug.h>
#include <linux/cpuset.h>
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched/mm.h>

#include "private.h"

#define FIELD(name) sizeof_field(struct dataspace_alloc, name)
static_assert(FIELD(size) + FIELD(flags) + FIELD(length) + FIELD(rights) +
		      FIELD(node) + FIELD(align) ==
	      32);
static_assert(sizeof(struct dataspace_alloc) == 32);
#undef FIELD

static bool dataspace_node_is_valid(int node)
{
	return node >= 0 && node < MAX_NUMNODES && node_state(node, N_MEMORY) &&
	       node_isset(node, cpuset_current_mems_allowed);
}

/* Extents that come one by one are not contiguous */
static bool dataspace_is_scattered(const struct dataspace_alloc *args)
{
	return args->flags & (DATASPACE_ALLOC_SCATTERED | DATASPACE_ALLOC_LAZY);
}

static int dataspace_check_alloc(const struct dataspace_alloc *args,
				 struct mem_cgroup *opener)
{
	const u64 memory = (u64)totalram_pages() << PAGE_SHIFT;

	if (args->flags & ~DATASPACE_ALLOC_FLAGS ||
	    args->rights & ~DATASPACE_RIGHTS)
		return -EOPNOTSUPP;
	if (!args->length || !(args->rights & DATASPACE_READ))
		return -EINVAL;
	if (args->flags & DATASPACE_ALLOC_NODE ?
		    !dataspace_node_is_valid(args->node) :
		    args->node)
		return -EINVAL;
	if (args->align &&
	    (!is_power_of_2(args->align) || dataspace_is_scattered(args)))
		return -EINVAL;
	if (args->flags & DATASPACE_ALLOC_CHARGE_OPENER && opener &&
	    kver_memcg_is_dying(opener))
		return -ESTALE;
	if (args->length > memory || args->align > memory)
		return -ENOMEM;
	return 0;
}

static struct dataspace *
dataspace_create_root(struct file *device, const struct dataspace_alloc *args)
{
	int node = NUMA_NO_NODE;
	struct backing *backing;
	struct dataspace *ds;
	int ret;

	if (args->flags & DATASPACE_ALLOC_NODE)
		node = args->node;
	backing = backing_create(device, DIV_ROUND_UP(args->length, PAGE_SIZE));
	if (!backing)
		return ERR_PTR(-ENOMEM);
	dataspace_revoke_prepare(backing);
	backing->lazy = args->flags & DATASPACE_ALLOC_LAZY;
	backing->node = node;
	if (args->flags & DATASPACE_ALLOC_CHARGE_OPENER)
		backing->payer = device->private_data;
	ret = backing_sweep_prepare(backing);
	if (!ret && !backing->lazy)
		ret = backing_fill(backing, node, args->align,
				   dataspace_is_scattered(args));
	if (ret)
		ds = ERR_PTR(ret);
	else
		ds = dataspace_create(backing, backing->start,
				      backing->start + backing->nr_pages,
				      args->rights);
	iput(&backing->inode);
	return ds;
}

/**
 * dataspace_ioctl_alloc - allocate memory and make a root of it
 * @device: the open device
 * @arg: struct dataspace_alloc
 *
 * Return: the root, not live yet, or ERR_PTR().
 */
struct dataspace *dataspace_ioctl_alloc(struct file *device, void *arg)
{
	const struct dataspace_alloc *args = arg;
	struct mem_cgroup *opener = device->private_data;
	struct mem_cgroup *before;
	struct dataspace *ds;
	int ret;

	ret = dataspace_check_alloc(args, opener);
	if (ret)
		return ERR_PTR(ret);
	if (!(args->flags & DATASPACE_ALLOC_CHARGE_OPENER))
		return dataspace_create_root(device, args);
	before = set_active_memcg(opener);
	ds = dataspace_create_root(device, args);
	set_active_memcg(before);
	return ds;
}
