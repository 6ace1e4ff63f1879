// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of a dataspace is uptodate, and neither anonymous nor of tmpfs. That
 * is so while anybody has a reference to it, even after it has left the
 * dataspace, so a page that leaks counts as held. A page that went back to the
 * kernel has lost all of its flags, and its next use gives it other ones.
 * /proc/kpagecount would not do: it counts mappings, and a page can be held
 * without one.
 */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include "common.h"

/* The uapi header does not have this one. */
#define KPF_RESERVED 32

#define FLAG(name) (1ULL << KPF_##name)

/* A page with any of these flags is used for something else. */
#define FLAGS_OF_OTHERS                                               \
	(FLAG(ANON) | FLAG(SWAPBACKED) | FLAG(SLAB) | FLAG(BUDDY) |   \
	 FLAG(PGTABLE) | FLAG(HUGE) | FLAG(NOPAGE) | FLAG(RESERVED) | \
	 FLAG(ZERO_PAGE))

/*
 * The largest compound page that counts; its head has the flags of its tails.
 */
#define WINDOW 512

static bool looks_held(__u64 flags)
{
	return flags & FLAG(UPTODATE) && !(flags & FLAGS_OF_OTHERS);
}

struct window {
	int fd;
	__u64 base;
	size_t filled;
	__u64 flags[WINDOW];
};

static int window_open(struct window *window)
{
	window->fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	window->base = UINT64_MAX;
	return window->fd < 0 ? -errno : 0;
}

static void window_load(struct window *window, __u64 base)
{
	ssize_t got;

	if (window->base == base)
		return;
	got = pread(window->fd, window->flags, sizeof(window->flags),
		    base * sizeof(window->flags[0]));
	window->filled = got > 0 ? got / sizeof(window->flags[0]) : 0;
	window->base = base;
}

static bool window_held(struct window *window, __u64 pfn)
{
	size_t i = pfn % WINDOW;

	window_load(window, pfn - i);
	if (i >= window->filled)
		return false;
	while (i && window->flags[i] & FLAG(COMPOUND_TAIL))
		i--;
	return looks_held(window->flags[i]);
}

int page_flags_open(void)
{
	return result(open("/proc/kpageflags", O_RDONLY | O_CLOEXEC));
}

static __u64 flags_of(int fd, __u64 pfn)
{
	__u64 flags = 0;

	if (pread(fd, &flags, sizeof(flags), pfn * sizeof(flags)) !=
	    sizeof(flags))
		return FLAG(UPTODATE);
	return flags;
}

/* The head of a compound page lies at a multiple of its size. */
static __u64 flags_of_head(int fd, __u64 pfn)
{
	__u64 flags = FLAG(COMPOUND_TAIL);
	__u64 length;

	for (length = 2; flags & FLAG(COMPOUND_TAIL) && length <= WINDOW;
	     length *= 2)
		flags = flags_of(fd, pfn - pfn % length);
	return flags;
}

/* The module may split a compound page at any time. */
bool page_flags_held(int flags, __u64 pfn)
{
	while (flags_of(flags, pfn) & FLAG(COMPOUND_TAIL)) {
		__u64 head = flags_of_head(flags, pfn);

		if (head & FLAG(COMPOUND_HEAD) &&
		    flags_of(flags, pfn) & FLAG(COMPOUND_TAIL))
			return looks_held(head);
	}
	return looks_held(flags_of(flags, pfn));
}

bool page_flags_lost(int flags, __u64 pfn)
{
	return flags_of(flags, pfn) & FLAG(HWPOISON);
}

static int read_pfns(struct pages *pages, const void *map)
{
	size_t size = pages->count * sizeof(*pages->pfn);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 at = (uintptr_t)map / page_size() * sizeof(*pages->pfn);
	ssize_t got;
	size_t i;

	if (fd < 0)
		return -errno;
	got = pread(fd, pages->pfn, size, at);
	close(fd);
	if (got != (ssize_t)size)
		return -EIO;
	for (i = 0; i < pages->count; i++) {
		pages->pfn[i] &= (1ULL << 55) - 1;
		if (!pages->pfn[i])
			return -EPERM;
	}
	return 0;
}

int pages_of_map(struct pages *pages, const void *map, size_t length)
{
	int err;

	pages->count = length / page_size();
	pages->pfn = calloc(pages->count, sizeof(*pages->pfn));
	if (!pages->pfn)
		return -ENOMEM;
	err = result(madvise((void *)map, length, MADV_POPULATE_READ));
	if (!err)
		err = read_pfns(pages, map);
	if (err)
		pages_forget(pages);
	return err;
}

int pages_of_fd(struct pages *pages, int ds, size_t length)
{
	void *map = ds_map(ds, length, PROT_READ);
	int err;

	if (map == MAP_FAILED)
		return -errno;
	err = pages_of_map(pages, map, length);
	munmap(map, length);
	return err;
}

void pages_forget(struct pages *pages)
{
	free(pages->pfn);
	pages->pfn = NULL;
	pages->count = 0;
}

void pages_look(const struct pages *pages, size_t first, size_t end, bool *held)
{
	struct window window;
	size_t i;

	/* a failed test is better than one that has seen nothing */
	if (window_open(&window)) {
		memset(held, true, end - first);
		return;
	}
	for (i = first; i < end; i++)
		held[i - first] = window_held(&window, pages->pfn[i]);
	close(window.fd);
}

size_t pages_held_in(const struct pages *pages, size_t first, size_t end)
{
	bool *held = calloc(end - first + 1, sizeof(*held));
	size_t count = 0;
	size_t i;

	pages_look(pages, first, end, held);
	for (i = 0; i < end - first; i++)
		count += held[i];
	free(held);
	return count;
}

size_t pages_held(const struct pages *pages)
{
	return pages_held_in(pages, 0, pages->count);
}

bool page_held(const struct pages *pages, size_t page)
{
	return pages_held_in(pages, page, page + 1);
}

bool pages_contiguous(const struct pages *pages, size_t first, size_t end)
{
	size_t i;

	for (i = first + 1; i < end; i++) {
		if (pages->pfn[i] != pages->pfn[i - 1] + 1)
			return false;
	}
	return true;
}

size_t pages_wait(const struct pages *pages, size_t count, double timeout)
{
	double end = seconds() + timeout;
	size_t held = pages_held(pages);

	while (held > count && seconds() < end) {
		usleep(20000);
		held = pages_held(pages);
	}
	return held;
}

long pages_held_by_anyone(void)
{
	struct window window;
	long held = 0;
	__u64 pfn;

	if (window_open(&window))
		return -errno;
	for (pfn = 0;; pfn++) {
		window_load(&window, pfn - pfn % WINDOW);
		if (!window.filled)
			break;
		held += window_held(&window, pfn);
	}
	close(window.fd);
	return held;
}
