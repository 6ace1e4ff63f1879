// SPDX-License-Identifier: GPL-2.0-only
/* Reads files of /proc about mappings, and the kernel log. */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common.h"

long proc_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, text + length, size - 1 - length)) > 0)
		length += got;
	close(fd);
	text[length] = '\0';
	return got < 0 ? -errno : (long)length;
}

static bool line_begins_at(const char *line, const void *map)
{
	char *end;

	return strtoull(line, &end, 16) == (uintptr_t)map && *end == '-';
}

/* Reads lines up to and including the first one of the mapping. */
static bool find_mapping(FILE *file, const void *map, char *line, size_t size)
{
	while (fgets(line, size, file)) {
		if (line_begins_at(line, map))
			return true;
	}
	return false;
}

int maps_line(const void *map, char *line, size_t size)
{
	FILE *file = fopen("/proc/self/maps", "r");
	bool found;

	if (!file)
		return -errno;
	found = find_mapping(file, map, line, size);
	fclose(file);
	if (!found)
		return -ENOENT;
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

long smaps_kb(const void *map, const char *key)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];
	long value = -1;

	if (!file)
		return -1;
	if (find_mapping(file, map, line, sizeof(line))) {
		while (value < 0 && fgets(line, sizeof(line), file)) {
			if (!strncmp(line, key, strlen(key)))
				value = strtol(line + strlen(key) + 1, NULL,
					       10);
		}
	}
	fclose(file);
	return value;
}

long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

int log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log < 0)
		return -errno;
	lseek(log, 0, SEEK_END);
	return log;
}

bool log_has(int log, const char *text)
{
	bool found = false;
	char line[1024];
	ssize_t got;

	while ((got = read(log, line, sizeof(line) - 1)) > 0) {
		line[got] = '\0';
		found |= !!strstr(line, text);
	}
	return found;
}

int count_nodes(void)
{
	char path[64];
	int count = 0;

	do {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d",
			 count);
	} while (!access(path, F_OK) && ++count);
	return count ? count : 1;
}

static unsigned long long pages_on_processors(void)
{
	FILE *file = fopen("/proc/zoneinfo", "r");
	unsigned long long pages = 0, count;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " count: %llu", &count) == 1)
			pages += count;
	}
	if (file)
		fclose(file);
	return pages;
}

unsigned long long free_memory(void)
{
	return number_in_file("/proc/meminfo", "MemFree:") * 1024 +
	       pages_on_processors() * page_size();
}
