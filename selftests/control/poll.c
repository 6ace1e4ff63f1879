// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll and epoll tell when nothing derived is left: rule 19. poll_wakeup.c is
 * about threads that wait for that.
 */
#include <kselftest_harness.h>

#include <poll.h>
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

#define REVOKED (READY | POLLHUP | POLLERR)

FIXTURE(poll)
{
	size_t length;
	int root;
	int epoll;
};

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

/* Whether poll and epoll agree, and exactly these events are set. */
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

/* rule 19: ALIAS clears POLLIN before it returns, each time */
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

/* rule 19: all aliases have to be closed */
TEST_F(poll, all_aliases_count)
{
	int first = alias_of(self, self->root);
	int second = alias_of(self, self->root);

	close(first);
	EXPECT_TRUE(is_not_ready(self));
	close(second);
	EXPECT_TRUE(is_ready(self));
}

/* rule 19: aliases at any depth count */
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

/* rule 19: for each dataspace only what is derived from it counts */
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

/* rule 19: only mappings of derived dataspaces count */
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

/* rule 19: descriptors and mappings of all processes count until they exit */
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

/* rules 17 and 19: a revoked dataspace does not live, though it is open */
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

/* rules 6, 8 and 19: a failed ALIAS changes nothing */
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

/* rules 19 and 20: POLLIN does not mean data, so no read waits for it */
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

/* rule 19: an edge each time that the last alias is closed */
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

/* rule 19: no edge when an alias is closed that is not the last one */
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

TEST_HARNESS_MAIN
