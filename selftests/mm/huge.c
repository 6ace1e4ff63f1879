// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings by huge page table entries: rule 22, and rules 5 and 14 for edges
 * that lie within a huge page.
 */
#include <kselftest_harness.h>

#include <stdlib.h>

#include "common.h"
#include "pages.h"
#include "proc.h"

#define UNITS 3

FIXTURE(huge)
{
	/* the size of a huge page in bytes, and in pages */
	size_t unit;
	size_t pages;
	size_t length;
	int root;
};

FIXTURE_VARIANT(huge)
{
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(huge, contiguous) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(huge, scattered) {
	.flags = DATASPACE_ALLOC_SCATTERED,
};

/* clang-format on */

FIXTURE_SETUP(huge)
{
	self->unit = huge_size();
	self->pages = self->unit / page_size();
	self->length = UNITS * self->unit;
	self->root = ds_alloc(self->length, RIGHTS_RW, variant->flags);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, pattern_write_fd(self->root, UNITS * self->pages, 0));
}

FIXTURE_TEARDOWN(huge)
{
	close(self->root);
}

static long huge_bytes(const void *map)
{
	return smaps_kb(map, "FilePmdMapped:") * 1024;
}

/* For 32-bit programs mmap() does not pick an aligned address. */
static bool picks_huge(void)
{
	return sizeof(void *) > 4;
}

/* @bytes if huge entries can be used, else 0. */
static long if_huge(size_t bytes)
{
	return can_map_huge() ? bytes : 0;
}

/* rule 22 */
TEST_F(huge, a_mapping_is_huge_at_the_address_that_mmap_picks)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);

	if (!can_map_huge())
		SKIP(return, "no huge page here is as small as 2 MiB");
	if (!picks_huge())
		SKIP(return, "a 32-bit program has to pick the address");
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, (uintptr_t)map % self->unit);
	EXPECT_EQ(0, pattern_wrong(map, UNITS * self->pages, 0));
	EXPECT_EQ(if_huge(self->length), huge_bytes(map));
}

/* rule 22 */
TEST_F(huge, a_read_only_alias_is_huge_too)
{
	int ds = ds_alias(self->root, self->unit, self->unit, RIGHTS_R);
	char *map = ds_map(ds, self->unit, PROT_READ);

	if (!picks_huge())
		SKIP(return, "a 32-bit program has to pick the address");
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, self->pages, self->pages));
	EXPECT_EQ(if_huge(self->unit), huge_bytes(map));
}

/*
 * rule 22: an alias that begins within a huge page is mapped huge from the next
 * one on
 */
TEST_F(huge, an_alias_from_within_a_huge_page_is_huge_after_its_end)
{
	const size_t first = self->pages - 1;
	int ds = ds_alias_pages(self->root, first, UNITS * self->pages,
				RIGHTS_R);
	char *map = ds_map(ds, self->length - first * page_size(), PROT_READ);

	if (!picks_huge())
		SKIP(return, "a 32-bit program has to pick the address");
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, UNITS * self->pages - first, first));
	EXPECT_EQ(if_huge(self->length - self->unit), huge_bytes(map));
}

/*
 * rule 22: the offset in the root and the address have to be aligned, not the
 * offset in the alias
 */
TEST_F(huge, a_mapping_from_an_offset_is_huge)
{
	char *map = mmap(NULL, 2 * self->unit, PROT_READ, MAP_SHARED,
			 self->root, self->unit);

	if (!picks_huge())
		SKIP(return, "a 32-bit program has to pick the address");
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, 2 * self->pages, self->pages));
	EXPECT_EQ(if_huge(2 * self->unit), huge_bytes(map));
}

/* rules 5 and 22 */
TEST_F(huge, an_alias_as_long_as_a_huge_page_but_off_by_one_page_is_right)
{
	int ds = ds_alias_pages(self->root, 1, self->pages + 1, RIGHTS_R);
	char *map = ds_map(ds, self->unit, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, self->pages, 1));
	EXPECT_EQ(0, huge_bytes(map));
}

static char *reserve(size_t length)
{
	return mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
}

/* rules 5 and 22: also at an aligned address */
TEST_F(huge, an_alias_off_by_one_page_at_a_huge_address_is_right)
{
	int ds = ds_alias_pages(self->root, 1, 2 * self->pages, RIGHTS_R);
	char *space = reserve(3 * self->unit);
	char *at = (char *)(((uintptr_t)space + self->unit - 1) / self->unit *
			    self->unit);
	char *map =
		mmap(at, self->unit, PROT_READ, MAP_SHARED | MAP_FIXED, ds, 0);

	ASSERT_EQ(at, map);
	EXPECT_EQ(0, pattern_wrong(map, self->pages, 1));
	EXPECT_EQ(0, huge_bytes(map));
}

/* rule 22 */
TEST_F(huge, an_address_that_is_not_aligned_works_page_by_page)
{
	char *space = reserve(3 * self->unit);
	char *at = (char *)(((uintptr_t)space + self->unit - 1) / self->unit *
			    self->unit) +
		   page_size();
	char *map = mmap(at, self->unit, PROT_READ, MAP_SHARED | MAP_FIXED,
			 self->root, 0);

	ASSERT_EQ(at, map);
	EXPECT_EQ(0, pattern_wrong(map, self->pages, 0));
	EXPECT_EQ(0, huge_bytes(map));
}

/*
 * rules 5 and 22: a mapping that is shorter than a huge page shows nothing
 * beyond its end
 */
TEST_F(huge, nothing_is_mapped_beyond_a_short_alias)
{
	int ds = ds_alias_pages(self->root, 0, 3, RIGHTS_R);
	char *map = ds_map(ds, 3 * page_size(), PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, 3, 0));
	EXPECT_EQ(0, huge_bytes(map));
	EXPECT_EQ(3 * page_size() / 1024, smaps_kb(map, "Rss:"));
}

/* rules 14 and 22 */
TEST_F(huge, a_part_of_a_huge_page_goes_back_to_the_page)
{
	const size_t one = self->pages / 5;
	struct pages pages;
	int low, high;

	ASSERT_EQ(0, pages_of_fd(&pages, self->root, self->length));
	low = ds_alias_pages(self->root, one, one + 1, RIGHTS_R);
	high = ds_alias_pages(self->root, self->pages + 5, 2 * self->pages - 7,
			      RIGHTS_R);
	ASSERT_LE(0, high);
	close(self->root);
	EXPECT_EQ(1 + self->pages - 12, pages_held(&pages));
	EXPECT_EQ(1, pages_held_in(&pages, one, one + 1));
	EXPECT_EQ(0, pattern_wrong_fd(low, 1, one));
	EXPECT_EQ(0, pattern_wrong_fd(high, self->pages - 12, self->pages + 5));
	close(low);
	close(high);
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* rules 14 and 22: a huge entry is split */
TEST_F(huge, munmap_within_a_huge_page_gives_back_to_the_page)
{
	char *map = ds_map(self->root, self->length, PROT_READ);
	const size_t page = page_size();
	struct pages pages;

	if (!picks_huge())
		SKIP(return, "a 32-bit program has to pick the address");
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pages_of_map(&pages, map, self->length));
	EXPECT_EQ(if_huge(self->length), huge_bytes(map));
	close(self->root);
	munmap(map + 10 * page, 20 * page);
	EXPECT_EQ(UNITS * self->pages - 20, pages_held(&pages));
	EXPECT_EQ(0, pages_held_in(&pages, 10, 30));
	munmap(map + (self->pages - 1) * page, 2 * page);
	EXPECT_EQ(UNITS * self->pages - 22, pages_held(&pages));
	EXPECT_EQ(0, pattern_wrong(map, 10, 0));
	EXPECT_EQ(0, pattern_wrong(map + 30 * page, self->pages - 31, 30));
	EXPECT_EQ(0, pattern_wrong(map + (self->pages + 1) * page,
				   2 * self->pages - 1, self->pages + 1));
	munmap(map, self->length);
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* rules 14 and 22: a mapping of all of it is not affected */
TEST_F(huge, a_huge_mapping_outlives_aliases_of_its_parts)
{
	char *map = ds_map(self->root, self->length, PROT_READ);
	size_t i;

	if (!picks_huge())
		SKIP(return, "a 32-bit program has to pick the address");
	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < 100; i++)
		close(ds_alias_pages(self->root, i, i + 50, RIGHTS_R));
	EXPECT_EQ(0, pattern_wrong(map, UNITS * self->pages, 0));
	EXPECT_EQ(if_huge(self->length), huge_bytes(map));
}

/* rule 10: a huge entry becomes read-only as well */
TEST_F(huge, mprotect_of_a_part_stops_writes)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);
	const size_t page = page_size();

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, UNITS * self->pages, 0));
	ASSERT_EQ(0, mprotect(map + 5 * page, page, PROT_READ));
	pattern_write(map + 4 * page, 1, 4);
	pattern_write(map + 6 * page, 1, 6);
	EXPECT_EQ(0, pattern_wrong(map, UNITS * self->pages, 0));
}

/* The number of faults that rule 22 allows for 64 MiB. */
#define MOST_FAULTS 64
#define LENGTH ((size_t)64 << 20)

FIXTURE(faults)
{
	int ds;
};

FIXTURE_VARIANT(faults)
{
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(faults, contiguous) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(faults, scattered) {
	.flags = DATASPACE_ALLOC_SCATTERED,
};

/* clang-format on */

FIXTURE_SETUP(faults)
{
	self->ds = ds_alloc(LENGTH, RIGHTS_RW, variant->flags);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(faults)
{
	close(self->ds);
}

/* Counts faults of storing to, or loading from, every page. */
static long faults_of_touching(char *map, bool store)
{
	const size_t page = page_size();
	long before = minor_faults();
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < LENGTH; i += page) {
		if (store)
			map[i] = 1;
		else
			sum += map[i];
	}
	return minor_faults() - before + (sum == 1);
}

/* rule 22 */
TEST_F(faults, first_stores_take_at_most_64)
{
	char *map = ds_map(self->ds, LENGTH, READ_WRITE);
	long faults;

	ASSERT_NE(MAP_FAILED, map);
	faults = faults_of_touching(map, true);
	TH_LOG("%ld faults", faults);
	EXPECT_GE(MOST_FAULTS, faults);
	EXPECT_LT(0, faults);
}

/* rule 22 */
TEST_F(faults, first_loads_take_at_most_64)
{
	char *map = ds_map(self->ds, LENGTH, PROT_READ);
	long faults;

	ASSERT_NE(MAP_FAILED, map);
	faults = faults_of_touching(map, false);
	TH_LOG("%ld faults", faults);
	EXPECT_GE(MOST_FAULTS, faults);
	EXPECT_LT(0, faults);
}

/* rule 22: a store after a load takes no fault */
TEST_F(faults, stores_after_loads_take_at_most_64_in_all)
{
	char *map = ds_map(self->ds, LENGTH, READ_WRITE);
	long faults;

	ASSERT_NE(MAP_FAILED, map);
	faults = faults_of_touching(map, false) + faults_of_touching(map, true);
	TH_LOG("%ld faults", faults);
	EXPECT_GE(MOST_FAULTS, faults);
}

/* rule 22 */
TEST_F(faults, MAP_POPULATE_takes_at_most_64_and_leaves_none)
{
	long before = minor_faults();
	char *map = mmap(NULL, LENGTH, READ_WRITE, MAP_SHARED | MAP_POPULATE,
			 self->ds, 0);
	long faults = minor_faults() - before;

	ASSERT_NE(MAP_FAILED, map);
	TH_LOG("%ld faults", faults);
	EXPECT_GE(MOST_FAULTS, faults);
	EXPECT_EQ(0, faults_of_touching(map, true));
}

/* rule 22: also an alias of the middle */
TEST_F(faults, an_alias_takes_as_few)
{
	const size_t half = LENGTH / 2;
	int ds = ds_alias(self->ds, LENGTH / 4, half, RIGHTS_R);
	long before = minor_faults();
	char *map =
		mmap(NULL, half, PROT_READ, MAP_SHARED | MAP_POPULATE, ds, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_GE(MOST_FAULTS, minor_faults() - before);
}

#define FAULT_AROUND "/sys/kernel/debug/fault_around_bytes"

/*
 * Memory that is shorter than a huge page, as one large folio or as single
 * pages.
 */
FIXTURE(small)
{
	int ds;
	size_t length;
};

FIXTURE_VARIANT(small)
{
	size_t pages;
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(small, kib_16) {
	.pages = 4,
};

FIXTURE_VARIANT_ADD(small, kib_128) {
	.pages = 32,
};

FIXTURE_VARIANT_ADD(small, mib_1) {
	.pages = 256,
};

FIXTURE_VARIANT_ADD(small, single_pages) {
	.pages = 255,
};

FIXTURE_VARIANT_ADD(small, scattered) {
	.pages = 255,
	.flags = DATASPACE_ALLOC_SCATTERED,
};

/* clang-format on */

FIXTURE_SETUP(small)
{
	self->length = variant->pages * page_size();
	self->ds = ds_alloc(self->length, RIGHTS_RW, variant->flags);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(small)
{
	close(self->ds);
}

/* rule 22: two if the address that mmap() picks spans two page tables */
TEST_F(small, first_stores_take_at_most_2_faults)
{
	char *map = ds_map(self->ds, self->length, READ_WRITE);
	long faults = minor_faults();

	ASSERT_NE(MAP_FAILED, map);
	pattern_write(map, variant->pages, 0);
	faults = minor_faults() - faults;
	EXPECT_GE(2, faults);
	EXPECT_LT(0, faults);
	EXPECT_EQ(0, pattern_wrong_fd(self->ds, variant->pages, 0));
}

/* rule 22 */
TEST_F(small, first_loads_take_at_most_2_faults)
{
	char *map = ds_map(self->ds, self->length, PROT_READ);
	long faults = minor_faults();

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(variant->pages, pattern_wrong(map, variant->pages, 1));
	EXPECT_GE(2, minor_faults() - faults);
}

/* rule 22: also where the mm itself would map one page in a fault */
TEST_F(small, first_loads_take_as_few_where_the_mm_maps_one_page)
{
	char *map = ds_map(self->ds, self->length, PROT_READ);
	long long usual = number_in_file(FAULT_AROUND, "");
	long faults;

	ASSERT_NE(MAP_FAILED, map);
	if (number_to_file(FAULT_AROUND, page_size()))
		SKIP(return, "the mm's fault_around_bytes can't be set here");
	faults = minor_faults();
	EXPECT_EQ(variant->pages, pattern_wrong(map, variant->pages, 1));
	faults = minor_faults() - faults;
	EXPECT_EQ(0, number_to_file(FAULT_AROUND, usual));
	EXPECT_GE(2, faults);
}

/* rule 5: a fault maps only pages of the mapping, within one page table */
TEST_F(small, a_store_maps_nothing_beside_the_alias)
{
	int ds = ds_alias_pages(self->ds, 1, 3, RIGHTS_RW);
	char *map = ds_map(ds, 2 * page_size(), READ_WRITE);
	bool ends_a_table = !(((uintptr_t)map + page_size()) % huge_size());

	ASSERT_NE(MAP_FAILED, map);
	map[0] = 1;
	EXPECT_EQ(ends_a_table ? page_size() / 1024 : 2 * page_size() / 1024,
		  smaps_kb(map, "Rss:"));
	close(ds);
}

/*
 * Clears the soft-dirty bits: the kernel has to see the next store to each page,
 * so it may map none writable in advance.
 */
static int watch_stores(void)
{
	int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	int ret = file < 0 || write(file, "4", 1) != 1;

	close(file);
	return ret;
}

/* rule 22 */
TEST_F(small, stores_that_are_watched_arrive)
{
	char *map = ds_map(self->ds, self->length, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, watch_stores());
	pattern_write(map, variant->pages, 7);
	ASSERT_EQ(0, watch_stores());
	EXPECT_EQ(0, pattern_wrong(map, variant->pages, 7));
	pattern_write(map, variant->pages, 8);
	EXPECT_EQ(0, pattern_wrong_fd(self->ds, variant->pages, 8));
}

/* rule 22: the same with huge entries */
TEST_F(huge, stores_that_are_watched_arrive)
{
	char *map = ds_map(self->root, self->length, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, watch_stores());
	pattern_write(map, UNITS * self->pages, 7);
	ASSERT_EQ(0, watch_stores());
	EXPECT_EQ(0, pattern_wrong(map, UNITS * self->pages, 7));
	pattern_write(map, UNITS * self->pages, 8);
	EXPECT_EQ(0, pattern_wrong_fd(self->root, UNITS * self->pages, 8));
}

#define PARTS 6

/* Random parts of a root, each with an alias or a mapping that covers it. */
struct part {
	size_t first;
	size_t end;
	int ds;
	void *map;
};

static int part_take(struct part *part, int root, size_t pages,
		     unsigned int *seed)
{
	size_t count = 1 + rand_r(seed) % (pages / 2);

	part->first = rand_r(seed) % (pages - count + 1);
	part->end = part->first + count;
	part->ds = ds_alias_pages(root, part->first, part->end, RIGHTS_R);
	part->map = NULL;
	if (part->ds < 0 || rand_r(seed) % 2)
		return part->ds < 0;
	part->map = ds_map(part->ds, count * page_size(), PROT_READ);
	return part->map == MAP_FAILED || close(part->ds);
}

static size_t part_wrong(const struct part *part)
{
	size_t count = part->end - part->first;

	return part->map ?
		       pattern_wrong(part->map, count, part->first) :
		       (size_t)pattern_wrong_fd(part->ds, count, part->first);
}

static void part_drop(const struct part *part)
{
	if (part->map)
		munmap(part->map, (part->end - part->first) * page_size());
	else
		close(part->ds);
}

/* How many pages are held though no part covers them, or the reverse. */
static size_t wrongly_held(const struct pages *pages, const struct part *parts,
			   size_t count)
{
	size_t wrong = 0;
	size_t i, j;

	for (i = 0; i < pages->count; i++) {
		bool wanted = false;

		for (j = 0; j < count; j++)
			wanted |= parts[j].first <= i && i < parts[j].end;
		wrong += page_held(pages, i) != wanted;
	}
	return wrong;
}

/* rule 14: exactly the pages that no part covers go back */
TEST_F(small, goes_back_to_the_page)
{
	unsigned int seed = random_seed();
	struct part parts[PARTS];
	struct pages pages;
	size_t i;

	ASSERT_EQ(0, pattern_write_fd(self->ds, variant->pages, 0));
	ASSERT_EQ(0, pages_of_fd(&pages, self->ds, self->length));
	for (i = 0; i < PARTS; i++)
		ASSERT_EQ(0, part_take(&parts[i], self->ds, variant->pages,
				       &seed));
	close(self->ds);
	self->ds = -1;
	for (i = PARTS; i; i--) {
		EXPECT_EQ(0, wrongly_held(&pages, parts, i));
		EXPECT_EQ(0, part_wrong(&parts[i - 1]));
		part_drop(&parts[i - 1]);
	}
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

TEST_HARNESS_MAIN
