// SPDX-License-Identifier: GPL-2.0-only
/* Making one more handle and closing it; making an object and freeing it. */
#include "bench.h"

static int make_and_close(const struct job *job)
{
	int fd = job->kind->handle(job->fd, job->size);

	return fd < 0 ? fd : close(fd);
}

static int handle_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind, .size = size };

	if (size >= GIB && kind == &udmabuf)
		return TAKES_TOO_LONG;
	job.fd = new_source(kind, size);
	if (job.fd < 0)
		return job.fd;
	costs[0] = repeat(make_and_close, &job);
	if (job.fd)
		close(job.fd);
	return 0;
}

const struct subject handle_subject = {
	.works = { "make+close a handle" },
	.peer = "eventfd",
	.sizes = (const size_t[]){ 4 * KIB, MIB, 64 * MIB, GIB, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &eventfd_kind,
					       &dup_kind, &memfd, &memfd_ro,
					       &hugetlb, &udmabuf, NULL },
	.cost = handle_cost,
};

/* The heap makes its memory with it, which is in another line. */
const struct subject export_subject = {
	.works = { "export+close a dma-buf" },
	.peer = "udmabuf",
	.sizes = (const size_t[]){ 4 * KIB, 64 * MIB, 0 },
	.kinds = (const struct kind *const[]){ &exported, &udmabuf, &dma_heap,
					       NULL },
	.cost = handle_cost,
};

static int allocate_and_free(const struct job *job)
{
	int fd = new_object(job->kind, job->size);

	return fd < 0 ? fd : close(fd);
}

/* Larger objects show only how long zeroing takes. */
static int alloc_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind, .size = size };

	if (size > 64 * MIB && kind != &dataspace && kind != &hugetlb)
		return TAKES_TOO_LONG;
	costs[0] = repeat(allocate_and_free, &job);
	return 0;
}

const struct subject alloc_subject = {
	.works = { "allocate+free" },
	.peer = "dma-heap/hugetlb",
	.sizes = (const size_t[]){ 4 * KIB, MIB, 16 * MIB, 64 * MIB, 256 * MIB,
				   0 },
	.kinds = (const struct kind *const[]){ &dataspace, &scattered, &memfd,
					       &hugetlb, &shmem_thp, &udmabuf,
					       &dma_heap, NULL },
	.cost = alloc_cost,
};
