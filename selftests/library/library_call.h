/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of the library, with a check that errno is left alone. */
#ifndef DATASPACE_LIBRARY_CALL_H
#define DATASPACE_LIBRARY_CALL_H

#include <errno.h>

#include <dataspace.h>

/* Not an errno of the kernel. */
#define UNTOUCHED 4242

/* The result if the call has changed errno. */
#define TOUCHED_ERRNO (-UNTOUCHED)

static inline int untouched(int ret)
{
	return errno == UNTOUCHED ? ret : TOUCHED_ERRNO;
}

/* The result of @call, or TOUCHED_ERRNO. */
#define CALL(call) (errno = UNTOUCHED, untouched(call))

#endif
