// SPDX-License-Identifier: GPL-2.0-only
/* Doors of a descriptor: it is written to, or what comes out of it is. */
#include "door.h"

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

long door_write(int fd)
{
	return result(write(fd, intruder, sizeof(intruder)));
}

long door_pwrite(int fd)
{
	return result(pwrite(fd, intruder, sizeof(intruder), 0));
}

long door_writev(int fd)
{
	struct iovec iov = { intruder, sizeof(intruder) };

	return result(writev(fd, &iov, 1));
}

long door_pwritev2(int fd)
{
	struct iovec iov = { intruder, sizeof(intruder) };

	return result(pwritev2(fd, &iov, 1, 0, RWF_APPEND));
}

long door_aio_write(int fd)
{
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_fildes = fd,
		.aio_buf = (uintptr_t)intruder,
		.aio_nbytes = sizeof(intruder),
	};

	return aio_do(&request);
}

long door_splice(int fd)
{
	off_t offset = 0;
	int ends[2];
	long ret;

	if (pipe_with_intruder(ends))
		return -EIO;
	ret = result(splice(ends[0], NULL, fd, &offset, sizeof(intruder), 0));
	close_pipe(ends);
	return ret;
}

long door_vmsplice(int fd)
{
	struct iovec iov = { intruder, sizeof(intruder) };

	return result(vmsplice(fd, &iov, 1, 0));
}

long door_tee(int fd)
{
	int ends[2];
	long ret;

	if (pipe_with_intruder(ends))
		return -EIO;
	ret = result(tee(ends[0], fd, sizeof(intruder), 0));
	close_pipe(ends);
	return ret;
}

long door_sendfile(int fd)
{
	int file = file_with_intruder();
	off_t offset = 0;
	long ret = result(sendfile(fd, file, &offset, sizeof(intruder)));

	close(file);
	return ret;
}

long door_copy_file_range(int fd)
{
	int file = file_with_intruder();
	off_t from = 0, to = 0;
	size_t size = sizeof(intruder);
	long ret = copy_file_range(file, &from, fd, &to, size, 0);

	ret = result(ret);
	close(file);
	return ret;
}

long door_io_uring_write(int fd)
{
	struct uring uring;
	long ret = uring_open(&uring);

	if (ret)
		return ret;
	ret = uring_transfer(&uring, IORING_OP_WRITE, fd, intruder,
			     sizeof(intruder));
	uring_close(&uring);
	return ret;
}

long door_clone_range(int fd)
{
	struct file_clone_range arg = { .src_length = sizeof(intruder) };
	int file = file_with_intruder();
	long ret;

	arg.src_fd = file;
	ret = result(ioctl(fd, FICLONERANGE, &arg));
	close(file);
	return ret;
}

/* A pipe with the first bytes of the dataspace. */
static long splice_out(int fd, int ends[2], size_t size)
{
	off_t offset = 0;

	if (pipe(ends))
		return -errno;
	return result(splice(fd, &offset, ends[1], NULL, size, SPLICE_F_MOVE));
}

/* Moves what is in the pipe into a file, if core lets it, and writes there. */
static long move_and_overwrite(int pipe, size_t size)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	long ret = result(splice(pipe, NULL, file, NULL, size, SPLICE_F_MOVE));

	if (ret > 0)
		ret = overwrite(file);
	close(file);
	return ret;
}

long door_splice_move(int fd)
{
	int ends[2];
	long ret = splice_out(fd, ends, page_size());

	if (ret < 0)
		return ret;
	ret = move_and_overwrite(ends[0], page_size());
	close_pipe(ends);
	return ret;
}

long door_splice_tee(int fd)
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

/* What is written to a pipe may end up in the page that is there already. */
long door_splice_into_pipe(int fd)
{
	const size_t page = page_size();
	int ends[2];
	long ret;

	if (pipe(ends))
		return -errno;
	if (write(ends[1], sight, page) < 0 || read(ends[0], sight, page) < 0)
		return -errno;
	ret = result(splice(fd, NULL, ends[1], NULL, 1, 0));
	if (ret > 0)
		ret = result(write(ends[1], intruder, sizeof(intruder)));
	close_pipe(ends);
	return ret;
}

long door_sendfile_from(int fd)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	off_t offset = 0;
	long ret = result(sendfile(file, fd, &offset, page_size()));

	if (ret > 0)
		ret = overwrite(file);
	close(file);
	return ret;
}

/* From file system to file system it is not done by the kernel. */
long door_copy_file_range_from(int fd)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	off_t from = 0, to = 0;
	long ret = copy_file_range(fd, &from, file, &to, page_size(), 0);

	ret = result(ret);
	close(file);
	return ret;
}
