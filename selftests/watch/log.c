// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the log tells an administrator about requests that were refused. That it
 * names limit_mb is tested in memcg.c, and the largest run in contig.c.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "common.h"
#include "proc.h"

#define GROUP "dataspace-log"

FIXTURE(log)
{
	int log;
};

FIXTURE_SETUP(log)
{
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(log)
{
	close(self->log);
}

/* rule 27 */
TEST_F(log, names_more_memory_than_is_available)
{
	EXPECT_EQ(-ENOMEM, ds_alloc(memory_of_the_machine(), RIGHTS_RW,
				    DATASPACE_ALLOC_SCATTERED));
	EXPECT_TRUE(log_has(self->log, " KiB wanted, more than is available"));
}

/* rule 8: a right that is missing is between a program and its author */
TEST_F(log, tells_nothing_of_rights_and_malformed_requests)
{
	int ds = ds_alloc_pages(1);
	int alias = ds_alias(ds, 0, page_size(), DATASPACE_READ);

	ASSERT_LE(0, alias);
	EXPECT_EQ(-EPERM, ds_alias(alias, 0, page_size(), DATASPACE_READ));
	EXPECT_EQ(-EPERM, ds_alias_flags(alias, 0, page_size(), RIGHTS_RW, 0));
	EXPECT_EQ(-EINVAL, ds_alias(ds, 1, page_size(), DATASPACE_READ));
	EXPECT_EQ(-EINVAL, ds_alloc(0, RIGHTS_RW, 0));
	EXPECT_FALSE(log_has(self->log, "dataspace:"));
}

FIXTURE(charged)
{
	int log;
};

FIXTURE_SETUP(charged)
{
	if (!cgroup_usable())
		SKIP(return, "no memory cgroups here");
	cgroup_share_memory("");
	ASSERT_EQ(0, cgroup_make(GROUP));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.max", "8388608"));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.swap.max", "0"));
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(charged)
{
	close(self->log);
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

static int alloc_in_group(__u64 first, __u64 second)
{
	if (cgroup_join(GROUP))
		return 1;
	if (first && ds_alloc(first, RIGHTS_RW, DATASPACE_ALLOC_SCATTERED) < 0)
		return 2;
	return ds_alloc(second, RIGHTS_RW, DATASPACE_ALLOC_SCATTERED) ==
			       -ENOMEM ?
		       0 :
		       3;
}

/* rule 4 */
TEST_F(charged, more_than_the_limit_is_named)
{
	pid_t child = fork();

	if (!child)
		_exit(alloc_in_group(0, 9 * MEG));
	EXPECT_EQ(0, wait_for(child));
	EXPECT_TRUE(log_has(self->log, "9216 KiB wanted, more than"));
}

/* rule 4 */
TEST_F(charged, what_the_group_has_no_room_for_is_named)
{
	pid_t child = fork();

	if (!child)
		_exit(alloc_in_group(4 * MEG, 6 * MEG));
	EXPECT_EQ(0, wait_for(child));
	EXPECT_TRUE(log_has(self->log, "6144 KiB wanted, no room in the"));
}

static int touch_in_group(void)
{
	int ds = ds_alloc(16 * MEG, RIGHTS_RW, DATASPACE_ALLOC_LAZY);
	char *map = ds_map(ds, 16 * MEG, READ_WRITE);

	if (map == MAP_FAILED || cgroup_join(GROUP))
		return 1;
	memset(map, 1, 16 * MEG);
	return 2;
}

/* rule 30: the program gets SIGBUS, the log tells why */
TEST_F(charged, a_touch_that_is_refused_is_named)
{
	pid_t child = fork();

	if (!child)
		_exit(touch_in_group());
	EXPECT_EQ(SIGBUS, wait_for(child));
	EXPECT_TRUE(log_has(self->log, "KiB wanted, no room in the"));
}

/* It comes last, as others get no lines for a while then. */
FIXTURE(flood)
{
	int log;
};

FIXTURE_SETUP(flood)
{
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(flood)
{
	close(self->log);
}

#define REFUSED 200
#define LOGGED 50

/* How many lines since the last call contain @text. */
static int count_lines(int log, const char *text)
{
	char line[1024];
	int count = 0;
	ssize_t got;

	while ((got = read(log, line, sizeof(line) - 1)) > 0) {
		line[got] = '\0';
		count += !!strstr(line, text);
	}
	return count;
}

/* rule 25: nobody fills the log */
TEST_F(flood, of_refusals_is_not_logged)
{
	const __u64 length = memory_of_the_machine();
	const double begun = seconds();
	int i;

	for (i = 0; i < REFUSED && seconds() < begun + 10; i++)
		EXPECT_EQ(-ENOMEM, ds_alloc(length, RIGHTS_RW,
					    DATASPACE_ALLOC_SCATTERED));
	EXPECT_GT(LOGGED, count_lines(self->log, "KiB wanted"));
}

TEST_HARNESS_MAIN
