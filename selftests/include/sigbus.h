/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and stores that may raise a signal and say which, in any number of
 * threads. A signal at any other time ends the process as usual.
 */
#ifndef DATASPACE_SIGBUS_H
#define DATASPACE_SIGBUS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* Once in each process that touches, before it does; forks inherit it. */
void sigbus_init(void);

/* 0, or the signal that it raised. */
int try_load(const void *at, __u64 *value);
int try_store(void *at, __u64 value);

/* Where the last signal of this thread said that it came from. */
void *sigbus_address(void);

/* Whether the touch raises SIGBUS for exactly that address. */
bool load_is_sigbus(const void *at);
bool store_is_sigbus(void *at);

/* Of how many pages that is true, at their first and at their last word. */
size_t pages_sigbus_on_load(const void *map, size_t pages);
size_t pages_sigbus_on_store(void *map, size_t pages);

#endif
