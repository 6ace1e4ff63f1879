// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The system calls on single descriptors, in the library's convention.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

int libdataspace_open(const char *path)
{
	int saved = errno;

	return libdataspace_result(open(path, O_RDWR | O_CLOEXEC), saved);
}

void libdataspace_close(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

int libdataspace_ioctl(int fd, unsigned long request, void *arg)
{
	int saved = errno;

	return libdataspace_result(ioctl(fd, request, arg), saved);
}
