// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a dataspace: what a holder of the descriptor can do.
 *
 * The mode of the file is the right to write; the VFS checks it and never changes
 * it. All files of one backing share an inode, so whatever the VFS would answer or
 * do by the inode is overridden or refused here and in fs.c: one holder learns
 * nothing about another. For the same reason f_mapping is not the mapping that
 * holds the pages but an empty one: the VFS finds no pages through a descriptor.
 */
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/splice.h>
#include <linux/uaccess.h>
#include <uapi/linux/falloc.h>

#include "kver.h"
#include "private.h"
#include "trace.h"

static loff_t dataspace_llseek(struct file *file, loff_t offset, int whence)
{
	struct dataspace *ds = dataspace_of(file);
	loff_t length = dataspace_length(ds);

	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (ds->backing->lazy && (whence == SEEK_DATA || whence == SEEK_HOLE)) {
		offset = dataspace_lazy_seek(ds, offset, whence);
		return offset < 0 ? offset : vfs_setpos(file, offset, length);
	}
	return generic_file_llseek_size(file, offset, whence, length, length);
}

/*
 * A dataspace is readable exactly while nothing that is derived from it is left.
 * A read is never EAGAIN (FMODE_NOWAIT), and a write may be but can always be polled
 * for, so that io_uring, which polls after EAGAIN, does not get stuck.
 */
static __poll_t dataspace_poll(struct file *file, poll_table *table)
{
	struct dataspace *ds = dataspace_of(file);
	__poll_t events = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &ds->wait, table);
	spin_lock(&ds->backing->lock);
	if (ds->revoked)
		events |= EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR;
	else if (!lineage_has_descendants(&ds->member))
		events |= EPOLLIN | EPOLLRDNORM;
	spin_unlock(&ds->backing->lock);
	return events;
}

/* There is nothing to read ahead and nothing to drop */
static int dataspace_fadvise(struct file *file, loff_t offset, loff_t len,
			     int advice)
{
	return READ_ONCE(dataspace_of(file)->revoked) ? -ESTALE : 0;
}

static int dataspace_fsync(struct file *file, loff_t start, loff_t end,
			   int datasync)
{
	return READ_ONCE(dataspace_of(file)->revoked) ? -ESTALE : 0;
}

/*
 * Memory that is not lazy is there. It is no EOPNOTSUPP, at which posix_fallocate()
 * of glibc writes to every block, and destroys what others write at the same time.
 */
static long dataspace_fallocate(struct file *file, int mode, loff_t offset,
				loff_t len)
{
	struct dataspace *ds = dataspace_of(file);

	if (ds->backing->lazy &&
	    mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		return dataspace_lazy_punch(ds, offset, len);
	if (mode)
		return -EOPNOTSUPP;
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (offset + len > dataspace_length(ds))
		return -ENOSPC;
	return dataspace_lazy_fill(ds, offset, len);
}

/* Locks and leases belong to the inode: holders would see each other's */
static int dataspace_lock(struct file *file, int cmd, struct file_lock *lock)
{
	return -EOPNOTSUPP;
}

static int dataspace_release(struct inode *inode, struct file *file)
{
	dataspace_close_last(dataspace_of(file));
	return 0;
}

static const struct dataspace_op dataspace_ops[] = {
	{
		.cmd = DATASPACE_IOC_ALIAS,
		.min_size = offsetofend(struct dataspace_alias, __reserved),
		.size = sizeof(struct dataspace_alias),
		.create = dataspace_ioctl_alias,
	},
	{
		.cmd = DATASPACE_IOC_INFO,
		.min_size = offsetofend(struct dataspace_info, resident),
		.size = sizeof(struct dataspace_info),
		.flags = DATASPACE_OP_FILLS_IN,
		.fn = dataspace_ioctl_info,
	},
	{
		.cmd = DATASPACE_IOC_REVOKE,
		.min_size = offsetofend(struct dataspace_revoke, flags),
		.size = sizeof(struct dataspace_revoke),
		.fn = dataspace_ioctl_revoke,
	},
	{
		.cmd = DATASPACE_IOC_SEAL,
		.min_size = offsetofend(struct dataspace_seal, __reserved),
		.size = sizeof(struct dataspace_seal),
		.fn = dataspace_ioctl_seal,
	},
	{
		.cmd = DATASPACE_IOC_EXPORT_DMABUF,
		.min_size = offsetofend(struct dataspace_export_dmabuf, flags),
		.size = sizeof(struct dataspace_export_dmabuf),
		.fn = dataspace_ioctl_export_dmabuf,
	},
	{
		.cmd = DATASPACE_IOC_SET_NAME,
		.min_size = offsetofend(struct dataspace_name, name),
		.size = sizeof(struct dataspace_name),
		.fn = dataspace_ioctl_set_name,
	},
	{}
};

static long dataspace_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	return dataspace_dispatch(dataspace_ops, file, cmd, arg);
}

static const struct file_operations dataspace_fops = {
	.llseek = dataspace_llseek,
	.read_iter = dataspace_read_iter,
	.write_iter = dataspace_write_iter,
	.splice_read = copy_splice_read,
	.splice_write = iter_file_splice_write,
	.poll = dataspace_poll,
	.unlocked_ioctl = dataspace_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = dataspace_mmap,
	.get_unmapped_area = dataspace_get_unmapped_area,
	.show_fdinfo = dataspace_show_fdinfo,
	.fallocate = dataspace_fallocate,
	.fadvise = dataspace_fadvise,
	.fsync = dataspace_fsync,
	.lock = dataspace_lock,
	.flock = dataspace_lock,
	.setlease = simple_nosetlease,
	.release = dataspace_release,
};

/*
 * Give a new dataspace, which is not live yet, to user space, and the caller's
 * reference with it. Nothing can fail any more once the dataspace is live, and
 * nobody can know of it before. On failure nothing is left of it.
 */
static int dataspace_publish(struct dataspace *ds, struct dataspace *source)
{
	struct file *file;
	int ret;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		dataspace_put(ds);
		return fd;
	}
	file = dataspace_file_create(ds, &dataspace_fops);
	dataspace_put(ds);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	file->f_mapping = d_inode(file->f_path.mnt->mnt_root)->i_mapping;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE |
			FMODE_ATOMIC_POS | FMODE_NOWAIT;
	ret = dataspace_link(ds, source);
	if (ret) {
		put_unused_fd(fd);
		fput(file);
		return ret;
	}
	if (source)
		trace_dataspace_alias(ds, source);
	else
		trace_dataspace_alloc(ds);
	fd_install(fd, file);
	return fd;
}

/**
 * dataspace_dispatch - do an ioctl
 * @ops: the ioctls that @file has, ending with an empty one; VERSION goes without
 *	saying
 * @file: the device or a dataspace
 * @cmd: what the caller wants
 * @arg: the caller's structure, which begins with a __u32, its size
 *
 * Where the structure is filled in, the caller's can be longer than ours and
 * hold anything: the kernel ignores and clears what it does not know.
 *
 * Return: a descriptor, 0, or a negative errno.
 */
long dataspace_dispatch(const struct dataspace_op *ops, struct file *file,
			unsigned int cmd, unsigned long arg)
{
	union {
		u32 size;
		struct dataspace_alloc alloc;
		struct dataspace_alias alias;
		struct dataspace_info info;
		struct dataspace_query query;
		struct dataspace_revoke revoke;
		struct dataspace_seal seal;
		struct dataspace_export_dmabuf export_dmabuf;
		struct dataspace_name name;
	} args;
	void __user *user = (void __user *)arg;
	u32 known;
	u32 size;
	int ret;

	if (cmd == DATASPACE_IOC_VERSION)
		return arg ? -EINVAL : DATASPACE_ABI_VERSION;
	while (ops->cmd && ops->cmd != cmd)
		ops++;
	if (!ops->cmd)
		return -ENOTTY;

	if (get_user(size, (u32 __user *)user))
		return -EFAULT;
	if (size < ops->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	known = min(size, ops->size);
	ret = copy_struct_from_user(&args, ops->size, user,
				    ops->flags & DATASPACE_OP_FILLS_IN ? known :
									 size);
	if (ret)
		return ret;

	if (ops->create) {
		struct dataspace *ds = ops->create(file, &args);

		if (IS_ERR(ds))
			return PTR_ERR(ds);
		return dataspace_publish(ds,
					 ds->alias ? dataspace_of(file) : NULL);
	}
	ret = ops->fn(file, &args);
	if (ret || !(ops->flags & DATASPACE_OP_FILLS_IN))
		return ret;
	args.size = known;
	if (copy_to_user(user, &args, known) ||
	    clear_user(user + known, size - known))
		return -EFAULT;
	return 0;
}
