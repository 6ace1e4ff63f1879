// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private mappings, and what else works on mappings as on those of a memfd:
 * rule 11.
 */
#include <kselftest_harness.h>

#include <sys/mman.h>

#include "common.h"
#include "pages.h"
#include "proc.h"

FIXTURE(private)
{
	size_t length;
	int root;
	int ds;
	char *shared;
	char *map;
};

FIXTURE_VARIANT(private)
{
	size_t pages;
	__u32 rights;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(private, of_read_only) {
	.pages = 16,
	.rights = RIGHTS_R,
};

FIXTURE_VARIANT_ADD(private, of_writable) {
	.pages = 16,
	.rights = RIGHTS_RW,
};

FIXTURE_VARIANT_ADD(private, of_huge_read_only) {
	.pages = 1024,
	.rights = RIGHTS_R,
};

/* clang-format on */

FIXTURE_SETUP(private)
{
	self->length = variant->pages * page_size();
	self->root = ds_alloc_pages(variant->pages);
	ASSERT_LE(0, self->root);
	self->ds = ds_alias(self->root, 0, self->length, variant->rights);
	self->shared = ds_map(self->root, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->shared);
	pattern_write(self->shared, variant->pages, 0);
	self->map =
		mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE, self->ds, 0);
	ASSERT_NE(MAP_FAILED, self->map);
}

FIXTURE_TEARDOWN(private)
{
	munmap(self->map, self->length);
}

/* rule 11 */
TEST_F(private, reads_see_the_dataspace)
{
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages, 0));
}

/* rule 11 */
TEST_F(private, writes_go_to_a_copy)
{
	pattern_write(self->map, variant->pages, 1000);
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages, 1000));
	EXPECT_EQ(0, pattern_wrong(self->shared, variant->pages, 0));
	EXPECT_EQ(0, pattern_wrong_fd(self->ds, variant->pages, 0));
}

/* rule 11 */
TEST_F(private, pages_that_are_no_copy_yet_see_later_writes)
{
	const size_t page = page_size();

	self->map[0] = 'p';
	pattern_write(self->shared, variant->pages, 2000);
	EXPECT_EQ('p', self->map[0]);
	EXPECT_EQ(0, pattern_wrong(self->map + page, variant->pages - 1, 2001));
}

/* rules 10 and 11: private copies of a read-only dataspace can be written to */
TEST_F(private, MAP_POPULATE_copies_at_once)
{
	char *map = mmap(NULL, self->length, READ_WRITE,
			 MAP_PRIVATE | MAP_POPULATE, self->ds, 0);

	ASSERT_NE(MAP_FAILED, map);
	pattern_write(self->shared, variant->pages, 3000);
	EXPECT_EQ(0, pattern_wrong(map, variant->pages, 0));
	munmap(map, self->length);
}

/* rule 11 */
TEST_F(private, a_copy_survives_fork_and_is_private_to_each)
{
	pid_t child;

	self->map[1] = 'b';
	child = fork();
	if (!child) {
		if (self->map[1] != 'b')
			_exit(1);
		self->map[1] = 'c';
		self->map[page_size() + 1] = 'd';
		_exit(self->map[1] != 'c');
	}
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ('b', self->map[1]);
	EXPECT_EQ(0, pattern_wrong(self->map + page_size(), 1, 1));
	EXPECT_EQ(0, pattern_wrong(self->shared, variant->pages, 0));
}

/* rule 11 */
TEST_F(private, debuggers_write_to_a_copy)
{
	char *map =
		mmap(NULL, self->length, PROT_READ, MAP_PRIVATE, self->ds, 0);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	ASSERT_NE(MAP_FAILED, map);
	if (pwrite(mem, "debug", 5, (uintptr_t)map) == 5)
		EXPECT_EQ(0, memcmp(map, "debug", 5));
	EXPECT_EQ(0, pattern_wrong(self->shared, variant->pages, 0));
	close(mem);
	munmap(map, self->length);
}

/* rule 11 */
TEST_F(private, mprotect_to_write_makes_copies_too)
{
	char *map =
		mmap(NULL, self->length, PROT_READ, MAP_PRIVATE, self->ds, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, variant->pages, 0));
	ASSERT_EQ(0, mprotect(map, self->length, READ_WRITE));
	pattern_write(map, variant->pages, 1000);
	EXPECT_EQ(0, pattern_wrong(self->shared, variant->pages, 0));
	munmap(map, self->length);
}

/* rule 11 */
TEST_F(private, MADV_DONTNEED_drops_the_copy)
{
	pattern_write(self->map, variant->pages, 1000);
	ASSERT_EQ(0, madvise(self->map, self->length, MADV_DONTNEED));
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages, 0));
}

/* rules 11 and 14: a private copy belongs to the process */
TEST_F(private, a_copy_outlives_the_dataspace)
{
	pattern_write(self->map, variant->pages, 1000);
	munmap(self->shared, self->length);
	close(self->root);
	close(self->ds);
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages, 1000));
}

/* rules 11 and 14 */
TEST_F(private, a_private_mapping_keeps_the_pages)
{
	struct pages pages;

	ASSERT_EQ(0, pages_of_fd(&pages, self->ds, self->length));
	munmap(self->shared, self->length);
	close(self->root);
	close(self->ds);
	EXPECT_EQ(variant->pages, pages_held(&pages));
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages, 0));
	munmap(self->map, self->length);
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* rule 11 */
TEST_F(private, fork_shares_a_shared_mapping)
{
	pid_t child = fork();

	if (!child) {
		self->shared[5] = 'c';
		_exit(0);
	}
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ('c', self->shared[5]);
	EXPECT_EQ('c', self->map[5]);
}

/* rule 11 */
TEST_F(private, mlock_works)
{
	EXPECT_EQ(0, mlock(self->shared, self->length));
	EXPECT_EQ(0, mlock(self->map, self->length));
	EXPECT_EQ(0, munlock(self->map, self->length));
	EXPECT_EQ(0, munlock(self->shared, self->length));
	EXPECT_EQ(0, mlock2(self->shared, self->length, MLOCK_ONFAULT));
	EXPECT_EQ(0, mlockall(MCL_CURRENT));
	EXPECT_EQ(0, munlockall());
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages, 0));
}

/* rule 11: private copies move, and so do pages of the dataspace */
TEST_F(private, mremap_moves)
{
	const size_t page = page_size();
	char *place = mmap(NULL, self->length, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	pattern_write(self->map, 3, 1000);
	self->map = mremap(self->map, self->length, self->length,
			   MREMAP_MAYMOVE | MREMAP_FIXED, place);
	ASSERT_EQ(place, self->map);
	EXPECT_EQ(0, pattern_wrong(self->map, 3, 1000));
	EXPECT_EQ(0,
		  pattern_wrong(self->map + 3 * page, variant->pages - 3, 3));
}

/* rule 11 */
TEST_F(private, mremap_shrinks)
{
	const size_t half = self->length / 2;
	char *shared = mremap(self->shared, self->length, half, 0);

	ASSERT_EQ(self->shared, shared);
	EXPECT_EQ(0, pattern_wrong(shared, variant->pages / 2, 0));
	self->map = mremap(self->map, self->length, half, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, self->map);
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages / 2, 0));
	self->length = half;
}

static long try_grow(void *map, size_t from, size_t to)
{
	void *ret = mremap(map, from, to, MREMAP_MAYMOVE);

	return ret == MAP_FAILED ? -errno : 0;
}

/* rule 11: neither beyond the dataspace nor back to what was cut off */
TEST_F(private, mremap_does_not_grow)
{
	const size_t page = page_size();
	const size_t half = self->length / 2;

	EXPECT_EQ(-EFAULT,
		  try_grow(self->shared, self->length, self->length + page));
	EXPECT_EQ(-EFAULT,
		  try_grow(self->map, self->length, self->length + page));
	ASSERT_EQ(self->map, mremap(self->map, self->length, half, 0));
	EXPECT_EQ(-EFAULT, try_grow(self->map, half, half + page));
	EXPECT_EQ(0, pattern_wrong(self->map, variant->pages / 2, 0));
	self->length = half;
}

/* rules 5 and 11: there is a second mapping of the same pages, or none */
TEST_F(private, mremap_that_keeps_the_old_mapping_shows_nothing_else)
{
	char *map = mremap(self->shared, self->length, self->length,
			   MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

	EXPECT_TRUE(map == MAP_FAILED ||
		    !pattern_wrong(map, variant->pages, 0));
	EXPECT_EQ(0, pattern_wrong(self->shared, variant->pages, 0));
	EXPECT_GT(0, try_grow(self->shared, 0, self->length));
}

/* rule 11: the child does not inherit the mapping */
TEST_F(private, MADV_DONTFORK_works)
{
	size_t resident = variant->pages;
	pid_t child;

	ASSERT_EQ(0, madvise(self->map, self->length, MADV_DONTFORK));
	child = fork();
	if (!child)
		_exit(result(msync(self->map, resident, MS_ASYNC)) != -ENOMEM);
	EXPECT_EQ(0, wait_for(child));
}

TEST_HARNESS_MAIN
