// SPDX-License-Identifier: GPL-2.0-only
/* Giving a dma-buf to a device, that of the module in selftests/importer. */
#include "bench.h"
#include "dmabuf.h"

#define IMPORTER "/dev/dataspace_importer"

static int importer;

/* Kernels may map it when it is attached already, or each time anew. */
static int map_and_unmap(const struct job *job)
{
	struct importer_attach arg = { .dmabuf = job->fd };

	if (ioctl(importer, IMPORTER_ATTACH, &arg) ||
	    ioctl(importer, IMPORTER_MAP, BOTH_WAYS) ||
	    ioctl(importer, IMPORTER_DETACH))
		return -errno;
	return 0;
}

static int device_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind, .size = size };
	int ret = importer_load();

	if (ret)
		return ret;
	importer = open(IMPORTER, O_RDWR | O_CLOEXEC);
	job.fd = new_object(kind, size);
	costs[0] = job.fd < 0 ? job.fd : repeat(map_and_unmap, &job);
	close(job.fd);
	close(importer);
	return importer_unload();
}

const struct subject device_subject = {
	.works = { "map+unmap for a device" },
	.peer = "dma-heap",
	.sizes = (const size_t[]){ 4 * KIB, 64 * MIB, 0 },
	.kinds = (const struct kind *const[]){ &exported, &udmabuf, &dma_heap,
					       NULL },
	.cost = device_cost,
};
