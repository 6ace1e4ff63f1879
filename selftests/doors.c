// SPDX-License-Identifier: GPL-2.0-only
/* One function for each way into a page; see the header. */
#include "doors.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/userfaultfd.h>

#include "common.h"
#include "uring.h"

/* What the doors try to put into the memory. */
static char intruder[64] = "intruder";

static int file_with_intruder(void)
{
	int file = memfd_create("intruder", MFD_CLOEXEC);

	if (file >= 0 && pwrite(file, intruder, sizeof(intruder), 0) < 0)
		return -errno;
	return file;
}

static int pipe_with_intruder(int ends[2])
{
	if (pipe(ends))
		return -errno;
	return write(ends[1], intruder, sizeof(intruder)) < 0 ? -errno : 0;
}

static void close_pipe(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

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

long door_ftruncate(int fd)
{
	return result(ftruncate(fd, 0));
}

long door_fallocate(int fd)
{
	return result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				0, page_size()));
}

long door_mprotect(void *map, size_t length)
{
	return result(mprotect(map, length, PROT_READ | PROT_WRITE));
}

long door_pkey_mprotect(void *map, size_t length)
{
	return result(syscall(SYS_pkey_mprotect, map, length,
			      PROT_READ | PROT_WRITE, -1));
}

/* The signal that ends a process that stores, or 0. */
long door_store(void *map)
{
	pid_t child = fork();
	int status;

	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		memcpy(map, intruder, sizeof(intruder));
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

long door_read_into(void *map)
{
	int ends[2];
	long ret;

	if (pipe_with_intruder(ends))
		return -EIO;
	ret = result(read(ends[0], map, sizeof(intruder)));
	close_pipe(ends);
	return ret;
}

long door_direct_read_into(void *map, const char *disk)
{
	int fd = open(disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return -errno;
	ret = result(pread(fd, map, page_size(), 0));
	close(fd);
	return ret;
}

long door_io_uring_read_into(void *map)
{
	int file = file_with_intruder();
	struct uring uring;
	long ret = uring_open(&uring);

	if (!ret) {
		ret = uring_transfer(&uring, IORING_OP_READ, file, map,
				     sizeof(intruder));
		uring_close(&uring);
	}
	close(file);
	return ret;
}

long door_io_uring_fixed(void *map, size_t length)
{
	struct uring uring;
	long ret = uring_open(&uring);

	if (ret)
		return ret;
	ret = uring_register(&uring, map, length);
	uring_close(&uring);
	return ret;
}

long door_proc_mem(void *map)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	long ret =
		result(pwrite(fd, intruder, sizeof(intruder), (uintptr_t)map));

	close(fd);
	return ret;
}

long door_ptrace(void *map)
{
	pid_t child = fork();
	long word, ret;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	memcpy(&word, intruder, sizeof(word));
	ret = result(ptrace(PTRACE_POKEDATA, child, map, (void *)word));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return ret;
}

long door_process_vm_writev(void *map)
{
	struct iovec from = { intruder, sizeof(intruder) };
	struct iovec to = { map, sizeof(intruder) };

	return result(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
}

static int open_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -errno;
	return fd;
}

static long try_register(int fd, void *map, size_t length, __u64 mode)
{
	struct uffdio_register arg = {
		.range = { .start = (uintptr_t)map, .len = length },
		.mode = mode,
	};

	return result(ioctl(fd, UFFDIO_REGISTER, &arg));
}

/* The first mode that works, or what the last one says. */
long door_userfaultfd(void *map, size_t length)
{
	const __u64 modes[] = { UFFDIO_REGISTER_MODE_MISSING,
				UFFDIO_REGISTER_MODE_WP,
				UFFDIO_REGISTER_MODE_MINOR };
	int fd = open_userfaultfd();
	long ret = fd;
	size_t i;

	if (fd < 0)
		return fd;
	for (i = 0; i < ARRAY_LENGTH(modes); i++) {
		ret = try_register(fd, map, length, modes[i]);
		if (!ret)
			break;
	}
	close(fd);
	return ret;
}

long door_remap_file_pages(void *map, size_t length)
{
	return result(syscall(SYS_remap_file_pages, map, length, 0, 0, 0));
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

long door_vmsplice_gift(void *map, size_t length)
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
	if (!ret)
		ret = result(pwrite(file, bytes, length, 0));
	free(bytes);
	close_pipe(ends);
	close(file);
	return ret;
}
