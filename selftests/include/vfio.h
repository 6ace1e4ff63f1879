/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI device that accesses memory by itself, behind an IOMMU, through vfio:
 * QEMU's "edu", which copies between memory and a buffer of its own.
 */
#ifndef DATASPACE_VFIO_H
#define DATASPACE_VFIO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* There is no such device, or the kernel does not offer it in that way. */
#define NO_DEVICE LONG_MIN

/* The longest copy. */
#define DEVICE_COPY_MAX 2048

/*
 * @fd: the device, whose registers are at @registers
 * @group: its group, for the older interface, or -1
 * @iommu: a container of vfio, or an iommufd
 * @space: the address space of an iommufd
 */
struct device {
	bool iommufd;
	int iommu;
	int group;
	int fd;
	__u32 space;
	long long registers;
};

/* All return 0 or -errno; device_open() NO_DEVICE, too. */
long device_open(struct device *device, bool iommufd);
void device_close(struct device *device);

/* Leaves the device, which nobody has open, to other drivers again. */
void device_give_back(void);

/*
 * Maps memory for the device at address @at, to read, or to write to as well.
 */
long device_map(struct device *device, __u64 at, void *map, size_t length,
		int prot);
long device_unmap(struct device *device, __u64 at, size_t length);

/* Lets the device copy; it skips addresses that it may not access. */
long device_copy(struct device *device, __u64 to, __u64 from, size_t length);

#endif
