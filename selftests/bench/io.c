// SPDX-License-Identifier: GPL-2.0-only
/* Reading and writing through the descriptor. */
#include "bench.h"

static char buffer[64 * KIB];

static int read_all(const struct job *job)
{
	ssize_t length = pread(job->fd, buffer, job->size, 0);

	if (length < 0)
		return -errno;
	return (size_t)length == job->size ? 0 : -EIO;
}

static int write_all(const struct job *job)
{
	ssize_t length = pwrite(job->fd, buffer, job->size, 0);

	if (length < 0)
		return -errno;
	return (size_t)length == job->size ? 0 : -EIO;
}

static int io_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind, .size = size };

	job.fd = new_object(kind, 2 * MIB);
	if (job.fd < 0)
		return job.fd;
	costs[0] = repeat(read_all, &job);
	costs[1] = repeat(write_all, &job);
	close(job.fd);
	return 0;
}

const struct subject io_subject = {
	.works = { "read", "write" },
	.peer = "memfd",
	.sizes = (const size_t[]){ 4 * KIB, 64 * KIB, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &memfd, &memfd_ro,
					       &hugetlb, &shmem_thp, &udmabuf,
					       &dma_heap, NULL },
	.cost = io_cost,
};
