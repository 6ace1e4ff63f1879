// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Files that become dataspaces when they get their first size, and seals.
 *
 * A file in memory is made empty, so that it is only when it gets a size that it is
 * known how much memory is needed. Until then nobody can have seen anything in it.
 * Such a file is known by having neither a size nor a name in a folder: that holds
 * for what memfd_create(2) makes, and for a file that was removed while it is open,
 * as programs do after shm_open(3) and mkstemp(3).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload.h"

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)
#define WRITE_SEALS (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

/* The name that such a file had, without " (deleted)"; false for other files. */
static bool get_path(int fd, char *path, size_t size)
{
	static const char suffix[] = " (deleted)";
	int saved = errno;
	char link[64];
	struct stat64 st;
	ssize_t length;
	int ret;

	ret = fstat64(fd, &st);
	errno = saved;
	if (ret || !S_ISREG(st.st_mode) || st.st_size || st.st_nlink)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, size - 1);
	errno = saved;
	if (length < (ssize_t)sizeof(suffix) || *path != '/')
		return false;
	length -= sizeof(suffix) - 1;
	if (strncmp(path + length, suffix, sizeof(suffix) - 1))
		return false;
	path[length] = 0;
	return true;
}

/* The last part of the path, as far as there is room in the name of a dataspace. */
static void set_name(int ds, const char *path)
{
	char name[DATASPACE_NAME_MAX];

	if (!strncmp(path, "/memfd:", 7))
		path += 7;
	else
		path = strrchr(path, '/') + 1;
	snprintf(name, sizeof(name), "%.*s", DATASPACE_NAME_MAX - 1, path);
	dataspace_set_name(ds, name);
}

/*
 * Puts a dataspace in the place of the file that @fd refers to, if the policy says
 * so. 0 or -errno; a file that stays is no error.
 */
static int give_first_size(int fd, uint64_t length)
{
	uint32_t flags = DATASPACE_ALLOC_SCATTERED;
	char path[512];
	int ret;
	int ds;

	if (!length || !get_path(fd, path, sizeof(path)) || !policy_takes(path))
		return 0;
	if (policy_is_lazy(path))
		flags = DATASPACE_ALLOC_LAZY;
	ds = dataspace_alloc(length, DATASPACE_RW, flags);
	if (ds < 0) {
		policy_log("%d %s: no dataspace of %llu bytes: %s", fd, path,
			   (unsigned long long)length, strerror(-ds));
		return ds;
	}
	set_name(ds, path);
	ret = dup3(ds, fd, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0);
	ret = ret < 0 ? -errno : 0;
	close(ds);
	policy_log("%d %s: a dataspace of %llu bytes%s", fd, path,
		   (unsigned long long)length,
		   flags & DATASPACE_ALLOC_LAZY ? ", lazy" : "");
	return ret;
}

/* A dataspace has whole pages, of which a program that asked for less knows nothing. */
static off64_t in_whole_pages(int fd, off64_t length)
{
	off64_t page = sysconf(_SC_PAGESIZE);
	struct dataspace_info info;

	if (dataspace_info(fd, &info, sizeof(info)) < 0 || length <= 0 ||
	    (uint64_t)length > info.length ||
	    (uint64_t)length + page <= info.length)
		return length;
	return info.length;
}

PRELOAD_API int ftruncate64(int fd, off64_t length)
{
	int ret = length > 0 ? give_first_size(fd, length) : 0;

	if (ret) {
		errno = -ret;
		return -1;
	}
	return NEXT(ftruncate64)(fd, in_whole_pages(fd, length));
}

PRELOAD_API int fallocate64(int fd, int mode, off64_t offset, off64_t length)
{
	int ret = 0;

	if (!mode && offset >= 0 && length > 0)
		ret = give_first_size(fd, (uint64_t)offset + length);
	if (ret) {
		errno = -ret;
		return -1;
	}
	return NEXT(fallocate64)(fd, mode, offset, length);
}

PRELOAD_API int posix_fallocate64(int fd, off64_t offset, off64_t length)
{
	int ret = 0;

	if (offset >= 0 && length > 0)
		ret = give_first_size(fd, (uint64_t)offset + length);
	return ret ? -ret : NEXT(posix_fallocate64)(fd, offset, length);
}

/* The same functions, as programs call them that know no large files. */
PRELOAD_API int ftruncate(int fd, off_t length)
{
	return ftruncate64(fd, length);
}

PRELOAD_API int fallocate(int fd, int mode, off_t offset, off_t length)
{
	return fallocate64(fd, mode, offset, length);
}

PRELOAD_API int posix_fallocate(int fd, off_t offset, off_t length)
{
	return posix_fallocate64(fd, offset, length);
}

/* No dataspace ever changes its size. What is sealed will not be written anew. */
static int get_seals(const struct dataspace_info *info)
{
	int seals = SIZE_SEALS;

	if (info->state & DATASPACE_STATE_SEALED)
		seals |= F_SEAL_FUTURE_WRITE;
	if (!policy.lenient)
		return seals;
	if (seals & F_SEAL_FUTURE_WRITE || !(info->rights & DATASPACE_WRITE))
		seals |= WRITE_SEALS;
	return seals | F_SEAL_SEAL;
}

/* 0 or -errno. */
static int add_seals(int ds, int seals)
{
	int others = seals & ~(SIZE_SEALS | WRITE_SEALS);
	int ret = 0;

	if (others && !policy.lenient) {
		policy_log("%d: seals 0x%x cannot be added", ds, others);
		return -EINVAL;
	}
	if (seals & F_SEAL_WRITE)
		ret = dataspace_seal(ds, DATASPACE_SEAL_NOW);
	else if (seals & F_SEAL_FUTURE_WRITE)
		ret = dataspace_seal(ds, 0);
	policy_log("%d: seals 0x%x%s, of which 0x%x is not true", ds, seals,
		   ret < 0 ? " not added" : " added", others);
	return ret;
}

PRELOAD_API int fcntl64(int fd, int command, ...)
{
	struct dataspace_info info;
	va_list arguments;
	void *argument;
	int ret;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if ((command != F_GET_SEALS && command != F_ADD_SEALS) ||
	    dataspace_info(fd, &info, sizeof(info)) < 0)
		return NEXT(fcntl64)(fd, command, argument);
	if (command == F_GET_SEALS)
		return get_seals(&info);
	ret = add_seals(fd, (intptr_t)argument);
	if (!ret)
		return 0;
	errno = -ret;
	return -1;
}

PRELOAD_API int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return fcntl64(fd, command, argument);
}
