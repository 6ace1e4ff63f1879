// SPDX-License-Identifier: GPL-2.0-only
/* Which memory cgroup is charged for memory that appears later: rule 30. */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "lazy.h"
#include "sigbus.h"

#define PARENT "dataspace-lazy"
#define ONE PARENT "/one"
#define TWO PARENT "/two"

/*
 * A bystander is in group ONE, with memory of its own that a killer would look at.
 */
FIXTURE(lazy_memcg)
{
	size_t length;
	size_t block;
	pid_t bystander;
	int ds;
	char *map;
};

static pid_t start_bystander(void)
{
	pid_t child = fork();

	if (child)
		return child;
	if (!cgroup_join(ONE)) {
		memset(malloc(MEG), 1, MEG);
		pause();
	}
	_exit(1);
}

FIXTURE_SETUP(lazy_memcg)
{
	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	sigbus_init();
	cgroup_share_memory("");
	ASSERT_EQ(0, cgroup_make(PARENT));
	ASSERT_EQ(0, cgroup_share_memory(PARENT));
	ASSERT_EQ(0, cgroup_make(ONE));
	ASSERT_EQ(0, cgroup_make(TWO));
	ASSERT_EQ(0, cgroup_set(ONE, "memory.swap.max", "0"));
	self->bystander = start_bystander();
	self->block = lazy_block();
	self->length = 16 * MEG;
	self->ds = lazy_alloc(self->length);
	self->map = ds_map(self->ds, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
}

/* Nobody was killed in the group but by the test. */
FIXTURE_TEARDOWN(lazy_memcg)
{
	EXPECT_EQ(0, cgroup_number(ONE, "memory.events", "oom_kill "));
	EXPECT_EQ(0, kill(self->bystander, SIGTERM));
	EXPECT_EQ(SIGTERM, wait_for(self->bystander));
	close(self->ds);
	munmap(self->map, self->length);
	EXPECT_EQ(0, cgroup_remove(ONE));
	EXPECT_EQ(0, cgroup_remove(TWO));
	EXPECT_EQ(0, cgroup_remove(PARENT));
}

/* Runs @use in @group; the status of the child. */
static int in_group(const char *group, int (*use)(FIXTURE_DATA(lazy_memcg) *),
		    FIXTURE_DATA(lazy_memcg) * self)
{
	pid_t child = fork();

	if (!child)
		_exit(cgroup_join(group) ? 99 : use(self));
	return wait_for(child);
}

static int store(FIXTURE_DATA(lazy_memcg) * self)
{
	return try_store(self->map, 1);
}

static int write_far(FIXTURE_DATA(lazy_memcg) * self)
{
	return lazy_write(self->ds, 4 * MEG, 1, 1) != 1;
}

static int fill(FIXTURE_DATA(lazy_memcg) * self)
{
	return -ds_fill(self->ds, 0, self->length);
}

/* rule 30 */
TEST_F(lazy_memcg, who_touches_first_is_charged)
{
	EXPECT_EQ(0, in_group(ONE, store, self));
	EXPECT_EQ(self->block, cgroup_file_bytes(ONE, self->block));
	EXPECT_EQ(0, in_group(TWO, store, self));
	EXPECT_EQ(0, cgroup_file_bytes(TWO, 0));
	EXPECT_EQ(0, in_group(TWO, write_far, self));
	EXPECT_EQ(self->block, cgroup_file_bytes(TWO, self->block));
	EXPECT_EQ(self->block, cgroup_file_bytes(ONE, self->block));
}

/* rule 30 */
TEST_F(lazy_memcg, fallocate_is_charged_to_its_caller)
{
	EXPECT_EQ(0, in_group(TWO, fill, self));
	EXPECT_EQ(self->length, cgroup_file_bytes(TWO, self->length));
}

/* rule 30 */
TEST_F(lazy_memcg, the_charge_leaves_with_a_hole)
{
	ASSERT_EQ(0, in_group(ONE, fill, self));
	EXPECT_EQ(self->length, cgroup_file_bytes(ONE, self->length));
	ASSERT_EQ(0,
		  ds_punch(self->ds, page_size(), self->length - page_size()));
	EXPECT_EQ(page_size(), cgroup_file_bytes(ONE, page_size()));
}

/*
 * The kernel charges page tables to the group, too, and kills somebody for one that
 * it can't have. So all that the process needs itself is there before the limit.
 */
static int prepare_for_limit(FIXTURE_DATA(lazy_memcg) * self)
{
	char *nothing = mmap(NULL, page_size(), READ_WRITE, MAP_SHARED,
			     memfd_create("nothing", MFD_CLOEXEC), 0);
	size_t at;

	if (nothing == MAP_FAILED || try_store(nothing, 1) != SIGBUS ||
	    ds_fill(self->ds, 0, self->length))
		return -1;
	for (at = 0; at < self->length; at += huge_size()) {
		if (ds_punch(self->ds, at, page_size()) ||
		    try_store(self->map + at + page_size(), 1))
			return -1;
	}
	if (ds_punch(self->ds, 0, self->length))
		return -1;
	return cgroup_set(ONE, "memory.max", "8M");
}

/*
 * Stores to all pages until a few are refused. The kernel keeps some of a group's
 * charge for each CPU and gives that back when the limit is met: so others may
 * succeed in between. 0 if all that are refused are for the limit.
 */
static int store_beyond_limit(FIXTURE_DATA(lazy_memcg) * self)
{
	size_t stored = 0, refused = 0, wrong = 0;
	size_t at = 0;

	if (prepare_for_limit(self))
		return 3;
	while (at < self->length && refused < 4) {
		int signal = try_store(self->map + at, 1);

		stored += !signal;
		refused += signal == SIGBUS;
		wrong += signal && sigbus_address() != self->map + at;
		at += page_size();
	}
	if (wrong || stored < MEG / page_size())
		return 1;
	return refused < 4 ? 2 : 0;
}

/* rule 30: of the group, and its other processes live */
TEST_F(lazy_memcg, a_limit_is_SIGBUS_for_a_touch)
{
	EXPECT_EQ(0, in_group(ONE, store_beyond_limit, self));
	EXPECT_GE(8 * MEG, ds_resident(self->ds));
	EXPECT_EQ(0, kill(self->bystander, 0));
	EXPECT_EQ(0, in_group(TWO, fill, self));
}

static int write_beyond_limit(FIXTURE_DATA(lazy_memcg) * self)
{
	const size_t page = page_size();
	size_t at = 0;
	long ret;

	do {
		ret = lazy_write(self->ds, at, 1, 1);
		at += page;
	} while (ret == 1 && at < self->length);
	return ret != -ENOMEM;
}

/* rule 30 */
TEST_F(lazy_memcg, a_limit_is_ENOMEM_for_a_write)
{
	ASSERT_EQ(0, cgroup_set(ONE, "memory.max", "8M"));
	EXPECT_EQ(0, in_group(ONE, write_beyond_limit, self));
	EXPECT_EQ(0, kill(self->bystander, 0));
}

/* rules 27 and 30 */
TEST_F(lazy_memcg, a_limit_that_fallocate_exceeds_is_ENOMEM_at_once)
{
	ASSERT_EQ(0, cgroup_set(ONE, "memory.max", "8M"));
	EXPECT_EQ(ENOMEM, WEXITSTATUS(in_group(ONE, fill, self)));
	EXPECT_EQ(0, ds_resident(self->ds));
}

/* rules 4 and 30: where the pages are is not noted ahead */
TEST_F(lazy_memcg, a_root_costs_hardly_any_memory_before_it_is_touched)
{
	long long before = cgroup_number(TWO, "memory.current", "");
	pid_t child = fork();
	int ds;

	if (!child) {
		if (cgroup_join(TWO))
			_exit(99);
		ds = lazy_alloc(memory_of_the_machine() / 2);
		_exit(ds < 0 ||
		      cgroup_number(TWO, "memory.current", "") - before > MEG);
	}
	EXPECT_EQ(0, wait_for(child));
}

TEST_HARNESS_MAIN
