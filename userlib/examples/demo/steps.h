/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The way of the memory back to the kernel, step by step, and what each step
 * had to give back.
 */
#ifndef RAM_STEPS_H
#define RAM_STEPS_H

#include <stdint.h>

#include "service.h"

/* Before the chunk is allocated, and right after it. */
void steps_begin(void);
void steps_allocated(const struct service *service);

/*
 * From when one client is cut off, over the closing of the chunk, to the end of
 * the last client; prints all.
 */
void steps_end(struct service *service);

/* Bytes of the chunk that no client was given. */
uint64_t unassigned_bytes(void);

#endif /* RAM_STEPS_H */
