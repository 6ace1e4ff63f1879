// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that who opened the device pays for: rule 31. A client in a group of its
 * own opens the device and sends the descriptor; the test is the server.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/socket.h>

#include "cgroup.h"
#include "common.h"
#include "fdpass.h"
#include "pages.h"
#include "proc.h"

#define PARENT "dataspace-opener"
#define CLIENT PARENT "/client"
#define OTHER PARENT "/other"

#define IN_USE "/sys/module/dataspace/parameters/in_use"

FIXTURE(opener)
{
	int device;
	int socket;
	pid_t client;
};

FIXTURE_VARIANT(opener)
{
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(opener, contiguous) {
	.flags = DATASPACE_ALLOC_CHARGE_OPENER,
};

FIXTURE_VARIANT_ADD(opener, scattered) {
	.flags = DATASPACE_ALLOC_CHARGE_OPENER | DATASPACE_ALLOC_SCATTERED,
};

/* clang-format on */

static int alloc_on(int device, __u64 length, __u32 flags)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.length = length,
		.rights = RIGHTS_RW,
	};

	return ds_alloc_on(device, &arg);
}

/* Opens the device and sends it, moves on to another group, and waits. */
static int be_client(int socket)
{
	char byte;

	if (cgroup_join(CLIENT) || fd_send(socket, ds_device()) ||
	    cgroup_join(OTHER))
		return 1;
	return read(socket, &byte, 1) != 0;
}

FIXTURE_SETUP(opener)
{
	int ends[2];

	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	cgroup_share_memory("");
	ASSERT_EQ(0, cgroup_make(PARENT));
	ASSERT_EQ(0, cgroup_share_memory(PARENT));
	ASSERT_EQ(0, cgroup_make(CLIENT));
	ASSERT_EQ(0, cgroup_make(OTHER));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	self->client = fork();
	ASSERT_LE(0, self->client);
	if (!self->client) {
		close(ends[0]);
		_exit(be_client(ends[1]));
	}
	close(ends[1]);
	self->socket = ends[0];
	self->device = fd_receive(self->socket);
	ASSERT_LE(0, self->device);
}

FIXTURE_TEARDOWN(opener)
{
	if (!self->client)
		return;
	close(self->device);
	close(self->socket);
	EXPECT_EQ(0, wait_for(self->client));
	cgroup_remove(CLIENT);
	cgroup_remove(OTHER);
	EXPECT_EQ(0, cgroup_remove(PARENT));
}

/* rule 31 */
TEST_F(opener, pays_for_each_page_until_it_is_released)
{
	int ds = alloc_on(self->device, 5 * MEG, variant->flags);
	int alias = ds_alias(ds, MEG, page_size(), RIGHTS_R);

	ASSERT_LE(0, alias);
	EXPECT_EQ(5 * MEG, cgroup_file_bytes(CLIENT, 5 * MEG));
	EXPECT_EQ(0, cgroup_file_bytes(OTHER, 0));
	close(ds);
	EXPECT_EQ(page_size(), cgroup_file_bytes(CLIENT, page_size()));
	close(alias);
	EXPECT_EQ(0, cgroup_file_bytes(CLIENT, 0));
}

/* rules 30 and 31: also for a page that the server touches */
TEST_F(opener, pays_for_what_appears_later)
{
	int ds = alloc_on(self->device, 5 * MEG,
			  variant->flags | DATASPACE_ALLOC_LAZY);

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, cgroup_file_bytes(CLIENT, 0));
	EXPECT_EQ(1, pwrite(ds, "x", 1, 4 * MEG));
	EXPECT_EQ(page_size(), cgroup_file_bytes(CLIENT, page_size()));
	ASSERT_EQ(0, cgroup_set(CLIENT, "memory.max", "3M"));
	EXPECT_EQ(-ENOMEM, result(fallocate(ds, 0, 0, 5 * MEG)));
	EXPECT_EQ(0, cgroup_number(CLIENT, "memory.events", "oom_kill "));
	close(ds);
}

/* rules 4 and 31 */
TEST_F(opener, does_not_pay_without_the_flag)
{
	int ds = alloc_on(self->device, 5 * MEG,
			  variant->flags & ~DATASPACE_ALLOC_CHARGE_OPENER);

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, cgroup_file_bytes(PARENT, 0));
	close(ds);
}

/* rule 31: who allocates next without the flag pays for that */
TEST_F(opener, does_not_pay_for_what_comes_after)
{
	int first = alloc_on(self->device, 3 * MEG, variant->flags);
	int second = ds_alloc(5 * MEG, RIGHTS_RW, DATASPACE_ALLOC_SCATTERED);

	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	EXPECT_EQ(3 * MEG, cgroup_file_bytes(PARENT, 3 * MEG));
	close(first);
	close(second);
}

/* rule 31: the server gets ENOMEM, nobody is killed, and others go on */
TEST_F(opener, has_a_limit_that_is_ENOMEM_for_the_server)
{
	const long long before = number_in_file(IN_USE, "");
	int ds, i;

	ASSERT_EQ(0, cgroup_set(CLIENT, "memory.max", "8M"));
	ASSERT_EQ(0, cgroup_set(CLIENT, "memory.swap.max", "0"));
	EXPECT_EQ(-ENOMEM, alloc_on(self->device, 16 * MEG, variant->flags));
	ds = alloc_on(self->device, 6 * MEG, variant->flags);
	ASSERT_LE(0, ds);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(-ENOMEM,
			  alloc_on(self->device, 4 * MEG, variant->flags));
	EXPECT_EQ(before + 6 * MEG, number_in_file(IN_USE, ""));
	EXPECT_EQ(0, cgroup_number(CLIENT, "memory.events", "oom_kill "));
	EXPECT_EQ(0, kill(self->client, 0));
	close(ds);
	ds = ds_alloc(16 * MEG, RIGHTS_RW, DATASPACE_ALLOC_SCATTERED);
	EXPECT_LE(0, ds);
	close(ds);
}

/* rule 31: the limit holds for roots of one page, too, however many there are */
TEST_F(opener, has_a_limit_that_counts_what_a_root_consists_of)
{
	enum { MOST = 512 };
	int ds[MOST];
	int count;

	ASSERT_EQ(0, allow_fds(MOST));
	ASSERT_EQ(0, cgroup_set(CLIENT, "memory.max", "1M"));
	ASSERT_EQ(0, cgroup_set(CLIENT, "memory.swap.max", "0"));
	for (count = 0; count < MOST; count++) {
		ds[count] = alloc_on(self->device, 1, variant->flags);
		if (ds[count] < 0)
			break;
	}
	/* the pages alone would be 256 */
	EXPECT_LT(32, count);
	EXPECT_GT(MEG / page_size(), count);
	EXPECT_EQ(-ENOMEM, ds[count < MOST ? count : MOST - 1]);
	EXPECT_EQ(0, cgroup_number(CLIENT, "memory.events", "oom_kill "));
	while (count--)
		close(ds[count]);
	EXPECT_EQ(0, cgroup_file_bytes(CLIENT, 0));
}

/* rule 31: also that of the group around it */
TEST_F(opener, is_in_a_group_whose_limit_holds)
{
	ASSERT_EQ(0, cgroup_set(PARENT, "memory.max", "8M"));
	EXPECT_EQ(-ENOMEM, alloc_on(self->device, 16 * MEG, variant->flags));
	EXPECT_EQ(0, cgroup_number(PARENT, "memory.events", "oom_kill "));
}

/* rule 31 */
TEST_F(opener, can_be_frozen)
{
	int ds;

	ASSERT_EQ(0, cgroup_set(PARENT, "cgroup.freeze", "1"));
	ds = alloc_on(self->device, 5 * MEG, variant->flags);
	EXPECT_LE(0, ds);
	EXPECT_EQ(5 * MEG, cgroup_file_bytes(CLIENT, 5 * MEG));
	close(ds);
	EXPECT_EQ(0, cgroup_set(PARENT, "cgroup.freeze", "0"));
}

/* rules 4 and 31: what was charged moves to the parent, and no more is */
TEST_F(opener, is_ESTALE_when_its_group_was_removed)
{
	int ds = alloc_on(self->device, 5 * MEG, variant->flags);
	const long long before = number_in_file(IN_USE, "");
	int other;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, cgroup_remove(CLIENT));
	EXPECT_EQ(-ESTALE, alloc_on(self->device, 5 * MEG, variant->flags));
	EXPECT_EQ(before, number_in_file(IN_USE, ""));
	EXPECT_EQ(5 * MEG, cgroup_file_bytes(PARENT, 5 * MEG));
	other = alloc_on(self->device, 5 * MEG,
			 variant->flags & ~DATASPACE_ALLOC_CHARGE_OPENER);
	EXPECT_LE(0, other);
	close(other);
	close(ds);
	EXPECT_EQ(0, cgroup_file_bytes(PARENT, 0));
}

/* rule 31: what is malformed is told first, what is too much last */
TEST_F(opener, is_looked_at_after_what_is_malformed)
{
	const __u64 too_much = (__u64)1 << 60;

	ASSERT_EQ(0, cgroup_remove(CLIENT));
	EXPECT_EQ(-EINVAL, alloc_on(self->device, 0, variant->flags));
	EXPECT_EQ(-EOPNOTSUPP,
		  alloc_on(self->device, 1, variant->flags | 1U << 31));
	EXPECT_EQ(-ESTALE, alloc_on(self->device, too_much, variant->flags));
}

TEST_HARNESS_MAIN
