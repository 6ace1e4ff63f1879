// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A frame that a dataspace holds is in the page cache of the module and cannot
 * be evicted: KPF_UNEVICTABLE without KPF_ANON. That goes the moment the frame
 * is freed, whereas the mark of a free page appears only when it leaves the
 * processor's own list. Nothing else that is not evictable comes into being
 * while the demo runs, so that a frame that is in use again is not mistaken.
 *
 * The flags of a page in the middle of a larger one are those of its head.
 */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>

#include "util.h"

#define PAGEMAP_PRESENT (UINT64_C(1) << 63)
#define PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1)
#define FLAG(bit) (UINT64_C(1) << (bit))

static int open_record(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(path, -errno);
	return fd;
}

static uint64_t read_record(int fd, uint64_t index)
{
	uint64_t record;

	if (pread(fd, &record, sizeof(record), index * sizeof(record)) !=
	    sizeof(record))
		die("reading the record of a page", errno ? -errno : -EIO);
	return record;
}

void pages_note(struct pages *pages, const void *memory, size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int fd = open_record("/proc/self/pagemap");
	uint64_t record;
	size_t i;

	pages->count = bytes / page;
	pages->frames = calloc(pages->count, sizeof(*pages->frames));
	if (!pages->frames)
		die("noting pages", -ENOMEM);
	for (i = 0; i < pages->count; i++) {
		(void)((const volatile char *)memory)[i * page];
		record = read_record(fd, (uintptr_t)memory / page + i);
		if (!(record & PAGEMAP_PRESENT) || !(record & PAGEMAP_FRAME))
			die("finding the frame of a page", -EPERM);
		pages->frames[i] = record & PAGEMAP_FRAME;
	}
	close(fd);
}

struct frame {
	uint64_t number;
	uint64_t flags;
};

/*
 * The flags of a frame, or of the head of the page that it is within. That of
 * the frame before it, if that is what @last is, need not be looked for.
 */
static uint64_t flags_of(int fd, uint64_t number, const struct frame *last)
{
	uint64_t flags = read_record(fd, number);

	while (flags & FLAG(KPF_COMPOUND_TAIL)) {
		if (--number == last->number)
			return last->flags;
		flags = read_record(fd, number);
	}
	return flags;
}

static int is_held(uint64_t flags)
{
	return (flags & (FLAG(KPF_UNEVICTABLE) | FLAG(KPF_ANON))) ==
	       FLAG(KPF_UNEVICTABLE);
}

size_t pages_held(const struct pages *pages)
{
	int fd = open_record("/proc/kpageflags");
	struct frame last = { 0, 0 };
	size_t held = 0;
	size_t i;

	for (i = 0; i < pages->count; i++) {
		last.flags = flags_of(fd, pages->frames[i], &last);
		last.number = pages->frames[i];
		held += is_held(last.flags);
	}
	close(fd);
	return held;
}

size_t pages_runs(const struct pages *pages)
{
	size_t runs = 1;
	size_t i;

	for (i = 1; i < pages->count; i++)
		runs += pages->frames[i] != pages->frames[i - 1] + 1;
	return runs;
}

uint64_t memory_account(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long long kilobytes = 0;
	size_t length = strlen(name);
	char line[128];

	if (!file)
		die("/proc/meminfo", -errno);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) && line[length] == ':')
			sscanf(line + length + 1, "%llu", &kilobytes);
	fclose(file);
	return kilobytes * 1024;
}

/* The counters of each processor are not in the sum until one asks for it. */
static void refresh_counters(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "1", 1) < 0)
		die("/proc/sys/vm/stat_refresh", -errno);
	close(fd);
}

uint64_t memory_free(void)
{
	unsigned long long pages = 0;
	unsigned long long more;
	char line[128];
	FILE *file;

	refresh_counters();
	file = fopen("/proc/zoneinfo", "re");
	if (!file)
		die("/proc/zoneinfo", -errno);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, " nr_free_pages %llu", &more) == 1 ||
		    sscanf(line, " count: %llu", &more) == 1)
			pages += more;
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}
