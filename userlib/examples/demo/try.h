/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Single operations on a dataspace, each tried and undone, with how it ended
 * as an outcome (attempts.h).
 */
#ifndef RAM_TRY_H
#define RAM_TRY_H

#include <stdint.h>

#include "attempts.h"

/* Through the mapping. What is stored is what is there, if one can know it. */
int try_load(const struct part *part);
int try_store(const struct part *part);

/* All of the dataspace, newly mapped with @prot. */
int try_map(const struct part *part, int prot);
/* mprotect() to writable of a new mapping that is only readable. */
int try_protect_writable(const struct part *part);

int try_pread(const struct part *part);
int try_pwrite(const struct part *part);

/* An alias of all of it. */
int try_alias(const struct part *part, uint32_t rights);

#endif /* RAM_TRY_H */
