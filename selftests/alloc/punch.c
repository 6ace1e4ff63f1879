// SPDX-License-Identifier: GPL-2.0-only
/* Pages are punched out of lazy memory: rule 30. */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "lazy.h"
#include "pages.h"
#include "sigbus.h"

/*
 * A root of two blocks, all of which is there and holds 1, and an alias of all of
 * it, which both are mapped.
 */
FIXTURE(punch)
{
	size_t page;
	size_t length;
	long long in_use;
	int root;
	int alias;
	char *map;
	char *other;
};

FIXTURE_SETUP(punch)
{
	sigbus_init();
	self->page = page_size();
	self->length = 2 * huge_size();
	self->in_use = lazy_in_use();
	self->root = lazy_alloc(self->length);
	self->alias = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	self->map = ds_map(self->root, self->length, READ_WRITE);
	self->other = ds_map(self->alias, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_NE(MAP_FAILED, self->other);
	memset(self->map, 1, self->length);
	ASSERT_TRUE(bytes_are(self->other, self->length, 1));
}

FIXTURE_TEARDOWN(punch)
{
}

static bool is_all_there(FIXTURE_DATA(punch) * self)
{
	return ds_resident(self->root) == self->length &&
	       bytes_are(self->map, self->length, 1);
}

/* rule 30 */
TEST_F(punch, gives_pages_back_at_once_and_reads_as_zero_for_all)
{
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, self->map, self->length));
	EXPECT_EQ(0, ds_punch(self->alias, 0, huge_size()));
	EXPECT_EQ(self->length - huge_size(), ds_resident(self->root));
	EXPECT_EQ(self->in_use + self->length - huge_size(), lazy_in_use());
	EXPECT_EQ(0, lazy_byte(self->root, 0));
	EXPECT_EQ(0, lazy_byte(self->alias, huge_size() - 1));
	EXPECT_EQ(self->length - huge_size(), ds_resident(self->root));
	EXPECT_EQ(0, pages_held_in(&pages, 0, huge_size() / self->page));
	EXPECT_TRUE(bytes_are(self->map, huge_size(), 0));
	EXPECT_TRUE(bytes_are(self->other, huge_size(), 0));
	EXPECT_TRUE(bytes_are(self->map + huge_size(), huge_size(), 1));
	pages_forget(&pages);
}

/* rule 30 */
TEST_F(punch, of_a_page_leaves_its_neighbours_where_they_are)
{
	const size_t page = self->page;
	const size_t count = self->length / page;
	const char *rest = self->other + 5 * page;
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, self->map, self->length));
	EXPECT_EQ(0, ds_punch(self->root, 3 * page, 2 * page));
	EXPECT_EQ(self->length - 2 * page, ds_resident(self->root));
	EXPECT_EQ(count - 2, pages_held(&pages));
	EXPECT_FALSE(page_held(&pages, 3));
	EXPECT_FALSE(page_held(&pages, 4));
	EXPECT_TRUE(bytes_are(self->other, 3 * page, 1));
	EXPECT_TRUE(bytes_are(rest, self->length - 5 * page, 1));
	EXPECT_TRUE(bytes_are(self->other + 3 * page, 2 * page, 0));
	pages_forget(&pages);
}

/* rule 30 */
TEST_F(punch, of_a_range_across_folios_is_exact)
{
	const size_t start = self->page;
	const size_t length = self->length - 2 * self->page;

	EXPECT_EQ(0, ds_punch(self->root, start, length));
	EXPECT_EQ(2 * self->page, ds_resident(self->root));
	EXPECT_EQ(1, lazy_byte(self->root, 0));
	EXPECT_EQ(0, lazy_byte(self->root, start));
	EXPECT_EQ(0, lazy_byte(self->root, start + length - 1));
	EXPECT_EQ(1, lazy_byte(self->root, start + length));
}

/* rule 30 */
TEST_F(punch, through_an_alias_is_within_its_range)
{
	const size_t page = self->page;
	int part = ds_alias(self->root, page, 2 * page, RIGHTS_RW);

	ASSERT_EQ(0, ds_punch(part, 0, 2 * page));
	EXPECT_EQ(self->length - 2 * page, ds_resident(self->root));
	EXPECT_EQ(0, ds_resident(part));
	EXPECT_EQ(1, lazy_byte(self->root, 0));
	EXPECT_EQ(1, lazy_byte(self->root, 3 * page));
}

/* rule 30 */
TEST_F(punch, of_a_hole_is_0)
{
	ASSERT_EQ(0, ds_punch(self->root, 0, self->length));
	EXPECT_EQ(0, ds_punch(self->root, 0, self->length));
	EXPECT_EQ(0, ds_resident(self->root));
}

/* rule 30: what is written to a hole that was punched is kept */
TEST_F(punch, can_be_filled_again)
{
	ASSERT_EQ(0, ds_punch(self->root, 0, huge_size()));
	EXPECT_EQ(0, try_store(self->other + self->page, 5));
	EXPECT_EQ(5, lazy_byte(self->root, self->page));
	EXPECT_EQ(self->length - huge_size() + lazy_block(),
		  ds_resident(self->root));
}

/* rules 11 and 30 */
TEST_F(punch, keeps_private_copies)
{
	char *copy = mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE,
			  self->root, 0);

	ASSERT_NE(MAP_FAILED, copy);
	copy[0] = 2;
	ASSERT_EQ(0, ds_punch(self->root, 0, self->length));
	EXPECT_EQ(2, copy[0]);
	EXPECT_EQ(1, copy[1]);
	EXPECT_EQ(0, copy[self->page]);
}

/* rule 30: it stays, zeroed, and whoever pinned it sees what is written then */
TEST_F(punch, zeroes_a_pinned_page_in_its_place)
{
	const size_t last = self->page - 1;
	char *bytes = malloc(self->page);
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin, self->map + self->page));
	EXPECT_EQ(0, ds_punch(self->root, 0, self->length));
	EXPECT_TRUE(bytes_are(self->map, self->length, 0));
	self->map[2 * self->page - 1] = 3;
	EXPECT_EQ(self->page, read(pin.ends[0], bytes, self->page));
	EXPECT_TRUE(bytes_are(bytes, last, 0));
	EXPECT_EQ(3, bytes[last]);
	pin_close(&pin);
	EXPECT_EQ(0, ds_punch(self->root, 0, self->length));
	EXPECT_EQ(0, ds_resident(self->root));
	free(bytes);
}

/* rules 4 and 30: pages that are pinned count until they are back */
TEST_F(punch, does_not_hide_a_pinned_page_from_the_limit)
{
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin, self->map + self->page));
	EXPECT_EQ(0, ds_punch(self->root, 0, self->length));
	EXPECT_LE(self->in_use + self->page, lazy_in_use());
	EXPECT_LE(self->page, ds_resident(self->root));
	EXPECT_GE(huge_size(), ds_resident(self->root));
	pin_close(&pin);
}

/* rule 30 */
TEST_F(punch, unaligned_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, ds_punch(self->root, 1, self->page));
	EXPECT_EQ(-EINVAL, ds_punch(self->root, 0, self->page - 1));
	EXPECT_EQ(-EINVAL,
		  ds_punch(self->root, self->page / 2, self->page / 2));
	EXPECT_TRUE(is_all_there(self));
}

/* rule 30 */
TEST_F(punch, beyond_the_end_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, ds_punch(self->root, 0, self->length + self->page));
	EXPECT_EQ(-EINVAL, ds_punch(self->root, self->length, self->page));
	EXPECT_EQ(-EINVAL, ds_punch(self->root, 1ULL << 61, self->page));
	EXPECT_EQ(-EINVAL, ds_punch(self->root, 0, 0));
	EXPECT_TRUE(is_all_there(self));
}

/* rules 10 and 30 */
TEST_F(punch, without_WRITE_is_EBADF)
{
	int ds = ds_alias(self->root, 0, self->length, RIGHTS_R);

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EBADF, ds_punch(ds, 0, self->page));
	EXPECT_TRUE(is_all_there(self));
}

/* rules 18 and 30 */
TEST_F(punch, of_what_is_sealed_is_EPERM)
{
	ASSERT_EQ(0, ds_seal(self->alias, 0));
	EXPECT_EQ(-EPERM, ds_punch(self->alias, 0, self->page));
	EXPECT_EQ(-EINVAL, ds_punch(self->alias, 1, self->page));
	EXPECT_TRUE(is_all_there(self));
	EXPECT_EQ(0, ds_punch(self->root, 0, self->page));
}

/* rules 17 and 30 */
TEST_F(punch, of_what_was_revoked_is_ESTALE)
{
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-ESTALE, ds_punch(self->alias, 0, self->page));
	EXPECT_TRUE(is_all_there(self));
}

/* rule 30 */
TEST_F(punch, of_memory_that_is_not_lazy_is_EOPNOTSUPP)
{
	int ds = ds_alloc(self->page, RIGHTS_RW, DATASPACE_ALLOC_SCATTERED);

	ASSERT_EQ(1, lazy_write(ds, 0, 1, 1));
	EXPECT_EQ(-EOPNOTSUPP, ds_punch(ds, 0, self->page));
	EXPECT_EQ(1, lazy_byte(ds, 0));
}

#define READERS 2
#define READ_BYTES (64 << 10)

struct readers {
	int ds;
	atomic_bool stop;
	atomic_long reads;
	pthread_t threads[READERS];
};

static void *read_on(void *arg)
{
	struct readers *readers = arg;
	char *buffer = malloc(READ_BYTES);

	while (!readers->stop &&
	       pread(readers->ds, buffer, READ_BYTES, 0) == READ_BYTES)
		readers->reads++;
	free(buffer);
	return NULL;
}

/* They read all the time through a dataspace that can't even be mapped. */
static void readers_start(struct readers *readers, int ds)
{
	int i;

	readers->ds = ds_alias(ds, 0, READ_BYTES, DATASPACE_READ);
	for (i = 0; i < READERS; i++)
		pthread_create(&readers->threads[i], NULL, read_on, readers);
	while (readers->reads < 10 * READERS)
		usleep(1000);
}

static void readers_stop(struct readers *readers)
{
	int i;

	readers->stop = true;
	for (i = 0; i < READERS; i++)
		pthread_join(readers->threads[i], NULL);
	close(readers->ds);
}

/* rule 30: who reads pages beside the hole pins nothing */
TEST_F(punch, beside_pages_that_are_read_gives_pages_back)
{
	struct readers readers = {};

	munmap(self->map, self->length);
	munmap(self->other, self->length);
	readers_start(&readers, self->root);
	EXPECT_EQ(0,
		  ds_punch(self->root, READ_BYTES, self->length - READ_BYTES));
	EXPECT_EQ(READ_BYTES, ds_resident(self->root));
	readers_stop(&readers);
}

/* rule 14 */
TEST_F(punch, and_death_beside_pages_that_are_read_give_pages_back)
{
	struct readers readers = {};

	munmap(self->map, self->length);
	munmap(self->other, self->length);
	readers_start(&readers, self->root);
	close(self->alias);
	close(self->root);
	EXPECT_EQ(self->in_use + READ_BYTES,
		  lazy_in_use_soon(self->in_use + READ_BYTES));
	readers_stop(&readers);
}

/* rules 20 and 30 */
TEST_F(punch, other_modes_are_EOPNOTSUPP)
{
	const int modes[] = {
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE,
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(modes); i++)
		EXPECT_EQ(-EOPNOTSUPP, result(fallocate(self->root, modes[i], 0,
							self->page)));
	EXPECT_TRUE(is_all_there(self));
}

/* rules 15 and 30 */
TEST_F(punch, shows_in_exclusive)
{
	close(self->alias);
	munmap(self->other, self->length);
	munmap(self->map, self->length);
	EXPECT_EQ(self->length, ds_exclusive(self->root));
	ASSERT_EQ(0, ds_punch(self->root, self->page, self->page));
	EXPECT_EQ(self->length - self->page, ds_exclusive(self->root));
	close(self->root);
	EXPECT_EQ(self->in_use, lazy_in_use_soon(self->in_use));
}

TEST_HARNESS_MAIN
