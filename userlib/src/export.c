// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The way to devices: a dma-buf of a dataspace.
 */
#include "internal.h"

DATASPACE_API int dataspace_export_dmabuf(int ds, uint32_t flags)
{
	struct dataspace_export_dmabuf arg = {
		.size = sizeof(arg),
		.flags = flags,
	};

	return libdataspace_call(ds, DATASPACE_IOC_EXPORT_DMABUF, &arg);
}
