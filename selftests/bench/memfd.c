// SPDX-License-Identifier: GPL-2.0-only
/* The peers that are files of shmem or hugetlbfs. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define POOL "/proc/sys/vm/nr_hugepages"
#define THP "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("# %s: %s\n", path, strerror(errno));
	close(fd);
}

static int sized_memfd(size_t size, unsigned int flags)
{
	int fd = result(memfd_create("bench", flags | MFD_CLOEXEC));

	if (fd >= 0 && ftruncate(fd, size)) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static int filled_memfd(size_t size, unsigned int flags)
{
	int fd = sized_memfd(size, flags);

	if (fd >= 0 && fallocate(fd, 0, 0, size)) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* A memfd that udmabuf accepts. */
int memfd_with_memory(size_t size)
{
	int fd = filled_memfd(size, MFD_ALLOW_SEALING);

	if (fd >= 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

static int memfd_handle(int source, size_t size)
{
	return sized_memfd(size, 0);
}

static int empty_memfd_object(size_t size)
{
	return sized_memfd(size, 0);
}

static int memfd_object(size_t size)
{
	return filled_memfd(size, 0);
}

static int reopen(int source, size_t size)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", source);
	return result(open(path, O_RDONLY | O_CLOEXEC));
}

static int reopened_object(size_t size)
{
	int source = memfd_object(size);
	int fd;

	if (source < 0)
		return source;
	fd = reopen(source, size);
	close(source);
	return fd;
}

static int hugetlb_handle(int source, size_t size)
{
	return sized_memfd(size, MFD_HUGETLB);
}

static int hugetlb_object(size_t size)
{
	return filled_memfd(size, MFD_HUGETLB);
}

/*
 * Reserves huge pages for 1 GiB and for what is freed late; other kinds have
 * none.
 */
static void pool_fill(void)
{
	write_file(POOL, "516");
}

static void pool_drain(void)
{
	write_file(POOL, "0");
}

static void thp_on(void)
{
	write_file(THP, "always");
}

static void thp_off(void)
{
	write_file(THP, "never");
}

const struct kind memfd = {
	.name = "memfd",
	.prot = PROT_READ | PROT_WRITE,
	.handle = memfd_handle,
	.object = memfd_object,
};

const struct kind memfd_ro = {
	.name = "memfd ro",
	.prot = PROT_READ,
	.source = empty_memfd_object,
	.handle = reopen,
	.object = reopened_object,
};

const struct kind hugetlb = {
	.name = "hugetlb",
	.unit = 2 * MIB,
	.prot = PROT_READ | PROT_WRITE,
	.handle = hugetlb_handle,
	.object = hugetlb_object,
	.enter = pool_fill,
	.leave = pool_drain,
};

const struct kind shmem_thp = {
	.name = "shmem thp",
	.unit = 2 * MIB,
	.prot = PROT_READ | PROT_WRITE,
	.object = memfd_object,
	.enter = thp_on,
	.leave = thp_off,
};

/* These have none of their memory. */
const struct kind empty_memfd = {
	.name = "memfd",
	.prot = PROT_READ | PROT_WRITE,
	.object = empty_memfd_object,
};

const struct kind empty_thp = {
	.name = "shmem thp",
	.unit = 2 * MIB,
	.prot = PROT_READ | PROT_WRITE,
	.object = empty_memfd_object,
	.enter = thp_on,
	.leave = thp_off,
};
