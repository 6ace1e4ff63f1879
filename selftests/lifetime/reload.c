// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module can't be unloaded while anything of it is in use, and leaves
 * nothing behind: rule 16.
 */
#include <kselftest_harness.h>

#include <stdlib.h>
#include <sys/socket.h>

#include "common.h"
#include "control.h"
#include "failpoint.h"
#include "fdpass.h"
#include "kmod.h"
#include "pages.h"
#include "proc.h"

#define ROUNDS 100

/* A dataspace, which the test puts to some use. */
FIXTURE(busy)
{
	int ds;
};

FIXTURE_SETUP(busy)
{
	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	self->ds = ds_alloc_pages(4);
	ASSERT_LE(0, self->ds);
}

/* What a REVOKE has begun may come to its end a moment after it returns. */
static int unload_soon(void)
{
	const double end = seconds() + SOON;
	int ret;

	do {
		ret = kmod_unload();
	} while (ret == -EAGAIN && seconds() < end);
	return ret;
}

/* Each test ends that use; then the module can be unloaded and loaded. */
FIXTURE_TEARDOWN(busy)
{
	EXPECT_EQ(0, unload_soon());
	EXPECT_EQ(0, kmod_load(""));
}

static long unload_is_refused(void)
{
	const int ret = kmod_unload();

	return ret == -EAGAIN || ret == -EBUSY || ret == -EWOULDBLOCK;
}

/* rule 16 */
TEST_F(busy, while_a_root_is_open)
{
	EXPECT_TRUE(unload_is_refused());
	close(self->ds);
}

/* rule 16 */
TEST_F(busy, while_an_alias_is_open)
{
	int alias = ds_alias_pages(self->ds, 1, 2, RIGHTS_R);

	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(alias);
}

/* rule 16 */
TEST_F(busy, while_the_device_is_open)
{
	int device = ds_device();

	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(device);
}

/* rule 16 */
TEST_F(busy, while_a_page_is_mapped)
{
	char *map = ds_map(self->ds, 4 * page_size(), PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	munmap(map, 2 * page_size());
	EXPECT_TRUE(unload_is_refused());
	munmap(map, 4 * page_size());
}

/* rules 16 and 17: a revoked root has no pages, but it is a dataspace */
TEST_F(busy, while_a_revoked_root_is_open_or_mapped)
{
	char *map = ds_map(self->ds, 4 * page_size(), PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, ds_revoke_flags(self->ds, DATASPACE_REVOKE_SELF));
	EXPECT_TRUE(unload_is_refused());
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	munmap(map, 4 * page_size());
}

/* rule 16 */
TEST_F(busy, while_a_page_is_mapped_privately_and_copied)
{
	char *map =
		mmap(NULL, page_size(), READ_WRITE, MAP_PRIVATE, self->ds, 0);

	ASSERT_NE(MAP_FAILED, map);
	map[0] = 1;
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	munmap(map, page_size());
}

/* rule 16 */
TEST_F(busy, while_a_child_maps_it)
{
	char *map = ds_map(self->ds, 4 * page_size(), PROT_READ);
	int ends[2];
	pid_t child;
	char byte;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pipe(ends));
	child = fork();
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1));
	}
	munmap(map, 4 * page_size());
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(ends[1]);
	EXPECT_EQ(0, wait_for(child));
}

/* rule 16 */
TEST_F(busy, while_one_is_in_flight)
{
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], self->ds));
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(ends[0]);
	close(ends[1]);
}

/* Uses the module in between. */
static int use(void)
{
	int ds = ds_alloc_pages(8);
	int alias = ds_alias_pages(ds, 2, 5, RIGHTS_RW);
	int ret = pattern_write_fd(alias, 3, 0);

	close(ds);
	close(alias);
	return ret;
}

static bool mentions_dataspace(const char *path)
{
	char *text = malloc(1 << 20);
	bool found = proc_read(path, text, 1 << 20) > 0 &&
		     strstr(text, "dataspace");

	free(text);
	return found;
}

FIXTURE(reload)
{
	long held;
};

FIXTURE_SETUP(reload)
{
	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	self->held = pages_held_by_anyone();
}

FIXTURE_TEARDOWN(reload)
{
}

/* rule 16 */
TEST_F_TIMEOUT(reload, a_hundred_times_leaves_nothing, LONG_TIMEOUT)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, use());
		ASSERT_EQ(0, kmod_unload());
		ASSERT_EQ(-ENOENT, ds_device());
		ASSERT_EQ(0, kmod_load(""));
	}
	ASSERT_EQ(0, kmod_unload());
	EXPECT_FALSE(mentions_dataspace("/proc/slabinfo"));
	EXPECT_FALSE(mentions_dataspace("/proc/misc"));
	EXPECT_FALSE(mentions_dataspace("/proc/filesystems"));
	EXPECT_FALSE(mentions_dataspace("/proc/modules"));
	EXPECT_EQ(self->held, pages_held_by_anyone());
	ASSERT_EQ(0, kmod_load(""));
	EXPECT_EQ(0, use());
}

/* rule 29, and so for what limit_mb counts: it can be read, but not set */
TEST_F(reload, with_what_is_a_count_is_EPERM)
{
	ASSERT_EQ(0, kmod_unload());
	EXPECT_EQ(-EPERM, kmod_load("in_use=1"));
	EXPECT_EQ(-EPERM, kmod_load("pool_free=1"));
	EXPECT_EQ(-ENOENT, ds_device());
	ASSERT_EQ(0, kmod_load(""));
	EXPECT_EQ(0, use());
}

/*
 * How many allocations before the last one the first one fails, and the step to
 * the next.
 */
#define POINTS 240
#define STEP 5

static int load_failing(unsigned int nth, bool *hit)
{
	int ret = failpoint_arm(nth);

	if (!ret)
		ret = kmod_load("");
	*hit = failpoint_disarm();
	return ret;
}

/* How many allocations of loading the module can fail. */
static unsigned int count_points(void)
{
	unsigned int low = 0, high = 8192;

	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;
		bool hit;

		if (!load_failing(middle, &hit))
			kmod_unload();
		if (hit)
			low = middle;
		else
			high = middle;
	}
	return low;
}

FIXTURE(short_of_memory)
{
	long long level;
};

FIXTURE_SETUP(short_of_memory)
{
	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
	self->level = failpoint_hush();
	ASSERT_EQ(0, kmod_unload());
}

FIXTURE_TEARDOWN(short_of_memory)
{
	EXPECT_EQ(0, kmod_load(""));
	EXPECT_EQ(0, use());
	failpoint_speak(self->level);
}

/*
 * rule 16: a load that fails in the module's own part, which comes last, leaves
 * nothing. The kernel warns when some of its own allocations fail.
 */
TEST_F_TIMEOUT(short_of_memory, a_load_that_fails_leaves_nothing, LONG_TIMEOUT)
{
	unsigned int nth = count_points();
	unsigned int end = nth > POINTS ? nth - POINTS : 0;
	unsigned int failed = 0;

	for (; nth > end + STEP; nth -= STEP) {
		bool hit;
		int ret = load_failing(nth, &hit);

		if (ret) {
			failed++;
			EXPECT_EQ(-ENOMEM, ret);
			EXPECT_EQ(-ENOENT, ds_device());
			EXPECT_FALSE(mentions_dataspace("/proc/slabinfo"));
			EXPECT_FALSE(mentions_dataspace("/proc/filesystems"));
			ASSERT_EQ(0, kmod_load(""));
		}
		ASSERT_EQ(0, kmod_unload());
	}
	TH_LOG("%u failed", failed);
	EXPECT_LT(0, failed);
}

/*
 * rule 16: lockdown forbids to load the module, and one that is loaded goes on
 */
TEST(locked_down_without_a_signature_is_EPERM)
{
	if (!kmod_locked_down())
		SKIP(return, "this kernel is not locked down");
	EXPECT_EQ(-EPERM, kmod_load(""));
	EXPECT_EQ(0, use());
}

TEST_HARNESS_MAIN
