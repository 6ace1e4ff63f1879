// SPDX-License-Identifier: GPL-2.0-only
/* Access by the descriptor: writing to it, or to what was read from it. */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fs.h>

#include "aio.h"
#include "common.h"
#include "uring.h"

long access_write(int fd)
{
	return result(write(fd, payload, sizeof(payload)));
}

long access_pwrite(int fd)
{
	return result(pwrite(fd, payload, sizeof(payload), 0));
}

long access_writev(int fd)
{
	struct iovec iov = { payload, sizeof(payload) };

	return result(writev(fd, &iov, 1));
}

long access_pwritev2(int fd)
{
	struct iovec iov = { payload, sizeof(payload) };

	return result(pwritev2(fd, &iov, 1, 0, RWF_APPEND));
}

long access_aio_write(int fd)
{
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)payload,
		.aio_nbytes = sizeof(payload),
	};

	return aio_do(&request);
}

long access_splice(int fd)
{
	off_t offset = 0;
	int ends[2];
	long ret;

	if (pipe_with_payload(ends))
		return -EIO;
	ret = result(splice(ends[0], NULL, fd, &offset, sizeof(payload), 0));
	close_pipe(ends);
	return ret;
}

long access_vmsplice(int fd)
{
	struct iovec iov = { payload, sizeof(payload) };

	return result(vmsplice(fd, &iov, 1, 0));
}

long access_tee(int fd)
{
	int ends[2];
	long ret;

	if (pipe_with_payload(ends))
		return -EIO;
	ret = result(tee(ends[0], fd, sizeof(payload), 0));
	close_pipe(ends);
	return ret;
}

long access_sendfile(int fd)
{
	int file = file_with_payload();
	off_t offset = 0;
	long ret = result(sendfile(fd, file, &offset, sizeof(payload)));

	close(file);
	return ret;
}

long access_copy_file_range(int fd)
{
	int file = file_with_payload();
	off_t from = 0, to = 0;
	size_t size = sizeof(payload);
	long ret = copy_file_range(file, &from, fd, &to, size, 0);

	ret = result(ret);
	close(file);
	return ret;
}

long access_io_uring_write(int fd)
{
	struct uring uring;
	long ret = uring_open(&uring);

	if (ret)
		return ret;
	ret = uring_transfer(&uring, IORING_OP_WRITE, fd, payload,
			     sizeof(payload));
	uring_close(&uring);
	return ret;
}

long access_clone_range(int fd)
{
	struct file_clone_range arg = { .src_length = sizeof(payload) };
	int file = file_with_payload();
	long ret;

	arg.src_fd = file;
	ret = result(ioctl(fd, FICLONERANGE, &arg));
	close(file);
	return ret;
}

/* Makes a pipe with the first bytes of the dataspace. */
static long splice_out(int fd, int ends[2], size_t size)
{
	off_t offset = 0;

	if (pipe(ends))
		return -errno;
	return result(splice(fd, &offset, ends[1], NULL, size, SPLICE_F_MOVE));
}

/*
 * Moves pages from the pipe into a file, if the VFS does that, and writes
 * there.
 */
static long move_and_overwrite(int pipe, size_t size)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	long ret = result(splice(pipe, NULL, file, NULL, size, SPLICE_F_MOVE));

	if (ret > 0)
		ret = overwrite(file);
	close(file);
	return ret;
}

long access_splice_move(int fd)
{
	int ends[2];
	long ret = splice_out(fd, ends, page_size());

	if (ret < 0)
		return ret;
	ret = move_and_overwrite(ends[0], page_size());
	close_pipe(ends);
	return ret;
}

long access_splice_tee(int fd)
{
	int ends[2], others[2];
	long ret = splice_out(fd, ends, page_size());

	if (ret < 0 || pipe(others))
		return -errno;
	ret = result(tee(ends[0], others[1], page_size(), 0));
	if (ret > 0)
		ret = move_and_overwrite(others[0], page_size());
	close_pipe(others);
	close_pipe(ends);
	return ret;
}

/* A write to a pipe may be appended to the page that is in the pipe already. */
long access_splice_into_pipe(int fd)
{
	const size_t page = page_size();
	int ends[2];
	long ret;

	if (pipe(ends))
		return -errno;
	if (write(ends[1], seen, page) < 0 || read(ends[0], seen, page) < 0)
		return -errno;
	ret = result(splice(fd, NULL, ends[1], NULL, 1, 0));
	if (ret > 0)
		ret = result(write(ends[1], payload, sizeof(payload)));
	close_pipe(ends);
	return ret;
}

long access_sendfile_from(int fd)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	off_t offset = 0;
	long ret = result(sendfile(file, fd, &offset, page_size()));

	if (ret > 0)
		ret = overwrite(file);
	close(file);
	return ret;
}

/* The VFS does not copy from one file system to another by itself. */
long access_copy_file_range_from(int fd)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	off_t from = 0, to = 0;
	long ret = copy_file_range(fd, &from, file, &to, page_size(), 0);

	ret = result(ret);
	close(file);
	return ret;
}
