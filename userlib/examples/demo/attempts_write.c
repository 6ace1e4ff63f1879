// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Attempts to change what one may only read. They are made on the label, of
 * which the client holds a read-only dataspace and a read-only mapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <dataspace.h>

#include "attempts.h"
#include "try.h"

static int map_writable(const struct part *part)
{
	return try_map(part, PROT_READ | PROT_WRITE);
}

static int map_executable(const struct part *part)
{
	return try_map(part, PROT_READ | PROT_EXEC);
}

static int protect_writable(const struct part *part)
{
	if (mprotect(part->map, part->length, PROT_READ | PROT_WRITE))
		return -errno;
	return OUTCOME_SUCCESS;
}

static int write_proc_mem(const struct part *part)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	int outcome;

	if (fd < 0)
		return -errno;
	outcome = pwrite(fd, "x", 1, (uintptr_t)part->map);
	if (outcome < 0)
		outcome = -errno;
	close(fd);
	return outcome;
}

static int write_by_process_vm(const struct part *part)
{
	struct iovec from = { "x", 1 };
	struct iovec to = { part->map, 1 };
	ssize_t put = process_vm_writev(getpid(), &from, 1, &to, 1, 0);

	return put < 0 ? -errno : put;
}

static int read_pipe_into(const struct part *part)
{
	int ends[2];
	int outcome;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	outcome = write(ends[1], "x", 1);
	if (outcome == 1)
		outcome = read(ends[0], part->map, 1);
	if (outcome < 0)
		outcome = -errno;
	close(ends[0]);
	close(ends[1]);
	return outcome;
}

static int reopen_writable(const struct part *part)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", part->ds);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(fd);
	return OUTCOME_SUCCESS;
}

static int alias_writable(const struct part *part)
{
	return try_alias(part, DATASPACE_RW);
}

static int truncate_file(const struct part *part)
{
	return ftruncate(part->ds, 0) ? -errno : OUTCOME_SUCCESS;
}

const struct attempt write_attempts[WRITE_ATTEMPTS] = {
	{ "mmap writable", map_writable, -EACCES },
	{ "mmap executable", map_executable, -EACCES },
	{ "mprotect writable", protect_writable, -EACCES },
	{ "store through the mapping", try_store, OUTCOME_SIGSEGV },
	{ "pwrite", try_pwrite, -EBADF },
	{ "write to /proc/self/mem", write_proc_mem, -EIO },
	{ "process_vm_writev", write_by_process_vm, -EFAULT },
	{ "read from a pipe into it", read_pipe_into, -EFAULT },
	{ "open /proc/self/fd/N O_RDWR", reopen_writable, -ENXIO },
	{ "alias with WRITE", alias_writable, -EPERM },
	{ "ftruncate", truncate_file, -EINVAL },
};
