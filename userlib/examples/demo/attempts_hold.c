// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Attempts to get hold of more than one was given: to pin pages, for which there
 * has to be a mapping or a dma-buf, and to make more dataspaces. They are made on
 * the board, of which the client has nothing but the right to read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dataspace.h>

#include "attempts.h"
#include "try.h"

static int map_readable(const struct part *part)
{
	return try_map(part, PROT_READ);
}

static int map_private(const struct part *part)
{
	void *got;

	got = mmap(NULL, part->length, PROT_READ, MAP_PRIVATE, part->ds, 0);
	if (got == MAP_FAILED)
		return -errno;
	munmap(got, part->length);
	return OUTCOME_SUCCESS;
}

static int close_if_open(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return OUTCOME_SUCCESS;
}

static int export(const struct part *part)
{
	return close_if_open(dataspace_export_dmabuf(part->ds, 0));
}

static int alias_readable(const struct part *part)
{
	return try_alias(part, DATASPACE_READ);
}

static int alias_clipped(const struct part *part)
{
	int ds = dataspace_alias(part->ds, 0, part->length, DATASPACE_RW,
				 DATASPACE_ALIAS_CLIP);

	return close_if_open(ds);
}

static int reopen(const struct part *part)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", part->ds);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : close_if_open(fd);
}

const struct attempt pin_attempts[PIN_ATTEMPTS] = {
	{ "mmap", map_readable, -EACCES },
	{ "mmap MAP_PRIVATE", map_private, -EACCES },
	{ "export as a dma-buf", export, -EPERM },
};

const struct attempt grow_attempts[GROW_ATTEMPTS] = {
	{ "alias of all of it", alias_readable, -EPERM },
	{ "alias with CLIP", alias_clipped, -EPERM },
	{ "open /proc/self/fd/N", reopen, -ENXIO },
};
