// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Attempts to get from one's own dataspace at the memory next to it. They are
 * made on the private part, with all rights that one can have.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dataspace.h>

#include "attempts.h"

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static int map_at(const struct part *part, size_t length, off_t offset)
{
	void *got;

	got = mmap(NULL, length, PROT_READ, MAP_SHARED, part->ds, offset);
	if (got == MAP_FAILED)
		return -errno;
	munmap(got, length);
	return OUTCOME_SUCCESS;
}

static int map_behind_end(const struct part *part)
{
	return map_at(part, page_size(), part->length);
}

static int map_across_end(const struct part *part)
{
	return map_at(part, part->length + page_size(), 0);
}

/* Adjacent in memory and in the file: what the kernel may merge into one. */
static int map_next_to_own(const struct part *part)
{
	size_t both = part->length + page_size();
	unsigned char *place;
	int outcome = OUTCOME_SUCCESS;

	place = mmap(NULL, both, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (place == MAP_FAILED)
		return -errno;
	if (mmap(place, part->length, PROT_READ, MAP_SHARED | MAP_FIXED,
		 part->ds, 0) == MAP_FAILED ||
	    mmap(place + part->length, page_size(), PROT_READ,
		 MAP_SHARED | MAP_FIXED, part->ds, part->length) == MAP_FAILED)
		outcome = -errno;
	munmap(place, both);
	return outcome;
}

static int grow_mapping(const struct part *part)
{
	size_t longer = part->length + page_size();

	if (mremap(part->map, part->length, longer, MREMAP_MAYMOVE) ==
	    MAP_FAILED)
		return -errno;
	return OUTCOME_SUCCESS;
}

static int read_at_end(const struct part *part)
{
	char byte;
	ssize_t got = pread(part->ds, &byte, 1, part->length);

	return got < 0 ? -errno : got;
}

static int write_at_end(const struct part *part)
{
	ssize_t put = pwrite(part->ds, "x", 1, part->length);

	return put < 0 ? -errno : put;
}

static int alias_at(const struct part *part, uint64_t offset, uint64_t length)
{
	int ds = dataspace_alias(part->ds, offset, length, DATASPACE_RO, 0);

	if (ds < 0)
		return ds;
	close(ds);
	return OUTCOME_SUCCESS;
}

static int alias_behind_end(const struct part *part)
{
	return alias_at(part, part->length, page_size());
}

static int alias_across_end(const struct part *part)
{
	return alias_at(part, part->length - page_size(), 2 * page_size());
}

static int alias_that_wraps(const struct part *part)
{
	return alias_at(part, -(uint64_t)page_size(), 2 * page_size());
}

static int grow_file(const struct part *part)
{
	if (ftruncate(part->ds, part->length + page_size()))
		return -errno;
	return OUTCOME_SUCCESS;
}

static int reopen(const struct part *part)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", part->ds);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return OUTCOME_SUCCESS;
}

const struct attempt reach_attempts[REACH_ATTEMPTS] = {
	{ "mmap behind the end", map_behind_end, -EINVAL },
	{ "mmap across the end", map_across_end, -EINVAL },
	{ "mmap adjacent to own mapping", map_next_to_own, -EINVAL },
	{ "mremap to grow the mapping", grow_mapping, -EFAULT },
	{ "pread at the end", read_at_end, 0 },
	{ "pwrite at the end", write_at_end, -ENOSPC },
	{ "alias behind the end", alias_behind_end, -EINVAL },
	{ "alias across the end", alias_across_end, -EINVAL },
	{ "alias whose end wraps", alias_that_wraps, -EINVAL },
	{ "ftruncate to grow the file", grow_file, -EINVAL },
	{ "open /proc/self/fd/N", reopen, -ENXIO },
};
