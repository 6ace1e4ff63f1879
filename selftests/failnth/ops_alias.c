// SPDX-License-Identifier: GPL-2.0-only
/* Aliases, and what the kernel tells about them: rules 5, 15 and 24. */
#include "operation.h"

#include <stdio.h>

#include "common.h"
#include "control.h"

static long run_alias(struct fixture *fixture)
{
	fixture->fd = ds_alias_pages(fixture->alias, 10, 20, RIGHTS_R);
	return fixture->fd;
}

static bool alias_works(struct fixture *fixture)
{
	return !pattern_wrong_fd(fixture->fd, 10, ALIAS_FIRST + 10) &&
	       !ds_ready(fixture->alias);
}

static long run_info(struct fixture *fixture)
{
	struct dataspace_info info;

	return ds_info(fixture->alias, &info);
}

static long read_file(const char *path)
{
	char buffer[4096];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	long ret;

	if (file < 0)
		return -errno;
	do {
		ret = result(read(file, buffer, sizeof(buffer)));
	} while (ret > 0);
	close(file);
	return ret;
}

static long run_fdinfo(struct fixture *fixture)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fixture->alias);
	return read_file(path);
}

static long run_maps(struct fixture *fixture)
{
	return read_file("/proc/self/maps");
}

const struct operation op_alias = {
	.run = run_alias,
	.works = alias_works,
	.least = 3,
};

const struct operation op_info = {
	.run = run_info,
};

const struct operation op_fdinfo = {
	.run = run_fdinfo,
	.least = 3,
};

const struct operation op_maps = {
	.prepare = have_map,
	.run = run_maps,
	.least = 3,
};
