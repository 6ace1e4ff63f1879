// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking memory that is ready and giving it back, beside what is zeroed at that
 * time; and what the pool's thread does to have it ready again.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "proc.h"

#define POOL_FREE "/sys/module/dataspace/parameters/pool_free"
#define POOL_SIZE (512 * MIB)
#define THREAD "dataspace_pool"

/* Nanoseconds that the thread has run, or 0 if there is none. */
static long long thread_time(void)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	long long time = 0;

	while (proc && (entry = readdir(proc))) {
		char path[300];
		char name[32];

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		if (proc_read(path, name, sizeof(name)) <= 0 ||
		    strncmp(name, THREAD, strlen(THREAD)))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/schedstat",
			 entry->d_name);
		time = number_in_file(path, "");
		break;
	}
	if (proc)
		closedir(proc);
	return time;
}

static int wait_until_whole(void)
{
	long long end = now() + 60000000000LL;

	while (number_in_file(POOL_FREE, "") != POOL_SIZE) {
		if (now() > end)
			return -ETIMEDOUT;
		usleep(1000);
	}
	return 0;
}

static int take_and_give_back(const struct kind *kind, size_t size,
			      struct samples *using, struct samples *refilling)
{
	long long ran = thread_time();
	long long start = now();
	int fd = new_object(kind, size);

	if (fd < 0)
		return fd;
	close(fd);
	samples_add(using, now() - start);
	if (kind != &ready)
		return 0;
	if (wait_until_whole())
		return -ETIMEDOUT;
	samples_add(refilling, thread_time() - ran);
	return 0;
}

/* The pool is whole before each sample. */
static int ready_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct samples using = { 0 };
	struct samples refilling = { 0 };
	int ret = take_and_give_back(kind, size, &using, &refilling);

	using.count = 0; /* that was to warm up */
	refilling.count = 0;
	while (!ret && using.count < MAX_SAMPLES)
		ret = take_and_give_back(kind, size, &using, &refilling);
	if (ret)
		return ret;
	costs[0] = samples_median(&using);
	costs[1] = refilling.count ? samples_median(&refilling) : NO_SUCH_WORK;
	return 0;
}

const struct subject ready_subject = {
	.works = { "allocate+free from the pool", "refill of the pool" },
	.peer = "dma-heap",
	.sizes = (const size_t[]){ 64 * KIB, MIB, 64 * MIB, 512 * MIB, 0 },
	.kinds = (const struct kind *const[]){ &ready, &dma_heap, &memfd,
					       &hugetlb, NULL },
	.cost = ready_cost,
};
