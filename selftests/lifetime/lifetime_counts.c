// SPDX-License-Identifier: GPL-2.0-only
/*
 * What INFO counts as `mappings` and `derived_mappings`: rule 15. Each is a line
 * of /proc/PID/maps.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <stdio.h>

#include "common.h"
#include "control.h"

#define PAGES 16

/* A loan, mapped once, by a holder who has closed it, if the variant says so. */
FIXTURE(counts)
{
	size_t page;
	size_t length;
	int root;
	int loan;
	char *map;
};

FIXTURE_VARIANT(counts)
{
	bool closed;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(counts, open) {
	.closed = false,
};

FIXTURE_VARIANT_ADD(counts, closed) {
	.closed = true,
};

/* clang-format on */

FIXTURE_SETUP(counts)
{
	self->page = page_size();
	self->length = PAGES * page_size();
	self->root = ds_alloc_pages(PAGES);
	ASSERT_LE(0, self->root);
	self->loan = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	self->map = ds_map(self->loan, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	if (variant->closed) {
		close(self->loan);
		self->loan = -1;
	}
}

/* Whatever was done, mappings of the root itself are none of it. */
FIXTURE_TEARDOWN(counts)
{
	struct dataspace_info info;

	EXPECT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(0, info.mappings);
}

static __u64 derived(int ds)
{
	struct dataspace_info info;

	return ds_info(ds, &info) ? UINT64_MAX : info.derived_mappings;
}

static __u64 own(int ds)
{
	struct dataspace_info info;

	return ds_info(ds, &info) ? UINT64_MAX : info.mappings;
}

/* How many lines of /proc/self/maps are of a dataspace. */
static __u64 lines(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	__u64 count = 0;

	while (maps && fgets(line, sizeof(line), maps))
		count += !!strstr(line, "/dataspace:");
	if (maps)
		fclose(maps);
	return count;
}

/* rule 15 */
TEST_F(counts, a_mapping_of_a_loan_counts_until_it_is_unmapped)
{
	EXPECT_EQ(1, derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15: a mapping counts for its dataspace or as derived, never as both */
TEST_F(counts, its_own_mappings_are_not_derived)
{
	void *map = ds_map(self->root, self->length, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(1, own(self->root));
	EXPECT_EQ(1, derived(self->root));
	if (!variant->closed) {
		EXPECT_EQ(1, own(self->loan));
		EXPECT_EQ(0, derived(self->loan));
	}
	munmap(map, self->length);
	EXPECT_EQ(1, derived(self->root));
}

/* rule 15: at any depth, whether or not what is in between lives */
TEST(mappings_of_all_that_is_derived_count)
{
	const size_t page = page_size();
	int root = ds_alloc_pages(PAGES);
	int child = ds_alias_pages(root, 0, PAGES, RIGHTS_R);
	int grandchild = ds_alias_pages(child, 2, 9, RIGHTS_R);
	int last = ds_alias_pages(grandchild, 1, 2, RIGHTS_R);
	char *map = ds_map(child, page, PROT_READ);
	char *last_map = ds_map(last, page, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(MAP_FAILED, last_map);
	EXPECT_EQ(2, derived(root));
	EXPECT_EQ(1, derived(child));
	EXPECT_EQ(1, derived(grandchild));
	EXPECT_EQ(0, derived(last));
	close(grandchild);
	close(last);
	EXPECT_EQ(2, derived(root));
	EXPECT_EQ(1, derived(child));
	close(child);
	EXPECT_EQ(2, derived(root));
	munmap(map, page);
	EXPECT_EQ(1, derived(root));
	munmap(last_map, page);
	EXPECT_EQ(0, derived(root));
}

/* rule 15 */
TEST_F(counts, mappings_of_a_sibling_are_not_derived)
{
	int sibling = ds_alias(self->root, 0, self->length, RIGHTS_R);

	EXPECT_EQ(0, derived(sibling));
	EXPECT_EQ(0, own(sibling));
	EXPECT_EQ(1, derived(self->root));
}

/* rule 15 */
TEST_F(counts, munmap_of_the_middle_makes_two)
{
	munmap(self->map + 5 * self->page, self->page);
	EXPECT_EQ(2, derived(self->root));
	EXPECT_EQ(lines(), derived(self->root));
	munmap(self->map, 5 * self->page);
	EXPECT_EQ(1, derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15 */
TEST_F(counts, munmap_of_an_end_leaves_one)
{
	munmap(self->map, self->page);
	EXPECT_EQ(1, derived(self->root));
	munmap(self->map + self->length - self->page, self->page);
	EXPECT_EQ(1, derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15 */
TEST_F(counts, mprotect_of_the_middle_makes_three)
{
	ASSERT_EQ(0,
		  mprotect(self->map + 5 * self->page, self->page, PROT_READ));
	EXPECT_EQ(3, derived(self->root));
	ASSERT_EQ(0, mprotect(self->map, self->length, READ_WRITE));
	EXPECT_EQ(lines(), derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15 */
TEST_F(counts, mprotect_of_each_second_page_makes_as_many_as_pages)
{
	size_t i;

	for (i = 1; i < PAGES; i += 2)
		ASSERT_EQ(0, mprotect(self->map + i * self->page, self->page,
				      PROT_NONE));
	EXPECT_EQ(PAGES, derived(self->root));
	EXPECT_EQ(lines(), derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15 */
TEST_F(counts, mremap_that_moves_or_shrinks_leaves_one)
{
	char *place = mmap(NULL, self->length, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(place, mremap(self->map, self->length, self->length,
				MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_EQ(1, derived(self->root));
	ASSERT_EQ(place, mremap(place, self->length, self->page, 0));
	EXPECT_EQ(1, derived(self->root));
	munmap(place, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15: a piece out of the middle */
TEST_F(counts, mremap_of_the_middle_makes_three)
{
	char *place = mmap(NULL, self->page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_EQ(place,
		  mremap(self->map + 5 * self->page, self->page, self->page,
			 MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_EQ(3, derived(self->root));
	EXPECT_EQ(lines(), derived(self->root));
	munmap(place, self->page);
	EXPECT_EQ(2, derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15 */
TEST_F(counts, a_mapping_that_is_mapped_over_no_longer_counts)
{
	ASSERT_EQ(self->map,
		  mmap(self->map, self->length, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15 */
TEST_F(counts, a_private_mapping_counts)
{
	int other = ds_alias(self->root, 0, self->length, RIGHTS_R);
	char *map = mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE, other, 0);

	ASSERT_NE(MAP_FAILED, map);
	map[0] = 1;
	EXPECT_EQ(2, derived(self->root));
	close(other);
	EXPECT_EQ(2, derived(self->root));
	munmap(map, self->length);
	EXPECT_EQ(1, derived(self->root));
}

/* Forks a child that waits for the end of the pipe. */
static pid_t start_child(int ends[2])
{
	pid_t child;
	char byte;

	if (pipe(ends))
		return -1;
	child = fork();
	if (child) {
		close(ends[0]);
		return child;
	}
	close(ends[1]);
	_exit(read(ends[0], &byte, 1));
}

/* rule 15: mappings of all processes count */
TEST_F(counts, fork_doubles_and_exit_halves)
{
	int ends[2];
	pid_t child;

	munmap(self->map + 5 * self->page, self->page);
	child = start_child(ends);
	ASSERT_LT(0, child);
	EXPECT_EQ(4, derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(2, derived(self->root));
	close(ends[1]);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15 */
TEST_F(counts, a_killed_process_no_longer_counts)
{
	int ends[2];
	pid_t child = start_child(ends);

	ASSERT_LT(0, child);
	EXPECT_EQ(2, derived(self->root));
	kill(child, SIGKILL);
	EXPECT_EQ(SIGKILL, wait_for(child));
	EXPECT_EQ(1, derived(self->root));
	close(ends[1]);
}

/* rule 15 */
TEST_F(counts, what_is_not_inherited_counts_once)
{
	int ends[2];
	pid_t child;

	ASSERT_EQ(0, madvise(self->map, self->length, MADV_DONTFORK));
	child = start_child(ends);
	ASSERT_LT(0, child);
	EXPECT_EQ(1, derived(self->root));
	close(ends[1]);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(1, derived(self->root));
}

/* rules 15 and 17 */
TEST_F(counts, what_was_revoked_counts_as_nothing)
{
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, derived(self->root));
	EXPECT_EQ(1, lines());
	munmap(self->map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rules 15 and 17: nor does what becomes of it later */
TEST_F(counts, copies_of_what_was_revoked_count_as_nothing)
{
	int ends[2];
	pid_t child;

	EXPECT_EQ(0, ds_revoke(self->root));
	munmap(self->map + 5 * self->page, self->page);
	EXPECT_EQ(0, derived(self->root));
	child = start_child(ends);
	ASSERT_LT(0, child);
	EXPECT_EQ(0, derived(self->root));
	munmap(self->map, self->length);
	close(ends[1]);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, derived(self->root));
}

/* rules 15 and 17: a loan that is made later counts alone */
TEST_F(counts, after_REVOKE_a_new_loan_counts_as_one)
{
	int loan;
	char *map;

	EXPECT_EQ(0, ds_revoke(self->root));
	loan = ds_alias(self->root, 0, self->length, RIGHTS_R);
	map = ds_map(loan, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(1, derived(self->root));
	munmap(self->map, self->length);
	EXPECT_EQ(1, derived(self->root));
	munmap(map, self->length);
	EXPECT_EQ(0, derived(self->root));
}

/* rule 15: on every failure nothing has changed */
TEST_F(counts, a_mapping_that_is_refused_counts_as_nothing)
{
	int other = ds_alias(self->root, 0, self->length, RIGHTS_RW);

	EXPECT_EQ(-EINVAL, ds_try_map(other, self->length + self->page,
				      PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, ds_seal(other, 0));
	EXPECT_EQ(-EPERM,
		  ds_try_map(other, self->length, READ_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(1, derived(self->root));
	EXPECT_EQ(0, own(other));
}

TEST_HARNESS_MAIN
