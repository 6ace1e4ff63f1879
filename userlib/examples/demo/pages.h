/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Which physical pages some memory has, and which of them are still held: the
 * kernel's own record of each page, not a count of free memory, which moves
 * for a thousand reasons. Needs CAP_SYS_ADMIN.
 */
#ifndef RAM_PAGES_H
#define RAM_PAGES_H

#include <stddef.h>
#include <stdint.h>

struct pages {
	size_t count;
	uint64_t *frames;
};

/* Notes the frames behind a mapping; touches all of it. */
void pages_note(struct pages *pages, const void *memory, size_t bytes);

/* How many of the frames are held by a dataspace. */
size_t pages_held(const struct pages *pages);

/* In how many physically contiguous runs they lie. */
size_t pages_runs(const struct pages *pages);

/*
 * Free memory in the system, in bytes, with what the processors keep free for
 * themselves, which MemFree leaves out.
 */
uint64_t memory_free(void);

/* A line "name: n kB" of /proc/meminfo, in bytes. */
uint64_t memory_account(const char *name);

#endif /* RAM_PAGES_H */
