/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which places in the module a thread passes: the module is built with
 * KCOV_INSTRUMENT=y, and nothing else is, so each place is one of its own.
 */
#ifndef DATASPACE_KCOV_H
#define DATASPACE_KCOV_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* Places that are known, as a hash table. */
#define PLACES_MAX 16384

struct places {
	__u64 at[PLACES_MAX];
	size_t count;
};

/* Whether the place was not known. */
bool places_add(struct places *places, __u64 place);

/* From here on, in this thread; 0 or -errno. */
int kcov_start(void);
/* Forget what was passed until now. */
void kcov_reset(void);
/* What was passed since, each place any number of times. */
size_t kcov_passed(const __u64 **passed);

#endif
