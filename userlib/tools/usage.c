// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is wrong with how a command was called.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tool.h"

void usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	vfprintf(stderr, format, arguments);
	fprintf(stderr, "\nTry '%s --help', or its manual.\n",
		program_invocation_short_name);
	va_end(arguments);
	exit(STATUS_USAGE);
}
