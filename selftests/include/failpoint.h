/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocations of this thread that fail: /proc/self/fail-nth. */
#ifndef DATASPACE_FAILPOINT_H
#define DATASPACE_FAILPOINT_H

#include <stdbool.h>

/* Whether the kernel can let allocations fail. */
bool failpoint_possible(void);

/* From here on the @nth of what can fail fails. 0 or -errno. */
int failpoint_arm(unsigned int nth);

/* Nothing fails any more. Whether something has. */
bool failpoint_disarm(void);

/*
 * The kernel warns of some of its own allocations that fail. Has the console
 * show only what is as urgent as an error; returns the level for later.
 */
long long failpoint_hush(void);
void failpoint_speak(long long level);

#endif
