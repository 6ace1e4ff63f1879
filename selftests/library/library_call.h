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

static inline long untouched(long ret)
{
	return errno == UNTOUCHED ? ret : TOUCHED_ERRNO;
}

/* A descriptor that no test opens. */
#define CLOSED 9999

/* The result of @call, or TOUCHED_ERRNO. */
#define CALL(call) (errno = UNTOUCHED, untouched(call))

#endif
