// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous memory is made by migrating pages where there is no free run: rule
 * 2. This program is one of the first, as what others make the kernel allocate
 * for itself all over memory can't be migrated, and stays for long.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <stdio.h>

#include "common.h"
#include "control.h"
#include "kmod.h"
#include "lazy.h"
#include "pages.h"

#define POOL_MB KMOD_PARAMETERS "pool_mb"

#define STRIPE ((size_t)64 << 10)

/*
 * The page cache fills the memory, and then every second stripe of it is
 * dropped.
 */
FIXTURE(dropped)
{
	int kept;
	__u64 want;
};

/*
 * Writes stripes of two files in turn, so that they lie side by side. Less
 * memory is left free than the test asks for in one piece.
 */
FIXTURE_SETUP(dropped)
{
	const __u64 memory = memory_of_the_machine();
	int other = memfd_create("dropped", MFD_CLOEXEC);
	off_t at = 0;

	if (memory > 12ULL << 30)
		SKIP(return, "needs a machine with at most 12 GiB");
	if (page_size() > 4096)
		SKIP(return, "hardly any block of this kernel is movable");
	self->want = memory / 16 < 256 * MEG ? memory / 16 : 256 * MEG;
	self->kept = memfd_create("kept", MFD_CLOEXEC);
	while (number_in_file("/proc/meminfo", "MemFree:") * 1024 >
	       self->want) {
		ASSERT_EQ(0, fallocate(self->kept, 0, at, STRIPE));
		ASSERT_EQ(0, fallocate(other, 0, at, STRIPE));
		at += STRIPE;
	}
	close(other);
}

FIXTURE_TEARDOWN(dropped)
{
	close(self->kept);
}

/*
 * A page that is pinned for a moment may be in the way, so a failure is
 * repeated.
 */
static int alloc_patiently(__u64 length)
{
	int tries = 10;
	int ds = -ENOMEM;

	while (ds == -ENOMEM && tries--) {
		ds = ds_alloc(length, RIGHTS_R, 0);
		if (ds == -ENOMEM)
			usleep(100000);
	}
	return ds;
}

/* rule 2: movable pages are migrated out of the run */
TEST_F_TIMEOUT(dropped, page_cache_makes_room_for_a_run, LONG_TIMEOUT)
{
	long long moved = number_in_file("/proc/vmstat", "pgmigrate_success");
	struct pages pages;
	int ds;

	if (is_debug_kernel())
		SKIP(return, "this kernel keeps freed objects everywhere");
	ds = alloc_patiently(self->want);
	moved = number_in_file("/proc/vmstat", "pgmigrate_success") - moved;
	TH_LOG("%llu MiB, %lld pages moved", self->want / MEG, moved);
	ASSERT_LE(0, ds);
	EXPECT_LT(0, moved);
	ASSERT_EQ(0, pages_of_fd(&pages, ds, self->want / MEG * MEG));
	EXPECT_TRUE(pages_contiguous(&pages, 0, pages.count));
	pages_forget(&pages);
	close(ds);
}

/*
 * Pins pages so far apart in memory, where every second stripe is of the file. They
 * stay until the test ends. 0 or -errno.
 */
static int pin_some(int file, __u64 distance)
{
	const __u64 length = lseek(file, 0, SEEK_END) / STRIPE * STRIPE;
	char *map = mmap(NULL, length, PROT_READ, MAP_SHARED, file, 0);
	int ret = map == MAP_FAILED ? -errno : 0;
	struct pin pin;
	__u64 at;

	allow_many_fds();
	for (at = 0; !ret && at < length; at += distance / 2)
		ret = pin_page(&pin, map + at);
	return ret;
}

/* A run of this length has a page that is pinned, but hardly in its first 16 MiB. */
#define PIN_DISTANCE (24 * MEG)
#define LENGTH (32 * MEG)

/*
 * rules 2 and 14: a page that can't be moved shows only when a part of the run has
 * been taken already; that goes back
 */
TEST_F_TIMEOUT(dropped, a_run_that_turns_out_too_short_goes_back, LONG_TIMEOUT)
{
	const long long before = lazy_in_use();
	int round;

	ASSERT_EQ(0, pin_some(self->kept, PIN_DISTANCE));
	for (round = 0; round < 4; round++) {
		int ds = ds_alloc(LENGTH, RIGHTS_R, 0);
		int ret;

		EXPECT_TRUE(ds >= 0 || ds == -ENOMEM);
		EXPECT_EQ(before + (ds < 0 ? 0 : LENGTH), lazy_in_use());
		close(ds);
		EXPECT_EQ(before, lazy_in_use_soon(before));
		ret = number_to_file(POOL_MB, LENGTH / MEG);
		EXPECT_TRUE(!ret || ret == -ENOMEM);
		EXPECT_EQ(ret ? 0 : LENGTH / MEG, number_in_file(POOL_MB, ""));
		EXPECT_EQ(0, number_to_file(POOL_MB, 0));
		printf("# ALLOC: %s, pool: %d\n", ds < 0 ? "ENOMEM" : "0", ret);
	}
}

/* rules 2 and 27: though there is enough memory, but not in one piece */
TEST_F_TIMEOUT(dropped, a_run_that_is_nowhere_is_ENOMEM, LONG_TIMEOUT)
{
	const size_t pieces = memory_of_the_machine() / (14 * MEG);
	size_t count = 0;
	int ds;

	ASSERT_EQ(0, pin_some(self->kept, 12 * MEG));
	do {
		ds = ds_alloc(14 * MEG, RIGHTS_R, 0);
	} while (ds >= 0 && ++count < pieces);
	EXPECT_EQ(-ENOMEM, ds);
	printf("# %zu of 14 MiB, then %lld KiB are free\n", count,
	       number_in_file("/proc/meminfo", "MemFree:"));
}

#define CROWD 4

/* How often a process gets a run of more than one step; ends with the test. */
static void take_and_drop(long *times, double end)
{
	while (seconds() < end) {
		int ds = ds_alloc(20 * MEG, RIGHTS_R, 0);

		if (ds < 0 && ds != -ENOMEM)
			_exit(1);
		__atomic_add_fetch(times, ds >= 0, __ATOMIC_SEQ_CST);
		close(ds);
	}
	_exit(0);
}

/* rules 2 and 27: each search leaves alone what another one is about to take */
TEST(several_at_once_find_runs_beside_each_other)
{
	long *times = mmap(NULL, page_size(), READ_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const double end = seconds() + 5;
	pid_t children[CROWD];
	int i;

	ASSERT_NE(MAP_FAILED, times);
	for (i = 0; i < CROWD; i++) {
		children[i] = fork();
		if (!children[i])
			take_and_drop(times + i, end);
	}
	for (i = 0; i < CROWD; i++) {
		EXPECT_EQ(0, wait_for(children[i]));
		EXPECT_LT(0, times[i]);
	}
	printf("# %ld, %ld, %ld and %ld times\n", times[0], times[1], times[2],
	       times[3]);
}

TEST_HARNESS_MAIN
