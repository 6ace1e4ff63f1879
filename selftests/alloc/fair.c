// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an allocation costs processes that have nothing to do with it: rules 4,
 * 27 and 28.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "proc.h"

#define GROUP "dataspace-fair"

/* The part of a request that may be held uncharged. */
#define UNCHARGED (16 * MEG)

/* What other processes may take or give back during a test. */
#define NOISE (12 * MEG)

static long long pages_moved(void)
{
	return number_in_file("/proc/vmstat", "pgmigrate_success");
}

static long long oom_kills(void)
{
	return number_in_file("/proc/vmstat", "oom_kill");
}

static __u64 free_bytes(void)
{
	return number_in_file("/proc/meminfo", "MemFree:") * 1024;
}

/* Fills memory with movable pages until @bytes are free. */
static int fill_memory_but(__u64 bytes)
{
	int file = memfd_create("fill", MFD_CLOEXEC);
	off_t at = 0;

	while (free_bytes() > bytes && !fallocate(file, 0, at, MEG))
		at += MEG;
	return file;
}

FIXTURE(group)
{
	pid_t bystander;
	long long kills;
};

FIXTURE_SETUP(group)
{
	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	cgroup_share_memory("");
	cgroup_remove(GROUP);
	ASSERT_EQ(0, cgroup_make(GROUP));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.swap.max", "0"));
	self->kills = oom_kills();
	self->bystander = fork();
	if (!self->bystander) {
		pause();
		_exit(0);
	}
}

FIXTURE_TEARDOWN(group)
{
	EXPECT_EQ(self->kills, oom_kills());
	EXPECT_EQ(0, kill(self->bystander, SIGTERM));
	EXPECT_EQ(SIGTERM, wait_for(self->bystander));
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/* Allocates in the group; the child exits with 0 if the result is @want. */
static pid_t alloc_in_group(__u64 length, __u32 flags, int want)
{
	pid_t child = fork();

	if (child)
		return child;
	if (cgroup_join(GROUP))
		_exit(99);
	_exit(abs(ds_alloc(length, RIGHTS_RW, flags) - want));
}

/* rules 4 and 27 */
TEST_F_TIMEOUT(group, that_asks_beyond_its_limit_moves_nobody, LONG_TIMEOUT)
{
	const __u64 length = memory_of_the_machine() / 3;
	int file = fill_memory_but(length);
	long long moved;
	double start;

	ASSERT_LE(0, file);
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.max", "16M"));
	moved = pages_moved();
	start = seconds();
	EXPECT_EQ(0, wait_for(alloc_in_group(length, 0, -ENOMEM)));
	EXPECT_EQ(0, wait_for(alloc_in_group(length, DATASPACE_ALLOC_SCATTERED,
					     -ENOMEM)));
	EXPECT_GT(2.0, seconds() - start);
	EXPECT_EQ(moved, pages_moved());
	close(file);
}

/* rules 4 and 27 */
TEST_F_TIMEOUT(group, that_is_slowed_down_harms_nobody, LONG_TIMEOUT)
{
	const __u64 length = memory_of_the_machine() / 3;
	double start = seconds();

	ASSERT_EQ(0, cgroup_set(GROUP, "memory.max", "64M"));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.high", "8M"));
	EXPECT_EQ(0, wait_for(alloc_in_group(length, 0, -ENOMEM)));
	EXPECT_GT(2.0, seconds() - start);
}

/*
 * rule 27: no pages are migrated for a request that is beyond what is available
 */
TEST_F_TIMEOUT(group, that_asks_beyond_what_is_available_moves_nobody,
	       LONG_TIMEOUT)
{
	const __u64 length = memory_of_the_machine() / 4;
	int ds = ds_alloc(memory_of_the_machine() / 2, RIGHTS_R,
			  DATASPACE_ALLOC_SCATTERED);
	int file = fill_memory_but(128 * MEG);
	long long moved = pages_moved();

	ASSERT_LE(0, ds);
	ASSERT_LE(0, file);
	EXPECT_EQ(0, wait_for(alloc_in_group(length, 0, -ENOMEM)));
	/* the kernel may have moved a few for itself */
	EXPECT_GT(moved + 256, pages_moved());
	close(file);
	close(ds);
}

static bool has_stopped(pid_t child)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, child, &info,
		      WSTOPPED | WEXITED | WNOHANG | WNOWAIT) ||
	       info.si_pid;
}

/*
 * How much memory a child takes until it stops, at most, beyond what its group
 * is charged.
 */
static long long watch_uncharged(pid_t child, long long charged_before)
{
	const long long before = free_bytes();
	long long most = 0;

	while (!has_stopped(child)) {
		/*
		 * in this order: what is charged in between makes the result
		 * smaller
		 */
		long long taken = before - (long long)free_bytes();
		long long charged = cgroup_number(GROUP, "memory.current", "");

		taken -= charged - charged_before;
		if (taken > most)
			most = taken;
	}
	return most;
}

/* Continues a child that has stopped; 0, or -1 if it has not. */
static int continue_child(pid_t child)
{
	int status;

	if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
		return -1;
	kill(child, SIGCONT);
	return 0;
}

/* rule 4 */
TEST_F_TIMEOUT(group, is_charged_as_memory_is_taken, LONG_TIMEOUT)
{
	const __u64 length = memory_of_the_machine() / 32;
	pid_t child = fork();
	long long most;

	if (!child) {
		bool failed = cgroup_join(GROUP) ||
			      ds_alloc(length, RIGHTS_RW, 0) < 0;

		raise(SIGSTOP);
		_exit(failed);
	}
	most = watch_uncharged(child, 0);
	EXPECT_EQ(0, continue_child(child));
	EXPECT_EQ(0, wait_for(child));
	TH_LOG("%lld KiB uncharged at most", most >> 10);
	EXPECT_GT((long long)(UNCHARGED + NOISE), most);
}

/* Uses the limit of the group but for 8 MiB, stops, then asks for more. */
static int meet_the_limit(__u64 length)
{
	char limit[32];
	int ds;

	snprintf(limit, sizeof(limit), "%llu", (unsigned long long)length);
	if (cgroup_join(GROUP) || cgroup_set(GROUP, "memory.max", limit) ||
	    ds_alloc(length - 8 * MEG, RIGHTS_R, DATASPACE_ALLOC_SCATTERED) < 0)
		return 1;
	raise(SIGSTOP);
	ds = ds_alloc(length, RIGHTS_R, 0);
	raise(SIGSTOP);
	return ds != -ENOMEM;
}

/* rule 4 */
TEST_F_TIMEOUT(group, that_meets_its_limit_has_taken_little_more, LONG_TIMEOUT)
{
	const __u64 length = memory_of_the_machine() / 4;
	pid_t child = fork();
	long long most, charged;

	if (!child)
		_exit(meet_the_limit(length));
	while (!has_stopped(child))
		usleep(1000);
	charged = cgroup_number(GROUP, "memory.current", "");
	ASSERT_EQ(0, continue_child(child));
	most = watch_uncharged(child, charged);
	EXPECT_EQ(0, continue_child(child));
	EXPECT_EQ(0, wait_for(child));
	TH_LOG("%lld KiB uncharged at most", most >> 10);
	EXPECT_GT((long long)(UNCHARGED + NOISE), most);
}

/*
 * Memory that looks movable, but has a pinned page every PIN_DISTANCE bytes, so
 * that taking a long run of it fails on the way.
 */
#define PIN_DISTANCE (40 * MEG)
#define MAX_PINS 512

#define LARGE (64 * MEG)
#define SMALL (4 * MEG)
#define CROWD 8
#define ROUNDS 10

FIXTURE(crowd)
{
	pid_t member[CROWD];
	struct pin pin[MAX_PINS];
	char *map;
};

FIXTURE_SETUP(crowd)
{
	__u64 length = memory_of_the_machine() / 2 / MEG * MEG;
	__u64 at;
	int i = 0;

	if (memory_of_the_machine() > 12ULL << 30)
		SKIP(return, "needs a machine with at most 12 GiB");
	self->map = mmap(NULL, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	for (at = 0; at < length && i < MAX_PINS; at += PIN_DISTANCE)
		ASSERT_EQ(0, pin_page(&self->pin[i++], self->map + at));
	/*
	 * no 64 MiB run is free, but there is enough memory to migrate pages to
	 */
	ASSERT_LE(0, fill_memory_but(memory_of_the_machine() / 6));
}

FIXTURE_TEARDOWN(crowd)
{
	int i;

	for (i = 0; i < CROWD; i++)
		if (self->member[i] > 0) {
			kill(self->member[i], SIGKILL);
			wait_for(self->member[i]);
		}
}

static pid_t ask_forever(void)
{
	pid_t child = fork();

	while (!child)
		close(ds_alloc(LARGE, RIGHTS_R, 0));
	return child;
}

/*
 * The longest time of a small request, in seconds; or -1 if one failed. All that is
 * available may be in the hands of others for a moment, so that there is ENOMEM.
 */
static double longest_small(void)
{
	double most = 0;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		double start = seconds();
		double took;
		int ds;

		do {
			ds = ds_alloc(SMALL, RIGHTS_R, 0);
			took = seconds() - start;
		} while (ds == -ENOMEM && took < STUCK);
		if (ds < 0)
			return -1;
		close(ds);
		if (took > most)
			most = took;
	}
	return most;
}

/* rule 27 */
TEST_F_TIMEOUT(crowd, of_large_requests_lets_small_ones_pass, LONG_TIMEOUT)
{
	double alone = longest_small();
	double among;
	int i;

	ASSERT_LE(0, alone);
	for (i = 0; i < CROWD; i++)
		self->member[i] = ask_forever();
	sleep(2);
	among = longest_small();
	TH_LOG("%.3f s alone, %.3f s among %d that ask for %llu MiB", alone,
	       among, CROWD, LARGE / MEG);
	EXPECT_LE(0, among);
	/* All of them share two processors, maybe with other machines */
	EXPECT_GT(2.0 + 5 * alone, among);
}

/*
 * rule 28: needs a kernel booted with cma=, whose area is at the top of memory
 */
TEST(what_cma_owns_is_no_obstacle)
{
	const __u64 lengths[] = { 6 * MEG, 64 * MEG };
	long long owned = number_in_file("/proc/meminfo", "CmaTotal:");
	size_t i;

	if (owned < 128 << 10)
		SKIP(return, "CMA has less than 128 MiB");
	for (i = 0; i < ARRAY_LENGTH(lengths); i++) {
		int ds = ds_alloc(lengths[i], RIGHTS_R, 0);

		EXPECT_LE(0, ds);
		close(ds);
	}
}

TEST_HARNESS_MAIN
