// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that appears when it is touched: all of it from one end to the other, a
 * few pages all over it, and what is taken away and touched again, as a balloon
 * does it.
 */
#define _GNU_SOURCE
#include "bench.h"
#include "lazy.h"

/* From one page to the next that is touched; odd, so that none is twice. */
#define STRIDE 161803

static void touch(char *map, size_t size, size_t count, size_t stride)
{
	const size_t pages = size / page_size();
	size_t i;

	for (i = 0; i < count; i++)
		*(volatile char *)(map + i * stride % pages * page_size()) = 1;
}

/* Touches an object that is empty yet; then gives all of it back. */
static int touch_once(const struct kind *kind, size_t size, size_t count,
		      size_t stride, struct samples *samples)
{
	int fd = new_object(kind, size);
	long long start;
	char *map;

	if (fd < 0)
		return fd;
	map = mmap(NULL, size, kind->prot, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		close(fd);
		return -errno;
	}
	start = now();
	touch(map, size, count, stride);
	samples_add(&samples[0], now() - start);
	start = now();
	munmap(map, size);
	close(fd);
	samples_add(&samples[1], now() - start);
	return 0;
}

static int touch_cost(const struct kind *kind, size_t size, size_t count,
		      size_t stride, long long *costs)
{
	struct samples samples[2] = { 0 };
	long long end = now() + ENOUGH_NS;
	int ret;

	do {
		ret = touch_once(kind, size, count, stride, samples);
		if (ret)
			return ret;
	} while (samples[0].count < MAX_SAMPLES && now() < end);
	costs[0] = samples_median(&samples[0]);
	costs[1] = samples_median(&samples[1]);
	return 0;
}

static int all_cost(const struct kind *kind, size_t size, long long *costs)
{
	return touch_cost(kind, size, size / page_size(), 1, costs);
}

static int few_cost(const struct kind *kind, size_t size, long long *costs)
{
	return touch_cost(kind, size, size / page_size() / 100, STRIDE, costs);
}

/* Of an object of four times that size. */
static int punch_and_refill(const struct job *job)
{
	char *map = job->map + job->size;

	if (fallocate(job->fd, PUNCH, job->size, job->size))
		return -errno;
	touch(map, job->size, job->size / page_size(), 1);
	return 0;
}

static int punch_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind, .size = size };

	job.fd = new_object(kind, 4 * size);
	if (job.fd < 0)
		return job.fd;
	job.map = mmap(NULL, 4 * size, kind->prot, MAP_SHARED, job.fd, 0);
	if (job.map == MAP_FAILED) {
		close(job.fd);
		return -errno;
	}
	touch(job.map, 4 * size, 4 * size / page_size(), 1);
	costs[0] = repeat(punch_and_refill, &job);
	munmap(job.map, 4 * size);
	close(job.fd);
	return 0;
}

static const struct kind *const kinds[] = { &lazy, &empty_memfd, &empty_thp,
					    NULL };

const struct subject lazy_all_subject = {
	.works = { "lazy: first touch", "lazy: unmap+close" },
	.peer = "memfd",
	.sizes = (const size_t[]){ 64 * MIB, 0 },
	.kinds = kinds,
	.cost = all_cost,
};

const struct subject lazy_few_subject = {
	.works = { "lazy: touch 1 % of the pages",
		   "lazy: unmap+close after that" },
	.peer = "memfd",
	.sizes = (const size_t[]){ GIB, 0 },
	.kinds = kinds,
	.cost = few_cost,
};

const struct subject lazy_punch_subject = {
	.works = { "lazy: punch+refill" },
	.peer = "memfd",
	.sizes = (const size_t[]){ 16 * MIB, 0 },
	.kinds = kinds,
	.cost = punch_cost,
};
