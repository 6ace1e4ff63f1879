// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls as functions, and other things that several programs use. */
#define _GNU_SOURCE
#include "common.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

/*
 * Where pages are larger than 4 KiB huge pages are, too; large folios are not.
 */
#define LARGE_FOLIO_MAX (2 << 20)

size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static long long huge_page_size(void)
{
	const char *path = "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size";

	return number_in_file(path, "");
}

size_t huge_size(void)
{
	return can_map_huge() ? huge_page_size() : LARGE_FOLIO_MAX;
}

bool can_map_huge(void)
{
	return huge_page_size() > 0 && huge_page_size() <= LARGE_FOLIO_MAX;
}

int ds_device(void)
{
	return result(open(DEVICE, O_RDWR | O_CLOEXEC));
}

int ds_alloc_on(int device, struct dataspace_alloc *arg)
{
	return result(ioctl(device, DATASPACE_IOC_ALLOC, arg));
}

int ds_alloc(__u64 length, __u32 rights, __u32 flags)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.length = length,
		.rights = rights,
	};
	int device = ds_device();
	int ret;

	if (device < 0)
		return device;
	ret = ds_alloc_on(device, &arg);
	close(device);
	return ret;
}

int ds_alloc_pages(size_t pages)
{
	return ds_alloc(pages * page_size(), RIGHTS_RW,
			DATASPACE_ALLOC_SCATTERED);
}

int ds_alias_flags(int ds, __u64 offset, __u64 length, __u32 rights,
		   __u32 flags)
{
	struct dataspace_alias arg = {
		.size = sizeof(arg),
		.flags = flags,
		.offset = offset,
		.length = length,
		.rights = rights,
	};

	return result(ioctl(ds, DATASPACE_IOC_ALIAS, &arg));
}

int ds_alias(int ds, __u64 offset, __u64 length, __u32 rights)
{
	return ds_alias_flags(ds, offset, length, rights, 0);
}

int ds_alias_pages(int ds, size_t first, size_t end, __u32 rights)
{
	return ds_alias(ds, first * page_size(), (end - first) * page_size(),
			rights);
}

int ds_info(int ds, struct dataspace_info *info)
{
	memset(info, 0xcc, sizeof(*info));
	info->size = sizeof(*info);
	info->flags = 0;
	return result(ioctl(ds, DATASPACE_IOC_INFO, info));
}

__u64 ds_exclusive(int ds)
{
	struct dataspace_info info;

	return ds_info(ds, &info) ? UINT64_MAX : info.exclusive;
}

__u64 ds_id(int ds)
{
	struct dataspace_info info;

	return ds_info(ds, &info) ? UINT64_MAX : info.id;
}

void *ds_map(int ds, size_t length, int prot)
{
	return mmap(NULL, length, prot, MAP_SHARED, ds, 0);
}

int ds_try_map(int ds, size_t length, int prot, int flags, off_t offset)
{
	void *map = mmap(NULL, length, prot, flags, ds, offset);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map, length);
	return 0;
}

/* The first or the last word of a page, so that both ends are checked. */
static __u64 *pattern_at(const void *map, size_t page, bool last)
{
	__u64 *words = (__u64 *)((char *)map + page * page_size());

	return last ? words + page_size() / sizeof(*words) - 1 : words;
}

static __u64 pattern_of(__u64 number)
{
	return 0xda7a59ac00000000ULL + number;
}

void pattern_write(void *map, size_t pages, __u64 first)
{
	size_t i;

	for (i = 0; i < pages; i++) {
		*pattern_at(map, i, false) = pattern_of(first + i);
		*pattern_at(map, i, true) = pattern_of(first + i);
	}
}

size_t pattern_wrong(const void *map, size_t pages, __u64 first)
{
	size_t wrong = 0;
	size_t i;

	for (i = 0; i < pages; i++)
		wrong += *pattern_at(map, i, false) != pattern_of(first + i) ||
			 *pattern_at(map, i, true) != pattern_of(first + i);
	return wrong;
}

int pattern_write_fd(int ds, size_t pages, __u64 first)
{
	void *map = ds_map(ds, pages * page_size(), READ_WRITE);

	if (map == MAP_FAILED)
		return -errno;
	pattern_write(map, pages, first);
	return result(munmap(map, pages * page_size()));
}

long pattern_wrong_fd(int ds, size_t pages, __u64 first)
{
	void *map = ds_map(ds, pages * page_size(), PROT_READ);
	long wrong;

	if (map == MAP_FAILED)
		return -errno;
	wrong = pattern_wrong(map, pages, first);
	munmap(map, pages * page_size());
	return wrong;
}

bool bytes_are(const void *map, size_t length, __u8 byte)
{
	const __u8 *bytes = map;

	return !length ||
	       (bytes[0] == byte && !memcmp(bytes, bytes + 1, length - 1));
}

int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

void allow_many_fds(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* The limit of the machine is only raised, and stays so. */
static void allow_machine_fds(size_t count)
{
	const char *path = "/proc/sys/fs/nr_open";

	if (number_in_file(path, "") < (long long)count)
		number_to_file(path, count);
}

int allow_fds(size_t count)
{
	struct rlimit limit = { .rlim_cur = count + 1000,
				.rlim_max = count + 1000 };

	allow_machine_fds(count + 1000);
	return result(setrlimit(RLIMIT_NOFILE, &limit));
}

double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int text_to_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	int ret;

	if (file < 0)
		return -errno;
	ret = write(file, text, strlen(text)) < 0 ? -errno : 0;
	close(file);
	return ret;
}

int number_to_file(const char *path, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	return text_to_file(path, text);
}

int run_on_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return result(sched_setaffinity(0, sizeof(cpus), &cpus));
}

bool is_debug_kernel(void)
{
	return !access("/sys/kernel/debug/kmemleak", F_OK);
}

long long number_in_file(const char *path, const char *key)
{
	FILE *file = fopen(path, "r");
	long long number = -1;
	char line[512];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, key, strlen(key)))
			continue;
		number = strtoll(line + strlen(key), NULL, 0);
		break;
	}
	fclose(file);
	return number;
}

__u64 memory_of_the_machine(void)
{
	return number_in_file("/proc/meminfo", "MemTotal:") * 1024;
}

unsigned int random_seed(void)
{
	const char *given = getenv("SEED");
	unsigned int seed = given ? strtoul(given, NULL, 0) : time(NULL);

	fprintf(stderr, "# SEED=%u\n", seed);
	return seed;
}

int wait_for(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) != child)
		return -errno;
	return status;
}
