// SPDX-License-Identifier: GPL-2.0-only
/* A process with a mapping that was touched forks; the child exits at once. */
#include <string.h>
#include <sys/wait.h>

#include "bench.h"

static int fork_and_wait(const struct job *job)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -errno : result(waitpid(child, NULL, 0));
}

static long long cost_with_map(const struct job *job)
{
	size_t at;

	for (at = 0; at < job->size; at += page_size())
		*(volatile char *)(job->map + at);
	return repeat(fork_and_wait, job);
}

static int fork_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind, .size = size };

	job.fd = new_object(kind, size);
	if (job.fd < 0)
		return job.fd;
	job.map = mmap(NULL, size, kind->prot, MAP_SHARED, job.fd, 0);
	costs[0] = job.map == MAP_FAILED ? -errno : cost_with_map(&job);
	if (job.map != MAP_FAILED)
		munmap(job.map, size);
	close(job.fd);
	return 0;
}

const struct subject fork_subject = {
	.works = { "fork+exit+wait with a mapping" },
	.peer = "memfd",
	.sizes = (const size_t[]){ 4 * KIB, 2 * MIB, 64 * MIB, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &memfd, &hugetlb,
					       &shmem_thp, &udmabuf, &dma_heap,
					       NULL },
	.cost = fork_cost,
};
