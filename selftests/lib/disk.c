// SPDX-License-Identifier: GPL-2.0-only
/* Makes sure that no disk is written to that is in use. */
#include "disk.h"

#include "common.h"

#define LARGEST ((off_t)256 << 20)
#define BUFFER_SIZE ((size_t)MEG)

static void *map_zeros(size_t length)
{
	return mmap(NULL, length, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
}

static bool is_blank(int disk)
{
	off_t size = lseek(disk, 0, SEEK_END);
	char *buffer = map_zeros(BUFFER_SIZE);
	bool blank = size > 0 && size <= LARGEST;
	off_t at;

	for (at = 0; blank && at < size; at += BUFFER_SIZE) {
		ssize_t got = pread(disk, buffer, BUFFER_SIZE, at);

		blank = got > 0 && bytes_are(buffer, got, 0);
	}
	munmap(buffer, BUFFER_SIZE);
	return blank;
}

int disk_open(void)
{
	int disk = open(DISK, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);

	if (disk < 0)
		return -errno;
	if (is_blank(disk))
		return disk;
	close(disk);
	return -EBUSY;
}

int disk_close(int disk, size_t length)
{
	char *zeros = map_zeros(length);
	ssize_t written = pwrite(disk, zeros, length, 0);

	munmap(zeros, length);
	close(disk);
	return written == (ssize_t)length ? 0 : -EIO;
}
