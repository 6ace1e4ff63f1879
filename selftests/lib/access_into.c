// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access by the mapping: the kernel or another process writes to it or reads
 * it.
 */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/futex.h>

#include "aio.h"
#include "common.h"
#include "pages.h"
#include "uring.h"

long access_read_into(void *map)
{
	int ends[2];
	long ret;

	if (pipe_with_payload(ends))
		return -EIO;
	ret = result(read(ends[0], map, sizeof(payload)));
	close_pipe(ends);
	return ret;
}

long access_readv_into(void *map)
{
	struct iovec iov = { map, sizeof(payload) };
	int ends[2];
	long ret;

	if (pipe_with_payload(ends))
		return -EIO;
	ret = result(readv(ends[0], &iov, 1));
	close_pipe(ends);
	return ret;
}

long access_receive_into(void *map)
{
	const size_t size = sizeof(payload);
	int ends[2];
	long ret;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -errno;
	if (send(ends[0], payload, size, 0) < 0)
		return -errno;
	ret = result(recv(ends[1], map, size, 0));
	close_pipe(ends);
	return ret;
}

long access_vmsplice_into(void *map)
{
	struct iovec iov = { map, sizeof(payload) };
	int ends[2];
	long ret;

	if (pipe_with_payload(ends))
		return -EIO;
	ret = result(vmsplice(ends[0], &iov, 1, 0));
	close_pipe(ends);
	return ret;
}

long access_direct_read_into(void *map, const char *disk)
{
	int fd = open(disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = result(pread(fd, map, page_size(), 0));
	close(fd);
	return ret;
}

long access_aio_read_into(void *map)
{
	int file = file_with_payload();
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = file,
		.aio_buf = (uintptr_t)map,
		.aio_nbytes = sizeof(payload),
	};
	long ret = aio_do(&request);

	close(file);
	return ret;
}

long access_io_uring_read_into(void *map)
{
	int file = file_with_payload();
	struct uring uring;
	long ret = uring_open(&uring);

	if (!ret) {
		ret = uring_transfer(&uring, IORING_OP_READ, file, map,
				     sizeof(payload));
		uring_close(&uring);
	}
	close(file);
	return ret;
}

long access_io_uring_fixed(void *map, size_t length)
{
	struct uring uring;
	long ret = uring_open(&uring);

	if (ret)
		return ret;
	ret = uring_register(&uring, map, length);
	uring_close(&uring);
	return ret;
}

long access_getrandom(void *map)
{
	return result(getrandom(map, 8, 0));
}

/* FUTEX_WAKE_OP adds one to the word at @map. */
long access_futex(void *map)
{
	const int add = FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0);
	int word = 0;

	return result(syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, map, add));
}

long access_proc_mem(void *map)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	off_t at = (uintptr_t)map;
	long ret = result(pwrite(fd, payload, sizeof(payload), at));

	close(fd);
	return ret;
}

long access_ptrace(void *map)
{
	pid_t child = fork();
	long word, ret;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	memcpy(&word, payload, sizeof(word));
	ret = result(ptrace(PTRACE_POKEDATA, child, map, (void *)word));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return ret;
}

long access_process_vm_writev(void *map)
{
	struct iovec from = { payload, sizeof(payload) };
	struct iovec to = { map, sizeof(payload) };

	return result(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
}

long access_process_madvise(void *map, size_t length)
{
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	const int advice = MADV_FREE;
	struct iovec iov = { map, length };
	long ret = syscall(SYS_process_madvise, pidfd, &iov, 1, advice, 0);

	ret = result(ret);
	close(pidfd);
	return ret;
}

static long splice_all(int pipe, int file, size_t length)
{
	ssize_t moved;

	while (length) {
		moved = splice(pipe, NULL, file, NULL, length, SPLICE_F_MOVE);
		if (moved <= 0)
			return -errno;
		length -= moved;
	}
	return 0;
}

long access_vmsplice_gift(void *map, size_t length)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	struct iovec iov = { map, length };
	char *bytes = calloc(1, length);
	int ends[2];
	long ret;

	if (pipe(ends))
		return -errno;
	ret = result(vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT));
	if (ret > 0)
		ret = splice_all(ends[0], file, ret);
	if (!ret && pwrite(file, bytes, length, 0) != length)
		ret = -EIO;
	free(bytes);
	close_pipe(ends);
	close(file);
	return ret;
}

/* /proc/self/pagemap tells the physical address only with CAP_SYS_ADMIN. */
long access_dev_mem(void *map)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	struct pages pages;
	long ret;

	if (fd < 0)
		return errno == ENOENT ? NOT_AVAILABLE : -errno;
	ret = pages_of_map(&pages, map, page_size());
	if (!ret)
		ret = result(pwrite(fd, payload, sizeof(payload),
				    pages.pfn[0] * page_size()));
	pages_forget(&pages);
	close(fd);
	return ret;
}

long access_process_vm_readv_past(void *map, size_t length)
{
	struct iovec to = { seen, page_size() };
	struct iovec from = { (char *)map + length, page_size() };

	return result(process_vm_readv(getpid(), &to, 1, &from, 1, 0));
}

long access_proc_mem_past(void *map, size_t length)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	off_t at = (uintptr_t)map + length;
	long ret = result(pread(fd, seen, page_size(), at));

	close(fd);
	return ret;
}

/* The kernel reads behind the mapping on behalf of the process. */
long access_write_from_past(void *map, size_t length)
{
	int ends[2];
	long ret;

	if (pipe(ends))
		return -errno;
	ret = result(write(ends[1], (char *)map + length, page_size()));
	if (ret > 0)
		ret = result(read(ends[0], seen, ret));
	close_pipe(ends);
	return ret;
}
