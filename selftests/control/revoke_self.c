// SPDX-License-Identifier: GPL-2.0-only
/*
 * REVOKE with REVOKE_SELF ends the life of the dataspace itself, too: rule 17.
 * What is derived from it ends as in revoke.c.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "access.h"
#include "common.h"
#include "control.h"
#include "fdpass.h"
#include "pages.h"
#include "sigbus.h"

#define SELF DATASPACE_REVOKE_SELF

/* What poll says of a revoked one to readers. */
#define REVOKED (READY | POLLHUP | POLLERR)

/* REVOKE_SELF is called on @ds, from which the child is derived. */
FIXTURE(revoke_self)
{
	size_t pages;
	size_t length;
	int root;
	int ds;
	char *map;
	int child;
	char *child_map;
};

FIXTURE_VARIANT(revoke_self)
{
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(revoke_self, pages) {
	.pages = 16,
};

FIXTURE_VARIANT_ADD(revoke_self, huge) {
	.pages = 1024,
};

/* clang-format on */

FIXTURE_SETUP(revoke_self)
{
	sigbus_init();
	self->pages = variant->pages;
	self->length = variant->pages * page_size();
	self->root = ds_alloc_pages(self->pages);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, pattern_write_fd(self->root, self->pages, 0));
	self->ds = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	self->map = ds_map(self->ds, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	self->child = ds_alias(self->ds, 0, self->length, RIGHTS_RW);
	self->child_map = ds_map(self->child, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->child_map);
	ASSERT_EQ(0, pattern_wrong(self->map, self->pages, 0));
	ASSERT_EQ(0, pattern_wrong(self->child_map, self->pages, 0));
}

FIXTURE_TEARDOWN(revoke_self)
{
}

static int revoke_self(int ds)
{
	return ds_revoke_flags(ds, SELF);
}

static long try_pread(int fd)
{
	char byte;

	return result(pread(fd, &byte, 1, 0));
}

static long try_map(int fd)
{
	return ds_try_map(fd, page_size(), PROT_READ, MAP_SHARED, 0);
}

/* rule 17 */
TEST_F(revoke_self, its_mappings_are_sigbus)
{
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
	EXPECT_EQ(self->pages, pages_sigbus_on_store(self->map, self->pages));
}

/* rule 17 */
TEST_F(revoke_self, mappings_of_what_is_derived_are_sigbus)
{
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(self->pages,
		  pages_sigbus_on_load(self->child_map, self->pages));
	EXPECT_EQ(self->pages,
		  pages_sigbus_on_store(self->child_map, self->pages));
}

/* rule 17: private copies do not belong to the dataspace */
TEST_F(revoke_self, private_copies_survive)
{
	char *copy =
		mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE, self->ds, 0);

	ASSERT_NE(MAP_FAILED, copy);
	pattern_write(copy, 3, 1000);
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(0, pattern_wrong(copy, 3, 1000));
	EXPECT_EQ(self->pages - 3, pages_sigbus_on_load(copy + 3 * page_size(),
							self->pages - 3));
}

static long try_export(int fd)
{
	struct dataspace_export_dmabuf arg = { .size = sizeof(arg) };

	return result(ioctl(fd, DATASPACE_IOC_EXPORT_DMABUF, &arg));
}

/* rule 17 */
TEST_F(revoke_self, its_descriptors_are_ESTALE)
{
	const int copies[] = { self->ds, dup(self->ds),
			       fd_round_trip(self->ds) };
	const int fds = count_fds();
	size_t i;

	EXPECT_EQ(0, revoke_self(self->ds));
	for (i = 0; i < ARRAY_LENGTH(copies); i++) {
		const int fd = copies[i];

		EXPECT_EQ(-ESTALE, try_pread(fd));
		EXPECT_EQ(-ESTALE, access_pwrite(fd));
		EXPECT_EQ(-ESTALE, result(lseek(fd, 0, SEEK_END)));
		EXPECT_EQ(-ESTALE, result(fsync(fd)));
		EXPECT_EQ(-ESTALE, try_map(fd));
		EXPECT_EQ(-ESTALE, ds_alias_pages(fd, 0, 1, RIGHTS_R));
		EXPECT_EQ(-ESTALE, ds_seal(fd, 0));
		EXPECT_EQ(-ESTALE, ds_seal(fd, DATASPACE_SEAL_NOW));
		EXPECT_EQ(-ESTALE, try_export(fd));
	}
	EXPECT_EQ(fds, count_fds());
}

/* rule 17 */
TEST_F(revoke_self, again_is_ESTALE)
{
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(-ESTALE, revoke_self(self->ds));
	EXPECT_EQ(-ESTALE, ds_revoke(self->ds));
	EXPECT_EQ(-ESTALE, revoke_self(self->child));
	EXPECT_EQ(0, revoke_self(self->root));
	EXPECT_EQ(-ESTALE, revoke_self(self->root));
}

/* rule 17 */
TEST_F(revoke_self, after_a_plain_REVOKE_it_still_works)
{
	EXPECT_EQ(0, ds_revoke(self->ds));
	EXPECT_EQ(0, try_map(self->ds));
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(-ESTALE, try_map(self->ds));
}

/* rule 17: REVOKE_SELF needs no right */
TEST_F(revoke_self, works_for_a_holder_who_may_only_read)
{
	int reader = ds_alias(self->root, 0, self->length, DATASPACE_READ);

	EXPECT_EQ(1, try_pread(reader));
	EXPECT_EQ(0, revoke_self(reader));
	EXPECT_EQ(-ESTALE, try_pread(reader));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
}

/* rule 17: INFO works, and counts nothing */
TEST_F(revoke_self, INFO_says_so_and_close_works)
{
	struct dataspace_info before, after;

	ASSERT_EQ(0, ds_info(self->ds, &before));
	EXPECT_EQ(1, before.mappings);
	EXPECT_EQ(1, before.derived_mappings);
	EXPECT_EQ(0, revoke_self(self->ds));
	ASSERT_EQ(0, ds_info(self->ds, &after));
	EXPECT_EQ(before.state | DATASPACE_STATE_REVOKED, after.state);
	EXPECT_EQ(before.id, after.id);
	EXPECT_EQ(before.length, after.length);
	EXPECT_EQ(0, after.exclusive);
	EXPECT_EQ(0, after.aliases);
	EXPECT_EQ(0, after.mappings);
	EXPECT_EQ(0, after.derived_mappings);
	EXPECT_EQ(0, after.resident);
	EXPECT_EQ(0, close(self->ds));
}

/* rules 15 and 17: its ancestor has all for itself again */
TEST_F(revoke_self, its_ancestor_no_longer_counts_it)
{
	struct dataspace_info info;

	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(2, info.aliases);
	EXPECT_EQ(2, info.derived_mappings);
	EXPECT_EQ(0, info.exclusive);
	EXPECT_EQ(0, revoke_self(self->ds));
	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(0, info.aliases);
	EXPECT_EQ(0, info.derived_mappings);
	EXPECT_EQ(self->length, info.exclusive);
}

/* rule 17: nothing else ends */
TEST_F(revoke_self, ancestors_and_siblings_stay_as_they_are)
{
	int sibling = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	int nephew = ds_alias(sibling, 0, self->length, RIGHTS_R);
	char *root_map = ds_map(self->root, self->length, READ_WRITE);
	char *map = ds_map(sibling, self->length, READ_WRITE);

	ASSERT_NE(MAP_FAILED, root_map);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, revoke_self(self->ds));
	pattern_write(root_map, self->pages, 7);
	EXPECT_EQ(0, pattern_wrong(map, self->pages, 7));
	EXPECT_EQ(0, pattern_wrong_fd(nephew, self->pages, 7));
	EXPECT_EQ(0, pattern_write_fd(sibling, self->pages, 9));
	EXPECT_EQ(0, pattern_wrong_fd(self->root, self->pages, 9));
	EXPECT_EQ(0, ds_state(self->root) & DATASPACE_STATE_REVOKED);
	EXPECT_EQ(0, ds_state(sibling) & DATASPACE_STATE_REVOKED);
	EXPECT_LE(0, ds_alias(self->root, 0, self->length, RIGHTS_RW));
}

/* Waits for a word; 0 if all of the mapping is SIGBUS, and @ds ESTALE. */
static int find_it_dead(int socket, int ds, char *map, size_t pages)
{
	char byte;

	if (map == MAP_FAILED || pattern_wrong(map, pages, 0))
		return __LINE__;
	if (write(socket, "", 1) != 1 || read(socket, &byte, 1) != 1)
		return __LINE__;
	if (pages_sigbus_on_load(map, pages) != pages ||
	    pages_sigbus_on_store(map, pages) != pages)
		return __LINE__;
	return try_pread(ds) == -ESTALE && try_map(ds) == -ESTALE ? 0 :
								    __LINE__;
}

/* 0 if @child finds it dead that has it over its end of the socket. */
static int end_in_child(pid_t child, int socket, int ds)
{
	char byte;

	if (read(socket, &byte, 1) != 1 || revoke_self(ds) ||
	    write(socket, "", 1) != 1)
		return -1;
	return wait_for(child);
}

/* rule 17: in every process that holds it */
TEST_F(revoke_self, what_a_child_inherited_ends)
{
	int ends[2];
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	child = fork();
	if (!child)
		_exit(!!find_it_dead(ends[1], self->ds, self->map,
				     self->pages));
	EXPECT_EQ(0, end_in_child(child, ends[0], self->ds));
}

static int receive_and_find_it_dead(int socket, size_t pages)
{
	int ds = fd_receive(socket);

	return find_it_dead(socket, ds,
			    ds_map(ds, pages * page_size(), READ_WRITE), pages);
}

/* rule 17: in every process that holds it */
TEST_F(revoke_self, what_a_process_received_ends)
{
	int ends[2];
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	child = fork();
	if (!child)
		_exit(!!receive_and_find_it_dead(ends[1], self->pages));
	ASSERT_EQ(0, fd_send(ends[0], self->ds));
	EXPECT_EQ(0, end_in_child(child, ends[0], self->ds));
}

/* rule 17: any holder of it can end it, for all others */
TEST_F(revoke_self, works_from_another_process)
{
	pid_t child = fork();

	if (!child)
		_exit(revoke_self(self->ds) ? 1 : 0);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(-ESTALE, try_pread(self->ds));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
}

/* rule 17: a descriptor in a socket is revoked, too */
TEST_F(revoke_self, a_descriptor_in_flight_arrives_dead)
{
	int ends[2];
	int arrived;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], self->ds));
	EXPECT_EQ(0, revoke_self(self->ds));
	close(self->ds);
	arrived = fd_receive(ends[1]);
	ASSERT_LE(0, arrived);
	EXPECT_EQ(-ESTALE, try_pread(arrived));
	EXPECT_EQ(-ESTALE, revoke_self(arrived));
}

/* Bytes that all dataspaces together have. */
static __u64 in_use(void)
{
	struct dataspace_query query = { .size = sizeof(query) };
	int device = ds_device();
	int ret = ioctl(device, DATASPACE_IOC_QUERY, &query);

	close(device);
	return ret ? UINT64_MAX : query.in_use;
}

/* rules 14 and 17: though descriptors and mappings of it are left */
TEST_F(revoke_self, all_pages_of_a_root_go_back_at_once)
{
	const __u64 before = in_use();
	char *root_map = ds_map(self->root, self->length, READ_WRITE);
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, root_map, self->length));
	EXPECT_EQ(self->pages, pages_held(&pages));
	EXPECT_EQ(0, revoke_self(self->root));
	EXPECT_EQ(0, pages_held(&pages));
	EXPECT_EQ(before - self->length, in_use());
	EXPECT_EQ(self->pages, pages_sigbus_on_load(root_map, self->pages));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
	EXPECT_EQ(-ESTALE, try_pread(self->root));
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* rules 14 and 17 */
TEST_F(revoke_self, all_pages_of_an_orphan_go_back_at_once)
{
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, self->map, self->length));
	close(self->root);
	EXPECT_EQ(self->pages, pages_held(&pages));
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* rules 14 and 17: by its descriptor, and then by its mapping */
TEST_F(revoke_self, pages_that_a_sibling_covers_stay)
{
	int sibling = ds_alias_pages(self->root, 3, 8, RIGHTS_RW);
	char *map = ds_map(sibling, 5 * page_size(), READ_WRITE);
	struct pages pages;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pages_of_map(&pages, self->map, self->length));
	close(self->root);
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(5, pages_held(&pages));
	EXPECT_EQ(5, pages_held_in(&pages, 3, 8));
	close(sibling);
	EXPECT_EQ(5, pages_held_in(&pages, 3, 8));
	EXPECT_EQ(0, pattern_wrong(map, 5, 3));
	munmap(map, 5 * page_size());
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* rules 14 and 17 */
TEST_F(revoke_self, pages_that_an_ancestor_covers_stay)
{
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, self->map, self->length));
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(self->pages, pages_held(&pages));
	EXPECT_EQ(0, pattern_wrong_fd(self->root, self->pages, 0));
	close(self->root);
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* rules 14 and 17: a pinned page goes back after the unpin */
TEST_F(revoke_self, a_pinned_page_stays_with_its_pin)
{
	char *seen_page = malloc(page_size());
	struct pages pages;
	struct pin pin;

	ASSERT_EQ(0, pages_of_map(&pages, self->map, self->length));
	ASSERT_EQ(0, pin_page(&pin, self->map + 3 * page_size()));
	EXPECT_EQ(0, revoke_self(self->root));
	EXPECT_TRUE(page_held(&pages, 3));
	EXPECT_EQ(page_size(), read(pin.ends[0], seen_page, page_size()));
	EXPECT_EQ(0, pattern_wrong(seen_page, 1, 3));
	pin_close(&pin);
	EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
	pages_forget(&pages);
	free(seen_page);
}

/* rule 19 */
TEST_F(revoke_self, poll_says_HUP)
{
	int epoll = epoll_on(self->ds, 0);

	EXPECT_EQ(0, epoll_events(epoll, 0));
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_EQ(REVOKED, ds_poll(self->ds, 0));
	EXPECT_EQ(REVOKED, ds_poll(self->child, 0));
	EXPECT_EQ(EPOLLHUP | EPOLLERR, epoll_events(epoll, LOST));
	close(epoll);
}

/* rule 19: when it returns nothing derived of the parent lives */
TEST_F(revoke_self, the_parent_is_ready_when_it_has_returned)
{
	int edge = epoll_on(self->root, EPOLLIN | EPOLLET);

	EXPECT_EQ(0, epoll_events(edge, 0));
	EXPECT_FALSE(ds_ready(self->root));
	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_TRUE(ds_ready(self->root));
	EXPECT_EQ(EPOLLIN, epoll_events(edge, 0));
	close(edge);
}

/* rule 19 */
TEST_F(revoke_self, the_parent_is_not_ready_while_a_sibling_lives)
{
	int sibling = ds_alias_pages(self->root, 0, 1, RIGHTS_R);

	EXPECT_EQ(0, revoke_self(self->ds));
	EXPECT_FALSE(ds_ready(self->root));
	close(sibling);
	EXPECT_TRUE(ds_ready(self->root));
}

/* One thread of two that do the same at once. */
struct caller {
	pthread_t thread;
	pthread_barrier_t *barrier;
	int ds;
	long ret;
};

static void *call_revoke_self(void *arg)
{
	struct caller *caller = arg;

	pthread_barrier_wait(caller->barrier);
	caller->ret = revoke_self(caller->ds);
	return NULL;
}

/* rule 17: when the other one returns it has ended as well */
TEST_F(revoke_self, of_two_at_once_one_is_ESTALE)
{
	int round;

	for (round = 0; round < 20; round++) {
		struct caller callers[2];
		pthread_barrier_t barrier;
		int ds = ds_alias(self->root, 0, self->length, RIGHTS_RW);
		int i;

		ASSERT_LE(0, ds);
		pthread_barrier_init(&barrier, NULL, 2);
		for (i = 0; i < 2; i++) {
			callers[i].barrier = &barrier;
			callers[i].ds = ds;
			ASSERT_EQ(0, pthread_create(&callers[i].thread, NULL,
						    call_revoke_self,
						    &callers[i]));
		}
		for (i = 0; i < 2; i++)
			pthread_join(callers[i].thread, NULL);
		EXPECT_EQ(-ESTALE, callers[0].ret + callers[1].ret);
		close(ds);
	}
}

#define MANY 64

/* Aliases until that fails, at most MANY times. */
struct maker {
	int ds;
	int made[MANY];
	int count;
	long ret;
};

static void *make_aliases(void *arg)
{
	struct maker *maker = arg;

	while (maker->count < MANY) {
		int alias = ds_alias_pages(maker->ds, 0, 1, RIGHTS_RW);

		if (alias < 0) {
			maker->ret = alias;
			break;
		}
		maker->made[maker->count++] = alias;
		/* so that it goes on until it is stopped */
		if (maker->count == MANY)
			close(maker->made[--maker->count]);
	}
	return NULL;
}

/* rule 17: no alias that is made at the same time lives on */
TEST_F(revoke_self, aliasing_it_meanwhile_ends_in_ESTALE)
{
	int round;

	for (round = 0; round < 20; round++) {
		struct maker maker = { 0 };
		pthread_t thread;
		int i;

		maker.ds = ds_alias(self->root, 0, self->length, RIGHTS_RW);
		ASSERT_LE(0, maker.ds);
		ASSERT_EQ(0,
			  pthread_create(&thread, NULL, make_aliases, &maker));
		usleep(500 * round);
		EXPECT_EQ(0, revoke_self(maker.ds));
		pthread_join(thread, NULL);
		EXPECT_EQ(-ESTALE, maker.ret);
		for (i = 0; i < maker.count; i++) {
			EXPECT_EQ(-ESTALE, try_pread(maker.made[i]));
			close(maker.made[i]);
		}
		close(maker.ds);
	}
}

TEST_HARNESS_MAIN
