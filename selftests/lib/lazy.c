// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include "lazy.h"

#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "kmod.h"

int lazy_alloc(__u64 length)
{
	return ds_alloc(length, RIGHTS_RW, DATASPACE_ALLOC_LAZY);
}

size_t lazy_block(void)
{
	const char *thp = "/sys/kernel/mm/transparent_hugepage/enabled";

	return access(thp, F_OK) ? page_size() : huge_size();
}

long long ds_resident(int ds)
{
	struct dataspace_info info;
	int ret = ds_info(ds, &info);

	return ret ? ret : info.resident;
}

long long lazy_in_use(void)
{
	return number_in_file(KMOD_PARAMETERS "in_use", "");
}

long long lazy_in_use_soon(long long want)
{
	double end = seconds() + SOON;

	while (lazy_in_use() != want && seconds() < end)
		usleep(1000);
	return lazy_in_use();
}

int ds_punch(int ds, __u64 offset, __u64 length)
{
	return result(fallocate(ds, PUNCH, offset, length));
}

int ds_fill(int ds, __u64 offset, __u64 length)
{
	return result(fallocate(ds, 0, offset, length));
}

long lazy_write(int ds, __u64 offset, size_t bytes, __u8 byte)
{
	void *buffer = malloc(bytes);
	long ret;

	memset(buffer, byte, bytes);
	ret = result(pwrite(ds, buffer, bytes, offset));
	free(buffer);
	return ret;
}

int lazy_byte(int ds, __u64 offset)
{
	__u8 byte;
	long ret = result(pread(ds, &byte, 1, offset));

	return ret == 1 ? byte : ret ? ret : -ENODATA;
}
