// SPDX-License-Identifier: GPL-2.0-only
/*
 * One more handle among many live ones, which overlap in all ways, and INFO of
 * their source.
 */
#include "bench.h"

#define SOURCE_SIZE (16 * MIB)

static int make_and_close(const struct job *job)
{
	int fd = job->kind->handle(job->fd, job->size);

	return fd < 0 ? fd : close(fd);
}

static int make_part_and_close(const struct job *job)
{
	int fd = job->kind->part(job->fd, job->size, 12345);

	return fd < 0 ? fd : close(fd);
}

static int ask(const struct job *job)
{
	struct dataspace_info info;

	return ds_info(job->fd, &info);
}

static void costs_among(const struct job *job, long long *costs)
{
	costs[0] = repeat(make_and_close, job);
	costs[1] = NO_SUCH_WORK;
	costs[2] = NO_SUCH_WORK;
	if (!job->kind->part)
		return;
	costs[1] = repeat(make_part_and_close, job);
	costs[2] = repeat(ask, job);
}

static int scale_cost(const struct kind *kind, size_t number, long long *costs)
{
	struct job job = { .kind = kind, .size = SOURCE_SIZE };
	int first;

	job.fd = new_source(kind, job.size);
	if (job.fd < 0)
		return job.fd;
	first = live_open(kind, job.fd, job.size, number);
	if (first >= 0) {
		costs_among(&job, costs);
		live_close(first, number);
	}
	if (job.fd)
		close(job.fd);
	return first < 0 ? first : 0;
}

const struct subject scale_subject = {
	.works = { "one more among N (whole)", "one more among N (part)",
		   "INFO with N" },
	.peer = "eventfd",
	.sizes = (const size_t[]){ 1, 1000, 100000, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &eventfd_kind,
					       &dup_kind, NULL },
	.cost = scale_cost,
};

/*
 * A subject of its own, as it takes long; without what does not depend on the
 * number.
 */
const struct subject million_subject = {
	.works = { "one more among N (whole)", "one more among N (part)",
		   "INFO with N" },
	.peer = "eventfd",
	.sizes = (const size_t[]){ 1000000, 0 },
	.kinds =
		(const struct kind *const[]){ &dataspace, &eventfd_kind, NULL },
	.cost = scale_cost,
};
