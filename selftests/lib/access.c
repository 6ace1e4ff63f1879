// SPDX-License-Identifier: GPL-2.0-only
/* What the ways to access a page share; see the header. */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

char payload[64] = PAYLOAD;
char seen[SEEN_SIZE] __attribute__((aligned(8)));

long overwrite(int file)
{
	ssize_t written = pwrite(file, payload, sizeof(payload), 0);

	return written < 0 ? -errno : written;
}

int file_with_payload(void)
{
	int file = memfd_create(PAYLOAD, MFD_CLOEXEC);

	if (file >= 0 && overwrite(file) < 0)
		return -errno;
	return file;
}

int pipe_with_payload(int ends[2])
{
	if (pipe(ends))
		return -errno;
	return write(ends[1], payload, sizeof(payload)) < 0 ? -errno : 0;
}

void close_pipe(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

long try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}
