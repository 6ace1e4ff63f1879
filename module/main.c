// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device, and coming and going of the module.
 *
 * Theory of operation
 * -------------------
 *
 * A backing is an inode of a pseudo file system of our own (fs.c). Its page cache
 * holds the memory, in the order of the root, put there at once when the root is
 * made and never again (backing.c): a fault, a read or a write finds a page or there
 * is none. Lazy memory is the exception: its pages are put there when they are
 * touched first, and can be punched out (lazy.c). The page cache makes
 * get_user_pages(), futexes, fork and huge mappings work without further help, and
 * charges the memory, page by page, to the memory cgroup of the creator, of who
 * touches a lazy page first, or of who has opened the device (alloc.c).
 *
 * A dataspace (object.c), root or alias, is an open file with a dentry of its own
 * on that inode, and a range [start, end) of page indices. `start` is inclusive and
 * `end` exclusive throughout. The file's mode is the right to write. VMAs that map
 * it refer to a second file (vm.c), so that the death of the descriptor is seen at
 * once whatever is still mapped. Each such VMA has a record, a mapping (mapping.c).
 *
 * A page is covered while it lies in the range of a live dataspace or of a mapping.
 * Both kinds of range are in one tree (range_tree.c); nothing else counts
 * references. When a dataspace dies or a VMA goes away, the pages that have lost
 * their last cover are found in that tree and cut out of the page cache (sweep.c).
 * So no count can drift, and doing it twice does no harm. Which dataspace is derived
 * from which is in another tree (lineage.c).
 *
 * References
 *   file of a dataspace -> its dentry -> inode (backing) and struct dataspace
 *   VMA                 -> VMA file -> its dentry -> the same two
 *   dma-buf             -> file of a dataspace
 *   mapping of a device -> the dma-buf, by its importer; each folio
 *   dataspace           -> VMA file, while its file is open; the inode
 *   work of a backing   -> the inode, while it is queued or runs
 *   backing             -> the device's file, which keeps the module loaded:
 *                          it is put when the inode is evicted, and fput()
 *                          defers the rest until that has returned
 *   the device's file   -> the memory cgroup of who opened it
 *
 * Locks, outer to inner
 *   mmap_lock -> folio lock -> i_mmap_rwsem -> backing->lock
 *                                           -> i_pages' lock
 *   backing->walk_turn (walk.c) -> backing->lock
 *   reservation lock of a dma-buf -> lock of an export (dmabuf.c) -> backing->lock
 *   registry_lock (registry.c) -> backing->lock, inode->i_lock
 *   The holders of one root do not trust each other, and share backing->lock,
 *   i_mmap_rwsem and folio locks. backing->lock is a spinlock, so that nobody is
 *   preempted or sleeps with it. Faults, reads and writes do not take it. What is
 *   done in one go with it held, for n dataspaces and mappings of the backing:
 *
 *     ALIAS, close()        O(log n), four operations on trees
 *     mmap(), munmap(),     O(log n), two operations, six for a split
 *       fork(), each VMA
 *     poll()                O(1)
 *     INFO, fdinfo,         O(log n) for each piece, and the lock dropped between
 *       releasing           pieces
 *     reading debugfs       O(log n) for each of 64 steps, then the lock is dropped
 *                           (registry.c); close() O(log n) more for each reader
 *     REVOKE, SEAL          O(log n) for each of 64 dataspaces or mappings
 *                           (DATASPACE_BATCH), then the lock is dropped; twice that
 *                           where one begins when another ends (walk.c). By one
 *                           thread at a time, and ALIAS may do so for others. All
 *                           three search O(log n) for each of O(log w) steps while w
 *                           REVOKE and SEAL go on
 *     work on what was      the same
 *       revoked
 *
 *   Nobody allocates, sleeps, waits for RCU, wakes others or touches user memory
 *   with it held; what is queued is work that is done later, for what was revoked
 *   (revoke.c) or pinned (sweep.c). Pages are released after it was dropped: what
 *   nothing covers is never covered again. i_mmap_rwsem is held for as long as the
 *   VMAs of a range are gone through, by REVOKE and SEAL_NOW for what they unmap and
 *   by the mm for a large folio that is split: that grows with the number of VMAs
 *   there.
 *
 * Waits that a system call can get into end with a fatal signal, but for three that
 * leave nothing half done: a REVOKE or SEAL that has begun comes to its end, and to
 * that of an ancestor's which has taken its place (walk.c), SEAL_NOW waits for who has
 * taken over what it has marked (seal.c), and the last close of a dma-buf for its
 * work, which has nothing left to wait for then (dmabuf.c).
 *
 * A page with a memory error is taken out by the mm, which splits a large folio
 * first, and never comes back: to find no page where there is a cover means that it
 * was lost so, or that it is a hole of lazy memory, which is told apart by a note of
 * each lost page. Where the mm can't split, as the folio is pinned, the page stays,
 * marked.
 */
#include <linux/fs.h>
#include <linux/memcontrol.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "private.h"

static const struct dataspace_op dataspace_device_ops[] = {
	{
		.cmd = DATASPACE_IOC_ALLOC,
		.min_size = offsetofend(struct dataspace_alloc, align),
		.size = sizeof(struct dataspace_alloc),
		.create = dataspace_ioctl_alloc,
	},
	{
		.cmd = DATASPACE_IOC_QUERY,
		.min_size = offsetofend(struct dataspace_query, pool_free),
		.size = sizeof(struct dataspace_query),
		.flags = DATASPACE_OP_FILLS_IN,
		.fn = dataspace_ioctl_query,
	},
	{}
};

static long dataspace_device_ioctl(struct file *file, unsigned int cmd,
				   unsigned long arg)
{
	return dataspace_dispatch(dataspace_device_ops, file, cmd, arg);
}

/* Who opens the device can be charged for what is allocated on it (alloc.c) */
static int dataspace_device_open(struct inode *inode, struct file *file)
{
	file->private_data = get_mem_cgroup_from_mm(current->mm);
	return 0;
}

static int dataspace_device_release(struct inode *inode, struct file *file)
{
	mem_cgroup_put(file->private_data);
	return 0;
}

static const struct file_operations dataspace_device_fops = {
	.owner = THIS_MODULE,
	.open = dataspace_device_open,
	.release = dataspace_device_release,
	.unlocked_ioctl = dataspace_device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice dataspace_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dataspace",
	.fops = &dataspace_device_fops,
	.mode = 0660,
};

static int __init dataspace_module_init(void)
{
	int ret;

	ret = dataspace_init();
	if (ret)
		return ret;
	ret = dataspace_mapping_init();
	if (ret)
		goto out_dataspace;
	ret = dataspace_revoke_init();
	if (ret)
		goto out_mapping;
	ret = dataspace_dmabuf_init();
	if (ret)
		goto out_revoke;
	ret = backing_sweep_init();
	if (ret)
		goto out_dmabuf;
	ret = dataspace_fs_init();
	if (ret)
		goto out_sweep;
	dataspace_pool_init();
	ret = misc_register(&dataspace_device);
	if (ret)
		goto out_pool;
	dataspace_debugfs_init();
	return 0;

out_pool:
	dataspace_fs_exit();
	dataspace_pool_exit();
out_sweep:
	backing_sweep_exit();
out_dmabuf:
	dataspace_dmabuf_exit();
out_revoke:
	dataspace_revoke_exit();
out_mapping:
	dataspace_mapping_exit();
out_dataspace:
	dataspace_exit();
	return ret;
}

/* The last work of a backing may be on its way out when the backing is gone */
static void __exit dataspace_module_exit(void)
{
	dataspace_debugfs_exit();
	misc_deregister(&dataspace_device);
	dataspace_revoke_exit();
	dataspace_dmabuf_exit();
	backing_sweep_exit();
	dataspace_fs_exit();
	dataspace_pool_exit(); /* until then memory may have gone back to it */
	dataspace_mapping_exit();
	dataspace_exit();
}

module_init(dataspace_module_init);
module_exit(dataspace_module_exit);

MODULE_DESCRIPTION("Memory objects that can be handed out in part");
MODULE_AUTHOR("The dataspace authors");
MODULE_VERSION(DATASPACE_VERSION);
MODULE_LICENSE("GPL");
