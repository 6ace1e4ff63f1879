// SPDX-License-Identifier: GPL-2.0-only
/* Access by RDMA: memory is registered for others on the network. */
#include "access.h"

#include <sys/mman.h>

#include "common.h"
#include "rdma.h"

static long offer(void *map, int prot)
{
	struct rdma rdma;
	long ret = rdma_open(&rdma);

	if (!ret)
		ret = rdma_register(&rdma, map, page_size(), prot);
	rdma_close(&rdma);
	return ret == NO_RDMA ? NOT_AVAILABLE : ret;
}

long access_rdma(void *map)
{
	return offer(map, READ_WRITE);
}

long access_rdma_read_only(void *map)
{
	return offer(map, PROT_READ);
}
