// SPDX-License-Identifier: GPL-2.0-only
/* Access by userfaultfd, with which a program handles faults itself. */
#include "access.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "common.h"

static int open_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

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

/* UFFDIO_MOVE is new in 6.8. */
struct move_request {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
	__s64 move;
};

#define MOVE_REQUEST _IOWR(UFFDIO, 0x05, struct move_request)

/* Registers the mapping with the first mode that works; or the last error. */
long access_userfaultfd(void *map, size_t length)
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

/* Makes a request about memory that is not registered. */
static long request(unsigned long cmd, void *arg)
{
	int fd = open_userfaultfd();
	long ret;

	if (fd < 0)
		return fd;
	ret = result(ioctl(fd, cmd, arg));
	close(fd);
	return ret;
}

static void *page_of_our_own(size_t length)
{
	return mmap(NULL, length, READ_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

long access_userfaultfd_copy(void *map, size_t length)
{
	struct uffdio_copy arg = {
		.dst = (uintptr_t)map,
		.src = (uintptr_t)page_of_our_own(length),
		.len = length,
	};

	return request(UFFDIO_COPY, &arg);
}

long access_userfaultfd_zero(void *map, size_t length)
{
	struct uffdio_zeropage arg = {
		.range = { .start = (uintptr_t)map, .len = length },
	};

	return request(UFFDIO_ZEROPAGE, &arg);
}

long access_userfaultfd_protect(void *map, size_t length)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (uintptr_t)map, .len = length },
	};

	return request(UFFDIO_WRITEPROTECT, &arg);
}

long access_userfaultfd_continue(void *map, size_t length)
{
	struct uffdio_continue arg = {
		.range = { .start = (uintptr_t)map, .len = length },
	};

	return request(UFFDIO_CONTINUE, &arg);
}

/* Moves the pages into a mapping that can be written to. */
long access_userfaultfd_move(void *map, size_t length)
{
	void *to = mmap(NULL, length, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);
	struct move_request arg = {
		.dst = (uintptr_t)to,
		.src = (uintptr_t)map,
		.len = length,
	};
	int fd = open_userfaultfd();
	long ret;

	if (fd < 0)
		return fd;
	ret = try_register(fd, to, length, UFFDIO_REGISTER_MODE_MISSING);
	if (!ret)
		ret = result(ioctl(fd, MOVE_REQUEST, &arg));
	close(fd);
	return ret;
}
