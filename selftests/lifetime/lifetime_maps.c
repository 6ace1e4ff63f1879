// SPDX-License-Identifier: GPL-2.0-only
/*
 * A part of a mapping goes away: exactly its pages go back, and all others stay.
 * Rules 14 and 15.
 */
#include <kselftest_harness.h>

#include "kept.h"

/* rule 14 */
TEST_F(kept, munmap_of_a_part_gives_back_that_part)
{
	const struct pages *pages = &self->pages;
	const size_t page = page_size();
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(400, pages_held(pages));
	munmap(map, 10 * page);
	EXPECT_EQ(0, pages_held_in(pages, 0, 10));
	EXPECT_EQ(390, pages_held(pages));
	munmap(map + 390 * page, 10 * page);
	EXPECT_EQ(0, pages_held_in(pages, 390, 400));
	EXPECT_EQ(380, pages_held(pages));
	munmap(map + 100 * page, 100 * page);
	EXPECT_EQ(0, pages_held_in(pages, 100, 200));
	EXPECT_EQ(280, pages_held(pages));
	EXPECT_EQ(0, pattern_wrong(map + 10 * page, 90, 10));
	EXPECT_EQ(0, pattern_wrong(map + 200 * page, 190, 200));
	munmap(map, 400 * page);
}

/* rule 14 */
TEST_F(kept, overmapping_gives_back_what_it_covers)
{
	const size_t page = page_size();
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(map + 7 * page,
		  mmap(map + 7 * page, 50 * page, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(350, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 7, 57));
	munmap(map, 400 * page);
}

/* rule 14 */
TEST_F(kept, mremap_gives_back_what_it_cuts_off_and_keeps_what_it_moves)
{
	const size_t page = page_size();
	char *map = map_and_close(self);
	char *place = mmap(NULL, 400 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(map, mremap(map, 400 * page, 250 * page, 0));
	EXPECT_EQ(250, pages_held(&self->pages));
	EXPECT_EQ(place, mremap(map, 250 * page, 250 * page,
				MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_EQ(250, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong(place, 250, 0));
	/* out of the middle: a VMA stays on each side */
	map = mremap(place + 50 * page, 50 * page, 20 * page, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(220, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong(map, 20, 50));
	munmap(map, 20 * page);
	EXPECT_EQ(200, pages_held(&self->pages));
	munmap(place, 400 * page);
}

/* rule 14 */
TEST_F(kept, mprotect_of_a_part_loses_nothing)
{
	const size_t page = page_size();
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, mprotect(map + 50 * page, 50 * page, PROT_NONE));
	EXPECT_EQ(0, mprotect(map + 200 * page, 50 * page, PROT_READ));
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(0, mprotect(map, 400 * page, READ_WRITE));
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong(map, 400, 0));
	munmap(map, 400 * page);
}

/* rule 14: a mapping covers its pages though none is present */
TEST_F(kept, an_untouched_mapping_keeps_pages)
{
	const size_t page = page_size();
	char *map = mmap(NULL, 5 * page, PROT_NONE, MAP_SHARED, self->root,
			 20 * page);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(395 * page, ds_exclusive(self->root));
	close(self->root);
	EXPECT_EQ(5, pages_held(&self->pages));
	EXPECT_EQ(5, pages_held_in(&self->pages, 20, 25));
	EXPECT_EQ(0, mprotect(map, 5 * page, PROT_READ));
	EXPECT_EQ(0, pattern_wrong(map, 5, 20));
	munmap(map, 5 * page);
}

TEST_HARNESS_MAIN
