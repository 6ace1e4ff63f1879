// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading and writing a dataspace through its descriptor.
 *
 * Data is always copied: a pipe never gets hold of a page. No lock is held
 * while user memory is touched, as that may be a mapping of the same dataspace.
 */
#include <linux/highmem.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

#include "dataspace.h"

#define COPY_MAX SZ_64K

typedef size_t (*copy_fn)(void *addr, size_t bytes, struct iov_iter *iter);

static size_t copy_to(void *addr, size_t bytes, struct iov_iter *iter)
{
	return copy_to_iter(addr, bytes, iter);
}

static size_t copy_from(void *addr, size_t bytes, struct iov_iter *iter)
{
	return copy_from_iter(addr, bytes, iter);
}

/* Copy a piece that lies in one folio, from @pos in the backing */
static ssize_t copy_piece(struct backing *backing, loff_t pos, size_t bytes,
			  struct iov_iter *iter, copy_fn copy)
{
	struct folio *folio = filemap_get_folio(backing->inode.i_mapping,
						pos >> PAGE_SHIFT);
	size_t offset;

	if (IS_ERR_OR_NULL(folio))
		return -EIO;
	offset = offset_in_folio(folio, pos);
	bytes = min3(bytes, folio_size(folio) - offset, (size_t)COPY_MAX);
	bytes = copy(folio_address(folio) + offset, bytes, iter);
	folio_put(folio);
	return bytes ? bytes : -EFAULT;
}

/* Copy up to the end of the dataspace; what was copied wins over an error */
static ssize_t copy_range(struct kiocb *iocb, struct iov_iter *iter,
			  copy_fn copy)
{
	struct dataspace *ds = dataspace_of(iocb->ki_filp);
	loff_t base = (loff_t)ds->start << PAGE_SHIFT;
	loff_t length = dataspace_length(ds);
	ssize_t done = 0;
	ssize_t ret = 0;

	while (iov_iter_count(iter) && iocb->ki_pos < length) {
		ret = copy_piece(ds->backing, base + iocb->ki_pos,
				 min_t(u64, iov_iter_count(iter),
				       length - iocb->ki_pos), iter, copy);
		if (ret < 0)
			break;
		iocb->ki_pos += ret;
		done += ret;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return done ? done : min_t(ssize_t, ret, 0);
}

/**
 * dataspace_read_iter - read from a dataspace
 * @iocb: file and position
 * @to: where to put the data
 *
 * Return: number of bytes, 0 at the end and past it, or -EFAULT, or -EIO if
 * the page was lost to a memory error.
 */
ssize_t dataspace_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return copy_range(iocb, to, copy_to);
}

/**
 * dataspace_write_iter - write to a dataspace
 * @iocb: file and position; to append is to write at the end
 * @from: the data
 *
 * Return: number of bytes, or -ENOSPC at the end and past it, -EFAULT, or -EIO
 * if the page was lost to a memory error.
 */
ssize_t dataspace_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	loff_t length = dataspace_length(dataspace_of(iocb->ki_filp));

	if (iocb->ki_flags & IOCB_APPEND)
		iocb->ki_pos = length;
	if (iov_iter_count(from) && iocb->ki_pos >= length)
		return -ENOSPC;
	return copy_range(iocb, from, copy_from);
}
