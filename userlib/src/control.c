// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What the one who gave memory out can do about it later.
 */
#include "internal.h"

DATASPACE_API int dataspace_revoke(int ds, uint32_t flags)
{
	struct dataspace_revoke arg = { .size = sizeof(arg), .flags = flags };

	return libdataspace_call(ds, DATASPACE_IOC_REVOKE, &arg);
}

DATASPACE_API int dataspace_seal(int ds, uint32_t flags)
{
	struct dataspace_seal arg = {
		.size = sizeof(arg),
		.flags = flags,
		.rights = DATASPACE_WRITE,
	};

	return libdataspace_call(ds, DATASPACE_IOC_SEAL, &arg);
}
