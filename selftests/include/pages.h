/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exact accounting on the pages themselves. The physical pages of a mapping are
 * taken down once; whether each of them is still held, or has gone back to the
 * kernel, is then read from the flags of the page, whoever maps it.
 */
#ifndef DATASPACE_PAGES_H
#define DATASPACE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

struct pages {
	size_t count;
	__u64 *pfn;
};

/*
 * Takes down the pages behind the mapping [@map, @map + @length), which are
 * touched for that. Returns 0 or -errno; needs CAP_SYS_ADMIN.
 */
int pages_of_map(struct pages *pages, const void *map, size_t length);
int pages_of_fd(struct pages *pages, int ds, size_t length);
void pages_forget(struct pages *pages);

/* For each of the pages [@first, @end) whether it is still held. */
void pages_look(const struct pages *pages, size_t first, size_t end,
		bool *held);

/* How many of the pages [@first, @end) are still held. */
size_t pages_held_in(const struct pages *pages, size_t first, size_t end);
size_t pages_held(const struct pages *pages);
bool page_held(const struct pages *pages, size_t page);

/* Whether each page follows on the one before. */
bool pages_contiguous(const struct pages *pages, size_t first, size_t end);

/* Waits until no more than @count are held, @timeout seconds at most. */
size_t pages_wait(const struct pages *pages, size_t count, double timeout);

/* Opens what tells about single pages, by their physical number; or -errno. */
int page_flags_open(void);
/* Whether the page still looks like one of a dataspace. */
bool page_flags_held(int flags, __u64 pfn);

/*
 * How many pages look like those of a dataspace in the whole system: what
 * other files have in memory is among them, so only a difference says much.
 */
long pages_held_by_anyone(void);

#endif
