/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which places in the module a thread executes: only the module is built with
 * KCOV_INSTRUMENT=y.
 */
#ifndef DATASPACE_KCOV_H
#define DATASPACE_KCOV_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* The places that are known, as a hash table. */
#define PLACES_MAX 16384

struct places {
	__u64 at[PLACES_MAX];
	size_t count;
};

/* Adds a place; whether it is new. */
bool places_add(struct places *places, __u64 place);

/* Starts recording this thread; 0 or -errno. */
int kcov_start(void);
/* Forgets what was recorded. */
void kcov_reset(void);
/* The places that were executed since, with repetitions. */
size_t kcov_passed(const __u64 **passed);

#endif
