// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access by a device behind an IOMMU: memory is mapped for the device, which
 * reads a part of it and then writes to it.
 */
#include "access.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "common.h"
#include "vfio.h"

/* Where the device sees the memory, and a buffer of the test. */
#define THERE 0x100000
#define OURS 0x200000

static long try_device(bool iommufd, void *map, int prot,
		       long (*use)(struct device *device))
{
	struct device device;
	long ret = device_open(&device, iommufd);

	if (!ret)
		ret = device_map(&device, THERE, map, page_size(), prot);
	if (!ret && use)
		ret = use(&device);
	device_close(&device);
	return ret == NO_DEVICE ? NOT_AVAILABLE : ret;
}

/* The device copies the memory to the buffer, and the payload to the memory. */
static long read_and_write(struct device *device)
{
	const size_t size = sizeof(payload);
	char *ours = mmap(NULL, page_size(), READ_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long ret = device_map(device, OURS, ours, page_size(), READ_WRITE);

	if (!ret)
		ret = device_copy(device, OURS, THERE, DEVICE_COPY_MAX);
	if (ret)
		return ret;
	memcpy(seen, ours, DEVICE_COPY_MAX);
	memcpy(ours, payload, size);
	ret = device_copy(device, THERE, OURS, size);
	return ret ? ret : device_copy(device, OURS, THERE + page_size(), size);
}

long access_vfio(void *map)
{
	return try_device(false, map, READ_WRITE, NULL);
}

long access_vfio_read_only(void *map)
{
	return try_device(false, map, PROT_READ, read_and_write);
}

long access_iommufd(void *map)
{
	return try_device(true, map, READ_WRITE, NULL);
}

long access_iommufd_read_only(void *map)
{
	return try_device(true, map, PROT_READ, read_and_write);
}
