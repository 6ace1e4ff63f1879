// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Allocation. The device is open only as long as the call takes: the library
 * keeps no descriptor that a program would not know of.
 */
#include "internal.h"

#define DEVICE_PATH "/dev/dataspace"

DATASPACE_API int dataspace_alloc(uint64_t length, uint32_t rights,
				  uint32_t flags)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.length = length,
		.rights = rights,
	};
	int device = libdataspace_open(DEVICE_PATH);
	int ds;

	if (device < 0)
		return device;
	ds = libdataspace_ioctl(device, DATASPACE_IOC_ALLOC, &arg);
	libdataspace_close(device);
	return ds;
}
