/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that reads and writes memory by itself, behind an IOMMU, and that
 * belongs to this process: QEMU's "edu", which has an engine that copies between
 * memory and a buffer of its own.
 */
#ifndef DATASPACE_VFIO_H
#define DATASPACE_VFIO_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* There is no such device, or the kernel hands none out in that way. */
#define NO_DEVICE LONG_MIN

/* What it can copy at once. */
#define DEVICE_COPY_MAX 2048

/*
 * @fd: the device, whose registers are at @registers
 * @group: the group that it is in, for the older interface; or -1
 * @iommu: what memory is mapped with: a container, or an iommufd
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

/* All return 0 or -errno; this one NO_DEVICE, too. */
long device_open(struct device *device, bool iommufd);
void device_close(struct device *device);

/* Memory that the device sees at address @at, to read or to write as well. */
long device_map(struct device *device, __u64 at, void *map, size_t length,
		int prot);
long device_unmap(struct device *device, __u64 at, size_t length);

/* Lets it copy; addresses that it does not see, or may not, it skips. */
long device_copy(struct device *device, __u64 to, __u64 from, size_t length);

#endif
