// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is set aside: rules 2 and 29. The tests need the module's file, to
 * load it with the parameter. ROUNDS is how many random requests there are. They don't look at the
 * pages that were released, as the pool takes them back just then, and a debug
 * kernel complains if flags are read of a page that changes.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cgroup.h"
#include "common.h"
#include "failpoint.h"
#include "kmod.h"
#include "pages.h"
#include "proc.h"

#define POOL (64 * MEG)
#define PIECES (POOL / (2 * MEG))
#define PARAMETER "pool_mb=64"
#define POOL_MB KMOD_PARAMETERS "pool_mb"
#define POOL_FREE KMOD_PARAMETERS "pool_free"
#define LIMIT_MB KMOD_PARAMETERS "limit_mb"
#define GROUP "dataspace-pool"
#define HARD_OFFLINE "/sys/devices/system/memory/hard_offline_page"

/* So much is left on each node that the kernel is short of nothing. */
#define RESERVE (96 * MEG)

#define STRIPE ((size_t)64 << 10)

static __u64 wait_for_free(__u64 bytes)
{
	double end = seconds() + STUCK;

	while (free_memory() <= bytes && seconds() < end)
		usleep(10000);
	return free_memory();
}

/* Waits until no more memory is given back that was in use before the test. */
static __u64 settled_memory(void)
{
	double end = seconds() + STUCK;
	__u64 now = free_memory();
	__u64 before;

	do {
		before = now;
		usleep(300000);
		now = free_memory();
	} while (now > before + MEG && seconds() < end);
	return now;
}

FIXTURE(pool)
{
	struct pages pages;
};

FIXTURE_SETUP(pool)
{
	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	ASSERT_EQ(0, kmod_unload());
	ASSERT_EQ(0, kmod_load(PARAMETER));
	if (!number_in_file(POOL_MB, "")) {
		EXPECT_EQ(0, kmod_unload());
		EXPECT_EQ(0, kmod_load(""));
		SKIP(return, "this machine has no room for a pool");
	}
}

FIXTURE_TEARDOWN(pool)
{
	EXPECT_EQ(0, kmod_unload());
	EXPECT_EQ(0, kmod_load(""));
}

/* Allocates a run and finds its physical pages. */
static int alloc_run(__u64 length, struct pages *pages)
{
	int ds = ds_alloc(length, RIGHTS_RW, 0);
	int ret = ds < 0 ? ds : pages_of_fd(pages, ds, length);

	return ret ? ret : ds;
}

static bool is_one_run(const struct pages *pages)
{
	return pages_contiguous(pages, 0, pages->count);
}

/* The first page of the pool, which is what a first allocation gets. */
static __u64 pool_begin(void)
{
	struct pages pages;
	int ds = alloc_run(4 * MEG, &pages);
	__u64 pfn = ds < 0 ? 0 : pages.pfn[0];

	pages_forget(&pages);
	close(ds);
	return pfn;
}

/*
 * Whether a page is in the pool. The pages that the pool has lent may be in use
 * for what can't be migrated, so an allocation need not be in the first place.
 */
static bool is_in_pool(__u64 begin, __u64 pfn)
{
	return pfn >= begin && pfn - begin < POOL / page_size();
}

/*
 * Whether all is zero; then something is written, which must not be seen by the
 * next one.
 */
static bool is_zero_once(int ds, __u64 length)
{
	void *map = ds_map(ds, length, READ_WRITE);
	bool zero = map != MAP_FAILED && bytes_are(map, length, 0);

	memset(map, 0xa5, length);
	munmap(map, length);
	return zero;
}

/* rule 2 */
TEST_F(pool, is_taken_when_the_module_is_loaded)
{
	struct stat stat_buf;

	EXPECT_EQ(POOL / MEG, number_in_file(POOL_MB, ""));
	ASSERT_EQ(0, stat(POOL_MB, &stat_buf));
	EXPECT_EQ(0644, stat_buf.st_mode & 0777);
}

/* rule 16 */
TEST_F(pool, goes_back_when_the_module_is_unloaded)
{
	int ds = ds_alloc(POOL / 2, RIGHTS_R, 0);
	__u64 taken;

	ASSERT_LE(0, ds);
	close(ds);
	usleep(1000000 * SOON);
	taken = settled_memory();
	ASSERT_EQ(0, kmod_unload());
	EXPECT_LT(taken + POOL / 2, wait_for_free(taken + POOL / 2));
	ASSERT_EQ(0, kmod_load(PARAMETER));
}

/* rules 1 and 2 */
TEST_F(pool, serves_all_of_it_in_one_piece_and_zero_again_and_again)
{
	int round;

	for (round = 0; round < 4; round++) {
		int ds = alloc_run(POOL, &self->pages);

		ASSERT_LE(0, ds);
		EXPECT_TRUE(is_one_run(&self->pages));
		EXPECT_TRUE(is_zero_once(ds, POOL));
		close(ds);
		pages_forget(&self->pages);
	}
}

/* rule 2: what is left of the last 2 MiB is not lost */
TEST_F(pool, serves_lengths_that_are_no_multiple_of_a_large_folio)
{
	const __u64 lengths[] = { 3 * MEG, 5 * MEG + page_size(),
				  4 * MEG - page_size() };
	const __u64 begin = pool_begin();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(lengths); i++) {
		int ds = alloc_run(lengths[i], &self->pages);

		ASSERT_LE(0, ds);
		EXPECT_TRUE(is_in_pool(begin, self->pages.pfn[0]));
		EXPECT_TRUE(is_one_run(&self->pages));
		EXPECT_TRUE(is_zero_once(ds, lengths[i]));
		close(ds);
		pages_forget(&self->pages);
	}
}

/* rule 2 */
TEST_F(pool, serves_from_any_place_that_is_long_enough)
{
	const __u64 begin = pool_begin();
	int first = ds_alloc(4 * MEG, RIGHTS_R, 0);
	int second = ds_alloc(6 * MEG, RIGHTS_R, 0);
	int third;

	ASSERT_LE(0, second);
	close(first);
	third = alloc_run(6 * MEG, &self->pages);
	ASSERT_LE(0, third);
	EXPECT_TRUE(is_in_pool(begin, self->pages.pfn[0]));
	pages_forget(&self->pages);
	EXPECT_TRUE(is_in_pool(begin, pool_begin()));
	close(second);
	close(third);
}

/* rule 2 */
TEST_F(pool, honours_alignment)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.length = 4 * MEG,
		.rights = RIGHTS_R,
		.align = 16 * MEG,
	};
	const __u64 begin = pool_begin();
	int device = ds_device();
	int one = ds_alloc(4 * MEG, RIGHTS_R, 0);
	int ds = ds_alloc_on(device, &arg);

	ASSERT_LE(0, one);
	ASSERT_LE(0, ds);
	ASSERT_EQ(0, pages_of_fd(&self->pages, ds, arg.length));
	EXPECT_EQ(0, self->pages.pfn[0] * page_size() % arg.align);
	EXPECT_GT(POOL, (self->pages.pfn[0] - begin) * page_size());
	pages_forget(&self->pages);
	close(ds);
	close(one);
	close(device);
}

/* rule 2 */
TEST_F(pool, serves_its_own_node_alone)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.length = 4 * MEG,
		.rights = RIGHTS_R,
	};
	const __u64 begin = pool_begin();
	int device = ds_device();
	int ds = ds_alloc_on(device, &arg);

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, pages_of_fd(&self->pages, ds, arg.length));
	if (access("/sys/devices/system/node/node1", F_OK))
		EXPECT_TRUE(is_in_pool(begin, self->pages.pfn[0]));
	pages_forget(&self->pages);
	close(ds);
	close(device);
}

/* rule 2: a longer run comes from elsewhere, or is ENOMEM */
TEST_F(pool, is_left_alone_by_what_does_not_fit)
{
	const __u64 begin = pool_begin();
	int ds = alloc_run(2 * POOL, &self->pages);

	if (ds < 0) {
		EXPECT_EQ(-ENOMEM, ds);
	} else {
		EXPECT_TRUE(is_one_run(&self->pages));
		pages_forget(&self->pages);
	}
	EXPECT_TRUE(is_in_pool(begin, pool_begin()));
	close(ds);
}

/*
 * Keeps one page in each 2 MiB of a run of the pool's size; all others are
 * free.
 */
static int keep_one_of_each(int *pages_kept)
{
	int ds = ds_alloc(POOL, RIGHTS_R, 0);
	int ret = ds < 0 ? ds : 0;
	size_t i;

	for (i = 0; !ret && i < PIECES; i++) {
		pages_kept[i] =
			ds_alias(ds, (2 * i + 1) * MEG, page_size(), RIGHTS_R);
		ret = pages_kept[i] < 0 ? pages_kept[i] : 0;
	}
	close(ds);
	return ret;
}

static void close_all(const int *fds, size_t count)
{
	while (count--)
		close(fds[count]);
}

/* rules 4 and 14 */
TEST_F(pool, counts_in_info_and_against_the_limit_as_all_memory_does)
{
	int ds;

	ASSERT_EQ(0, number_to_file(LIMIT_MB, 16));
	EXPECT_EQ(-EDQUOT, ds_alloc(POOL, RIGHTS_R, 0));
	ds = ds_alloc(16 * MEG, RIGHTS_R, 0);
	ASSERT_LE(0, ds);
	EXPECT_EQ(16 * MEG, ds_exclusive(ds));
	EXPECT_EQ(-EDQUOT, ds_alloc(1, RIGHTS_R, 0));
	close(ds);
}

static int charged_in_group(__u64 begin)
{
	struct pages pages;
	int ds, ret = 0;

	if (cgroup_join(GROUP))
		return 1;
	ds = alloc_run(POOL / 2, &pages);
	if (ds < 0 || !is_in_pool(begin, pages.pfn[0]))
		return 2;
	if (cgroup_file_bytes(GROUP, POOL / 2) != POOL / 2)
		ret |= 4;
	close(ds);
	if (cgroup_file_bytes(GROUP, 0))
		ret |= 8;
	sleep(1);
	if (cgroup_number(GROUP, "memory.current", "") > POOL / 4)
		ret |= 16;
	return ret;
}

/* rule 4: an allocation from the pool is charged, the pool itself is not */
TEST_F(pool, is_charged_to_who_has_got_it)
{
	const __u64 begin = pool_begin();
	pid_t child;

	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	cgroup_remove(GROUP);
	cgroup_share_memory("");
	ASSERT_EQ(0, cgroup_make(GROUP));
	child = fork();
	if (!child)
		_exit(charged_in_group(begin));
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/* rule 4: a run that can't be charged goes back to the pool */
TEST_F(pool, has_all_back_that_could_not_be_charged)
{
	const __u64 begin = pool_begin();
	pid_t child;
	int ds;

	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	cgroup_remove(GROUP);
	cgroup_share_memory("");
	ASSERT_EQ(0, cgroup_make(GROUP));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.max", "3M"));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.swap.max", "0"));
	child = fork();
	if (!child)
		_exit(cgroup_join(GROUP) ||
		      ds_alloc(POOL, RIGHTS_R, 0) != -ENOMEM);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, cgroup_remove(GROUP));
	ds = alloc_run(POOL, &self->pages);
	ASSERT_LE(0, ds);
	EXPECT_TRUE(is_in_pool(begin, self->pages.pfn[0]));
	pages_forget(&self->pages);
	close(ds);
}

static long long pool_free(void)
{
	return number_in_file(POOL_FREE, "");
}

/* Waits until the pool has so much; what it has. */
static long long wait_for_pool(long long bytes)
{
	double end = seconds() + STUCK;

	while (pool_free() != bytes && seconds() < end)
		usleep(10000);
	return pool_free();
}

/* The thread has 2 MiB less for a moment when it splits them. */
static long long wait_for_at_least(long long bytes)
{
	double end = seconds() + STUCK;

	while (pool_free() < bytes && seconds() < end)
		usleep(10000);
	return pool_free();
}

/* rule 29: so much less is free, and that is all again afterwards */
TEST_F(pool, serves_from_64_kib_on_and_exactly)
{
	const __u64 lengths[] = { 64 << 10, (64 << 10) + page_size(),
				  MEG,	    2 * MEG,
				  3 * MEG,  5 * MEG - page_size() };
	const __u32 flags[] = { 0, DATASPACE_ALLOC_SCATTERED };
	/* what is to be split is the kernel's for a moment, and may be used there */
	const __u64 lost = 2 * MEG;
	size_t i;

	for (i = 0; i < 2 * ARRAY_LENGTH(lengths); i++) {
		const __u64 length = lengths[i / 2];
		const __u64 left = POOL - length - lost;
		int ds = ds_alloc(length, RIGHTS_RW, flags[i % 2]);

		ASSERT_LE(0, ds);
		/* of scattered memory the last pieces may be shorter */
		EXPECT_LE(left, wait_for_at_least(left));
		EXPECT_GT(POOL - length + (flags[i % 2] ? 64 << 10 : 1),
			  pool_free());
		EXPECT_TRUE(is_zero_once(ds, length));
		close(ds);
		EXPECT_EQ(POOL, wait_for_pool(POOL));
	}
}

/* rule 29 */
TEST_F(pool, is_not_asked_for_less_than_64_kib)
{
	int ds = ds_alloc((64 << 10) - page_size(), RIGHTS_R, 0);

	ASSERT_LE(0, ds);
	EXPECT_EQ(POOL, pool_free());
	close(ds);
}

/* rule 29: by as many as fit, and all of them get something afterwards, too */
TEST_F(pool, serves_small_requests_while_it_lasts)
{
	enum { COUNT = POOL / (64 << 10), MORE = 8 };
	int ds[COUNT + MORE];
	int i;

	ASSERT_EQ(0, allow_fds(COUNT + MORE));
	for (i = 0; i < COUNT + MORE; i++) {
		ds[i] = ds_alloc(64 << 10, RIGHTS_R, 0);
		ASSERT_LE(0, ds[i]);
	}
	/* Not one of them waits: a few may be faster than the pool is split */
	EXPECT_GE(huge_size(), pool_free());
	close_all(ds, COUNT + MORE);
	EXPECT_EQ(POOL, wait_for_pool(POOL));
	ds[0] = alloc_run(POOL, &self->pages);
	ASSERT_LE(0, ds[0]);
	EXPECT_EQ(0, pool_free());
	EXPECT_TRUE(is_one_run(&self->pages));
	pages_forget(&self->pages);
	close(ds[0]);
}

/*
 * rule 29: what is ready takes much less time than to zero it, also with a
 * kernel that does not zero what is taken from it, if it was booted with
 * init_on_alloc=0.
 */
TEST_F(pool, is_ready)
{
	char *other = malloc(POOL);
	double zeroing = 1e9;
	double taking = 1e9;
	int round;

	for (round = 0; round < 5; round++) {
		double start = seconds();
		int ds;

		memset(other, round + 1, POOL);
		if (seconds() - start < zeroing)
			zeroing = seconds() - start;
		ASSERT_EQ(POOL, wait_for_pool(POOL));
		start = seconds();
		ds = ds_alloc(POOL, RIGHTS_RW, 0);
		if (seconds() - start < taking)
			taking = seconds() - start;
		ASSERT_LE(0, ds);
		EXPECT_TRUE(is_zero_once(ds, POOL));
		close(ds);
	}
	TH_LOG("%.1f ms, and to zero as much %.1f ms", 1e3 * taking,
	       1e3 * zeroing);
	EXPECT_GT(zeroing / 5, taking);
	free(other);
}

/*
 * Of what is left of the pool less can be charged than is asked for, which shows
 * only while it is charged. What could not be is there again at once, but for a
 * few pages that the kernel may use for this process meanwhile.
 */
static int meet_the_limit(void)
{
	int ds;

	if (cgroup_join(GROUP))
		return 1;
	ds = ds_alloc(16 * MEG, RIGHTS_R, 0);
	if (ds < 0 || pool_free() != POOL - 16 * MEG)
		return 2;
	if (ds_alloc(POOL - 16 * MEG, RIGHTS_R, 0) != -ENOMEM)
		return 3;
	if (pool_free() < 4 * MEG)
		return 4;
	if (wait_for_at_least(POOL - 20 * MEG) < POOL - 20 * MEG)
		return 5;
	return 0;
}

/* Runs a function in a process of a group with a limit; the pool is whole again then. */
static void run_in_group(struct __test_metadata *_metadata, const char *limit,
			 int (*run)(void))
{
	pid_t child;

	cgroup_remove(GROUP);
	cgroup_share_memory("");
	ASSERT_EQ(0, cgroup_make(GROUP));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.max", limit));
	ASSERT_EQ(0, cgroup_set(GROUP, "memory.swap.max", "0"));
	child = fork();
	if (!child)
		_exit(run());
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, cgroup_remove(GROUP));
	EXPECT_EQ(POOL, wait_for_pool(POOL));
}

/* rules 4 and 29 */
TEST_F(pool, has_back_at_once_what_was_not_charged)
{
	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	run_in_group(_metadata, "58M", meet_the_limit);
}

/* rule 29: also of 2 MiB that are still in use; then it serves from what it has */
TEST_F(pool, takes_back_what_was_released)
{
	const long long rest = POOL - PIECES * page_size();
	int pages_kept[PIECES];
	long long lost;
	int ds;

	ASSERT_EQ(0, keep_one_of_each(pages_kept));
	/* others may have put something that stays into one of those */
	lost = rest - wait_for_pool(rest);
	EXPECT_LE(0, lost);
	EXPECT_GE(2 * MEG, lost);
	ds = ds_alloc(MEG / 2, RIGHTS_RW, 0);
	ASSERT_LE(0, ds);
	lost += MEG / 2;
	EXPECT_LE(rest - lost, wait_for_at_least(rest - lost));
	EXPECT_GE(rest - MEG / 2, pool_free());
	EXPECT_TRUE(is_zero_once(ds, MEG / 2));
	close_all(pages_kept, PIECES);
	EXPECT_LE(POOL - lost, wait_for_at_least(POOL - lost));
	EXPECT_GE(POOL - MEG / 2, pool_free());
	close(ds);
	lost -= MEG / 2;
	EXPECT_LE(POOL - lost, wait_for_at_least(POOL - lost));
	if (lost) {
		TH_LOG("%lld KiB not taken back", lost >> 10);
		return;
	}
	ds = alloc_run(POOL, &self->pages);
	ASSERT_LE(0, ds);
	EXPECT_EQ(0, pool_free());
	EXPECT_TRUE(is_one_run(&self->pages));
	pages_forget(&self->pages);
	close(ds);
}

/* Keeps every second 64 KiB of a run. */
static int keep_every_second(int *kept, size_t count)
{
	int ds = ds_alloc(POOL, RIGHTS_R, 0);
	int ret = ds < 0 ? ds : 0;
	size_t i;

	for (i = 0; !ret && i < count; i++) {
		kept[i] = ds_alias(ds, 2 * i * STRIPE, STRIPE, RIGHTS_R);
		ret = kept[i] < 0 ? kept[i] : 0;
	}
	close(ds);
	return ret;
}

/* rule 29: others do, and it has what it had */
TEST_F(pool, that_has_short_pieces_serves_no_longer_requests)
{
	enum { KEPT = POOL / (128 << 10) };
	/* others may have put something that stays into what was released */
	const long long least = POOL / 2 - (is_debug_kernel() ? 4 * MEG : 0);
	int kept[KEPT];
	long long has;
	int ds;

	ASSERT_EQ(0, allow_fds(KEPT));
	ASSERT_EQ(0, keep_every_second(kept, KEPT));
	EXPECT_LE(least, wait_for_at_least(least));
	has = pool_free();
	ds = ds_alloc(3 * STRIPE, RIGHTS_RW, 0);
	ASSERT_LE(0, ds);
	EXPECT_LE(has, pool_free());
	EXPECT_TRUE(is_zero_once(ds, 3 * STRIPE));
	close(ds);
	close_all(kept, KEPT);
}

/* rules 2 and 29 */
TEST_F(pool, that_is_used_up_lets_others_serve)
{
	int all = ds_alloc(POOL, RIGHTS_R, 0);
	int ds = ds_alloc(4 * MEG, RIGHTS_RW, 0);

	ASSERT_LE(0, all);
	ASSERT_LE(0, ds);
	EXPECT_EQ(0, pool_free());
	EXPECT_TRUE(is_zero_once(ds, 4 * MEG));
	close(ds);
	close(all);
}

/* The last 2 MiB of what is asked for are single pages. */
static int meet_the_limit_with_pages(void)
{
	if (cgroup_join(GROUP))
		return 1;
	if (ds_alloc(2 * MEG, RIGHTS_R, 0) < 0)
		return 2;
	if (ds_alloc(3 * MEG, RIGHTS_R, 0) != -ENOMEM)
		return 3;
	if (wait_for_at_least(POOL - 2 * MEG) != POOL - 2 * MEG)
		return 4;
	return 0;
}

/* Whether a page has a memory error now; the kernel says that it can't handle that. */
static bool lose_page(__u64 pfn)
{
	int flags = page_flags_open();
	bool lost;

	number_to_file(HARD_OFFLINE, pfn * page_size());
	lost = page_flags_lost(flags, pfn);
	close(flags);
	return lost;
}

static size_t count_lost(const struct pages *pages)
{
	int flags = page_flags_open();
	size_t count = 0;
	size_t i;

	for (i = 0; i < pages->count; i++)
		count += page_flags_lost(flags, pages->pfn[i]);
	close(flags);
	return count;
}

/* How many pages with an error an allocation gets, or a negative errno. */
static int alloc_lost(__u64 length, __u32 flags)
{
	struct pages pages;
	int ds = ds_alloc(length, RIGHTS_RW, flags);
	int ret = ds < 0 ? ds : pages_of_fd(&pages, ds, length);

	if (!ret) {
		ret = count_lost(&pages);
		pages_forget(&pages);
	}
	close(ds);
	return ret;
}

/* rule 29: nor the large folio that the page is in */
TEST_F(pool, hands_out_no_page_with_a_memory_error)
{
	const size_t places[] = { 0, 1, MEG / page_size() + 3 };
	const long long left = POOL - ARRAY_LENGTH(places) * huge_size();
	int ds = alloc_run(POOL, &self->pages);
	size_t i;

	ASSERT_LE(0, ds);
	close(ds);
	ASSERT_EQ(POOL, wait_for_pool(POOL));
	if (access(HARD_OFFLINE, W_OK))
		SKIP(return, "this kernel can't be made to lose a page");
	for (i = 0; i < ARRAY_LENGTH(places); i++) {
		const size_t bad = 2 * i * huge_size() / page_size();

		ASSERT_TRUE(lose_page(self->pages.pfn[bad + places[i]]));
	}
	pages_forget(&self->pages);
	EXPECT_EQ(0, alloc_lost(POOL, 0));
	EXPECT_EQ(0, alloc_lost(POOL, DATASPACE_ALLOC_SCATTERED));
	EXPECT_EQ(left, wait_for_pool(left));
}

/* rule 29: the pool has the end of its last 2 MiB, and that as single pages */
TEST_F(pool, hands_out_no_single_page_with_a_memory_error)
{
	int ds = alloc_run(POOL - MEG, &self->pages);
	__u64 end;

	ASSERT_LE(0, ds);
	end = self->pages.pfn[self->pages.count - 1] + 1;
	pages_forget(&self->pages);
	ASSERT_EQ(MEG, pool_free());
	if (access(HARD_OFFLINE, W_OK))
		SKIP(return, "this kernel can't be made to lose a page");
	ASSERT_TRUE(lose_page(end + 3));
	EXPECT_EQ(0, alloc_lost(MEG / 2, 0));
	/* also what is before it, which is too short for a request */
	EXPECT_EQ(MEG - page_size(), wait_for_pool(MEG - page_size()));
	EXPECT_EQ(0, alloc_lost(MEG, 0));
	close(ds);
}

/* rules 4 and 29 */
TEST_F(pool, has_back_pages_that_were_not_charged)
{
	if (!cgroup_usable())
		SKIP(return, "no memory controller at " CGROUP_ROOT);
	run_in_group(_metadata, "4M", meet_the_limit_with_pages);
}

/* rule 29: what was handed out of the old pool is not the new one's */
TEST_F(pool, can_be_smaller_and_larger_at_any_time)
{
	int ds = ds_alloc(16 * MEG, RIGHTS_RW, 0);

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, number_to_file(POOL_MB, 32));
	EXPECT_EQ(32, number_in_file(POOL_MB, ""));
	EXPECT_EQ(16 * MEG, pool_free());
	EXPECT_EQ(0, number_to_file(POOL_MB, 95));
	EXPECT_EQ(96, number_in_file(POOL_MB, ""));
	EXPECT_EQ(96 * MEG, pool_free());
	EXPECT_TRUE(is_zero_once(ds, 16 * MEG));
	close(ds);
	EXPECT_EQ(96 * MEG, pool_free());
	ds = alloc_run(96 * MEG, &self->pages);
	ASSERT_LE(0, ds);
	EXPECT_EQ(0, pool_free());
	EXPECT_TRUE(is_one_run(&self->pages));
	EXPECT_TRUE(is_zero_once(ds, 96 * MEG));
	pages_forget(&self->pages);
	close(ds);
	EXPECT_EQ(96 * MEG, wait_for_pool(96 * MEG));
}

/* rule 29: all of it goes back, and what is in use stays */
TEST_F(pool, can_be_given_up_while_it_is_in_use)
{
	const __u64 before = settled_memory();
	int ds = ds_alloc(16 * MEG, RIGHTS_RW, 0);

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, number_to_file(POOL_MB, 0));
	EXPECT_EQ(0, number_in_file(POOL_MB, ""));
	EXPECT_EQ(0, pool_free());
	EXPECT_LT(before + POOL / 2, wait_for_free(before + POOL / 2));
	EXPECT_TRUE(is_zero_once(ds, 16 * MEG));
	close(ds);
	ds = ds_alloc(4 * MEG, RIGHTS_R, 0);
	EXPECT_LE(0, ds);
	close(ds);
	EXPECT_EQ(0, pool_free());
}

/* rule 29: nothing has changed then */
TEST_F(pool, of_a_size_that_makes_no_sense_is_EINVAL)
{
	const char *const sizes[] = {
		"-1",  "much",	     "\n", "1e3", "18446744073709551616",
		"64k", "4000000000",
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		EXPECT_EQ(-EINVAL, text_to_file(POOL_MB, sizes[i]))
		TH_LOG("\"%s\"", sizes[i]);
	}
	EXPECT_EQ(POOL / MEG, number_in_file(POOL_MB, ""));
	EXPECT_EQ(POOL, pool_free());
}

/* rule 29: nothing has changed then */
TEST_F(pool, that_finds_no_room_to_grow_is_ENOMEM)
{
	const __u64 size = memory_of_the_machine() / MEG - 64;

	EXPECT_EQ(-ENOMEM, number_to_file(POOL_MB, size));
	EXPECT_EQ(POOL / MEG, number_in_file(POOL_MB, ""));
	EXPECT_EQ(POOL, pool_free());
}

/* Of sizes from 4 KiB to 4 MiB, small ones more often. */
static __u64 random_length(unsigned int *seed)
{
	const __u64 most = page_size() << rand_r(seed) % 11;

	return 1 + rand_r(seed) % most;
}

static size_t random_rounds(void)
{
	const char *given = getenv("ROUNDS");

	if (given)
		return strtoul(given, NULL, 0);
	return is_debug_kernel() ? 1000 : 10000;
}

/* rule 29: no fragment is lost */
TEST_F_TIMEOUT(pool, is_whole_after_many_requests, LONG_TIMEOUT)
{
	const size_t rounds = random_rounds();
	unsigned int seed = random_seed();
	long long whole;
	int ds[48];
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(ds); i++)
		ds[i] = -1;
	for (i = 0; i < rounds; i++) {
		int *place = &ds[rand_r(&seed) % ARRAY_LENGTH(ds)];
		__u32 flags = rand_r(&seed) % 2 ? DATASPACE_ALLOC_SCATTERED : 0;

		close(*place);
		*place = ds_alloc(random_length(&seed), RIGHTS_R, flags);
		EXPECT_LE(0, *place);
	}
	close_all(ds, ARRAY_LENGTH(ds));
	/* The kernel may have put something that stays into one or two large folios */
	whole = wait_for_pool(POOL);
	TH_LOG("%lld KiB of %llu KiB after %zu requests", whole >> 10,
	       POOL >> 10, rounds);
	EXPECT_LE(POOL - 2 * huge_size(), whole);
	if (whole < POOL)
		return;
	ds[0] = alloc_run(POOL, &self->pages);
	ASSERT_LE(0, ds[0]);
	EXPECT_EQ(0, pool_free());
	EXPECT_TRUE(is_one_run(&self->pages));
	pages_forget(&self->pages);
	close(ds[0]);
}

/*
 * Allocates all memory but a reserve, and keeps one page in each 2 MiB of it. What other
 * processors have on their lists is no part of the reserve: when little is free the
 * kernel ends programs rather than fetch it. The lists are empty once a run was taken.
 */
static size_t keep_single_pages(int *pages_kept, size_t most)
{
	size_t pieces;
	size_t i;
	int ds;

	close(ds_alloc(4 * MEG, RIGHTS_R, 0));
	pieces = (number_in_file("/proc/meminfo", "MemFree:") * 1024 -
		  RESERVE * count_nodes()) /
		 (2 * MEG);
	if (pieces > most)
		pieces = most;
	ds = ds_alloc(pieces * 2 * MEG, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);
	for (i = 0; i < pieces; i++) {
		pages_kept[i] =
			ds_alias(ds, (2 * i + 1) * MEG, page_size(), RIGHTS_R);
		if (pages_kept[i] < 0)
			return 0;
	}
	close(ds);
	return pieces;
}

/* rule 2 */
TEST_F_TIMEOUT(pool, serves_in_memory_that_is_fragmented, LONG_TIMEOUT)
{
	int pages_kept[6144];
	size_t count;
	int round, ds;

	if (memory_of_the_machine() > 12ULL << 30)
		SKIP(return, "needs a machine with at most 12 GiB");
	ASSERT_EQ(0, allow_fds(ARRAY_LENGTH(pages_kept)));
	/* the pool would serve scattered memory, too */
	ds = ds_alloc(POOL, RIGHTS_R, 0);
	ASSERT_LE(0, ds);
	EXPECT_EQ(0, pool_free());
	count = keep_single_pages(pages_kept, ARRAY_LENGTH(pages_kept));
	ASSERT_LT(0, count);
	close(ds);
	for (round = 0; round < 3; round++) {
		ds = alloc_run(POOL, &self->pages);
		ASSERT_LE(0, ds);
		EXPECT_TRUE(is_one_run(&self->pages));
		EXPECT_TRUE(is_zero_once(ds, POOL));
		pages_forget(&self->pages);
		/* and nothing else does */
		EXPECT_EQ(-ENOMEM, ds_alloc(2 * POOL, RIGHTS_R, 0));
		close(ds);
	}
	close_all(pages_kept, count);
}

/* The node that a page of the mapping is on. */
static int node_of(const void *map)
{
	int node = -1;

	if (syscall(SYS_get_mempolicy, &node, NULL, 0, map,
		    MPOL_F_NODE | MPOL_F_ADDR))
		return -errno;
	return node;
}

/*
 * Prefers a node for what the process allocates. Without it a process on another
 * node may use up all that it can have before it comes to the pool.
 */
static int prefer_node(int node)
{
	unsigned long nodes = 1UL << node;

	return syscall(SYS_set_mempolicy, MPOL_PREFERRED, &nodes,
		       8 * sizeof(nodes)) ?
		       -errno :
		       0;
}

/*
 * Allocates pages of @file until @enough of them are in the pool, or little
 * memory is free. Returns how many are there.
 */
static size_t fill_pool(int file, __u64 begin, size_t enough)
{
	size_t found = 0;
	struct pages pages;
	void *map;
	off_t at;
	size_t i;

	for (at = 0; found < enough; at += MEG) {
		/* free_memory() would take longer than the pages */
		if (number_in_file("/proc/meminfo", "MemFree:") * 1024 <
		    RESERVE * count_nodes())
			break;
		if (ftruncate(file, at + MEG))
			break;
		map = mmap(NULL, MEG, PROT_READ, MAP_SHARED, file, at);
		if (map == MAP_FAILED || pages_of_map(&pages, map, MEG))
			break;
		for (i = 0; i < pages.count; i++)
			found += is_in_pool(begin, pages.pfn[i]);
		pages_forget(&pages);
		munmap(map, MEG);
	}
	return found;
}

/* Keeps a page in each 64 KiB of a run: the pool takes back no shorter run. */
static int keep_short_runs(int *pages_kept, size_t count)
{
	int ds = ds_alloc(POOL, RIGHTS_R, 0);
	int ret = ds < 0 ? ds : 0;
	size_t i;

	for (i = 0; !ret && i < count; i++) {
		pages_kept[i] = ds_alias(ds, i * STRIPE, page_size(), RIGHTS_R);
		ret = pages_kept[i] < 0 ? pages_kept[i] : 0;
	}
	close(ds);
	return ret;
}

/*
 * rule 2: as long as a page in each 64 KiB is in use the pool can't take the
 * rest back, and others use it
 */
TEST_F_TIMEOUT(pool, moves_out_what_others_have_put_there, LONG_TIMEOUT)
{
	enum { KEPT = POOL / (64 << 10) };
	const __u64 begin = pool_begin();
	int pages_kept[KEPT];
	size_t others;
	long long moved;
	int ds, file;
	void *map;

	if (memory_of_the_machine() > 12ULL << 30)
		SKIP(return, "needs a machine with at most 12 GiB");
	if (is_debug_kernel())
		SKIP(return, "this kernel keeps freed objects everywhere");
	ASSERT_EQ(0, allow_fds(KEPT));
	ASSERT_EQ(0, keep_short_runs(pages_kept, KEPT));
	map = ds_map(pages_kept[0], page_size(), PROT_READ);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_LE(0, *(volatile char *)map);
	ASSERT_EQ(0, prefer_node(node_of(map)));
	munmap(map, page_size());
	file = memfd_create("others", MFD_CLOEXEC);
	others = fill_pool(file, begin, 8 * MEG / page_size());
	ASSERT_LT(0, others);
	moved = number_in_file("/proc/vmstat", "pgmigrate_success");
	close_all(pages_kept, KEPT);
	ds = alloc_run(POOL, &self->pages);
	moved = number_in_file("/proc/vmstat", "pgmigrate_success") - moved;
	ASSERT_LE(0, ds);
	TH_LOG("%zu pages were there, %lld pages moved, %s", others, moved,
	       begin == self->pages.pfn[0] ?
		       "in the pool" :
		       "elsewhere, as the pool has what can't be moved");
	EXPECT_TRUE(is_one_run(&self->pages));
	EXPECT_TRUE(is_zero_once(ds, POOL));
	EXPECT_LT(0, moved);
	pages_forget(&self->pages);
	close(ds);
	close(file);
}

/* The module is loaded with a pool that can't be had. */
FIXTURE(no_pool)
{
	int log;
};

FIXTURE_SETUP(no_pool)
{
	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	ASSERT_EQ(0, kmod_unload());
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(no_pool)
{
	close(self->log);
	EXPECT_EQ(0, kmod_unload());
	EXPECT_EQ(0, kmod_load(""));
}

/*
 * rule 2: the log and the parameter tell that there is no pool, and all else
 * works
 */
TEST_F(no_pool, of_more_than_the_machine_has)
{
	const char *const sizes[] = { "pool_mb=1000000",
				      "pool_mb=18446744073709551615" };
	size_t i;
	int ds;

	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		ASSERT_EQ(0, kmod_load(sizes[i]));
		EXPECT_TRUE(log_has(self->log, "no room for a pool"));
		EXPECT_EQ(0, number_in_file(POOL_MB, ""));
		ds = ds_alloc(3 * MEG, RIGHTS_R, 0);
		EXPECT_LE(0, ds);
		close(ds);
		ASSERT_EQ(0, kmod_unload());
	}
	ASSERT_EQ(0, kmod_load(""));
}

/* rule 2 */
TEST_F(no_pool, of_what_is_no_number)
{
	EXPECT_EQ(-EINVAL, kmod_load("pool_mb=much"));
	EXPECT_EQ(-ENOENT, ds_device());
	ASSERT_EQ(0, kmod_load(""));
}

/* what is free, and in use, is read-only, also when the module is loaded */
TEST_F(no_pool, is_not_told_what_is_free)
{
	EXPECT_EQ(-EPERM, kmod_load("pool_free=1"));
	EXPECT_EQ(-EPERM, kmod_load("in_use=1"));
	EXPECT_EQ(-ENOENT, ds_device());
	ASSERT_EQ(0, kmod_load(""));
}

static int size_failing(unsigned int nth, bool *hit)
{
	int ret = failpoint_arm(nth);

	if (!ret)
		ret = number_to_file(POOL_MB, 4);
	*hit = failpoint_disarm();
	return ret;
}

/* rule 29: nothing has changed then, and another try succeeds */
TEST_F_TIMEOUT(no_pool, whose_making_runs_out_of_memory, LONG_TIMEOUT)
{
	unsigned int failed = 0;
	unsigned int nth;
	bool hit = true;

	ASSERT_EQ(0, kmod_load(""));
	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
	for (nth = 1; hit && nth < 100; nth++) {
		int ret;

		ret = size_failing(nth, &hit);
		if (ret) {
			failed++;
			EXPECT_TRUE(ret == -ENOMEM || ret == -EFAULT);
			EXPECT_EQ(0, number_in_file(POOL_MB, ""));
			EXPECT_EQ(0, pool_free());
			EXPECT_EQ(0, number_to_file(POOL_MB, 4));
		}
		EXPECT_EQ(4 * MEG, pool_free());
		ASSERT_EQ(0, kmod_unload());
		ASSERT_EQ(0, kmod_load(""));
	}
	TH_LOG("%u failed", failed);
	EXPECT_FALSE(hit);
	EXPECT_LT(3, failed);
}

TEST_HARNESS_MAIN
