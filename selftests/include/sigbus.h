/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads and stores that tell which signal they raise, in any number of threads.
 * A signal at any other time kills the process as usual.
 */
#ifndef DATASPACE_SIGBUS_H
#define DATASPACE_SIGBUS_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* To be called once in each process before the others; forks inherit it. */
void sigbus_init(void);

/* 0, or the signal that was raised. */
int try_load(const void *at, __u64 *value);
int try_store(void *at, __u64 value);

/* The address of the last signal of this thread. */
void *sigbus_address(void);

/* Whether the access raises SIGBUS for exactly that address. */
bool load_is_sigbus(const void *at);
bool store_is_sigbus(void *at);

/* For how many pages that is true, at their first and at their last word. */
size_t pages_sigbus_on_load(const void *map, size_t pages);
size_t pages_sigbus_on_store(void *map, size_t pages);

#endif
