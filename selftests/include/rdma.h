/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that others may read and write over the network: RDMA, with a device
 * that the kernel makes of its loopback interface.
 */
#ifndef DATASPACE_RDMA_H
#define DATASPACE_RDMA_H

#include <limits.h>
#include <stddef.h>

#include <linux/types.h>

/* The kernel cannot make such a device. */
#define NO_RDMA LONG_MIN

/*
 * @fd: the device, as this process has it
 * @events: what it tells by itself
 * @domain: the one that its memory is in
 * @region: the memory that was registered last
 */
struct rdma {
	int fd;
	int events;
	__u32 domain;
	__u32 region;
};

/* All return 0 or -errno; this one NO_RDMA, too. The device is there to stay. */
long rdma_open(struct rdma *rdma);
void rdma_close(struct rdma *rdma);

/* For others to read, or to write to as well. */
long rdma_register(struct rdma *rdma, void *map, size_t length, int prot);
long rdma_unregister(struct rdma *rdma);

#endif
