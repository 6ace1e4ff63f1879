// SPDX-License-Identifier: GPL-2.0-only
/* Memory cgroups by files of the version 2 hierarchy. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"
#include "proc.h"

#define PATH_SIZE 256

/* The kernel sums up every two seconds. */
#define STAT_TIMEOUT 8

static const char *path_of(char *path, const char *group, const char *file)
{
	snprintf(path, PATH_SIZE, CGROUP_ROOT "/%s/%s", group, file);
	return path;
}

bool cgroup_usable(void)
{
	char text[256];

	return proc_read(CGROUP_ROOT "/cgroup.controllers", text,
			 sizeof(text)) > 0 &&
	       strstr(text, "memory");
}

int cgroup_make(const char *group)
{
	char path[PATH_SIZE];

	return result(mkdir(path_of(path, group, ""), 0755));
}

/* A group is busy for a moment after its last process has exited. */
int cgroup_remove(const char *group)
{
	double end = seconds() + 5;
	char path[PATH_SIZE];
	int ret;

	path_of(path, group, "");
	do {
		ret = result(rmdir(path));
		if (ret != -EBUSY)
			break;
		usleep(10000);
	} while (seconds() < end);
	return ret;
}

int cgroup_set(const char *group, const char *file, const char *value)
{
	char path[PATH_SIZE];

	return text_to_file(path_of(path, group, file), value);
}

int cgroup_share_memory(const char *group)
{
	return cgroup_set(group, "cgroup.subtree_control", "+memory");
}

int cgroup_join(const char *group)
{
	return cgroup_set(group, "cgroup.procs", "0");
}

long long cgroup_number(const char *group, const char *file, const char *key)
{
	char path[PATH_SIZE];

	return number_in_file(path_of(path, group, file), key);
}

long long cgroup_file_bytes(const char *group, long long want)
{
	double end = seconds() + STAT_TIMEOUT;
	long long bytes;

	do {
		bytes = cgroup_number(group, "memory.stat", "file ");
		if (bytes == want)
			break;
		usleep(50000);
	} while (seconds() < end);
	return bytes;
}
