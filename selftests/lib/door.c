// SPDX-License-Identifier: GPL-2.0-only
/* What the doors have in common; see the header. */
#include "door.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

char intruder[64] = INTRUDER;
char sight[SIGHT_SIZE] __attribute__((aligned(8)));

long overwrite(int file)
{
	ssize_t written = pwrite(file, intruder, sizeof(intruder), 0);

	return written < 0 ? -errno : written;
}

int file_with_intruder(void)
{
	int file = memfd_create(INTRUDER, MFD_CLOEXEC);

	if (file >= 0 && overwrite(file) < 0)
		return -errno;
	return file;
}

int pipe_with_intruder(int ends[2])
{
	if (pipe(ends))
		return -errno;
	return write(ends[1], intruder, sizeof(intruder)) < 0 ? -errno : 0;
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
