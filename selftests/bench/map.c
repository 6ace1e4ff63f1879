// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping memory that is there already: for the first time, again, all at once,
 * and unmapping it. Each sample has an object of its own.
 */
#include <sys/resource.h>

#include "bench.h"

#define FIRST 0
#define SECOND 1
#define POPULATE 2
#define UNMAP 3

static void touch(char *map, size_t size, int prot)
{
	const size_t step = page_size();
	size_t at;

	for (at = 0; at < size; at += step) {
		if (prot & PROT_WRITE)
			*(volatile char *)(map + at) = 1;
		else
			*(volatile char *)(map + at);
	}
}

/* Whether touching pages that have been mapped takes no fault. */
static bool is_populated(char *map, size_t size, int prot)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	touch(map, size, prot);
	getrusage(RUSAGE_SELF, &after);
	return before.ru_minflt == after.ru_minflt;
}

/* What mapping and touching costs; *unmap is what unmapping cost, or -errno. */
static long long map_once(const struct kind *kind, int fd, size_t size,
			  int flags, long long *unmap)
{
	long long start = now();
	char *map = mmap(NULL, size, kind->prot, MAP_SHARED | flags, fd, 0);
	long long cost;

	*unmap = -errno;
	if (map == MAP_FAILED)
		return *unmap;
	if (!(flags & MAP_POPULATE))
		touch(map, size, kind->prot);
	cost = now() - start;
	if (!is_populated(map, size, kind->prot))
		cost = NO_SUCH_WORK;
	start = now();
	munmap(map, size);
	*unmap = now() - start;
	return cost;
}

static int map_sample(const struct kind *kind, size_t size,
		      struct samples *samples)
{
	int fd = new_object(kind, size);
	long long cost, unmap;

	if (fd < 0)
		return fd;
	cost = map_once(kind, fd, size, 0, &unmap);
	samples_add(&samples[FIRST], cost);
	samples_add(&samples[SECOND], map_once(kind, fd, size, 0, &unmap));
	samples_add(&samples[UNMAP], unmap);
	samples_add(&samples[POPULATE],
		    map_once(kind, fd, size, MAP_POPULATE, &unmap));
	close(fd);
	return cost < 0 ? cost : 0;
}

/* At 1 GiB kinds that fault on each page tell nothing new. */
static int map_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct samples samples[MAX_WORKS] = { 0 };
	long long end = now() + ENOUGH_NS;
	int ret;
	int i;

	if (size >= GIB && kind != &dataspace && kind != &hugetlb)
		return TAKES_TOO_LONG;
	do {
		ret = map_sample(kind, size, samples);
		if (ret)
			return ret;
	} while (samples[0].count < MAX_SAMPLES && now() < end);
	for (i = 0; i < MAX_WORKS; i++)
		costs[i] = samples_median(&samples[i]);
	return 0;
}

const struct subject map_subject = {
	.works = { "first map+touch", "second map+touch", "map populated",
		   "unmap" },
	.peer = "hugetlb/memfd",
	.sizes = (const size_t[]){ 4 * KIB, MIB, 2 * MIB, 64 * MIB, GIB, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &scattered, &memfd,
					       &memfd_ro, &hugetlb, &shmem_thp,
					       &udmabuf, &dma_heap, NULL },
	.cost = map_cost,
};
