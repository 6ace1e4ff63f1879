// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread that waits by poll or epoll is woken up when the last dataspace that
 * is derived, or the last mapping of one, goes away, in whatever way: rule 19.
 * ROUNDS=<number> in the environment sets how often each is tried.
 */
#include <kselftest_harness.h>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"

#define PAGES 4
#define ROUNDS 300

/*
 * The last derived dataspace goes away in one of these ways, by another thread,
 * while the first thread is about to wait or waits already.
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

/* Two threads close one alias each at the same time; either may be the last. */
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

	self->rounds = rounds ? atoi(rounds) : ROUNDS;
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

/* Makes the last alias, and takes the edge that is there before it. */
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

/* rule 19: the process that has the last alias is killed */
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

/*
 * rules 17 and 19: a thread that waits on a descriptor which is revoked wakes
 * up
 */
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
