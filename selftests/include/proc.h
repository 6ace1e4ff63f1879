/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads files of /proc and the kernel log. */
#ifndef DATASPACE_PROC_H
#define DATASPACE_PROC_H

#include <stdbool.h>
#include <stddef.h>

/* The text of a file of /proc, terminated; the length or -errno. */
long proc_read(const char *path, char *text, size_t size);

/* The line of /proc/self/maps that begins at @map, without the newline. */
int maps_line(const void *map, char *line, size_t size);

/* A value in kB of the mapping at @map in /proc/self/smaps, or -1. */
long smaps_kb(const void *map, const char *key);

/* Minor faults of this process so far. */
long minor_faults(void);

/* How many NUMA nodes the machine has, numbered from 0. */
int count_nodes(void);

/* Bytes of free memory, with what is in per-CPU lists. */
unsigned long long free_memory(void);

/* Opens the kernel log from here on; or -errno. */
int log_open(void);
/* Whether a line since the last call contains @text. */
bool log_has(int log, const char *text);

#endif
