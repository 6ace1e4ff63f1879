// SPDX-License-Identifier: GPL-2.0-only
/* The peers that are dma-bufs. */
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include "bench.h"

#define UDMABUF_LIMIT "/sys/module/udmabuf/parameters/size_limit_mb"

static int device(const char *path, int *fd)
{
	if (*fd <= 0)
		*fd = result(open(path, O_RDWR | O_CLOEXEC));
	return *fd;
}

static void udmabuf_enter(void)
{
	write_file(UDMABUF_LIMIT, "2048");
}

static int udmabuf_handle(int source, size_t size)
{
	static int fd;
	struct udmabuf_create arg = {
		.memfd = source,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = size,
	};

	if (device("/dev/udmabuf", &fd) < 0)
		return fd;
	return result(ioctl(fd, UDMABUF_CREATE, &arg));
}

static int udmabuf_object(size_t size)
{
	int source = memfd_with_memory(size);
	int fd;

	if (source < 0)
		return source;
	fd = udmabuf_handle(source, size);
	close(source);
	return fd;
}

static int dma_heap_object(size_t size)
{
	static int fd;
	struct dma_heap_allocation_data arg = {
		.len = size,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};

	if (device("/dev/dma_heap/system", &fd) < 0)
		return fd;
	if (ioctl(fd, DMA_HEAP_IOCTL_ALLOC, &arg))
		return -errno;
	return arg.fd;
}

const struct kind udmabuf = {
	.name = "udmabuf",
	.prot = PROT_READ | PROT_WRITE,
	.source = memfd_with_memory,
	.handle = udmabuf_handle,
	.object = udmabuf_object,
	.enter = udmabuf_enter,
};

const struct kind dma_heap = {
	.name = "dma-heap",
	.prot = PROT_READ | PROT_WRITE,
	.object = dma_heap_object,
};
