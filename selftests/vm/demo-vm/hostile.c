// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a server does that somebody has taken over: it is loaded into one, and tries to
 * reach a byte beside each dataspace that the server has got. Servers of vhost-user
 * close the descriptor when they have mapped it, so that is the moment.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dataspace.h>

#define PAGE 4096

static void tell(const char *what, bool reached)
{
	const char *refusal = errno ? strerror(errno) : "nothing is there";

	dprintf(STDERR_FILENO, "hostile: %s: %s\n", what,
		reached ? "REACHED" : refusal);
}

static bool can_map(int fd, size_t length, off_t offset)
{
	return mmap(NULL, length, PROT_READ, MAP_SHARED, fd, offset) !=
	       MAP_FAILED;
}

/* Such a mapping as the server has, made longer. */
static bool can_grow(int fd, size_t length)
{
	void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);

	if (mremap(map, length, length + PAGE, MREMAP_MAYMOVE) != MAP_FAILED)
		return true;
	return munmap(map, length) != 0;
}

static bool can_alias(int fd, uint64_t offset, uint64_t length)
{
	int ret = dataspace_alias(fd, offset, length, DATASPACE_READ, 0);

	errno = ret < 0 ? -ret : 0;
	return ret >= 0;
}

static bool can_open(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags) >= 0;
}

static void try_all(int fd, uint64_t length)
{
	char byte;

	errno = 0;
	tell("read behind the end", pread(fd, &byte, 1, length) != 0);
	tell("map the page behind the end", can_map(fd, PAGE, length));
	tell("map a page more", can_map(fd, length + PAGE, 0));
	tell("make the mapping longer", can_grow(fd, length));
	tell("alias of the page behind the end", can_alias(fd, length, PAGE));
	tell("alias of a page more", can_alias(fd, 0, length + PAGE));
	tell("open it anew, to read", can_open(fd, O_RDONLY));
	tell("open it anew, to write", can_open(fd, O_RDWR));
}

int close(int fd)
{
	int (*next)(int fd) = (int (*)(int fd))dlsym(RTLD_NEXT, "close");
	struct dataspace_info info;
	int saved = errno;

	if (dataspace_info(fd, &info, sizeof(info)) >= 0)
		try_all(fd, info.length);
	errno = saved;
	return next(fd);
}
