/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of the library that notice when one touches errno. */
#ifndef DATASPACE_LIBRARY_CALL_H
#define DATASPACE_LIBRARY_CALL_H

#include <errno.h>

#include <dataspace.h>

/* No errno that the kernel has. */
#define UNTOUCHED 4242

/* What a call seems to return that has changed errno. */
#define TOUCHED_ERRNO (-UNTOUCHED)

static inline int untouched(int ret)
{
	return errno == UNTOUCHED ? ret : TOUCHED_ERRNO;
}

/* The result of @call, or TOUCHED_ERRNO. */
#define CALL(call) (errno = UNTOUCHED, untouched(call))

#endif
