// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which pages stay when dataspaces are closed in any order: rules 13, 14 and 15.
 * lifetime_maps.c is about parts of mappings, lifetime_procs.c about other
 * processes, lifetime_pins.c about pages that are pinned.
 */
#include <kselftest_harness.h>

#include "kept.h"

#define NESTED 1000

/* rules 13, 14 and 15 */
TEST_F(kept, two_overlapping_ranges_go_back_to_the_page)
{
	const struct pages *pages = &self->pages;
	struct keeper low, high;

	ASSERT_EQ(0, keep(&low, ds_alias_pages(self->root, 100, 160, RIGHTS_R),
			  variant->mapped));
	ASSERT_EQ(0, keep(&high, ds_alias_pages(self->root, 130, 190, RIGHTS_R),
			  variant->mapped));
	EXPECT_EQ(400, pages_held(pages));
	EXPECT_EQ(310 * page_size(), ds_exclusive(self->root));

	close(self->root);
	EXPECT_EQ(400 - 310, pages_held(pages));
	EXPECT_EQ(90, pages_held_in(pages, 100, 190));
	EXPECT_EQ(0, wrong_in(&low, 100));
	EXPECT_EQ(0, wrong_in(&high, 130));
	if (!variant->mapped)
		EXPECT_EQ(30 * page_size(), ds_exclusive(low.fd));

	drop(&low);
	EXPECT_EQ(60, pages_held(pages));
	EXPECT_EQ(60, pages_held_in(pages, 130, 190));
	EXPECT_EQ(0, wrong_in(&high, 130));
	if (!variant->mapped)
		EXPECT_EQ(60 * page_size(), ds_exclusive(high.fd));

	drop(&high);
	EXPECT_EQ(0, pages_held(pages));
}

/* rule 14 */
TEST_F(kept, what_stays_stays_where_it_is)
{
	struct keeper kept;
	struct pages now;
	size_t i;
	int fd;

	fd = ds_alias_pages(self->root, 37, 263, RIGHTS_R);
	ASSERT_EQ(0, keep(&kept, fd, variant->mapped));
	close(self->root);
	ASSERT_EQ(0, kept.map ? pages_of_map(&now, kept.map, kept.length) :
				pages_of_fd(&now, kept.fd, kept.length));
	for (i = 0; i < now.count; i++)
		EXPECT_EQ(self->pages.pfn[37 + i], now.pfn[i]);
	EXPECT_EQ(now.count, pages_held(&self->pages));
	drop(&kept);
	pages_forget(&now);
}

/* rule 14: also single pages */
TEST_F(kept, every_third_page_stays)
{
	struct keeper kept[134];
	size_t i;

	for (i = 0; i < 134; i++)
		ASSERT_EQ(0, keep(&kept[i],
				  ds_alias_pages(self->root, 3 * i, 3 * i + 1,
						 RIGHTS_R),
				  variant->mapped));
	EXPECT_EQ(266 * page_size(), ds_exclusive(self->root));
	close(self->root);
	EXPECT_EQ(134, pages_held(&self->pages));
	for (i = 0; i < 134; i++) {
		EXPECT_TRUE(page_held(&self->pages, 3 * i));
		EXPECT_EQ(0, wrong_in(&kept[i], 3 * i));
		drop(&kept[i]);
		EXPECT_EQ(133 - i, pages_held(&self->pages));
	}
}

static void shuffle(size_t *numbers, size_t count, unsigned int *seed)
{
	size_t i, j, number;

	for (i = 0; i < count; i++)
		numbers[i] = i;
	for (i = count - 1; i > 0; i--) {
		j = rand_r(seed) % (i + 1);
		number = numbers[i];
		numbers[i] = numbers[j];
		numbers[j] = number;
	}
}

/*
 * rules 13 and 14: each alias is derived from the one before, every fifth is a
 * page shorter
 */
TEST_F(kept, nested_1000_deep_and_dropped_in_any_order)
{
	unsigned int seed = random_seed();
	struct keeper kept[NESTED];
	size_t order[NESTED];
	int fd[NESTED];
	size_t i;

	fd[0] = self->root;
	for (i = 1; i < NESTED; i++) {
		fd[i] = ds_alias_pages(fd[i - 1], i % 5 == 0, 400 - (i - 1) / 5,
				       RIGHTS_R);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < NESTED; i++)
		ASSERT_EQ(0, keep(&kept[i], fd[i], variant->mapped));
	EXPECT_EQ(400, pages_held(&self->pages));
	shuffle(order, NESTED, &seed);
	for (i = 0; i < NESTED - 1; i++)
		drop(&kept[order[i]]);
	i = order[NESTED - 1];
	EXPECT_EQ(kept[i].length / page_size(), pages_held(&self->pages));
	EXPECT_EQ(0, wrong_in(&kept[i], i / 5));
	drop(&kept[i]);
}

/* rule 13: three generations, closed in each of the six orders */
TEST_F(kept, a_family_closed_in_every_order)
{
	static const int orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
	};
	/* [20, 60), of it [30, 50), of it [38, 42) */
	static const size_t first[3] = { 20, 30, 38 };
	static const size_t end[3] = { 60, 50, 42 };
	struct keeper kept[3];
	size_t order;
	int i, fd[3];

	for (order = 0; order < 6; order++) {
		fd[0] = ds_alias_pages(self->root, 20, 60, RIGHTS_R);
		fd[1] = ds_alias_pages(fd[0], 10, 30, RIGHTS_R);
		fd[2] = ds_alias_pages(fd[1], 8, 12, RIGHTS_R);
		for (i = 0; i < 3; i++)
			ASSERT_EQ(0, keep(&kept[i], fd[i], variant->mapped));
		for (i = 0; i < 3; i++) {
			const int which = orders[order][i];

			EXPECT_EQ(0, wrong_in(&kept[which], first[which]));
			EXPECT_EQ((end[which] - first[which]) * page_size(),
				  kept[which].length);
			drop(&kept[which]);
		}
		EXPECT_EQ(400, pages_held(&self->pages));
	}
	close(self->root);
}

/* rule 13 */
TEST_F(kept, an_orphan_is_as_good_as_any)
{
	int orphan = ds_alias_pages(self->root, 10, 20, RIGHTS_RW);
	int child;

	close(self->root);
	EXPECT_EQ(10, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong_fd(orphan, 10, 10));
	EXPECT_EQ(1, pwrite(orphan, "x", 1, 100));
	child = ds_alias_pages(orphan, 5, 10, RIGHTS_RW);
	EXPECT_LE(0, child);
	EXPECT_EQ(5 * page_size(), ds_exclusive(orphan));
	close(orphan);
	EXPECT_EQ(5, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong_fd(child, 5, 15));
	close(child);
}

/* rules 14 and 15: only the last descriptor counts */
TEST_F(kept, a_duplicate_keeps_everything)
{
	int copy = dup(self->root);

	close(self->root);
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(400 * page_size(), ds_exclusive(copy));
	close(copy);
}

/* rule 14: also if another CPU has allocated the pages */
TEST_F(kept, no_matter_which_cpu_closes)
{
	struct pages pages;
	int round, fd;

	close(self->root);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, run_on_cpu(0));
		fd = ds_alloc((round + 1) * page_size(), RIGHTS_R,
			      variant->flags);
		ASSERT_EQ(0,
			  pages_of_fd(&pages, fd, (round + 1) * page_size()));
		ASSERT_EQ(0, run_on_cpu(1));
		close(fd);
		EXPECT_EQ(0, pages_held(&pages));
		pages_forget(&pages);
	}
}

/* rule 15 */
TEST_F(kept, exclusive_is_what_nobody_else_covers)
{
	const size_t page = page_size();
	int low = ds_alias_pages(self->root, 0, 100, RIGHTS_R);
	int same = ds_alias_pages(self->root, 0, 100, RIGHTS_R);
	int inner = ds_alias_pages(low, 40, 60, RIGHTS_R);
	char *map = mmap(NULL, 10 * page, PROT_READ, MAP_SHARED, self->root,
			 95 * page);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(295 * page, ds_exclusive(self->root));
	EXPECT_EQ(0, ds_exclusive(low));
	EXPECT_EQ(0, ds_exclusive(inner));
	close(self->root);
	EXPECT_EQ(105, pages_held(&self->pages));
	EXPECT_EQ(0, ds_exclusive(low));
	close(same);
	EXPECT_EQ(75 * page, ds_exclusive(low));
	munmap(map, 10 * page);
	EXPECT_EQ(80 * page, ds_exclusive(low));
	EXPECT_EQ(100, pages_held(&self->pages));
	close(low);
	EXPECT_EQ(20, pages_held(&self->pages));
	EXPECT_EQ(20 * page, ds_exclusive(inner));
	close(inner);
}

/* rules 1 and 14: pages that went back can be allocated, and are zero */
TEST_F(kept, what_went_back_is_free_to_use)
{
	int orphan = ds_alias_pages(self->root, 199, 200, RIGHTS_R);
	int again;

	close(self->root);
	again = ds_alloc(399 * page_size(), RIGHTS_R, variant->flags);
	ASSERT_LE(0, again);
	EXPECT_NE(0, pattern_wrong_fd(again, 399, 0));
	EXPECT_EQ(0, pattern_wrong_fd(orphan, 1, 199));
	close(again);
	close(orphan);
}

TEST_HARNESS_MAIN
