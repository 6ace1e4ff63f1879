// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

#define PATH_SIZE 256

/* A group is busy for a moment after its last process has ended. */
#define REMOVE_TRIES 200
#define REMOVE_PAUSE_US 10000

static const char *path_of(char *path, const char *group, const char *file)
{
	snprintf(path, PATH_SIZE, "/sys/fs/cgroup/%s/%s", group, file);
	return path;
}

void cgroup_make(const char *group)
{
	char path[PATH_SIZE];

	if (mkdir(path_of(path, group, ""), 0755) && errno != EEXIST)
		die(path, -errno);
}

void cgroup_remove(const char *group)
{
	char path[PATH_SIZE];
	int tries = 0;

	path_of(path, group, "");
	while (rmdir(path)) {
		if (errno != EBUSY || ++tries == REMOVE_TRIES)
			die(path, -errno);
		usleep(REMOVE_PAUSE_US);
	}
}

void cgroup_set(const char *group, const char *file, const char *text)
{
	char path[PATH_SIZE];
	int fd = open(path_of(path, group, file), O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path, -errno);
	close(fd);
}

void cgroup_share_memory(const char *group)
{
	cgroup_set(group, "cgroup.subtree_control", "+memory");
}

void cgroup_join(const char *group)
{
	cgroup_set(group, "cgroup.procs", "0");
}

uint64_t cgroup_number(const char *group, const char *file, const char *name)
{
	unsigned long long number;
	char path[PATH_SIZE];
	char found[64];
	FILE *stream = fopen(path_of(path, group, file), "re");

	if (!stream)
		die(path, -errno);
	while (fscanf(stream, "%63s %llu", found, &number) == 2) {
		if (strcmp(found, name))
			continue;
		fclose(stream);
		return number;
	}
	die(path, -ENOTSUP);
}
