// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a NUMA node: rule 1. On a machine that has just one this shows
 * little, but it has to work there, too.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <sys/syscall.h>

#include "cgroup.h"
#include "common.h"
#include "proc.h"

/* So much of a node's memory may be in use by others. */
#define SLACK (64 * MEG)

static __u64 whole_pages(__u64 bytes)
{
	return (bytes + page_size() - 1) / page_size() * page_size();
}

/* @what: "MemTotal:" or "MemFree:"; in bytes. */
static __u64 node_memory(int node, const char *what)
{
	char path[64];
	char key[64];

	snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/meminfo",
		 node);
	snprintf(key, sizeof(key), "Node %d %s", node, what);
	return number_in_file(path, key) * 1024;
}

/* The node of the page that is mapped at @page, or -errno. */
static int node_of(const char *page)
{
	const void *address = page;
	int status = -ENODATA;

	if (syscall(SYS_move_pages, 0, 1UL, &address, NULL, &status, 0))
		return -errno;
	return status;
}

static int alloc_on(int node, __u64 length, __u32 flags)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags | DATASPACE_ALLOC_NODE,
		.length = length,
		.rights = RIGHTS_RW,
		.node = node,
	};
	int device = ds_device();
	int ds = device < 0 ? device : ds_alloc_on(device, &arg);

	close(device);
	return ds;
}

/* How many pages of a dataspace are on a node, or -errno. */
static long pages_on(int ds, __u64 length, int node)
{
	char *map = ds_map(ds, length, PROT_READ);
	long count = 0;
	__u64 at;

	if (map == MAP_FAILED)
		return -errno;
	for (at = 0; at < length; at += page_size()) {
		volatile char *touched = map + at;

		(void)*touched;
		count += node_of(map + at) == node;
	}
	munmap(map, length);
	return count;
}

FIXTURE(memory)
{
	__u64 length;
};

FIXTURE_VARIANT(memory)
{
	__u64 bytes;
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(memory, of_a_page) {
	.bytes = 1,
};

FIXTURE_VARIANT_ADD(memory, of_half_a_mib) {
	.bytes = MEG / 2,
};

FIXTURE_VARIANT_ADD(memory, of_a_huge_page) {
	.bytes = 2 * MEG,
};

FIXTURE_VARIANT_ADD(memory, of_a_run) {
	.bytes = 9 * MEG + 1,
};

FIXTURE_VARIANT_ADD(memory, of_several_extents) {
	.bytes = 9 * MEG + 1,
	.flags = DATASPACE_ALLOC_SCATTERED,
};

/* clang-format on */

FIXTURE_SETUP(memory)
{
	self->length = whole_pages(variant->bytes);
}

FIXTURE_TEARDOWN(memory)
{
}

/* rule 1 */
TEST_F(memory, comes_from_the_node_that_was_asked_for)
{
	const long pages = self->length / page_size();
	int node;

	for (node = 0; node < count_nodes(); node++) {
		int ds = alloc_on(node, variant->bytes, variant->flags);

		ASSERT_LE(0, ds);
		EXPECT_EQ(pages, pages_on(ds, self->length, node));
		close(ds);
	}
}

/* rule 1: repeated, as memory could come from another node once in a while */
TEST_F(memory, comes_from_there_every_time)
{
	const int nodes = count_nodes();
	int ds[16];
	int i;

	for (i = 0; i < ARRAY_LENGTH(ds); i++) {
		ds[i] = alloc_on(i % nodes, variant->bytes, variant->flags);
		ASSERT_LE(0, ds[i]);
	}
	for (i = 0; i < ARRAY_LENGTH(ds); i++) {
		EXPECT_EQ(1, pages_on(ds[i], page_size(), i % nodes));
		close(ds[i]);
	}
}

/* rule 1 */
TEST_F(memory, of_a_node_that_is_not_there_is_EINVAL)
{
	EXPECT_EQ(-EINVAL,
		  alloc_on(count_nodes(), variant->bytes, variant->flags));
}

FIXTURE(node)
{
	int last;
};

FIXTURE_SETUP(node)
{
	self->last = count_nodes() - 1;
	ASSERT_LE(0, self->last);
}

FIXTURE_TEARDOWN(node)
{
}

/* rule 1 */
TEST_F(node, that_has_less_is_ENOMEM)
{
	const __u64 length = node_memory(self->last, "MemTotal:");

	EXPECT_EQ(-ENOMEM, alloc_on(self->last, length, 0));
	EXPECT_EQ(-ENOMEM,
		  alloc_on(self->last, length, DATASPACE_ALLOC_SCATTERED));
}

/* rule 1: free memory of other nodes does not help */
TEST_F_TIMEOUT(node, that_is_used_up_is_ENOMEM, LONG_TIMEOUT)
{
	const __u64 length = node_memory(self->last, "MemFree:") + SLACK;

	EXPECT_EQ(-ENOMEM, alloc_on(self->last, length, 0));
	EXPECT_EQ(-ENOMEM,
		  alloc_on(self->last, length, DATASPACE_ALLOC_SCATTERED));
}

/* rule 3: without a node all of the memory can be had */
TEST_F_TIMEOUT(node, of_no_matter_which_means_all, LONG_TIMEOUT)
{
	const __u64 length =
		whole_pages(node_memory(self->last, "MemFree:") + SLACK);
	long pages = 0;
	int node;
	int ds;

	if (!self->last)
		SKIP(return, "this machine has one node");
	ds = ds_alloc(length, RIGHTS_RW, DATASPACE_ALLOC_SCATTERED);
	ASSERT_LE(0, ds);
	for (node = 0; node <= self->last; node++) {
		long here = pages_on(ds, length, node);

		EXPECT_LT(0, here);
		pages += here;
	}
	EXPECT_EQ((long)(length / page_size()), pages);
	close(ds);
}

#define GROUP "dataspace-nodes"

/* A process whose cpuset has only node 0. */
/* clang-format off */
FIXTURE(cpuset) {};
/* clang-format on */

FIXTURE_VARIANT(cpuset)
{
	__u64 bytes;
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(cpuset, and_a_page) {
	.bytes = 1,
};

FIXTURE_VARIANT_ADD(cpuset, and_a_run) {
	.bytes = 9 * MEG + 1,
};

FIXTURE_VARIANT_ADD(cpuset, and_several_extents) {
	.bytes = 9 * MEG + 1,
	.flags = DATASPACE_ALLOC_SCATTERED,
};

/* clang-format on */

FIXTURE_SETUP(cpuset)
{
	if (count_nodes() < 2)
		SKIP(return, "this machine has one node");
	cgroup_remove(GROUP);
	if (cgroup_set("", "cgroup.subtree_control", "+cpuset"))
		SKIP(return, "no cpuset controller");
	ASSERT_EQ(0, cgroup_make(GROUP));
	ASSERT_EQ(0, cgroup_set(GROUP, "cpuset.mems", "0"));
}

FIXTURE_TEARDOWN(cpuset)
{
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/* Allocates in the cpuset; a bit for each result that is wrong. */
static int alloc_in_cpuset(__u64 bytes, __u32 flags)
{
	const __u64 length = whole_pages(bytes);
	const long pages = length / page_size();
	int ret = 0;
	int ds;

	if (cgroup_join(GROUP))
		return 1;
	if (alloc_on(1, bytes, flags) != -EINVAL)
		ret |= 2;
	ds = alloc_on(0, bytes, flags);
	if (ds < 0 || pages_on(ds, length, 0) != pages)
		ret |= 4;
	close(ds);
	ds = ds_alloc(bytes, RIGHTS_RW, flags);
	if (ds < 0 || pages_on(ds, length, 0) != pages)
		ret |= 8;
	close(ds);
	return ret;
}

/* rule 4: a node outside of the cpuset is refused, as by mbind(2) */
TEST_F(cpuset, holds_with_a_node_named_and_without)
{
	pid_t child = fork();

	if (!child)
		_exit(alloc_in_cpuset(variant->bytes, variant->flags));
	EXPECT_EQ(0, wait_for(child));
}

/* rule 27: memory of other nodes is not searched */
TEST_F(cpuset, that_has_less_is_ENOMEM)
{
	const __u64 length = node_memory(0, "MemTotal:");
	pid_t child = fork();

	if (!child)
		_exit(cgroup_join(GROUP) ||
		      ds_alloc(length, RIGHTS_RW, variant->flags) != -ENOMEM);
	EXPECT_EQ(0, wait_for(child));
}

TEST_HARNESS_MAIN
