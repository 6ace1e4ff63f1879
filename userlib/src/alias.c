// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Handing out parts: a dataspace of a range of another one.
 */
#include "internal.h"

DATASPACE_API int dataspace_alias(int ds, uint64_t offset, uint64_t length,
				  uint32_t rights, uint32_t flags)
{
	struct dataspace_alias arg = {
		.size = sizeof(arg),
		.flags = flags,
		.offset = offset,
		.length = length,
		.rights = rights,
	};

	return libdataspace_call(ds, DATASPACE_IOC_ALIAS, &arg);
}
