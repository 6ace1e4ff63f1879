// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages appear while others punch them out, revoke, seal, or touch them as well:
 * rule 30. Whichever comes first, no page outlives its last cover, no write is lost
 * but to a hole that was punched, and nothing changes after a seal or by what was
 * revoked.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "lazy.h"
#include "race.h"
#include "sigbus.h"

#define PAGES 64
#define THREADS 2

/* All that the threads of a round use. */
struct round {
	size_t page;
	size_t length;
	int root;
	int ds;
	int import;
	char *map;
	atomic_bool stop;
	atomic_long wrong;
	atomic_long done;
	pthread_barrier_t barrier;
	void (*use)(struct round *round, int thread);
};

struct user {
	struct round *round;
	int number;
	pthread_t thread;
};

FIXTURE(lazy_races)
{
	struct round round;
	long long in_use;
	double end;
};

FIXTURE_SETUP(lazy_races)
{
	sigbus_init();
	self->round.page = page_size();
	self->in_use = lazy_in_use();
	self->end = seconds() + race_seconds();
}

FIXTURE_TEARDOWN(lazy_races)
{
	EXPECT_EQ(0, atomic_load(&self->round.wrong));
	EXPECT_EQ(self->in_use, lazy_in_use_soon(self->in_use));
}

static void *run_user(void *arg)
{
	struct user *user = arg;

	pthread_barrier_wait(&user->round->barrier);
	user->round->use(user->round, user->number);
	return NULL;
}

static void start(struct round *round, struct user *users,
		  void (*use)(struct round *, int))
{
	int i;

	round->use = use;
	round->stop = false;
	pthread_barrier_init(&round->barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++) {
		users[i].round = round;
		users[i].number = i;
		pthread_create(&users[i].thread, NULL, run_user, &users[i]);
	}
	pthread_barrier_wait(&round->barrier);
}

static void finish(struct round *round, struct user *users)
{
	int i;

	round->stop = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(users[i].thread, NULL);
	pthread_barrier_destroy(&round->barrier);
}

/* A new root of @length bytes, an alias of all of it, and a mapping of that. */
static void make(struct round *round, size_t length)
{
	round->length = length;
	round->root = lazy_alloc(length);
	round->ds = ds_alias(round->root, 0, length, RIGHTS_RW);
	round->map = ds_map(round->ds, length, READ_WRITE);
	round->wrong += round->map == MAP_FAILED;
}

static void drop(struct round *round)
{
	munmap(round->map, round->length);
	close(round->ds);
	close(round->root);
}

static __u64 *word_of(struct round *round, size_t page, int word)
{
	return (__u64 *)(round->map + page * round->page) + word;
}

/* Each thread has a word of its own in each page. */
static void touch_all(struct round *round, int thread)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		round->wrong += !!try_store(word_of(round, i, thread), i + 1);
}

/* rule 30: both find the same page, and there is one of each */
TEST_F(lazy_races, of_two_touches)
{
	struct round *round = &self->round;
	struct user users[THREADS];
	bool huge = false;
	size_t i;
	int word;

	while (seconds() < self->end) {
		huge = !huge;
		make(round, huge ? huge_size() : PAGES * round->page);
		start(round, users, touch_all);
		finish(round, users);
		for (i = 0; i < PAGES; i++)
			for (word = 0; word < THREADS; word++)
				round->wrong += *word_of(round, i, word) !=
						i + 1;
		round->wrong += ds_resident(round->root) > round->length;
		drop(round);
	}
}

/* Writes and reads numbers that only go up, or are 0 after a hole. */
static void touch_and_punch(struct round *round, int thread)
{
	__u64 value, count = 0;
	size_t i;

	while (!round->stop) {
		i = ++count % PAGES;
		if (thread) {
			round->wrong += !!ds_punch(round->ds, i * round->page,
						   round->page);
			continue;
		}
		round->wrong += !!try_store(word_of(round, i, 0), count);
		round->wrong += !!try_load(word_of(round, i, 0), &value);
		round->wrong += value && value != count;
	}
	round->done += count;
}

/* rule 30 */
TEST_F(lazy_races, of_touches_and_holes)
{
	struct round *round = &self->round;
	struct user users[THREADS];

	make(round, huge_size());
	start(round, users, touch_and_punch);
	while (seconds() < self->end)
		usleep(1000);
	finish(round, users);
	EXPECT_LT(0, atomic_load(&round->done));
	EXPECT_EQ(0, ds_punch(round->root, 0, round->length));
	EXPECT_EQ(0, ds_resident(round->root));
	drop(round);
}

/* A hole that is made at the same time may be in a part of the page. */
static bool bytes_are_or_zero(const char *bytes, size_t length, __u8 byte)
{
	size_t i;

	for (i = 0; i < length; i++)
		if (bytes[i] && (__u8)bytes[i] != byte)
			return false;
	return true;
}

/* One writes a page of one byte all over and reads it, the other one punches. */
static void copy_and_punch(struct round *round, int thread)
{
	char *buffer = malloc(round->page);
	__u64 count = 0;

	while (!round->stop) {
		if (thread) {
			round->wrong += !!ds_punch(round->ds, 0, round->length);
			continue;
		}
		round->wrong += lazy_write(round->ds, 0, round->page,
					   ++count) != round->page;
		round->wrong += pread(round->ds, buffer, round->page, 0) !=
				round->page;
		round->wrong += !bytes_are_or_zero(buffer, round->page, count);
	}
	free(buffer);
}

/* rule 30 */
TEST_F(lazy_races, of_copies_and_holes)
{
	struct round *round = &self->round;
	struct user users[THREADS];

	make(round, huge_size());
	start(round, users, copy_and_punch);
	while (seconds() < self->end)
		usleep(1000);
	finish(round, users);
	drop(round);
}

/* One brings a page, the other one punches it. */
static void fill_and_punch(struct round *round, int thread)
{
	while (!round->stop) {
		if (thread)
			round->wrong += !!ds_punch(round->ds, 0, round->page);
		else
			round->wrong += lazy_write(round->ds, 0, 8, 1) != 8;
	}
}

/* While that goes on, the LRU's batches are empty: the page cache has the only reference. */
static void *allocate_runs(void *arg)
{
	struct round *round = arg;

	while (!round->stop)
		close(ds_alloc(20 << 20, RIGHTS_R, 0));
	return NULL;
}

/* rule 30: a page can be punched as soon as it is there */
TEST_F(lazy_races, of_holes_and_pages_that_have_just_come)
{
	struct round *round = &self->round;
	struct user users[THREADS];
	pthread_t allocator;

	make(round, huge_size());
	start(round, users, fill_and_punch);
	ASSERT_EQ(0, pthread_create(&allocator, NULL, allocate_runs, round));
	while (seconds() < self->end)
		usleep(1000);
	finish(round, users);
	pthread_join(allocator, NULL);
	drop(round);
}

/* Touches by mapping or by descriptor until either is refused. */
static void touch_until_refused(struct round *round, int thread)
{
	size_t i = 0;
	long ret;

	do {
		i = (i + 1) % PAGES;
		ret = thread ? try_store(word_of(round, i, 1), 1) :
			       lazy_write(round->ds, i * round->page, 8, 1) - 8;
		round->done++;
	} while (!ret);
	round->wrong += ret != (thread ? SIGBUS : -ESTALE - 8);
}

/* rules 14, 17 and 30: no page stays that appears when the last cover has gone */
TEST_F(lazy_races, of_touches_and_REVOKE_SELF_of_the_last_cover)
{
	struct round *round = &self->round;
	struct user users[THREADS];
	bool huge = false;

	while (seconds() < self->end) {
		huge = !huge;
		make(round, huge ? huge_size() : PAGES * round->page);
		close(round->root);
		start(round, users, touch_until_refused);
		race_pause();
		EXPECT_EQ(0, ds_revoke_flags(round->ds, DATASPACE_REVOKE_SELF));
		finish(round, users);
		EXPECT_EQ(self->in_use, lazy_in_use_soon(self->in_use));
		munmap(round->map, round->length);
		close(round->ds);
	}
}

static void punch_until_refused(struct round *round, int thread)
{
	long ret;

	do {
		ret = ds_punch(round->ds, 0, round->length);
		round->done++;
	} while (!ret);
	round->wrong += ret != -ESTALE && ret != -EPERM;
}

/* rules 17 and 30: who was revoked makes no hole any more */
TEST_F(lazy_races, of_holes_and_REVOKE)
{
	struct round *round = &self->round;
	struct user users[THREADS];
	char *map;

	while (seconds() < self->end) {
		make(round, huge_size());
		map = ds_map(round->root, round->length, READ_WRITE);
		start(round, users, punch_until_refused);
		race_pause();
		EXPECT_EQ(0, ds_revoke(round->root));
		memset(map, 1, round->length);
		finish(round, users);
		EXPECT_TRUE(bytes_are(map, round->length, 1));
		munmap(map, round->length);
		drop(round);
	}
}

/* rules 18 and 30: what is sealed gets no hole */
TEST_F(lazy_races, of_holes_and_seals)
{
	struct round *round = &self->round;
	struct user users[THREADS];
	char *seen = malloc(huge_size());
	__u32 flags = 0;

	while (seconds() < self->end) {
		flags ^= DATASPACE_SEAL_NOW;
		make(round, huge_size());
		memset(round->map, 1, round->length);
		start(round, users, punch_until_refused);
		race_pause();
		EXPECT_EQ(0, ds_seal(round->root, flags));
		pread(round->root, seen, round->length, 0);
		finish(round, users);
		EXPECT_EQ(0, memcmp(seen, round->map, round->length));
		drop(round);
	}
	free(seen);
}

/* rules 18 and 30: whoever waits for holes can be killed, and another one seals */
TEST_F(lazy_races, of_holes_and_a_SEAL_that_is_killed)
{
	struct round *round = &self->round;
	struct user users[THREADS];

	while (seconds() < self->end) {
		pid_t child;

		make(round, huge_size());
		memset(round->map, 1, round->length);
		start(round, users, punch_until_refused);
		child = fork();
		if (!child)
			_exit(ds_seal(round->root, 0) != 0);
		race_pause();
		kill(child, SIGKILL);
		wait_for(child);
		EXPECT_EQ(0, ds_seal(round->root, 0));
		finish(round, users);
		drop(round);
	}
}

/* One is a device that maps all of it, the other one punches. */
static void device_map_and_punch(struct round *round, int thread)
{
	while (!round->stop) {
		if (thread) {
			round->wrong += !!ds_punch(round->ds, 0, round->length);
			continue;
		}
		round->wrong += !!import_map(round->import, TO_DEVICE);
		round->wrong += !!import_unmap(round->import);
	}
}

/* rules 23 and 30: the device gets a page for each hole that is made meanwhile */
TEST_F(lazy_races, of_device_mappings_and_holes)
{
	struct round *round = &self->round;
	struct user users[THREADS];
	int dmabuf;

	if (importer_load() == -ENOENT)
		SKIP(return, "there is no importer");
	make(round, PAGES * round->page);
	dmabuf = ds_export(round->root, 0);
	round->import = import(dmabuf, IMPORTER_TOLD);
	ASSERT_LE(0, round->import);
	start(round, users, device_map_and_punch);
	while (seconds() < self->end)
		usleep(1000);
	finish(round, users);
	close(round->import);
	close(dmabuf);
	drop(round);
	EXPECT_EQ(0, importer_unload());
}

/* Each goes on until its store is refused, and notes how often it was not. */
static void count_until_refused(struct round *round, int thread)
{
	size_t i;

	for (i = 0; !try_store(word_of(round, i % PAGES, thread), i); i++)
		;
	round->done += i;
}

/* rules 18 and 30: no write begins after SEAL_NOW, not to a hole either */
TEST_F(lazy_races, of_first_stores_and_SEAL_NOW)
{
	struct round *round = &self->round;
	struct user users[THREADS];
	char *seen = malloc(huge_size());

	while (seconds() < self->end) {
		make(round, huge_size());
		start(round, users, count_until_refused);
		race_pause();
		EXPECT_EQ(0, ds_seal(round->root, DATASPACE_SEAL_NOW));
		pread(round->root, seen, round->length, 0);
		finish(round, users);
		EXPECT_EQ(0, memcmp(seen, round->map, round->length));
		drop(round);
	}
	free(seen);
}

/* One maps, touches and unmaps, the other one closes what it mapped. */
static void touch_and_close(struct round *round, int thread)
{
	size_t i;

	if (thread) {
		close(round->ds);
		return;
	}
	for (i = 0; i < PAGES; i++)
		round->wrong += !!try_store(word_of(round, i, 0), 1);
	munmap(round->map, round->length);
}

/* rules 14 and 30 */
TEST_F(lazy_races, of_touches_and_the_close_of_the_descriptor)
{
	struct round *round = &self->round;
	struct user users[THREADS];

	while (seconds() < self->end) {
		make(round, PAGES * round->page);
		close(round->root);
		start(round, users, touch_and_close);
		finish(round, users);
		EXPECT_EQ(self->in_use, lazy_in_use_soon(self->in_use));
	}
}

/* Both fill, punch and release neighbouring parts of one large folio. */
static void use_part(struct round *round, int thread)
{
	const size_t half = round->length / 2;
	__u8 byte = 0;
	int ds;

	while (!round->stop) {
		ds = ds_alias(round->root, thread * half, half, RIGHTS_RW);
		byte = byte % 100 + 1;
		round->wrong += lazy_write(ds, 0, half, byte) != half;
		round->wrong += lazy_byte(ds, half - 1) != byte;
		round->wrong += !!ds_punch(ds, round->page, round->page);
		round->wrong += lazy_byte(ds, 0) != byte;
		round->wrong += !!lazy_byte(ds, round->page);
		round->wrong += !!ds_punch(ds, 0, half);
		round->wrong += !!lazy_byte(ds, half - 1);
		close(ds);
	}
}

/* rule 30: holes of one holder are none of a neighbour's */
TEST_F(lazy_races, of_neighbours_in_a_folio)
{
	struct round *round = &self->round;
	struct user users[THREADS];

	make(round, huge_size());
	ASSERT_EQ(1, lazy_write(round->root, 0, 1, 1));
	start(round, users, use_part);
	while (seconds() < self->end)
		usleep(1000);
	finish(round, users);
	drop(round);
}

TEST_HARNESS_MAIN
