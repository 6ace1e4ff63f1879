/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RDMA: memory that other machines may access, with a device that the kernel
 * makes of the loopback interface.
 */
#ifndef DATASPACE_RDMA_H
#define DATASPACE_RDMA_H

#include <limits.h>
#include <stddef.h>

#include <linux/types.h>

/* What the device is called. */
#define RDMA_NAME "dataspace_rxe"

/* The kernel can't make such a device. */
#define NO_RDMA LONG_MIN

/*
 * @fd: the device, as opened by this process
 * @events: its asynchronous events
 * @domain: the protection domain of its memory
 * @region: the memory region that was registered last
 */
struct rdma {
	int fd;
	int events;
	__u32 domain;
	__u32 region;
};

/*
 * All return 0 or -errno; the first two NO_RDMA, too. A device stays as long as its
 * network interface does.
 */
long rdma_make_device(const char *name, const char *interface);
long rdma_open(struct rdma *rdma);
void rdma_close(struct rdma *rdma);

/* Registers memory to read, or to write to as well. */
long rdma_register(struct rdma *rdma, void *map, size_t length, int prot);
long rdma_unregister(struct rdma *rdma);

#endif
