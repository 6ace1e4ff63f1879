/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lets allocations of this thread fail: /proc/self/fail-nth; or those of pages by the
 * kernel's own threads.
 */
#ifndef DATASPACE_FAILPOINT_H
#define DATASPACE_FAILPOINT_H

#include <stdbool.h>

/* Whether the kernel can inject failures. */
bool failpoint_possible(void);

/* Lets the @nth call from now on fail that can; 0 or -errno. */
int failpoint_arm(unsigned int nth);

/* Ends that; whether something has failed. */
bool failpoint_disarm(void);

/*
 * From now on no thread of the kernel gets a page, unless it must not fail; or all do
 * again. 0 or -errno.
 */
int failpoint_starve_kernel(bool starve);

/*
 * The kernel warns when some of its own allocations fail. Has the console show
 * only errors; returns the level to go back to.
 */
long long failpoint_hush(void);
void failpoint_speak(long long level);

#endif
