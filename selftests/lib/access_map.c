// SPDX-License-Identifier: GPL-2.0-only
/* Access by a mapping that could do more, or could show more. */
#include "access.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common.h"
#include "proc.h"

static long try_map(int fd, int prot, int flags)
{
	return ds_try_map(fd, page_size(), prot, flags, 0);
}

long access_map_shared(int fd)
{
	return try_map(fd, READ_WRITE, MAP_SHARED);
}

long access_map_write_only(int fd)
{
	return try_map(fd, PROT_WRITE, MAP_SHARED);
}

long access_map_validate(int fd)
{
	return try_map(fd, READ_WRITE, MAP_SHARED_VALIDATE);
}

long access_map_sync(int fd)
{
	return try_map(fd, READ_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC);
}

long access_map_populate(int fd)
{
	return try_map(fd, READ_WRITE, MAP_SHARED | MAP_POPULATE | MAP_LOCKED);
}

long access_map_exec(int fd)
{
	return try_map(fd, PROT_READ | PROT_EXEC, MAP_SHARED);
}

/* The mapping could grow into the pages before it. */
long access_map_grows_down(int fd)
{
	return try_map(fd, PROT_READ, MAP_SHARED | MAP_GROWSDOWN);
}

/* A private mapping is a copy that nobody else sees. */
long access_map_private(int fd)
{
	const size_t page = page_size();
	char *map = mmap(NULL, page, READ_WRITE, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	memcpy(map, payload, sizeof(payload));
	return result(msync(map, page, MS_SYNC));
}

long access_map_past(int fd)
{
	return ds_try_map(fd, page_size(), PROT_READ, MAP_SHARED,
			  lseek(fd, 0, SEEK_END));
}

long access_map_before(int fd)
{
	return ds_try_map(fd, page_size(), PROT_READ, MAP_SHARED,
			  -(off_t)page_size());
}

/*
 * Maps right behind a mapping of the last page, where the mm might merge both.
 */
long access_map_beside(int fd)
{
	const size_t page = page_size();
	const off_t end = lseek(fd, 0, SEEK_END);
	char *space = mmap(NULL, 2 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *map = mmap(space, page, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
			 end - page);

	if (map == MAP_FAILED)
		return -errno;
	munmap(map + page, page);
	map = mmap(map + page, page, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		   end);
	return map == MAP_FAILED ? -errno : 0;
}

long access_mprotect(void *map, size_t length)
{
	return result(mprotect(map, length, READ_WRITE));
}

long access_pkey_mprotect(void *map, size_t length)
{
	return result(syscall(SYS_pkey_mprotect, map, length, READ_WRITE, -1));
}

long access_mprotect_back(void *map, size_t length)
{
	long ret = result(mprotect(map, length, PROT_NONE));

	return ret ? ret : access_mprotect(map, length);
}

long access_mprotect_exec(void *map, size_t length)
{
	return result(mprotect(map, length, PROT_READ | PROT_EXEC));
}

/* The signal that ends a child that stores there, or 0. */
long access_store(void *map)
{
	pid_t child = fork();
	int status;

	if (!child) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		memcpy(map, payload, sizeof(payload));
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static long remap(void *map, size_t from, size_t to, int flags)
{
	return mremap(map, from, to, flags) == MAP_FAILED ? -errno : 0;
}

long access_mremap_grow(void *map, size_t length)
{
	return remap(map, length, length + page_size(), MREMAP_MAYMOVE);
}

long access_mremap_grow_in_place(void *map, size_t length)
{
	return remap(map, length, length + page_size(), 0);
}

long access_mremap_copy(void *map, size_t length)
{
	return remap(map, 0, length, MREMAP_MAYMOVE);
}

long access_mremap_dontunmap(void *map, size_t length)
{
	return remap(map, length, length, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
}

/* Moving the mapping is allowed; it must be read-only there, too. */
long access_mremap_move(void *map, size_t length)
{
	char *to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	to = mremap(map, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	return to == MAP_FAILED ? -errno : access_mprotect(to, length);
}

/* Anonymous memory takes the place of the mapping. */
long access_map_over(void *map, size_t length)
{
	map = mmap(map, length, READ_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	memcpy(map, payload, sizeof(payload));
	return 0;
}

long access_remap_file_pages(void *map, size_t length)
{
	return result(syscall(SYS_remap_file_pages, map, length, 0, 0, 0));
}

long access_remap_file_pages_past(void *map, size_t length)
{
	return result(syscall(SYS_remap_file_pages, map, page_size(), 0,
			      length / page_size(), 0));
}

long access_map_files(void *map, size_t length)
{
	unsigned long start = (unsigned long)map;
	char path[96];

	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", start,
		 start + length);
	return try_open(path, O_RDWR);
}
