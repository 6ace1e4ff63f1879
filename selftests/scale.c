// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many aliases: rule 9.
 *
 * Another number of them is asked for with ALIASES=<number> in the environment.
 */
#include <kselftest_harness.h>

#include <stdlib.h>
#include <sys/resource.h>

#include "cgroup.h"
#include "common.h"

#define GROUP "dataspace-scale"
#define MEASURED 20000
#define MOST_BYTES 1024

/* Seconds until what was closed is freed: files wait for a grace period. */
#define SETTLE 3

#define ROOT_PAGES 4096
#define MILLION 1000000
#define PROBE 10000
#define PATIENCE 600

/* What O(log n) may grow by from the first to the millionth, with much room. */
#define GROWTH 10

static int allow_fds(size_t count)
{
	struct rlimit limit = { .rlim_cur = count + 1000,
				.rlim_max = count + 1000 };
	int file = open("/proc/sys/fs/nr_open", O_WRONLY | O_CLOEXEC);

	if (file >= 0) {
		dprintf(file, "%zu", count + 1000);
		close(file);
	}
	return result(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Aliases of @pages pages, until @count are there; the number that are not. */
static size_t make_aliases(int root, int *fds, size_t count, size_t pages)
{
	size_t i;

	for (i = 0; i < count; i++) {
		size_t first = i % (ROOT_PAGES - pages + 1);

		fds[i] = ds_alias_pages(root, first, first + pages, RIGHTS_R);
		if (fds[i] < 0)
			break;
	}
	return count - i;
}

static void close_all(const int *fds, size_t count)
{
	while (count--)
		close(fds[count]);
}

/* Bytes that this process's group is charged for; it uses no other memory. */
static long long charged_bytes(void)
{
	return cgroup_number(GROUP, "memory.current", "");
}

static long long bytes_per_alias(int root, int *fds, size_t pages)
{
	long long before = charged_bytes();
	long long after;

	if (make_aliases(root, fds, MEASURED, pages))
		return -1;
	after = charged_bytes();
	close_all(fds, MEASURED);
	sleep(SETTLE);
	return (after - before) / MEASURED;
}

/* Prints what an alias costs by its size; 0 if that is little, and the same. */
static int measure_in_group(void)
{
	int *fds = calloc(MEASURED, sizeof(*fds));
	int root = ds_alloc_pages(ROOT_PAGES);
	long long one, all;

	if (!fds || root < 0 || cgroup_join(GROUP) || allow_fds(MEASURED))
		return 2;
	/* once before, so that the table of descriptors has its size */
	bytes_per_alias(root, fds, 1);
	one = bytes_per_alias(root, fds, 1);
	all = bytes_per_alias(root, fds, ROOT_PAGES);
	printf("# bytes per alias: %lld of one page, %lld of %d pages\n", one,
	       all, ROOT_PAGES);
	fflush(stdout);
	return one <= 0 || one > MOST_BYTES || llabs(one - all) > one / 20;
}

/* rule 9 */
TEST(an_alias_costs_its_creator_little_whatever_its_size)
{
	pid_t child;
	int status;

	if (!cgroup_usable())
		SKIP(return, "no cgroup v2 with the memory controller");
	cgroup_remove(GROUP);
	ASSERT_EQ(0, cgroup_share_memory(""));
	ASSERT_EQ(0, cgroup_make(GROUP));
	child = fork();
	if (!child)
		_exit(measure_in_group());
	status = wait_for(child);
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/* A million aliases of one root. */
FIXTURE(crowd)
{
	int root;
	int *fds;
	size_t count;
};

FIXTURE_SETUP(crowd)
{
	const char *count = getenv("ALIASES");

	self->count = count ? strtoul(count, NULL, 0) : MILLION;
	self->fds = calloc(self->count, sizeof(*self->fds));
	ASSERT_NE(NULL, self->fds);
	ASSERT_EQ(0, allow_fds(self->count));
	self->root = ds_alloc_pages(ROOT_PAGES);
	ASSERT_LE(0, self->root);
}

FIXTURE_TEARDOWN(crowd)
{
	free(self->fds);
}

/* Seconds for some aliases that come and go. */
static double probe(int root)
{
	double start = seconds();
	int i;

	for (i = 0; i < PROBE; i++)
		close(ds_alias_pages(root, 0, ROOT_PAGES, RIGHTS_R));
	return seconds() - start;
}

/* rule 9 */
TEST_F_TIMEOUT(crowd, a_million_live_aliases_of_one_root_work, 800)
{
	double alone = probe(self->root);
	struct dataspace_info info;
	double crowded;

	if (alone * 4 * (self->count / PROBE) > PATIENCE)
		SKIP(return, "this machine is too slow for so many");
	ASSERT_EQ(0, make_aliases(self->root, self->fds, self->count, 1));
	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(self->count, info.aliases);
	crowded = probe(self->root);
	TH_LOG("%d aliases take %.3f s, among %zu others %.3f s", PROBE, alone,
	       self->count, crowded);
	EXPECT_GT(alone * GROWTH, crowded);
	close(self->root);
	EXPECT_EQ(0, ds_info(self->fds[self->count - 1], &info));
	close_all(self->fds, self->count);
}

TEST_HARNESS_MAIN
