// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing a dataspace through its descriptor.
 *
 * Data is always copied: a pipe never gets hold of a page. Each piece is copied in
 * an RCU read-side critical section, with page faults off, in which the right to
 * do so is looked at first: who takes it away waits for those (zap.c), but never
 * for user memory to be faulted in. That is done in between, with nothing held, as
 * it may be a mapping of the same dataspace.
 *
 * No reference to the folio is held while that goes on: others would have to take
 * it for a pin, and the folio may hold pages of theirs. The caller holds the file, so that
 * its pages are covered, or the dataspace has been revoked, and then they stay
 * until a grace period is over. Pages of lazy memory can be punched out at any time:
 * there a reference is held for each piece. Before a piece whoever looks for pins in
 * the same 2 MiB has the time to do so, in which there are none of these references.
 *
 * A hole of lazy memory reads as zeroes. To write to one fills it first (lazy.c), in
 * between the pieces.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "kver.h"
#include "private.h"

#define COPY_MAX SZ_64K

/**
 * struct copy - one way to copy
 * @piece: copies between the memory and an iterator; returns the bytes copied
 * @fault_in: makes user memory present; returns the bytes that are not
 * @rights: what is needed for that
 */
struct copy {
	size_t (*piece)(void *addr, size_t bytes, struct iov_iter *iter);
	size_t (*fault_in)(const struct iov_iter *iter, size_t bytes);
	u32 rights;
};

static size_t copy_out(void *addr, size_t bytes, struct iov_iter *iter)
{
	return copy_to_iter(addr, bytes, iter);
}

static size_t copy_in(void *addr, size_t bytes, struct iov_iter *iter)
{
	return copy_from_iter(addr, bytes, iter);
}

static const struct copy copy_read = {
	.piece = copy_out,
	.fault_in = fault_in_iov_iter_writeable,
	.rights = DATASPACE_READ,
};

static const struct copy copy_write = {
	.piece = copy_in,
	.fault_in = fault_in_iov_iter_readable,
	.rights = DATASPACE_WRITE,
};

static int check_use(const struct dataspace *ds, u32 rights)
{
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (READ_ONCE(ds->seal_pending))
		return -EAGAIN;
	return rights & ~dataspace_rights(ds) ? -EPERM : 0;
}

/* How much of a folio is there, from @offset on; not what an error has hit */
static size_t sound_bytes(struct folio *folio, size_t offset)
{
	if (!folio_has_lost_page(folio))
		return folio_size(folio) - offset;
	if (PageHWPoison(folio_page(folio, offset >> PAGE_SHIFT)))
		return 0;
	return PAGE_SIZE - offset_in_page(offset);
}

/* No page was found. Returns -ENODATA if the hole is to be filled first */
static ssize_t copy_in_hole(struct dataspace *ds, loff_t pos, size_t bytes,
			    struct iov_iter *iter, const struct copy *copy)
{
	unsigned long index = pos >> PAGE_SHIFT;

	if (backing_has_page(ds->backing, index))
		return -EAGAIN;
	if (!ds->backing->lazy ||
	    backing_has_lost(ds->backing, index, index + 1))
		return -EIO;
	if (copy->rights & DATASPACE_WRITE)
		return -ENODATA;
	bytes = min(bytes, PAGE_SIZE - offset_in_page(pos));
	return copy->piece(page_address(ZERO_PAGE(0)), bytes, iter);
}

/*
 * Copy within one folio. If that is split meanwhile, pages that are covered stay
 * where they are. What was written may be code that is mapped later. Returns 0 if
 * user memory is not present, -EAGAIN to try again.
 */
static ssize_t copy_in_folio(struct dataspace *ds, loff_t pos, size_t bytes,
			     struct iov_iter *iter, const struct copy *copy)
{
	unsigned long index = pos >> PAGE_SHIFT;
	struct folio *folio =
		filemap_get_folio(ds->backing->inode.i_mapping, index);
	bool lazy = ds->backing->lazy;
	ssize_t done = -EIO;
	struct page *page;

	if (IS_ERR_OR_NULL(folio))
		return copy_in_hole(ds, pos, bytes, iter, copy);
	page = folio_file_page(folio, index);
	bytes = min(bytes, sound_bytes(folio, offset_in_folio(folio, pos)));
	if (!lazy)
		folio_put(folio);
	if (bytes)
		done = copy->piece(page_address(page) + offset_in_page(pos),
				   bytes, iter);
	if (bytes && copy->rights & DATASPACE_WRITE) {
		struct page *last = page + ((offset_in_page(pos) + bytes - 1) >>
					    PAGE_SHIFT);

		for (; page <= last; page++)
			flush_dcache_page(page);
	}
	if (lazy)
		folio_put(folio);
	return done;
}

static ssize_t copy_checked(struct dataspace *ds, loff_t pos, size_t bytes,
			    struct iov_iter *iter, const struct copy *copy)
{
	ssize_t ret = check_use(ds, copy->rights);

	if (ret)
		return ret;
	pagefault_disable();
	ret = copy_in_folio(ds, pos, bytes, iter, copy);
	pagefault_enable();
	return ret;
}

/*
 * An iterator that sleeps is a pipe's: it has no user memory, and the pipe is
 * locked. So a reference keeps the page. If the right is still there after the
 * copy, it was there all the time; otherwise nobody has seen the copy.
 */
static ssize_t copy_sleeping(struct dataspace *ds, loff_t pos, size_t bytes,
			     struct iov_iter *iter, const struct copy *copy)
{
	struct folio *folio = filemap_get_folio(ds->backing->inode.i_mapping,
						pos >> PAGE_SHIFT);
	ssize_t ret;
	int err;

	ret = copy_checked(ds, pos, bytes, iter, copy);
	if (!IS_ERR_OR_NULL(folio))
		folio_put(folio);
	smp_rmb(); /* what was copied was read before the right is checked */
	err = check_use(ds, copy->rights);
	if (!err)
		return ret;
	if (ret > 0)
		iov_iter_revert(iter, ret);
	return err;
}

static ssize_t copy_once(struct dataspace *ds, loff_t pos, size_t bytes,
			 struct iov_iter *iter, const struct copy *copy)
{
	ssize_t ret;

	if (kver_iter_sleeps(iter))
		return copy_sleeping(ds, pos, bytes, iter, copy);
	rcu_read_lock();
	ret = copy_checked(ds, pos, bytes, iter, copy);
	rcu_read_unlock();
	return ret;
}

/*
 * With @nowait a write is -EAGAIN rather than that it waits for memory or for a
 * SEAL_NOW to be decided. A read waits for the latter, a few milliseconds: after
 * -EAGAIN io_uring waits for POLLIN, which may never come.
 */
static ssize_t copy_piece(struct dataspace *ds, loff_t pos, size_t bytes,
			  struct iov_iter *iter, const struct copy *copy,
			  bool nowait)
{
	ssize_t ret;

	bytes = min_t(size_t, bytes, COPY_MAX);
	for (;;) {
		if (ds->backing->lazy)
			backing_let_look(ds->backing, pos >> PAGE_SHIFT);
		ret = copy_once(ds, pos, bytes, iter, copy);
		if (nowait && copy->rights & DATASPACE_WRITE &&
		    (ret == -ENODATA || ret == -EAGAIN))
			return -EAGAIN;
		if (ret == -ENODATA) {
			ret = dataspace_lazy_fill_hole(ds, ds->start, ds->end,
						       pos >> PAGE_SHIFT);
			if (!ret)
				ret = -EAGAIN;
		}
		if (ret && ret != -EAGAIN)
			return ret;
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ret == -EAGAIN) {
			wait_event_killable(ds->backing->wait,
					    !READ_ONCE(ds->seal_pending));
		} else if (!user_backed_iter(iter) ||
			   copy->fault_in(iter, bytes) == bytes) {
			return -EFAULT;
		}
		cond_resched();
	}
}

/* Copy up to the end of the dataspace; what was copied wins over an error */
static ssize_t copy_range(struct kiocb *iocb, struct iov_iter *iter,
			  const struct copy *copy)
{
	struct dataspace *ds = dataspace_of(iocb->ki_filp);
	loff_t base = (loff_t)ds->start << PAGE_SHIFT;
	loff_t length = dataspace_length(ds);
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	ssize_t done = 0;

	while (iov_iter_count(iter) && iocb->ki_pos < length) {
		size_t bytes =
			min_t(u64, iov_iter_count(iter), length - iocb->ki_pos);
		ssize_t ret = copy_piece(ds, base + iocb->ki_pos, bytes, iter,
					 copy, nowait);

		if (ret < 0)
			return done ? done : ret;
		iocb->ki_pos += ret;
		done += ret;
		cond_resched();
	}
	return done;
}

/**
 * dataspace_read_iter - read from a dataspace
 * @iocb: file and position
 * @to: where to put the data
 *
 * Return: number of bytes, 0 at the end and past it, or -EFAULT, -ESTALE, or -EIO
 * if the page was lost to a memory error.
 */
ssize_t dataspace_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	if (READ_ONCE(dataspace_of(iocb->ki_filp)->revoked))
		return -ESTALE;
	return copy_range(iocb, to, &copy_read);
}

static int check_write(const struct dataspace *ds)
{
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	return dataspace_rights(ds) & DATASPACE_WRITE ? 0 : -EPERM;
}

/**
 * dataspace_write_iter - write to a dataspace
 * @iocb: file and position; to append is to write at the end
 * @from: the data
 *
 * Return: number of bytes, or -ENOSPC at the end and past it, -EFAULT, -ESTALE,
 * -EPERM if it was sealed, -EIO if the page was lost to a memory error, -ENOMEM or
 * -EDQUOT if a hole can't be filled, or -EAGAIN if it would have to wait and is not
 * to.
 */
ssize_t dataspace_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct dataspace *ds = dataspace_of(iocb->ki_filp);
	loff_t length = dataspace_length(ds);
	int ret = check_write(ds);

	if (ret)
		return ret;
	if (iocb->ki_flags & IOCB_APPEND)
		iocb->ki_pos = length;
	if (iov_iter_count(from) && iocb->ki_pos >= length)
		return -ENOSPC;
	return copy_range(iocb, from, &copy_write);
}
