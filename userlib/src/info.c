// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What a dataspace is, and whether a file is one at all.
 *
 * Files that are not dataspaces refuse our ioctls with all sorts of errors:
 * ENOTTY mostly, but there are drivers that say EINVAL, ENOSYS, EOPNOTSUPP or
 * EIO to any number that they do not know. EINVAL also is what a dataspace says
 * to a malformed request. So the error alone tells nothing, and a call that
 * failed is followed by INFO, which a dataspace never refuses. A driver that
 * takes the number for its own and succeeds is noticed if it leaves the granule
 * at 0.
 */
#include <assert.h>

#include "internal.h"

/*
 * What this version of dataspace_info() fills in. If the kernel's structure
 * grows, programs that were compiled for the shorter one have no room for the
 * rest: they keep this function, and a new version of the symbol fills in more.
 */
static_assert(sizeof(struct dataspace_info) == 88,
	      "a longer structure needs a new version of dataspace_info()");

DATASPACE_API int dataspace_info(int ds, struct dataspace_info *info)
{
	struct dataspace_info answer = { .size = sizeof(answer) };
	int ret;

	if (!info)
		return -EFAULT;
	ret = libdataspace_ioctl(ds, DATASPACE_IOC_INFO, &answer);
	if (ret == -EBADF)
		return ret;
	if (ret != 0 || !answer.granule)
		return -EBADFD;
	*info = answer;
	return 0;
}

int libdataspace_check(int fd)
{
	struct dataspace_info info;

	return dataspace_info(fd, &info);
}

int libdataspace_call(int ds, unsigned long request, void *arg)
{
	int ret = libdataspace_ioctl(ds, request, arg);
	int check;

	if (ret >= 0)
		return ret;
	check = libdataspace_check(ds);
	return check < 0 ? check : ret;
}
