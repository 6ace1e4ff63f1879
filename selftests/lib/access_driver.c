// SPDX-License-Identifier: GPL-2.0-only
/* Access by drivers that take the descriptor of some memory. */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/loop.h>
#include <linux/udmabuf.h>

#include "common.h"

static long open_driver(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? NOT_AVAILABLE : -errno;
}

/* Makes a disk of the descriptor and writes to that. */
static long loop_write(int disk, int fd)
{
	long ret = result(ioctl(disk, LOOP_SET_FD, fd));

	if (ret < 0)
		return ret;
	ret = result(pwrite(disk, payload, sizeof(payload), 0));
	if (ret > 0)
		ret = result(fsync(disk));
	ioctl(disk, LOOP_CLR_FD, 0);
	return ret;
}

static long free_loop(void)
{
	long control = open_driver("/dev/loop-control");
	long ret;

	if (control < 0)
		return control;
	ret = result(ioctl(control, LOOP_CTL_GET_FREE));
	close(control);
	return ret;
}

long access_loop(int fd)
{
	long number = free_loop();
	char path[32];
	long disk, ret;

	if (number < 0)
		return number;
	snprintf(path, sizeof(path), "/dev/loop%ld", number);
	disk = open_driver(path);
	if (disk < 0)
		return disk;
	ret = loop_write(disk, fd);
	close(disk);
	return ret;
}

/* udmabuf takes memory files that can't shrink. */
long access_udmabuf(int fd)
{
	struct udmabuf_create arg = { .memfd = fd, .size = page_size() };
	long driver = open_driver("/dev/udmabuf");
	long ret;

	if (driver < 0)
		return driver;
	ret = result(ioctl(driver, UDMABUF_CREATE, &arg));
	close(driver);
	return ret;
}

/* DMA_BUF_IOCTL_SYNC is an ioctl of dma-bufs only. */
long access_dma_buf(int fd)
{
	struct dma_buf_sync arg = {
		.flags = DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE,
	};

	return result(ioctl(fd, DMA_BUF_IOCTL_SYNC, &arg));
}
