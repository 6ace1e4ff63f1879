// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two threads do something at the same time. Whichever comes first, the result
 * is one that the rules allow, no page is lost, and no page is seen by a
 * process that must not: rules 5, 13 and 14.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/socket.h>

#include "common.h"
#include "fdpass.h"
#include "pages.h"

#define ROUNDS 300
#define PAGES 24

/*
 * A race is run many times on a fresh root: both threads start together, then
 * all is closed and unmapped, and no page of the root may be left. That is
 * checked with a timeout, as a read or a fault holds its folio for a moment.
 */
struct race;

typedef void (*race_side)(struct race *race);

struct race {
	int root;
	int ds;
	char *map;
	size_t length;
	int made;
	long failed;
	race_side left, right;
	pthread_barrier_t barrier;
};

static void *run_right(void *arg)
{
	struct race *race = arg;

	pthread_barrier_wait(&race->barrier);
	race->right(race);
	return NULL;
}

static int run_both(struct race *race)
{
	pthread_t thread;

	if (pthread_barrier_init(&race->barrier, NULL, 2) ||
	    pthread_create(&thread, NULL, run_right, race))
		return -1;
	pthread_barrier_wait(&race->barrier);
	race->left(race);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&race->barrier);
	return 0;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Makes a root, a read-only alias of its middle, and a mapping of that. */
static int set_up(struct race *race, struct pages *pages)
{
	race->length = (PAGES - 8) * page_size();
	race->made = -1;
	race->root = ds_alloc_pages(PAGES);
	race->ds = ds_alias_pages(race->root, 4, PAGES - 4, RIGHTS_R);
	race->map = ds_map(race->ds, race->length, PROT_READ);
	return race->map == MAP_FAILED ||
	       pattern_write_fd(race->root, PAGES, 0) ||
	       pages_of_fd(pages, race->root, PAGES * page_size());
}

static void clear_away(struct race *race)
{
	close_if_open(&race->root);
	close_if_open(&race->ds);
	close_if_open(&race->made);
	munmap(race->map, race->length);
}

/* The number of rounds that went wrong. */
static long run_rounds(struct race *race)
{
	struct pages pages;
	long wrong = 0;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		if (set_up(race, &pages) || run_both(race))
			return -1;
		clear_away(race);
		wrong += !!pages_wait(&pages, 0, SOON);
		pages_forget(&pages);
	}
	return wrong + race->failed;
}

static void close_source(struct race *race)
{
	close_if_open(&race->ds);
}

/*
 * An alias that was made shows the right pages, also if its source was closed.
 */
static void make_alias(struct race *race)
{
	race->made = ds_alias_pages(race->ds, 2, 10, RIGHTS_R);
	if (race->made < 0)
		race->failed += race->made != -EBADF;
	else
		race->failed += !!pattern_wrong_fd(race->made, 8, 6);
}

static void make_mapping(struct race *race)
{
	char *map = ds_map(race->ds, race->length, PROT_READ);

	if (map == MAP_FAILED) {
		race->failed += errno != EBADF;
		return;
	}
	race->failed += !!pattern_wrong(map, PAGES - 8, 4);
	munmap(map, race->length);
}

static void unmap_front(struct race *race)
{
	munmap(race->map, race->length / 4 * 3);
}

static void unmap_back(struct race *race)
{
	munmap(race->map + race->length / 4, race->length / 4 * 3);
}

static void close_all(struct race *race)
{
	close_if_open(&race->root);
	close_if_open(&race->ds);
}

static void touch_all(struct race *race)
{
	race->failed += !!pattern_wrong(race->map, PAGES - 8, 4);
}

static void read_all(struct race *race)
{
	char buffer[64];
	ssize_t got = pread(race->ds, buffer, sizeof(buffer), 0);

	if (got < 0)
		race->failed += errno != EBADF;
	else
		race->failed += got != sizeof(buffer);
}

static void ask(struct race *race)
{
	struct dataspace_info info;
	int ret = ds_info(race->ds, &info);

	race->failed += ret && ret != -EBADF;
	race->failed += !ret && info.length != race->length;
}

static void split_mapping(struct race *race)
{
	const size_t half = race->length / 2;

	if (mprotect(race->map + half, half, PROT_NONE))
		race->failed += errno != ENOMEM;
}

static void drop_entries(struct race *race)
{
	int i;

	for (i = 0; i < 20; i++)
		race->failed +=
			!!madvise(race->map, race->length, MADV_DONTNEED);
}

static void touch_often(struct race *race)
{
	int i;

	for (i = 0; i < 20; i++)
		touch_all(race);
}

static void fork_and_exit(struct race *race)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	race->failed += child < 0 || wait_for(child);
}

FIXTURE(race)
{
	struct race race;
};

FIXTURE_VARIANT(race)
{
	race_side left, right;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(race, alias_and_close_of_the_source) {
	.left = make_alias,
	.right = close_source,
};

FIXTURE_VARIANT_ADD(race, mmap_and_close) {
	.left = make_mapping,
	.right = close_source,
};

FIXTURE_VARIANT_ADD(race, fault_and_close) {
	.left = touch_all,
	.right = close_all,
};

FIXTURE_VARIANT_ADD(race, read_and_close) {
	.left = read_all,
	.right = close_all,
};

FIXTURE_VARIANT_ADD(race, info_and_close) {
	.left = ask,
	.right = close_all,
};

FIXTURE_VARIANT_ADD(race, fault_and_discard) {
	.left = touch_often,
	.right = drop_entries,
};

FIXTURE_VARIANT_ADD(race, two_unmaps) {
	.left = unmap_front,
	.right = unmap_back,
};

FIXTURE_VARIANT_ADD(race, unmap_and_close) {
	.left = unmap_front,
	.right = close_all,
};

FIXTURE_VARIANT_ADD(race, unmap_and_split) {
	.left = unmap_front,
	.right = split_mapping,
};

FIXTURE_VARIANT_ADD(race, unmap_and_fork) {
	.left = unmap_back,
	.right = fork_and_exit,
};

FIXTURE_VARIANT_ADD(race, alias_and_info) {
	.left = make_alias,
	.right = ask,
};

/* clang-format on */

FIXTURE_SETUP(race)
{
	self->race.left = variant->left;
	self->race.right = variant->right;
}

FIXTURE_TEARDOWN(race)
{
}

/* rules 13 and 14 */
TEST_F_TIMEOUT(race, ends_well_every_time, LONG_TIMEOUT)
{
	EXPECT_EQ(0, run_rounds(&self->race));
}

static sigjmp_buf jump;

static void leave(int signal)
{
	siglongjmp(jump, signal);
}

struct toucher {
	char *map;
	size_t length;
	long wrong;
};

/* Reads the pages until a signal tells that the mapping is gone. */
static void touch_until_gone(struct toucher *toucher)
{
	const size_t pages = toucher->length / page_size();

	if (sigsetjmp(jump, 1))
		return;
	for (;;)
		toucher->wrong += !!pattern_wrong(toucher->map, pages, 0);
}

static void *touch_thread(void *arg)
{
	touch_until_gone(arg);
	return NULL;
}

/* rules 5 and 14: a mapping goes away while a thread reads it */
TEST(a_reader_sees_the_right_bytes_or_a_signal)
{
	struct toucher toucher = { .length = 8 * page_size() };
	struct pages pages;
	pthread_t thread;
	int round, ds;

	signal(SIGSEGV, leave);
	signal(SIGBUS, leave);
	for (round = 0; round < 100; round++) {
		ds = ds_alloc_pages(8);
		ASSERT_EQ(0, pattern_write_fd(ds, 8, 0));
		toucher.map = ds_map(ds, toucher.length, PROT_READ);
		ASSERT_NE(MAP_FAILED, toucher.map);
		ASSERT_EQ(0, pages_of_map(&pages, toucher.map, toucher.length));
		ASSERT_EQ(0, pthread_create(&thread, NULL, touch_thread,
					    &toucher));
		close(ds);
		usleep(500);
		munmap(toucher.map, toucher.length);
		pthread_join(thread, NULL);
		EXPECT_EQ(0, pages_held(&pages));
		pages_forget(&pages);
	}
	EXPECT_EQ(0, toucher.wrong);
}

/* Makes, uses and drops dataspaces and mappings until it is killed. */
static void work(int root)
{
	for (;;) {
		int ds = ds_alias_pages(root, 3, 19, RIGHTS_RW);
		char *map = ds_map(ds, 16 * page_size(), READ_WRITE);
		int own = ds_alloc_pages(5);

		pattern_write(map, 16, 0);
		close(ds_alias_pages(ds, 1, 3, RIGHTS_R));
		close(own);
		close(ds);
		munmap(map + 5 * page_size(), 3 * page_size());
		munmap(map, 16 * page_size());
	}
}

FIXTURE(killed)
{
	int unused;
};

FIXTURE_SETUP(killed)
{
}

FIXTURE_TEARDOWN(killed)
{
}

/* rule 14: also for a process that is killed in the middle of an operation */
TEST_F_TIMEOUT(killed, leaves_nothing, LONG_TIMEOUT)
{
	long held = pages_held_by_anyone();
	int round;

	for (round = 0; round < 100; round++) {
		int root = ds_alloc_pages(PAGES);
		struct pages pages;
		pid_t child;

		ASSERT_EQ(0, pages_of_fd(&pages, root, PAGES * page_size()));
		child = fork();
		if (!child)
			work(root);
		usleep(1000 + round * 100);
		kill(child, SIGKILL);
		EXPECT_EQ(SIGKILL, wait_for(child));
		close(root);
		EXPECT_EQ(0, pages_held(&pages));
		pages_forget(&pages);
	}
	EXPECT_EQ(held, pages_held_by_anyone());
}

/* rule 14: descriptors in sockets that refer to each other */
TEST(cycles_of_sockets_leave_nothing)
{
	struct pages pages;
	int round, other[2];

	for (round = 0; round < 50; round++) {
		int root = ds_alloc_pages(PAGES);
		int ends[2];

		ASSERT_EQ(0, pages_of_fd(&pages, root, PAGES * page_size()));
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
		ASSERT_EQ(0, fd_send(ends[0], ends[0]));
		ASSERT_EQ(0, fd_send(ends[0], root));
		ASSERT_EQ(0, fd_send(ends[1], ends[1]));
		close(ends[0]);
		close(ends[1]);
		close(root);
		if (round < 49)
			pages_forget(&pages);
	}
	/* the kernel collects such sockets when any socket is closed */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, other));
	close(other[0]);
	close(other[1]);
	EXPECT_EQ(0, pages_wait(&pages, 0, STUCK));
	pages_forget(&pages);
}

TEST_HARNESS_MAIN
