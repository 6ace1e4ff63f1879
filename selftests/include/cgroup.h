/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory cgroups (version 2), which a test makes and removes. */
#ifndef DATASPACE_CGROUP_H
#define DATASPACE_CGROUP_H

#include <stdbool.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

/* Whether there is a version 2 hierarchy with the memory controller. */
bool cgroup_usable(void);

/* Groups are named by their path below the root of the hierarchy. */
int cgroup_make(const char *group);
int cgroup_remove(const char *group);
/* Lets the children of @group have the memory controller. */
int cgroup_share_memory(const char *group);
int cgroup_join(const char *group);
int cgroup_set(const char *group, const char *file, const char *value);
long long cgroup_number(const char *group, const char *file, const char *key);

/*
 * The bytes that @group is charged for the page cache. The kernel sums them up
 * lazily, so this waits some seconds until they are @want.
 */
long long cgroup_file_bytes(const char *group, long long want);

#endif
