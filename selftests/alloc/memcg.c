// SPDX-License-Identifier: GPL-2.0-only
/* Which memory cgroup is charged for a dataspace, and how much: rule 4. */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/socket.h>

#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "fdpass.h"
#include "pages.h"
#include "proc.h"

#define PARENT "dataspace"
#define ONE PARENT "/one"
#define TWO PARENT "/two"

/* A process in group ONE allocates what it is told to over a socket. */
FIXTURE(memcg)
{
	int socket;
	pid_t worker;
};

FIXTURE_VARIANT(memcg)
{
	__u32 flags;
	size_t most;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(memcg, contiguous) {
	.flags = 0,
	.most = 4 << 20,
};

FIXTURE_VARIANT_ADD(memcg, scattered) {
	.flags = DATASPACE_ALLOC_SCATTERED,
	.most = 16 << 20,
};

/* clang-format on */

struct order {
	__u64 length;
	__u32 flags;
};

/*
 * Allocates as ordered, sends the descriptor or the errno, and keeps nothing.
 */
static int serve(int socket)
{
	struct order order;
	int ds;

	while (read(socket, &order, sizeof(order)) == sizeof(order)) {
		ds = ds_alloc(order.length, RIGHTS_RW, order.flags);
		if (write(socket, &ds, sizeof(ds)) != sizeof(ds))
			return 1;
		if (ds >= 0 && fd_send(socket, ds))
			return 1;
		close(ds);
	}
	return 0;
}

static int order(int socket, __u64 length, __u32 flags)
{
	struct order order = { .length = length, .flags = flags };
	int ret;

	if (write(socket, &order, sizeof(order)) != sizeof(order) ||
	    read(socket, &ret, sizeof(ret)) != sizeof(ret))
		return -EIO;
	return ret < 0 ? ret : fd_receive(socket);
}

static pid_t start_worker(int socket, int other)
{
	pid_t child = fork();

	if (child)
		return child;
	close(other);
	_exit(cgroup_join(ONE) ? 2 : serve(socket));
}

FIXTURE_SETUP(memcg)
{
	int ends[2];

	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	cgroup_share_memory("");
	ASSERT_EQ(0, cgroup_make(PARENT));
	ASSERT_EQ(0, cgroup_share_memory(PARENT));
	ASSERT_EQ(0, cgroup_make(ONE));
	ASSERT_EQ(0, cgroup_make(TWO));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	self->socket = ends[0];
	self->worker = start_worker(ends[1], ends[0]);
	ASSERT_LT(0, self->worker);
	close(ends[1]);
}

static void stop_worker(FIXTURE_DATA(memcg) * self)
{
	if (!self->worker)
		return;
	close(self->socket);
	wait_for(self->worker);
	self->worker = 0;
}

FIXTURE_TEARDOWN(memcg)
{
	stop_worker(self);
	cgroup_remove(ONE);
	cgroup_remove(TWO);
	EXPECT_EQ(0, cgroup_remove(PARENT));
}

/* rule 4 */
TEST_F(memcg, charge_appears_and_leaves_with_the_dataspace)
{
	int ds = order(self->socket, variant->most, variant->flags);

	ASSERT_LE(0, ds);
	EXPECT_EQ(variant->most, cgroup_file_bytes(ONE, variant->most));
	EXPECT_LE(variant->most, cgroup_number(ONE, "memory.current", ""));
	close(ds);
	EXPECT_EQ(0, cgroup_file_bytes(ONE, 0));
}

/* rule 4: a size that is no power of two is charged as it is */
TEST_F(memcg, charge_is_not_rounded_up)
{
	const size_t length = 3 * MEG + 5 * page_size();
	int ds = order(self->socket, length, variant->flags);

	ASSERT_LE(0, ds);
	EXPECT_EQ(length, cgroup_file_bytes(ONE, length));
	close(ds);
}

/* rule 4 */
TEST_F(memcg, charge_leaves_page_by_page)
{
	const size_t page = page_size();
	int root = order(self->socket, variant->most, variant->flags);
	int first = ds_alias(root, 3 * page, page, RIGHTS_R);
	int second = ds_alias(root, 2 * MEG + 7 * page, 5 * page, RIGHTS_R);

	ASSERT_LE(0, root);
	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	close(root);
	EXPECT_EQ(6 * page, cgroup_file_bytes(ONE, 6 * page));
	close(second);
	EXPECT_EQ(page, cgroup_file_bytes(ONE, page));
	close(first);
	EXPECT_EQ(0, cgroup_file_bytes(ONE, 0));
}

/* rules 4 and 17: though descriptors and mappings of it are left */
TEST_F(memcg, charge_leaves_with_REVOKE_SELF)
{
	int ds = order(self->socket, variant->most, variant->flags);
	int alias = ds_alias(ds, 0, variant->most, RIGHTS_RW);
	char *map = ds_map(alias, variant->most, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	pattern_write(map, variant->most / page_size(), 0);
	EXPECT_EQ(variant->most, cgroup_file_bytes(ONE, variant->most));
	EXPECT_EQ(0, ds_revoke_flags(ds, DATASPACE_REVOKE_SELF));
	EXPECT_EQ(0, cgroup_file_bytes(ONE, 0));
}

/* rules 4 and 14: of a pinned page, and at most of the 2 MiB around it */
TEST_F(memcg, charge_of_a_pinned_page_stays_until_the_unpin)
{
	int ds = order(self->socket, variant->most, variant->flags);
	char *map = ds_map(ds, variant->most, READ_WRITE);
	long long bytes;
	struct pin pin;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin_page(&pin, map + 5 * page_size()));
	munmap(map, variant->most);
	close(ds);
	bytes = cgroup_file_bytes(ONE, huge_size());
	EXPECT_LE(page_size(), bytes);
	EXPECT_GE(huge_size(), bytes);
	EXPECT_LE(bytes, cgroup_number(ONE, "memory.current", ""));
	pin_close(&pin);
	EXPECT_EQ(0, cgroup_file_bytes(ONE, 0));
}

/* rule 4 */
TEST_F(memcg, limit_is_ENOMEM_and_nobody_is_killed)
{
	int ds;

	ASSERT_EQ(0, cgroup_set(ONE, "memory.max", "3M"));
	ASSERT_EQ(0, cgroup_set(ONE, "memory.swap.max", "0"));
	EXPECT_EQ(-ENOMEM, order(self->socket, 4 * MEG, variant->flags));
	EXPECT_EQ(0, cgroup_number(ONE, "memory.events", "oom_kill "));
	EXPECT_EQ(0, cgroup_file_bytes(ONE, 0));
	ds = order(self->socket, MEG, variant->flags);
	EXPECT_LE(0, ds);
	close(ds);
	EXPECT_EQ(0, kill(self->worker, 0));
}

/* rule 4: the limit of the parent group holds as well */
TEST_F(memcg, limit_of_the_parent_is_ENOMEM)
{
	ASSERT_EQ(0, cgroup_set(PARENT, "memory.max", "3M"));
	EXPECT_EQ(-ENOMEM, order(self->socket, 4 * MEG, variant->flags));
	EXPECT_EQ(0, cgroup_number(PARENT, "memory.events", "oom_kill "));
	EXPECT_EQ(0, cgroup_file_bytes(PARENT, 0));
}

/* rule 4 */
TEST_F(memcg, charge_moves_to_the_parent_of_a_dead_group)
{
	int ds = order(self->socket, variant->most, variant->flags);
	const size_t pages = variant->most / page_size();

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, pattern_write_fd(ds, pages, 0));
	stop_worker(self);
	ASSERT_EQ(0, cgroup_remove(ONE));
	EXPECT_EQ(variant->most, cgroup_file_bytes(PARENT, variant->most));
	EXPECT_EQ(0, pattern_wrong_fd(ds, pages, 0));
	close(ds);
	EXPECT_EQ(0, cgroup_file_bytes(PARENT, 0));
}

static int use_in_group(const char *group, int ds, size_t length)
{
	int alias;

	if (cgroup_join(group))
		return 1;
	alias = ds_alias(ds, 0, length, RIGHTS_RW);
	if (alias < 0 || pattern_write_fd(alias, length / page_size(), 0))
		return 2;
	return cgroup_file_bytes(group, 0) != 0;
}

/* rule 4: processes that only use the memory are not charged */
TEST_F(memcg, charge_stays_with_the_creator)
{
	int ds = order(self->socket, variant->most, variant->flags);
	pid_t user = fork();

	ASSERT_LE(0, ds);
	if (!user)
		_exit(use_in_group(TWO, ds, variant->most));
	EXPECT_EQ(0, wait_for(user));
	EXPECT_EQ(variant->most, cgroup_file_bytes(ONE, variant->most));
	close(ds);
}

/* rules 4 and 14 */
TEST_F(memcg, a_killed_group_leaves_nothing)
{
	struct pages pages;
	int ds = order(self->socket, variant->most, variant->flags);

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, pages_of_fd(&pages, ds, variant->most));
	close(ds);
	/* the worker closes its descriptor after it has sent it */
	EXPECT_EQ(0, pages_wait(&pages, 0, STUCK));
	EXPECT_EQ(0, cgroup_set(ONE, "cgroup.kill", "1"));
	EXPECT_EQ(SIGKILL, wait_for(self->worker));
	close(self->socket);
	self->worker = 0;
	EXPECT_EQ(0, cgroup_remove(ONE));
	EXPECT_EQ(0, cgroup_file_bytes(PARENT, 0));
	pages_forget(&pages);
}

#define LIMIT "/sys/module/dataspace/parameters/limit_mb"

FIXTURE(limit)
{
	long long before;
};

FIXTURE_SETUP(limit)
{
	self->before = number_in_file(LIMIT, "");
	ASSERT_LE(0, self->before);
	ASSERT_EQ(0, number_to_file(LIMIT, 8));
}

FIXTURE_TEARDOWN(limit)
{
	EXPECT_EQ(0, number_to_file(LIMIT, self->before));
}

/* rule 4: the parameter limit_mb limits the total */
TEST_F(limit, of_the_total_is_EDQUOT)
{
	const __u32 flags[] = { 0, DATASPACE_ALLOC_SCATTERED };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(flags); i++) {
		int first = ds_alloc(6 * MEG, RIGHTS_R, flags[i]);

		EXPECT_LE(0, first);
		EXPECT_EQ(-EDQUOT, ds_alloc(3 * MEG, RIGHTS_R, flags[i]));
		EXPECT_EQ(-EDQUOT, ds_alloc(9 * MEG, RIGHTS_R, flags[i]));
		close(first);
		first = ds_alloc(8 * MEG, RIGHTS_R, flags[i]);
		EXPECT_LE(0, first);
		close(first);
	}
}

/* rules 4 and 14: the limit counts pages that are not back with the kernel */
TEST_F(limit, counts_page_by_page)
{
	int root = ds_alloc(8 * MEG, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);
	int page = ds_alias(root, MEG, page_size(), RIGHTS_R);
	int rest;

	ASSERT_LE(0, page);
	EXPECT_EQ(-EDQUOT, ds_alloc(1, RIGHTS_R, 0));
	close(root);
	EXPECT_EQ(-EDQUOT,
		  ds_alloc(8 * MEG, RIGHTS_R, DATASPACE_ALLOC_SCATTERED));
	rest = ds_alloc(8 * MEG - page_size(), RIGHTS_R,
			DATASPACE_ALLOC_SCATTERED);
	EXPECT_LE(0, rest);
	EXPECT_EQ(-EDQUOT, ds_alloc(1, RIGHTS_R, 0));
	close(rest);
	close(page);
}

/* rule 4 */
TEST_F(limit, is_named_in_the_log)
{
	int log = log_open();

	ASSERT_LE(0, log);
	EXPECT_EQ(-EDQUOT, ds_alloc(9 * MEG, RIGHTS_R, 0));
	EXPECT_TRUE(log_has(log, "9216 KiB wanted"));
	close(log);
}

/* rule 4 */
TEST_F(limit, of_any_size_is_taken_as_it_is)
{
	const long long limits[] = { (1LL << 56) + 1, (1LL << 44) + 1,
				     INT64_MAX };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(limits); i++) {
		int ds;

		ASSERT_EQ(0, number_to_file(LIMIT, limits[i]));
		ds = ds_alloc(2 * MEG, RIGHTS_R, 0);
		EXPECT_LE(0, ds);
		close(ds);
	}
}

#define IN_USE "/sys/module/dataspace/parameters/in_use"

/* rule 4: in_use can be read, but not be written */
TEST_F(limit, comes_with_a_count_of_bytes)
{
	const long long before = number_in_file(IN_USE, "");
	int ds = ds_alloc(5 * MEG + 1, RIGHTS_R, 0);

	ASSERT_LE(0, ds);
	EXPECT_EQ(before + 5 * MEG + page_size(), number_in_file(IN_USE, ""));
	close(ds);
	EXPECT_EQ(before, number_in_file(IN_USE, ""));
	EXPECT_EQ(-EACCES, number_to_file(IN_USE, 0));
}

TEST_HARNESS_MAIN
