/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds out which physical pages have gone back to the kernel. The pages of a
 * mapping are noted once; later the flags of each page tell whether it is still
 * in use, whether or not it is mapped.
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
 * Notes the pages of the mapping [@map, @map + @length), which this touches.
 * Returns 0 or -errno; needs CAP_SYS_ADMIN.
 */
int pages_of_map(struct pages *pages, const void *map, size_t length);
int pages_of_fd(struct pages *pages, int ds, size_t length);
void pages_forget(struct pages *pages);

/* Whether each of the pages [@first, @end) is still held. */
void pages_look(const struct pages *pages, size_t first, size_t end,
		bool *held);

/* How many of the pages [@first, @end), or of all, are still held. */
size_t pages_held_in(const struct pages *pages, size_t first, size_t end);
size_t pages_held(const struct pages *pages);
bool page_held(const struct pages *pages, size_t page);

/* Whether the pages are physically contiguous. */
bool pages_contiguous(const struct pages *pages, size_t first, size_t end);

/* Waits until no more than @count are held, @timeout seconds at most. */
size_t pages_wait(const struct pages *pages, size_t count, double timeout);

/* Opens the file with the flags of all physical pages; or -errno. */
int page_flags_open(void);
/* Whether the page still looks like one of a dataspace. */
bool page_flags_held(int flags, __u64 pfn);
/* Whether the page has a memory error. */
bool page_flags_lost(int flags, __u64 pfn);

/*
 * How many pages of the whole machine look like those of a dataspace. Pages of
 * other files are among them, so only a difference means something.
 */
long pages_held_by_anyone(void);

#endif
