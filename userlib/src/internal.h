/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of the library share. Everything that is declared here
 * returns a value or -errno and leaves errno alone, so that the public
 * functions that are made of it do, too.
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
static inline int libdataspace_result(long ret, int saved)
{
	int result = ret < 0 ? -errno : (int)ret;

	errno = saved;
	return result;
}

int libdataspace_open(const char *path);
void libdataspace_close(int fd);

/* An ioctl on any file; the error is the kernel's. */
int libdataspace_ioctl(int fd, unsigned long request, void *arg);

/* 0 if @fd is a dataspace, else -EBADF or -EBADFD. */
int libdataspace_check(int fd);

/* An ioctl on a dataspace; another file is always -EBADF or -EBADFD. */
int libdataspace_call(int ds, unsigned long request, void *arg);

/* 0 if @fd is a socket of the family that can carry descriptors. */
int libdataspace_check_socket(int fd);

#endif /* DATASPACE_INTERNAL_H */
