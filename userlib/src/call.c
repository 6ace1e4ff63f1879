// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The system calls that all others are made of, in the library's convention.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "internal.h"

void libdataspace_close(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

int libdataspace_ioctl(int fd, unsigned long request, void *arg)
{
	int saved = errno;

	if (fd < 0)
		return fd;
	return libdataspace_result(ioctl(fd, request, arg), saved);
}

/*
 * Other files refuse our ioctls with all sorts of errors, and a driver can take
 * one of the numbers for its own. So a file is asked what it is first, by a call
 * that every file answers and no dataspace refuses.
 */
int libdataspace_call(int ds, unsigned long request, void *arg)
{
	int saved = errno;
	struct statfs fs;
	int ret;

	if (ds < 0)
		return ds;
	ret = libdataspace_result(fstatfs(ds, &fs), saved);
	if (ret == -EBADF)
		return ret;
	if (ret < 0 || (uint32_t)fs.f_type != DATASPACE_MAGIC)
		return -EBADFD;
	return libdataspace_ioctl(ds, request, arg);
}

int libdataspace_check(int ds)
{
	int ret = libdataspace_call(ds, DATASPACE_IOC_VERSION, NULL);

	return ret < 0 ? ret : 0;
}

int libdataspace_begin(void *arg, size_t size)
{
	const struct {
		uint32_t size;
		uint32_t flags;
	} head = { .size = size };

	if (!arg)
		return -EFAULT;
	if (size < sizeof(head))
		return -EINVAL;
	if (size != head.size)
		return -E2BIG;
	memcpy(arg, &head, sizeof(head));
	return 0;
}
