// SPDX-License-Identifier: GPL-2.0-only
/* Makes the header that a swap device needs. */
#include "swap.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>

#include <linux/fs.h>

#include "common.h"
#include "disk.h"

#define MAGIC "SWAPSPACE2"

/*
 * The first page of the device; its last bytes are the magic, without a zero.
 */
struct swap_header {
	char boot[1024];
	__u32 version;
	__u32 last_page;
	__u32 bad_pages;
};

static int write_header(int disk)
{
	const size_t page = page_size();
	char *first = mmap(NULL, page, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	struct swap_header *header = (struct swap_header *)first;
	ssize_t written;

	if (first == MAP_FAILED)
		return -errno;
	header->version = 1;
	header->last_page = lseek(disk, 0, SEEK_END) / page - 1;
	memcpy(first + page - strlen(MAGIC), MAGIC, strlen(MAGIC));
	written = result(pwrite(disk, first, page, 0));
	munmap(first, page);
	return written == (ssize_t)page ? 0 : -EIO;
}

/* Makes the whole disk zero again. */
static int wipe(void)
{
	int disk = open(DISK, O_RDWR | O_EXCL | O_CLOEXEC);
	__u64 all[2] = { 0, lseek(disk, 0, SEEK_END) };
	int err = result(ioctl(disk, BLKZEROOUT, all));

	close(disk);
	return err;
}

int swap_begin(dev_t *device)
{
	int disk = disk_open();
	struct stat stat;
	int err;

	if (disk < 0)
		return disk;
	err = write_header(disk) ?: result(fstat(disk, &stat));
	close(disk);
	if (!err)
		err = result(swapon(DISK, 0));
	if (err)
		wipe();
	else
		*device = stat.st_rdev;
	return err;
}

int swap_end(void)
{
	return result(swapoff(DISK)) ?: wipe();
}
