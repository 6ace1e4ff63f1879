// SPDX-License-Identifier: GPL-2.0-only
/*
 * A part of a mapping goes away that was split, moved or inherited before, or at
 * the same time as another one: exactly its pages go back. Rule 14.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <sys/socket.h>

#include "kept.h"

/* rule 14 */
TEST_F(kept, munmap_across_pieces_that_mprotect_has_made)
{
	const size_t page = page_size();
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, mprotect(map + 100 * page, 100 * page, PROT_READ));
	ASSERT_EQ(0, mprotect(map + 250 * page, 50 * page, PROT_NONE));
	EXPECT_EQ(400, pages_held(&self->pages));
	munmap(map + 150 * page, 130 * page);
	EXPECT_EQ(270, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 150, 280));
	munmap(map, 10 * page);
	EXPECT_EQ(260, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 0, 10));
	munmap(map + 390 * page, 10 * page);
	EXPECT_EQ(250, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 390, 400));
	EXPECT_EQ(0, pattern_wrong(map + 10 * page, 140, 10));
	EXPECT_EQ(0, pattern_wrong(map + 300 * page, 90, 300));
	munmap(map, 400 * page);
}

/* rule 14 */
TEST_F(kept, munmap_within_what_mremap_has_moved)
{
	const size_t page = page_size();
	char *map = map_and_close(self);
	char *place = mmap(NULL, 100 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(place, mremap(map + 100 * page, 100 * page, 100 * page,
				MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_EQ(400, pages_held(&self->pages));
	/* what was there before has no pages any more */
	munmap(map + 100 * page, 100 * page);
	EXPECT_EQ(400, pages_held(&self->pages));
	munmap(place + 20 * page, 30 * page);
	EXPECT_EQ(370, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 120, 150));
	munmap(map + 50 * page, 200 * page);
	EXPECT_EQ(270, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 50, 100));
	EXPECT_EQ(0, pages_held_in(&self->pages, 200, 250));
	EXPECT_EQ(0, pattern_wrong(place + 50 * page, 50, 150));
	munmap(place, 100 * page);
	EXPECT_EQ(200, pages_held(&self->pages));
	munmap(map, 400 * page);
}

/* rule 14: a part that two mappings of a process map goes with the second */
TEST_F(kept, munmap_of_a_part_that_another_mapping_maps)
{
	const size_t page = page_size();
	char *other = mmap(NULL, 100 * page, PROT_READ, MAP_SHARED, self->root,
			   50 * page);
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, other);
	ASSERT_NE(MAP_FAILED, map);
	munmap(map, 100 * page);
	EXPECT_EQ(350, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 0, 50));
	EXPECT_EQ(0, pattern_wrong(other, 100, 50));
	munmap(other + 25 * page, 50 * page);
	EXPECT_EQ(325, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 75, 100));
	munmap(map, 400 * page);
	EXPECT_EQ(50, pages_held(&self->pages));
	munmap(other, 100 * page);
}

/* rule 14 */
TEST_F(kept, munmap_of_each_second_page)
{
	const size_t page = page_size();
	char *map = map_and_close(self);
	size_t i;

	ASSERT_NE(MAP_FAILED, map);
	for (i = 0; i < 400; i += 2)
		munmap(map + i * page, page);
	EXPECT_EQ(200, pages_held(&self->pages));
	for (i = 1; i < 400; i += 2)
		EXPECT_EQ(0, pattern_wrong(map + i * page, 1, i));
	munmap(map, 400 * page);
}

/* rule 14: also if a page of it was copied */
TEST_F(kept, munmap_of_a_part_of_a_private_mapping)
{
	const size_t page = page_size();
	char *map =
		mmap(NULL, 400 * page, READ_WRITE, MAP_PRIVATE, self->root, 0);

	close(self->root);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pattern_wrong(map, 400, 0));
	map[120 * page] = 'x';
	munmap(map + 100 * page, 50 * page);
	EXPECT_EQ(350, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 100, 150));
	munmap(map, 400 * page);
}

static int unmap_when_told(int socket, char *map, size_t length)
{
	char byte;

	if (read(socket, &byte, 1) != 1 || munmap(map, length) ||
	    write(socket, "", 1) != 1)
		return 1;
	return read(socket, &byte, 1) != 1;
}

/* rule 14: parent and child unmap different parts of the same */
TEST_F(kept, munmap_of_parts_after_a_fork)
{
	const size_t page = page_size();
	char *map = map_and_close(self);
	int ends[2];
	pid_t child;
	char byte;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	child = fork();
	if (!child)
		_exit(unmap_when_told(ends[1], map + 100 * page, 200 * page));
	munmap(map, 200 * page);
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(1, write(ends[0], "", 1));
	EXPECT_EQ(1, read(ends[0], &byte, 1));
	EXPECT_EQ(300, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 100, 200));
	EXPECT_EQ(1, write(ends[0], "", 1));
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(200, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 0, 200));
	EXPECT_EQ(0, pattern_wrong(map + 200 * page, 200, 200));
	munmap(map, 400 * page);
}

#define NEIGHBOURS 2

/* Has a part mapped, whose descriptor is closed. */
struct neighbour {
	pthread_t thread;
	pthread_barrier_t *barrier;
	char *map;
	size_t length;
};

static void *unmap_at_once(void *arg)
{
	struct neighbour *neighbour = arg;

	pthread_barrier_wait(neighbour->barrier);
	munmap(neighbour->map, neighbour->length);
	return NULL;
}

/*
 * rule 14: neither delays the other. They may meet in the look-up of a folio, but
 * that is no pin.
 */
TEST(neighbours_in_a_large_folio_release_at_once)
{
	const size_t unit = huge_size() / page_size();
	const size_t part = unit / 4;
	int round, i;

	for (round = 0; round < 50; round++) {
		int root = ds_alloc(huge_size(), RIGHTS_RW, 0);
		struct neighbour neighbours[NEIGHBOURS];
		pthread_barrier_t barrier;
		struct pages pages;
		int rest;

		ASSERT_EQ(0, pages_of_fd(&pages, root, huge_size()));
		pthread_barrier_init(&barrier, NULL, NEIGHBOURS);
		for (i = 0; i < NEIGHBOURS; i++) {
			struct neighbour *neighbour = &neighbours[i];
			int ds = ds_alias_pages(root, i * part, (i + 1) * part,
						RIGHTS_R);

			neighbour->barrier = &barrier;
			neighbour->length = part * page_size();
			neighbour->map =
				ds_map(ds, neighbour->length, PROT_READ);
			ASSERT_NE(MAP_FAILED, neighbour->map);
			close(ds);
		}
		rest = ds_alias_pages(root, NEIGHBOURS * part, unit, RIGHTS_R);
		close(root);
		for (i = 0; i < NEIGHBOURS; i++)
			pthread_create(&neighbours[i].thread, NULL,
				       unmap_at_once, &neighbours[i]);
		for (i = 0; i < NEIGHBOURS; i++)
			pthread_join(neighbours[i].thread, NULL);
		EXPECT_EQ(2 * part, pages_wait(&pages, 2 * part, 0.1));
		EXPECT_EQ(2 * part, pages_held_in(&pages, 2 * part, unit));
		close(rest);
		EXPECT_EQ(0, pages_held(&pages));
		pages_forget(&pages);
	}
}

TEST_HARNESS_MAIN
