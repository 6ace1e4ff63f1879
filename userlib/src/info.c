// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What a dataspace is, and what it is called; and what this library is.
 */
#include <string.h>

#include "internal.h"

DATASPACE_API int dataspace_info(int ds, struct dataspace_info *info,
				 size_t size)
{
	int ret;

	if (ds < 0)
		return ds;
	ret = libdataspace_begin(info, size);
	if (ret < 0)
		return ret;
	return libdataspace_call(ds, DATASPACE_IOC_INFO, info);
}

/* A longer name is not terminated then, which the kernel refuses. */
DATASPACE_API int dataspace_set_name(int ds, const char *name)
{
	struct dataspace_name arg = { .size = sizeof(arg) };

	if (ds < 0)
		return ds;
	if (!name)
		return -EFAULT;
	memcpy(arg.name, name, strnlen(name, sizeof(arg.name)));
	return libdataspace_call(ds, DATASPACE_IOC_SET_NAME, &arg);
}

DATASPACE_API const char *dataspace_version(void)
{
	return DATASPACE_VERSION;
}
