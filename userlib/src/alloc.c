// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is asked of the device.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

#define DEVICE_PATH "/dev/dataspace"

/*
 * The caller's structure may be longer than the one that this library was built
 * with. As in the kernel, it is accepted if the rest is zero.
 */
static int check_rest(const void *args, size_t size)
{
	const char *bytes = args;
	size_t i;

	if (size > (size_t)sysconf(_SC_PAGESIZE))
		return -E2BIG;
	for (i = sizeof(struct dataspace_alloc); i < size; i++)
		if (bytes[i])
			return -E2BIG;
	return 0;
}

DATASPACE_API int dataspace_alloc_from(int device,
				       const struct dataspace_alloc *args,
				       size_t size)
{
	struct dataspace_alloc arg = { .size = 0 };
	int ret;

	if (device < 0)
		return device;
	if (!args)
		return -EFAULT;
	ret = check_rest(args, size);
	if (ret < 0)
		return ret;
	if (size > sizeof(arg))
		size = sizeof(arg);
	memcpy(&arg, args, size);
	arg.size = size;
	return libdataspace_ioctl(device, DATASPACE_IOC_ALLOC, &arg);
}

/* The device is open only as long as the call takes. */
DATASPACE_API int dataspace_alloc(uint64_t length, uint32_t rights,
				  uint32_t flags)
{
	const struct dataspace_alloc args = {
		.flags = flags,
		.length = length,
		.rights = rights,
	};
	int saved = errno;
	int device = open(DEVICE_PATH, O_RDWR | O_CLOEXEC);
	int ds;

	device = libdataspace_result(device, saved);
	if (device < 0)
		return device;
	ds = dataspace_alloc_from(device, &args, sizeof(args));
	libdataspace_close(device);
	return ds;
}

DATASPACE_API int dataspace_query(int device, struct dataspace_query *query,
				  size_t size)
{
	int ret;

	if (device < 0)
		return device;
	ret = libdataspace_begin(query, size);
	if (ret < 0)
		return ret;
	return libdataspace_ioctl(device, DATASPACE_IOC_QUERY, query);
}
