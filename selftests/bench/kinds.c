// SPDX-License-Identifier: GPL-2.0-only
/* The dataspace, and the peers that are only a descriptor. */
#include <sys/eventfd.h>

#include "bench.h"
#include "dmabuf.h"

/* The device stays open, as opening it is not measured. */
static int alloc(size_t size, __u32 flags)
{
	static int device = -1;
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.length = size,
		.rights = RIGHTS_RW,
	};

	if (device < 0)
		device = ds_device();
	return device < 0 ? device : ds_alloc_on(device, &arg);
}

static int ds_contiguous(size_t size)
{
	return alloc(size, 0);
}

static int ds_scattered(size_t size)
{
	return alloc(size, DATASPACE_ALLOC_SCATTERED);
}

static int ds_lazy(size_t size)
{
	return alloc(size, DATASPACE_ALLOC_LAZY);
}

static int ds_handle(int source, size_t size)
{
	return ds_alias(source, 0, size, RIGHTS_RW);
}

/*
 * Aliases all over the source, of one to sixteen pages, many of which overlap.
 */
static int ds_part(int source, size_t size, size_t number)
{
	size_t pages = size / page_size();
	size_t first = number * 7919 % pages;
	size_t count = number % 16 + 1;

	if (count > pages - first)
		count = pages - first;
	return ds_alias(source, first * page_size(), count * page_size(),
			RIGHTS_RW);
}

static int ds_dmabuf(int source, size_t size)
{
	return ds_export(source, 0);
}

static int ds_dmabuf_object(size_t size)
{
	int source = ds_contiguous(size);
	int fd;

	if (source < 0)
		return source;
	fd = ds_export(source, 0);
	close(source);
	return fd;
}

#define POOL_MB "/sys/module/dataspace/parameters/pool_mb"

static void pool_enter(void)
{
	write_file(POOL_MB, "512");
}

static void pool_leave(void)
{
	write_file(POOL_MB, "0");
}

static int eventfd_handle(int source, size_t size)
{
	return result(eventfd(0, EFD_CLOEXEC));
}

/* The kind of the file does not matter. */
static int dup_source(size_t size)
{
	return ds_contiguous(page_size());
}

static int dup_handle(int source, size_t size)
{
	return result(fcntl(source, F_DUPFD_CLOEXEC, 0));
}

int new_source(const struct kind *kind, size_t size)
{
	if (!kind->handle || size < kind->unit)
		return NO_SUCH_WORK;
	return kind->source ? kind->source(size) : 0;
}

int new_object(const struct kind *kind, size_t size)
{
	if (!kind->object || size < kind->unit)
		return NO_SUCH_WORK;
	return kind->object(size);
}

const struct kind dataspace = {
	.name = "dataspace",
	.prot = PROT_READ | PROT_WRITE,
	.source = ds_contiguous,
	.handle = ds_handle,
	.part = ds_part,
	.object = ds_contiguous,
};

const struct kind scattered = {
	.name = "scattered",
	.prot = PROT_READ | PROT_WRITE,
	.source = ds_scattered,
	.handle = ds_handle,
	.part = ds_part,
	.object = ds_scattered,
};

/* With all of its memory from the pool. */
const struct kind ready = {
	.name = "dataspace",
	.prot = PROT_READ | PROT_WRITE,
	.object = ds_contiguous,
	.enter = pool_enter,
	.leave = pool_leave,
};

/* With none of its memory. */
const struct kind lazy = {
	.name = "dataspace",
	.prot = PROT_READ | PROT_WRITE,
	.object = ds_lazy,
};

/* As a dma-buf. */
const struct kind exported = {
	.name = "dataspace",
	.prot = PROT_READ | PROT_WRITE,
	.source = ds_contiguous,
	.handle = ds_dmabuf,
	.object = ds_dmabuf_object,
};

const struct kind eventfd_kind = {
	.name = "eventfd",
	.handle = eventfd_handle,
};

const struct kind dup_kind = {
	.name = "dup",
	.source = dup_source,
	.handle = dup_handle,
};

const struct kind one_by_one = {
	.name = "one by one",
};
