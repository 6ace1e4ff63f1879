/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of the library share. Every function that is declared here
 * returns a value or -errno and leaves errno alone, so that the public
 * functions that call it do, too.
 */
#ifndef DATASPACE_INTERNAL_H
#define DATASPACE_INTERNAL_H

#include <errno.h>

#include <dataspace.h>

/* Marks what the shared library exports. libdataspace.map lists the same. */
#define DATASPACE_API __attribute__((visibility("default")))

/*
 * Turns what a system call returned into a value or -errno, and puts back the
 * errno of before the call.
 */
static inline long libdataspace_result(long ret, int saved)
{
	long result = ret < 0 ? -errno : ret;

	errno = saved;
	return result;
}

/* An ioctl on any file. */
int libdataspace_ioctl(int fd, unsigned long request, void *arg);
void libdataspace_close(int fd);

/*
 * An ioctl on a dataspace. A negative @ds is the result, a file that is no
 * dataspace is -EBADFD and is not asked.
 */
int libdataspace_call(int ds, unsigned long request, void *arg);

/* 0 if @ds is a dataspace, else @ds, -EBADF or -EBADFD. */
int libdataspace_check(int ds);

/* 0 if @fd is a socket of the family that can carry descriptors. */
int libdataspace_check_socket(int fd);

/*
 * Sets size and flags, which are the first fields of each structure that an
 * ioctl fills in. -EFAULT, -EINVAL or -E2BIG if there are no such fields.
 */
int libdataspace_begin(void *arg, size_t size);

#endif /* DATASPACE_INTERNAL_H */
