// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a dataspace: what a holder of the descriptor can do.
 *
 * Its mode is the right to write; core checks it and never changes it. All
 * files of one backing share an inode, so whatever core would answer or do by
 * the inode is overridden or refused here: one holder learns nothing about
 * another. For the same reason the file's f_mapping is not the one that holds
 * the pages but an empty one: core finds no pages through the descriptor.
 */
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/splice.h>
#include <linux/uaccess.h>

#include "kver.h"
#include "private.h"

static loff_t dataspace_llseek(struct file *file, loff_t offset, int whence)
{
	struct dataspace *ds = dataspace_of(file);
	loff_t length = dataspace_length(ds);

	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	return generic_file_llseek_size(file, offset, whence, length, length);
}

static long dataspace_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct dataspace *ds = dataspace_of(file);
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case DATASPACE_IOC_ALIAS:
		return alias_ioctl(ds, user);
	case DATASPACE_IOC_INFO:
		return info_ioctl(ds, user);
	case DATASPACE_IOC_REVOKE:
		return revoke_ioctl(ds, user);
	case DATASPACE_IOC_SEAL:
		return seal_ioctl(ds, user);
	default:
		return -ENOTTY;
	}
}

/*
 * Readable exactly while nothing that is derived from it is left. Reading and
 * writing never wait for anything (FMODE_NOWAIT), so that nobody who polls
 * before them gets stuck.
 */
static __poll_t dataspace_poll(struct file *file, poll_table *table)
{
	struct dataspace *ds = dataspace_of(file);
	__poll_t events = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &ds->wait, table);
	mutex_lock(&ds->backing->lock);
	if (ds->revoked)
		events |= EPOLLIN | EPOLLRDNORM | EPOLLHUP | EPOLLERR;
	else if (lineage_is_last(&ds->member))
		events |= EPOLLIN | EPOLLRDNORM;
	mutex_unlock(&ds->backing->lock);
	return events;
}

static void dataspace_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct dataspace *ds = dataspace_of(file);
	u32 rights = dataspace_rights(ds);
	u32 state = dataspace_state(ds);

	seq_printf(m, "dataspace-id:\t%llu\n", ds->id);
	seq_printf(m, "dataspace-length:\t%lld\n", dataspace_length(ds));
	seq_printf(m, "dataspace-rights:\tr%c%c\n",
		   rights & DATASPACE_WRITE ? 'w' : '-',
		   rights & DATASPACE_EXEC ? 'x' : '-');
	seq_printf(m, "dataspace-state:\t%s%s%s%s\n",
		   state & DATASPACE_STATE_ALIAS ? "alias" : "root",
		   state & DATASPACE_STATE_CONTIGUOUS ? " contiguous" : "",
		   state & DATASPACE_STATE_SEALED ? " sealed" : "",
		   state & DATASPACE_STATE_REVOKED ? " revoked" : "");
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

/* Locks and leases belong to the inode: holders would see each other's */
static int dataspace_lock(struct file *file, int cmd, struct file_lock *lock)
{
	return -EOPNOTSUPP;
}

static int dataspace_release(struct inode *inode, struct file *file)
{
	dataspace_die(dataspace_of(file));
	return 0;
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
	.fadvise = dataspace_fadvise,
	.fsync = dataspace_fsync,
	.lock = dataspace_lock,
	.flock = dataspace_lock,
	.setlease = simple_nosetlease,
	.release = dataspace_release,
};

/**
 * dataspace_publish - give a new dataspace to user space
 * @ds: the dataspace, not live yet; the caller's reference is consumed
 * @source: the live one that it is derived from, or NULL for a root
 *
 * Nothing can fail any more once the dataspace is live, and nobody can know of
 * it before.
 *
 * Return: a descriptor, or a negative errno with nothing left of @ds.
 */
int dataspace_publish(struct dataspace *ds, struct dataspace *source)
{
	struct file *file = dataspace_file_create(ds, &dataspace_fops);
	int fd;
	int ret;

	dataspace_put(ds);
	if (IS_ERR(file))
		return PTR_ERR(file);
	file->f_mapping = d_inode(file->f_path.mnt->mnt_root)->i_mapping;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE |
			FMODE_ATOMIC_POS | FMODE_NOWAIT | FMODE_NONOTIFY;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(file);
		return fd;
	}
	ret = dataspace_link(ds, source);
	if (ret) {
		put_unused_fd(fd);
		fput(file);
		return ret;
	}
	fd_install(fd, file);
	return fd;
}
