// SPDX-License-Identifier: GPL-2.0-only
/*
 * Knowing when nobody is left: rule 19, by poll and epoll. The races at the end
 * go on for a number of rounds that ROUNDS=<number> in the environment sets.
 */
#include <kselftest_harness.h>

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "fdpass.h"
#include "sigbus.h"
#include "uring.h"

#define PAGES 4
#define ROUNDS 10000
#define RACES 300

/* A wake-up that has not come after so many milliseconds is lost. */
#define LOST 20000

#define READY (POLLIN | POLLRDNORM)
#define REVOKED (READY | POLLHUP | POLLERR)

FIXTURE(poll)
{
	size_t length;
	int root;
	int epoll;
};

static int epoll_on(int ds, __u32 events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ds, &event))
		return -errno;
	return epoll;
}

/* The events, or 0 if there are none after @timeout milliseconds. */
static int epoll_events(int epoll, int timeout)
{
	struct epoll_event event = { .events = 0 };
	int ret = epoll_wait(epoll, &event, 1, timeout);

	return ret < 0 ? -errno : event.events;
}

FIXTURE_SETUP(poll)
{
	sigbus_init();
	self->length = PAGES * page_size();
	self->root = ds_alloc_pages(PAGES);
	ASSERT_LE(0, self->root);
	self->epoll = epoll_on(self->root, EPOLLIN);
	ASSERT_LE(0, self->epoll);
}

FIXTURE_TEARDOWN(poll)
{
	close(self->epoll);
	close(self->root);
}

/* What poll, epoll and a look at the events of every kind have to agree on. */
static bool is_ready(FIXTURE_DATA(poll) * self)
{
	return ds_poll(self->root, 0) == READY &&
	       epoll_events(self->epoll, 0) == EPOLLIN;
}

static bool is_not_ready(FIXTURE_DATA(poll) * self)
{
	return !ds_poll(self->root, 0) && !epoll_events(self->epoll, 0);
}

static int alias_of(FIXTURE_DATA(poll) * self, int source)
{
	return ds_alias(source, 0, self->length, RIGHTS_RW);
}

/* rule 19 */
TEST_F(poll, a_root_of_which_nothing_is_derived_is_ready)
{
	EXPECT_TRUE(is_ready(self));
	EXPECT_TRUE(is_ready(self));
}

/* rule 19 */
TEST_F(poll, ALIAS_clears_and_close_sets)
{
	int ds = alias_of(self, self->root);

	EXPECT_TRUE(is_not_ready(self));
	close(ds);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19: and does so before it returns, each time */
TEST_F_TIMEOUT(poll, edges_are_clean_over_many_rounds, LONG_TIMEOUT)
{
	int late = 0, early = 0;
	int round, ds;

	for (round = 0; round < ROUNDS; round++) {
		ds = alias_of(self, self->root);
		late += ds_poll(self->root, 0) != 0;
		close(ds);
		early += ds_poll(self->root, 0) != READY;
	}
	EXPECT_EQ(0, late);
	EXPECT_EQ(0, early);
}

/* rule 19: the last of several */
TEST_F(poll, all_aliases_count)
{
	int first = alias_of(self, self->root);
	int second = alias_of(self, self->root);

	close(first);
	EXPECT_TRUE(is_not_ready(self));
	close(second);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19: no matter how far away */
TEST_F(poll, a_grandchild_counts_when_its_source_is_closed)
{
	int child = alias_of(self, self->root);
	int grandchild = alias_of(self, child);
	int last = alias_of(self, grandchild);

	close(child);
	EXPECT_TRUE(is_not_ready(self));
	close(grandchild);
	EXPECT_TRUE(is_not_ready(self));
	close(last);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19: each sees what is derived from itself */
TEST_F(poll, an_alias_is_ready_while_its_siblings_live)
{
	int child = alias_of(self, self->root);
	int sibling = alias_of(self, self->root);
	int grandchild;

	EXPECT_EQ(READY, ds_poll(child, 0));
	grandchild = alias_of(self, child);
	EXPECT_EQ(0, ds_poll(child, 0));
	EXPECT_EQ(READY, ds_poll(sibling, 0));
	EXPECT_EQ(READY, ds_poll(grandchild, 0));
	close(grandchild);
	EXPECT_EQ(READY, ds_poll(child, 0));
	EXPECT_TRUE(is_not_ready(self));
	close(child);
	close(sibling);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19 */
TEST_F(poll, a_mapping_whose_descriptor_is_closed_counts)
{
	int ds = alias_of(self, self->root);
	char *map = ds_map(ds, self->length, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	close(ds);
	EXPECT_TRUE(is_not_ready(self));
	ASSERT_EQ(0, munmap(map, page_size()));
	EXPECT_TRUE(is_not_ready(self));
	ASSERT_EQ(0, munmap(map + 2 * page_size(), page_size()));
	EXPECT_TRUE(is_not_ready(self));
	ASSERT_EQ(0, munmap(map, self->length));
	EXPECT_TRUE(is_ready(self));
}

/* rule 19 */
TEST_F(poll, a_private_mapping_counts)
{
	int ds = alias_of(self, self->root);
	char *map = mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE, ds, 0);

	ASSERT_NE(MAP_FAILED, map);
	pattern_write(map, PAGES, 0);
	close(ds);
	EXPECT_TRUE(is_not_ready(self));
	munmap(map, self->length);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19 */
TEST_F(poll, what_is_mapped_over_no_longer_counts)
{
	int ds = alias_of(self, self->root);
	char *map = ds_map(ds, self->length, PROT_READ);

	close(ds);
	EXPECT_TRUE(is_not_ready(self));
	ASSERT_EQ(map, mmap(map, self->length, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_TRUE(is_ready(self));
}

/* rule 19: no mapping of anything that is derived */
TEST_F(poll, its_own_mapping_does_not_count)
{
	char *map = ds_map(self->root, self->length, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_TRUE(is_ready(self));
	close(alias_of(self, self->root));
	EXPECT_TRUE(is_ready(self));
	munmap(map, self->length);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19: in every process; its death is as good as a close */
TEST_F(poll, what_another_process_has_counts_until_that_ends)
{
	int ds = alias_of(self, self->root);
	char *map = ds_map(ds, self->length, PROT_READ);
	int ends[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ends));
	child = fork();
	if (!child) {
		close(ds);
		close(ends[1]);
		_exit(read(ends[0], &byte, 1));
	}
	close(ds);
	munmap(map, self->length);
	EXPECT_TRUE(is_not_ready(self));
	close(ends[1]);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_TRUE(is_ready(self));
	close(ends[0]);
}

/* rule 19 */
TEST_F(poll, a_duplicate_counts)
{
	int ds = alias_of(self, self->root);
	int copy = dup(ds);

	close(ds);
	EXPECT_TRUE(is_not_ready(self));
	close(copy);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19 */
TEST_F(poll, a_descriptor_in_flight_counts)
{
	int ds = alias_of(self, self->root);
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], ds));
	close(ds);
	EXPECT_TRUE(is_not_ready(self));
	close(ends[0]);
	EXPECT_TRUE(is_not_ready(self));
	close(ends[1]);
	EXPECT_EQ(READY, ds_poll(self->root, LOST));
	EXPECT_TRUE(is_ready(self));
}

/* rules 17 and 19: what was revoked no longer lives, though it is open */
TEST_F(poll, what_was_revoked_does_not_count)
{
	int ds = alias_of(self, self->root);
	int grandchild = alias_of(self, ds);
	char *map = ds_map(ds, self->length, PROT_READ);

	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_TRUE(is_ready(self));
	EXPECT_EQ(PAGES, pages_sigbus_on_load(map, PAGES));
	EXPECT_TRUE(is_ready(self));
	close(ds);
	close(grandchild);
	munmap(map, self->length);
	EXPECT_TRUE(is_ready(self));
}

/* rules 17 and 19 */
TEST_F(poll, the_revoked_one_itself_says_so)
{
	int ds = alias_of(self, self->root);
	int epoll = epoll_on(ds, 0);

	EXPECT_EQ(0, epoll_events(epoll, 0));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(REVOKED, ds_poll(ds, 0));
	EXPECT_EQ(EPOLLHUP | EPOLLERR, epoll_events(epoll, LOST));
	close(epoll);
}

/* rules 6, 8 and 19: what fails has changed nothing */
TEST_F(poll, an_alias_that_is_refused_leaves_it_ready)
{
	int edge = epoll_on(self->root, EPOLLIN | EPOLLET);

	EXPECT_EQ(EPOLLIN, epoll_events(edge, 0));
	EXPECT_EQ(-EINVAL, ds_alias(self->root, 0, 0, RIGHTS_R));
	EXPECT_EQ(-EPERM, ds_alias(self->root, 0, self->length, RIGHTS_RX));
	EXPECT_TRUE(is_ready(self));
	EXPECT_EQ(0, epoll_events(edge, 0));
	close(edge);
}

/* rules 19 and 20: readiness is not about data, which is there at any time */
TEST_F(poll, io_uring_waits_for_nothing)
{
	int ds = alias_of(self, self->root);
	struct uring uring;
	char bytes[64];

	ASSERT_EQ(0, uring_open(&uring));
	EXPECT_TRUE(is_not_ready(self));
	EXPECT_EQ(64, uring_transfer(&uring, IORING_OP_READ, self->root, bytes,
				     sizeof(bytes)));
	EXPECT_EQ(64, uring_transfer(&uring, IORING_OP_WRITE, self->root, bytes,
				     sizeof(bytes)));
	EXPECT_EQ(64, uring_transfer(&uring, IORING_OP_WRITE, ds, bytes,
				     sizeof(bytes)));
	uring_close(&uring);
}

/* rule 19 */
TEST_F(poll, level_triggered_reports_as_long_as_it_is_so)
{
	int i, ds;

	for (i = 0; i < 10; i++)
		EXPECT_EQ(EPOLLIN, epoll_events(self->epoll, 0));
	ds = alias_of(self, self->root);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(0, epoll_events(self->epoll, 0));
	close(ds);
	for (i = 0; i < 10; i++)
		EXPECT_EQ(EPOLLIN, epoll_events(self->epoll, LOST));
}

/* rule 19: once for each time that the last one goes */
TEST_F_TIMEOUT(poll, edge_triggered_reports_each_edge_once, LONG_TIMEOUT)
{
	int edge = epoll_on(self->root, EPOLLIN | EPOLLET);
	int missed = 0, more = 0;
	int round, ds;

	EXPECT_EQ(EPOLLIN, epoll_events(edge, LOST));
	for (round = 0; round < ROUNDS; round++) {
		ds = alias_of(self, self->root);
		more += epoll_events(edge, 0) != 0;
		close(ds);
		missed += epoll_events(edge, LOST) != EPOLLIN;
		more += epoll_events(edge, 0) != 0;
	}
	EXPECT_EQ(0, missed);
	EXPECT_EQ(0, more);
	close(edge);
}

/* rule 19: only the last one is an edge */
TEST_F(poll, edge_triggered_reports_nothing_while_one_is_left)
{
	int edge = epoll_on(self->root, EPOLLIN | EPOLLET);
	int first, second;

	EXPECT_EQ(EPOLLIN, epoll_events(edge, LOST));
	first = alias_of(self, self->root);
	second = alias_of(self, first);
	close(first);
	EXPECT_EQ(0, epoll_events(edge, 0));
	close(second);
	EXPECT_EQ(EPOLLIN, epoll_events(edge, LOST));
	EXPECT_EQ(0, epoll_events(edge, 0));
	close(edge);
}

/*
 * The ways in which the last one goes, each by another thread while the first
 * one is about to wait, or waits already.
 */
struct last {
	int source;
	int ds;
	char *map;
	size_t length;
};

static void last_is_closed(struct last *last)
{
	close(last->ds);
}

static void last_is_unmapped(struct last *last)
{
	munmap(last->map, last->length);
}

static void last_is_revoked(struct last *last)
{
	ds_revoke(last->source);
}

/* Each of two threads closes one, and one of the two is the last. */
static void *close_one(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

static void last_of_two_is_closed(struct last *last)
{
	int other = ds_alias(last->ds, 0, last->length, RIGHTS_R);
	pthread_t thread;

	pthread_create(&thread, NULL, close_one, &other);
	close(last->ds);
	pthread_join(thread, NULL);
}

struct ender {
	void (*end)(struct last *last);
	struct last last;
	unsigned int delay;
};

static void *end_last(void *arg)
{
	struct ender *ender = arg;
	volatile unsigned int i;

	for (i = 0; i < ender->delay; i++)
		continue;
	ender->end(&ender->last);
	return NULL;
}

static int wait_by_poll(int root, int edge)
{
	return ds_poll(root, LOST) == READY;
}

static int wait_by_epoll(int root, int edge)
{
	int epoll = epoll_on(root, EPOLLIN);
	int ret = epoll_events(epoll, LOST);

	close(epoll);
	return ret == EPOLLIN;
}

static int wait_by_edge(int root, int edge)
{
	return epoll_events(edge, LOST) == EPOLLIN;
}

FIXTURE(wake)
{
	int root;
	int edge;
	size_t length;
	int rounds;
};

FIXTURE_VARIANT(wake)
{
	int (*wait)(int root, int edge);
};

/* clang-format off */
FIXTURE_VARIANT_ADD(wake, poll) {
	.wait = wait_by_poll,
};

FIXTURE_VARIANT_ADD(wake, epoll) {
	.wait = wait_by_epoll,
};

FIXTURE_VARIANT_ADD(wake, edge) {
	.wait = wait_by_edge,
};

/* clang-format on */

FIXTURE_SETUP(wake)
{
	const char *rounds = getenv("ROUNDS");

	self->rounds = rounds ? atoi(rounds) : RACES;
	self->length = PAGES * page_size();
	self->root = ds_alloc_pages(PAGES);
	ASSERT_LE(0, self->root);
	self->edge = epoll_on(self->root, EPOLLIN | EPOLLET);
	ASSERT_LE(0, self->edge);
}

FIXTURE_TEARDOWN(wake)
{
	close(self->edge);
	close(self->root);
}

/* The edge that has been seen is not to be taken for the next one. */
static void last_make(FIXTURE_DATA(wake) * self, struct last *last, bool mapped)
{
	last->source = self->root;
	last->length = self->length;
	last->ds = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	if (mapped) {
		last->map = ds_map(last->ds, self->length, PROT_READ);
		close(last->ds);
	}
	epoll_events(self->edge, 0);
}

static void wake_race(struct __test_metadata *_metadata,
		      FIXTURE_DATA(wake) * self,
		      const FIXTURE_VARIANT(wake) * variant,
		      void (*end)(struct last *last))
{
	struct ender ender = { .end = end };
	pthread_t thread;
	int round;

	for (round = 0; round < self->rounds; round++) {
		last_make(self, &ender.last, end == last_is_unmapped);
		ender.delay = rand() % 20000;
		ASSERT_EQ(0, pthread_create(&thread, NULL, end_last, &ender));
		ASSERT_TRUE(variant->wait(self->root, self->edge))
		{
			TH_LOG("lost in round %d", round);
		}
		pthread_join(thread, NULL);
		ASSERT_TRUE(ds_ready(self->root));
		if (end == last_is_revoked)
			close(ender.last.ds);
	}
}

/* rule 19: no wake-up is lost */
TEST_F_TIMEOUT(wake, by_the_last_close, LONG_TIMEOUT)
{
	wake_race(_metadata, self, variant, last_is_closed);
}

/* rule 19: no wake-up is lost */
TEST_F_TIMEOUT(wake, by_the_last_close_of_two_at_once, LONG_TIMEOUT)
{
	wake_race(_metadata, self, variant, last_of_two_is_closed);
}

/* rule 19: no wake-up is lost */
TEST_F_TIMEOUT(wake, by_the_last_munmap, LONG_TIMEOUT)
{
	wake_race(_metadata, self, variant, last_is_unmapped);
}

/* rules 17 and 19: no wake-up is lost */
TEST_F_TIMEOUT(wake, by_REVOKE, LONG_TIMEOUT)
{
	wake_race(_metadata, self, variant, last_is_revoked);
}

/* rule 19: the kill -9 of the one who has the last one */
TEST_F_TIMEOUT(wake, by_the_death_of_a_process, LONG_TIMEOUT)
{
	int round, ds;
	pid_t child;

	for (round = 0; round < 1 + self->rounds / 10; round++) {
		ds = ds_alias(self->root, 0, self->length, RIGHTS_RW);
		epoll_events(self->edge, 0);
		child = fork();
		if (!child) {
			ds_map(ds, self->length, PROT_READ);
			pause();
		}
		close(ds);
		usleep(rand() % 3000);
		kill(child, SIGKILL);
		ASSERT_TRUE(variant->wait(self->root, self->edge));
		waitpid(child, NULL, 0);
	}
}

static void *revoke_after_a_while(void *arg)
{
	usleep(rand() % 1000);
	ds_revoke(*(int *)arg);
	return NULL;
}

/* rules 17 and 19: the one who waits with a dead descriptor is told */
TEST_F_TIMEOUT(wake, of_the_revoked_one, LONG_TIMEOUT)
{
	struct pollfd pollfd;
	pthread_t thread;
	int round;

	for (round = 0; round < 1 + self->rounds / 10; round++) {
		pollfd.fd = ds_alias(self->root, 0, self->length, RIGHTS_RW);
		pollfd.events = 0;
		pthread_create(&thread, NULL, revoke_after_a_while,
			       &self->root);
		ASSERT_EQ(1, poll(&pollfd, 1, LOST));
		ASSERT_EQ(POLLHUP | POLLERR, pollfd.revents);
		pthread_join(thread, NULL);
		close(pollfd.fd);
	}
}

TEST_HARNESS_MAIN
