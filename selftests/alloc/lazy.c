// SPDX-License-Identifier: GPL-2.0-only
/* Memory that appears when it is touched first: rule 30. */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "common.h"
#include "control.h"
#include "lazy.h"
#include "proc.h"
#include "sigbus.h"

#define BLOCKS 4
#define LIMIT "/sys/module/dataspace/parameters/limit_mb"

/* A root of @length bytes, none of which are there; @block appear at once. */
FIXTURE(lazy)
{
	size_t page;
	size_t block;
	size_t length;
	long long in_use;
	int root;
};

FIXTURE_SETUP(lazy)
{
	sigbus_init();
	self->page = page_size();
	self->block = lazy_block();
	self->length = BLOCKS * huge_size();
	self->in_use = lazy_in_use();
	self->root = lazy_alloc(self->length);
	ASSERT_LE(0, self->root);
}

/* Nothing outlives the root, its aliases and its mappings. */
FIXTURE_TEARDOWN(lazy)
{
}

/* rule 30 */
TEST_F(lazy, nothing_is_there_at_first)
{
	struct dataspace_info info;
	struct stat stat;

	ASSERT_EQ(0, ds_info(self->root, &info));
	ASSERT_EQ(0, fstat(self->root, &stat));
	EXPECT_EQ(self->length, info.length);
	EXPECT_EQ(self->length, stat.st_size);
	EXPECT_EQ(0, info.resident);
	EXPECT_EQ(0, info.exclusive);
	EXPECT_EQ(0, stat.st_blocks);
	EXPECT_EQ(self->in_use, lazy_in_use());
}

/* rule 30: who must not wait is told to, and finds what is there */
TEST_F(lazy, a_write_to_a_hole_that_must_not_wait_is_EAGAIN)
{
	char text[] = "there";
	struct iovec iov = { text, sizeof(text) };

	EXPECT_EQ(-EAGAIN, result(pwritev2(self->root, &iov, 1, self->page,
					   RWF_NOWAIT)));
	EXPECT_EQ(0, ds_resident(self->root));
	EXPECT_EQ(sizeof(text),
		  result(preadv2(self->root, &iov, 1, 0, RWF_NOWAIT)));
	EXPECT_EQ(0, ds_resident(self->root));
	EXPECT_EQ(1, pwrite(self->root, "", 1, 0));
	EXPECT_EQ(sizeof(text),
		  result(pwritev2(self->root, &iov, 1, 0, RWF_NOWAIT)));
}

/* rule 30 */
TEST_F(lazy, a_read_of_a_hole_is_zeroes_and_allocates_nothing)
{
	char *buffer = malloc(self->length);

	memset(buffer, 0xff, self->length);
	EXPECT_EQ(self->length, pread(self->root, buffer, self->length, 0));
	EXPECT_TRUE(bytes_are(buffer, self->length, 0));
	EXPECT_EQ(0, ds_resident(self->root));
	EXPECT_EQ(self->in_use, lazy_in_use());
	free(buffer);
}

/* rule 30 */
TEST_F(lazy, a_read_across_an_end_of_a_hole_is_both)
{
	const size_t start = self->block;
	char *buffer = malloc(2 * self->page);

	ASSERT_EQ(1, lazy_write(self->root, start, 1, 1));
	EXPECT_EQ(2 * self->page, pread(self->root, buffer, 2 * self->page,
					start - self->page));
	EXPECT_TRUE(bytes_are(buffer, self->page, 0));
	EXPECT_EQ(1, buffer[self->page]);
	EXPECT_EQ(self->block, ds_resident(self->root));
	free(buffer);
}

/* rule 30 */
TEST_F(lazy, a_write_brings_a_large_folio_of_zeroes)
{
	char *map = ds_map(self->root, self->length, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(1, lazy_write(self->root, self->page + 1, 1, 1));
	EXPECT_EQ(self->block, ds_resident(self->root));
	EXPECT_EQ(self->in_use + self->block, lazy_in_use());
	EXPECT_TRUE(bytes_are(map, self->page + 1, 0));
	EXPECT_EQ(1, map[self->page + 1]);
	EXPECT_TRUE(bytes_are(map + self->page + 2, 2 * self->page, 0));
}

/* rule 30 */
TEST_F(lazy, a_first_store_and_a_first_load_bring_a_large_folio)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);
	__u64 value = 1;

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, try_store(map + self->page, 1));
	EXPECT_EQ(self->block, ds_resident(self->root));
	EXPECT_EQ(0, try_load(map + 3 * huge_size(), &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(2 * self->block, ds_resident(self->root));
}

/* rules 22 and 30: where there are 2 MiB in one piece, which others may have used up */
TEST_F(lazy, a_first_touch_of_all_of_it_takes_a_fault_for_each_folio)
{
	const size_t length = 64 << 20;
	int ds = lazy_alloc(length);
	char *map = ds_map(ds, length, READ_WRITE);
	long faults;
	size_t at;

	ASSERT_NE(MAP_FAILED, map);
	if (!can_map_huge())
		SKIP(return, "no huge pages");
	if (is_debug_kernel())
		SKIP(return, "this kernel keeps freed objects everywhere");
	EXPECT_EQ(0, text_to_file("/proc/sys/vm/drop_caches", "3"));
	EXPECT_EQ(0, text_to_file("/proc/sys/vm/compact_memory", "1"));
	faults = minor_faults();
	for (at = 0; at < length; at += self->page)
		map[at] = 1;
	EXPECT_GE(64, minor_faults() - faults);
	EXPECT_EQ(length, ds_resident(ds));
}

/* rule 30: nobody brings what he has no right to */
TEST_F(lazy, an_alias_of_a_part_brings_single_pages)
{
	int alias = ds_alias(self->root, self->page, 5 * self->page, RIGHTS_RW);
	char *map = ds_map(alias, 5 * self->page, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(1, lazy_write(alias, 0, 1, 1));
	EXPECT_EQ(self->page, ds_resident(alias));
	EXPECT_EQ(0, try_store(map + 3 * self->page, 2));
	EXPECT_EQ(2 * self->page, ds_resident(self->root));
	EXPECT_EQ(1, lazy_byte(self->root, self->page));
	EXPECT_EQ(2, lazy_byte(self->root, 4 * self->page));
}

/* rule 30 */
TEST_F(lazy, a_mapping_of_a_part_brings_what_it_maps)
{
	char *map = mmap(NULL, 2 * self->page, READ_WRITE, MAP_SHARED,
			 self->root, self->page);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, try_store(map, 1));
	EXPECT_EQ(self->page, ds_resident(self->root));
}

/* rule 30: where a page is there already, its neighbours come one by one */
TEST_F(lazy, a_folio_of_which_a_page_is_there_comes_page_by_page)
{
	int alias = ds_alias(self->root, self->page, self->page, RIGHTS_RW);

	ASSERT_EQ(1, lazy_write(alias, 0, 1, 1));
	EXPECT_EQ(1, lazy_write(self->root, 0, 1, 2));
	EXPECT_EQ(2 * self->page, ds_resident(self->root));
	EXPECT_EQ(2, lazy_byte(self->root, 0));
	EXPECT_EQ(1, lazy_byte(self->root, self->page));
}

/* rules 11 and 30 */
TEST_F(lazy, a_store_to_a_private_mapping_stays_private)
{
	char *map = mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE,
			 self->root, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, try_store(map, 1));
	EXPECT_EQ(0, lazy_byte(self->root, 0));
	EXPECT_EQ(1, map[0]);
}

/* rule 30 */
TEST_F(lazy, a_child_and_its_parent_see_what_either_touches_first)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);
	pid_t child = fork();

	if (!child) {
		map[0] = 1;
		_exit(0);
	}
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(1, map[0]);
	EXPECT_EQ(self->block, ds_resident(self->root));
}

/* rules 21 and 30 */
TEST_F(lazy, to_pin_a_hole_fills_it)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);
	struct pin pin;
	char byte = 1;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin_page(&pin, map + self->page));
	EXPECT_EQ(self->block, ds_resident(self->root));
	EXPECT_EQ(1, lazy_write(self->root, self->page, 1, 7));
	EXPECT_EQ(1, read(pin.ends[0], &byte, 1));
	EXPECT_EQ(7, byte);
	pin_close(&pin);
}

/* rules 21 and 30: another process reads a hole of a mapping */
TEST_F(lazy, process_vm_readv_of_a_hole_is_zeroes)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);
	char byte = 1;
	struct iovec local = { &byte, 1 };
	struct iovec remote = { map, 1 };
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	EXPECT_EQ(1, process_vm_readv(child, &local, 1, &remote, 1, 0));
	EXPECT_EQ(0, byte);
	kill(child, SIGKILL);
	wait_for(child);
}

/* rules 15 and 30 */
TEST_F(lazy, exclusive_counts_what_is_there)
{
	int alias = ds_alias(self->root, 0, self->page, RIGHTS_RW);

	ASSERT_LE(0, alias);
	ASSERT_EQ(1, lazy_write(self->root, 0, 1, 1));
	EXPECT_EQ(self->block - self->page, ds_exclusive(self->root));
	EXPECT_EQ(0, ds_exclusive(alias));
	ASSERT_EQ(1, lazy_write(self->root, huge_size(), 1, 1));
	EXPECT_EQ(2 * self->block - self->page, ds_exclusive(self->root));
	EXPECT_EQ(self->page, ds_resident(alias));
}

/* rules 14 and 30 */
TEST_F(lazy, what_nothing_covers_goes_and_what_an_alias_covers_stays)
{
	int alias = ds_alias(self->root, 2 * self->page, self->page, RIGHTS_RW);
	int hole =
		ds_alias(self->root, 2 * huge_size(), huge_size(), RIGHTS_RW);

	ASSERT_LE(0, alias);
	ASSERT_LE(0, hole);
	ASSERT_EQ(self->block + self->page,
		  lazy_write(self->root, 0, self->block + self->page, 3));
	close(self->root);
	EXPECT_EQ(self->in_use + self->page,
		  lazy_in_use_soon(self->in_use + self->page));
	EXPECT_EQ(3, lazy_byte(alias, 0));
	EXPECT_EQ(1, lazy_write(hole, 0, 1, 4));
	EXPECT_EQ(4, lazy_byte(hole, 0));
	close(alias);
	close(hole);
	EXPECT_EQ(self->in_use, lazy_in_use_soon(self->in_use));
}

/* rules 14 and 30: a mapping alone lets pages appear, and takes them along */
TEST_F(lazy, a_mapping_that_is_left_can_be_touched)
{
	char *map = mmap(NULL, self->page, READ_WRITE, MAP_SHARED, self->root,
			 self->page);

	ASSERT_NE(MAP_FAILED, map);
	close(self->root);
	EXPECT_EQ(0, try_store(map, 1));
	EXPECT_EQ(self->in_use + self->page, lazy_in_use());
	munmap(map, self->page);
	EXPECT_EQ(self->in_use, lazy_in_use_soon(self->in_use));
}

/* rule 30 */
TEST_F(lazy, fallocate_lets_just_those_pages_appear)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);

	ASSERT_EQ(0, ds_fill(self->root, self->page, 2 * self->page));
	EXPECT_EQ(2 * self->page, ds_resident(self->root));
	EXPECT_EQ(0, ds_fill(self->root, 3 * self->page - 1, 2));
	EXPECT_EQ(3 * self->page, ds_resident(self->root));
	EXPECT_EQ(0, ds_fill(self->root, 0, self->length));
	EXPECT_EQ(self->length, ds_resident(self->root));
	EXPECT_TRUE(bytes_are(map, self->length, 0));
}

/* rule 30: posix_fallocate must not write to what others write to */
TEST_F(lazy, fallocate_keeps_what_is_there)
{
	ASSERT_EQ(1, lazy_write(self->root, 5, 1, 9));
	EXPECT_EQ(0, posix_fallocate(self->root, 0, self->length));
	EXPECT_EQ(9, lazy_byte(self->root, 5));
}

/* rules 20 and 30 */
TEST_F(lazy, fallocate_beyond_the_end_is_ENOSPC_and_fills_nothing)
{
	EXPECT_EQ(-ENOSPC, ds_fill(self->root, 0, self->length + 1));
	EXPECT_EQ(-ENOSPC, ds_fill(self->root, self->length, 1));
	EXPECT_EQ(0, ds_resident(self->root));
}

/* rules 27 and 30 */
TEST_F(lazy, fallocate_of_more_than_there_can_be_is_ENOMEM_at_once)
{
	int ds = lazy_alloc(memory_of_the_machine());
	double start = seconds();

	ASSERT_LE(0, ds);
	EXPECT_EQ(-ENOMEM, ds_fill(ds, 0, memory_of_the_machine()));
	EXPECT_GT(1.0, seconds() - start);
	EXPECT_EQ(0, ds_resident(ds));
}

/* rules 1 and 30 */
TEST_F(lazy, more_than_the_memory_of_the_machine_is_ENOMEM)
{
	EXPECT_EQ(-ENOMEM, lazy_alloc(1ULL << 50));
}

static int alloc_lazy(__u32 flags, int node, __u64 align)
{
	struct dataspace_alloc args = {
		.size = sizeof(args),
		.flags = DATASPACE_ALLOC_LAZY | flags,
		.length = 4 * MEG,
		.rights = RIGHTS_RW,
		.node = node,
		.align = align,
	};
	int device = ds_device();
	int ds = ds_alloc_on(device, &args);

	close(device);
	return ds;
}

/* rule 30 */
TEST_F(lazy, a_wish_for_alignment_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, alloc_lazy(0, 0, 1 << 20));
	EXPECT_EQ(-EINVAL, alloc_lazy(0, 0, 3));
}

/* rule 30 */
TEST_F(lazy, a_node_is_where_pages_come_from)
{
	int ds = alloc_lazy(DATASPACE_ALLOC_NODE, 0, 0);

	ASSERT_LE(0, ds);
	EXPECT_EQ(1, lazy_write(ds, 0, 1, 1));
	EXPECT_EQ(-EINVAL, alloc_lazy(DATASPACE_ALLOC_NODE, 1000, 0));
	EXPECT_EQ(-EINVAL, alloc_lazy(0, 1, 0));
}

/* rule 30 */
TEST_F(lazy, SCATTERED_is_implied)
{
	int ds = alloc_lazy(DATASPACE_ALLOC_SCATTERED, 0, 0);

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, ds_resident(ds));
	EXPECT_FALSE(ds_state(ds) & DATASPACE_STATE_CONTIGUOUS);
	EXPECT_FALSE(ds_state(self->root) & DATASPACE_STATE_CONTIGUOUS);
}

/* rules 20 and 30 */
TEST_F(lazy, SEEK_DATA_and_SEEK_HOLE_tell_what_is_there)
{
	const off_t page = self->page;
	const off_t length = 9 * page;
	int ds = ds_alias(self->root, page, length, RIGHTS_RW);

	ASSERT_LE(0, ds);
	EXPECT_EQ(-ENXIO, result(lseek(ds, 0, SEEK_DATA)));
	EXPECT_EQ(0, lseek(ds, 0, SEEK_HOLE));
	ASSERT_EQ(0, ds_fill(ds, 2 * page, 3 * page));
	EXPECT_EQ(2 * page, lseek(ds, 0, SEEK_DATA));
	EXPECT_EQ(3 * page + 1, lseek(ds, 3 * page + 1, SEEK_DATA));
	EXPECT_EQ(-ENXIO, result(lseek(ds, 5 * page, SEEK_DATA)));
	EXPECT_EQ(1, lseek(ds, 1, SEEK_HOLE));
	EXPECT_EQ(5 * page, lseek(ds, 2 * page, SEEK_HOLE));
	EXPECT_EQ(5 * page + 7, lseek(ds, 5 * page + 7, SEEK_HOLE));
	ASSERT_EQ(0, ds_fill(ds, 8 * page, page));
	EXPECT_EQ(8 * page, lseek(ds, 5 * page, SEEK_DATA));
	EXPECT_EQ(length, lseek(ds, 8 * page, SEEK_HOLE));
	EXPECT_EQ(-ENXIO, result(lseek(ds, length, SEEK_DATA)));
	EXPECT_EQ(-ENXIO, result(lseek(ds, length, SEEK_HOLE)));
	EXPECT_EQ(-ENXIO, result(lseek(ds, -1, SEEK_DATA)));
	EXPECT_EQ(length, lseek(ds, 0, SEEK_CUR));
}

/* rules 17 and 30 */
TEST_F(lazy, what_was_revoked_can_not_be_touched_and_tells_nothing)
{
	int alias = ds_alias(self->root, 0, self->block, RIGHTS_RW);
	char *map = ds_map(alias, self->block, READ_WRITE);
	struct stat stat;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_TRUE(store_is_sigbus(map));
	EXPECT_TRUE(load_is_sigbus(map));
	EXPECT_EQ(-ESTALE, lazy_write(alias, 0, 1, 1));
	EXPECT_EQ(-ESTALE, ds_fill(alias, 0, 1));
	EXPECT_EQ(-ESTALE, result(lseek(alias, 0, SEEK_HOLE)));
	EXPECT_EQ(0, ds_resident(self->root));
	ASSERT_EQ(1, lazy_write(self->root, 0, 1, 1));
	EXPECT_EQ(0, ds_resident(alias));
	ASSERT_EQ(0, fstat(alias, &stat));
	EXPECT_EQ(0, stat.st_blocks);
}

/* rules 18 and 30 */
TEST_F(lazy, a_hole_of_what_is_sealed_NOW_can_be_read)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);
	__u64 value = 1;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_TRUE(store_is_sigbus(map));
	EXPECT_EQ(-EPERM, lazy_write(self->root, 0, 1, 1));
	EXPECT_EQ(0, ds_resident(self->root));
	EXPECT_EQ(0, try_load(map, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(self->block, ds_resident(self->root));
	EXPECT_TRUE(store_is_sigbus(map));
	EXPECT_EQ(0, ds_fill(self->root, 0, self->length));
}

/* rules 18 and 30 */
TEST_F(lazy, SEAL_NOW_is_EBUSY_for_a_pinned_page_that_has_appeared)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);
	struct pin pin;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin_page(&pin, map));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	pin_close(&pin);
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

FIXTURE(limit)
{
	long long before;
	size_t page;
	int ds;
};

FIXTURE_SETUP(limit)
{
	sigbus_init();
	self->page = page_size();
	self->before = number_in_file(LIMIT, "");
	ASSERT_LE(0, self->before);
	self->ds = lazy_alloc(8 * MEG);
	ASSERT_LE(0, self->ds);
	ASSERT_EQ(0, number_to_file(LIMIT, 1));
}

FIXTURE_TEARDOWN(limit)
{
	EXPECT_EQ(0, number_to_file(LIMIT, self->before));
}

/* rules 4 and 30: limit_mb counts what is there */
TEST_F(limit, of_the_module_is_SIGBUS_for_a_touch_and_EDQUOT_for_a_write)
{
	char *map = ds_map(self->ds, 8 * MEG, READ_WRITE);
	size_t at;

	ASSERT_NE(MAP_FAILED, map);
	for (at = 0; at < MEG; at += self->page)
		ASSERT_EQ(0, try_store(map + at, at));
	EXPECT_EQ(MEG, ds_resident(self->ds));
	EXPECT_TRUE(store_is_sigbus(map + MEG));
	EXPECT_EQ(-EDQUOT, lazy_write(self->ds, MEG, 1, 1));
	EXPECT_EQ(-EDQUOT, ds_fill(self->ds, 0, 8 * MEG));
	EXPECT_EQ(MEG, ds_resident(self->ds));
	ASSERT_EQ(0, ds_punch(self->ds, 0, self->page));
	EXPECT_EQ(0, try_store(map + MEG, 1));
}

/* rules 4 and 30: what can't all be there is not begun with */
TEST_F(limit, of_the_module_is_EDQUOT_before_any_page_appears)
{
	EXPECT_EQ(-EDQUOT, ds_fill(self->ds, 0, 8 * MEG));
	EXPECT_EQ(0, ds_resident(self->ds));
}

/* rule 30: to read needs no memory */
TEST_F(limit, is_none_for_a_read)
{
	ASSERT_EQ(0, ds_fill(self->ds, 0, MEG));
	EXPECT_EQ(0, lazy_byte(self->ds, 2 * MEG));
}

TEST_HARNESS_MAIN
