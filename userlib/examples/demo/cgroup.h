/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Memory cgroups, by the files of the version 2 hierarchy. A group is named by its
 * path below the root. What fails ends the program.
 */
#ifndef RAM_CGROUP_H
#define RAM_CGROUP_H

#include <stdint.h>

void cgroup_make(const char *group);
void cgroup_remove(const char *group);

/* Lets the groups right below @group have limits and accounts of memory. */
void cgroup_share_memory(const char *group);

/* Moves the calling process. */
void cgroup_join(const char *group);

void cgroup_set(const char *group, const char *file, const char *text);

/* The number of the line "@name number" of a file. */
uint64_t cgroup_number(const char *group, const char *file, const char *name);

#endif /* RAM_CGROUP_H */
