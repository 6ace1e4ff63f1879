// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bytes of kernel memory per handle, of many handles: what is in slabs, and
 * what is charged to the cgroup. The table of descriptors has its size before.
 */
#include <stdlib.h>

#include "cgroup.h"
#include "bench.h"

#define GROUP "bench"

struct usage {
	long long slab;
	long long charged;
};

static struct usage usage_now(void)
{
	sleep(5);
	return (struct usage){
		.slab = number_in_file("/proc/meminfo", "Slab:") * 1024,
		.charged = cgroup_number(GROUP, "memory.stat", "kernel "),
	};
}

static long long per_handle(long long before, long long after, size_t number)
{
	if (before < 0 || after < 0)
		return NO_SUCH_WORK;
	return (after - before) / (long long)number;
}

static int join_group(void)
{
	cgroup_share_memory("");
	cgroup_make(GROUP);
	return cgroup_join(GROUP);
}

/* The first round only grows the table of descriptors. */
static int measure_usage(const struct kind *kind, int source, size_t number,
			 long long *costs)
{
	int first = live_open(&eventfd_kind, 0, 0, number);
	struct usage before, after;

	if (first < 0)
		return first;
	live_close(first, number);
	before = usage_now();
	first = live_open(kind, source, MIB, number);
	if (first < 0)
		return first;
	after = usage_now();
	live_close(first, number);
	costs[0] = per_handle(before.slab, after.slab, number);
	costs[1] = per_handle(before.charged, after.charged, number);
	return 0;
}

static int memory_cost(const struct kind *kind, size_t number, long long *costs)
{
	int source = new_source(kind, MIB);
	int ret = source < 0 ? source : join_group();

	if (!ret)
		ret = measure_usage(kind, source, number, costs);
	if (source > 0)
		close(source);
	cgroup_join("");
	return ret;
}

const struct subject memory_subject = {
	.works = { "bytes per handle (slab)", "bytes per handle (charged)" },
	.peer = "eventfd",
	.sizes = (const size_t[]){ 20000, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &eventfd_kind,
					       &dup_kind, &memfd, &memfd_ro,
					       &udmabuf, NULL },
	.cost = memory_cost,
};
