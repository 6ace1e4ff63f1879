// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many aliases at the same time: rules 9 and 14. ALIASES=<number> in the
 * environment sets how many.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "cgroup.h"
#include "common.h"

#define GROUP "dataspace-scale"
#define MEASURED 20000
#define MOST_BYTES 1024

/* Seconds after which closed files are freed: they wait for a grace period. */
#define SETTLE 3

#define ROOT_PAGES 4096
#define MILLION 1000000
#define PROBE 10000

/*
 * How much slower O(log n) may get from the first to the millionth alias, with
 * much room.
 */
#define GROWTH 10

/* Makes @count aliases of @pages pages; returns how many could not be made. */
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

/* Bytes that the group of this process is charged; it uses no other memory. */
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

/* Debug options for objects and locks make them larger. */
static long long most_bytes(void)
{
	return is_debug_kernel() ? 2 * MOST_BYTES : MOST_BYTES;
}

/* Prints what an alias costs by its size; 0 if that is little, and the same. */
static int measure_in_group(void)
{
	int *fds = calloc(MEASURED, sizeof(*fds));
	int root = ds_alloc_pages(ROOT_PAGES);
	long long one, all;

	if (!fds || root < 0 || cgroup_join(GROUP) || allow_fds(MEASURED))
		return 2;
	/* the first time the table of descriptors grows */
	bytes_per_alias(root, fds, 1);
	one = bytes_per_alias(root, fds, 1);
	all = bytes_per_alias(root, fds, ROOT_PAGES);
	printf("# bytes per alias: %lld of one page, %lld of %d pages\n", one,
	       all, ROOT_PAGES);
	fflush(stdout);
	return one <= 0 || one > most_bytes() || llabs(one - all) > one / 20;
}

/* clang-format off */

/* A memory cgroup in which each alias is charged to its creator. */
FIXTURE(charged)
{
};

/* clang-format on */

FIXTURE_SETUP(charged)
{
	if (!cgroup_usable())
		SKIP(return, "no cgroup v2 with the memory controller");
	cgroup_remove(GROUP);
	ASSERT_EQ(0, cgroup_share_memory(""));
	ASSERT_EQ(0, cgroup_make(GROUP));
}

FIXTURE_TEARDOWN(charged)
{
}

/* rule 9 */
TEST_F_TIMEOUT(charged, an_alias_costs_little_whatever_its_size, LONG_TIMEOUT)
{
	pid_t child = fork();

	if (!child)
		_exit(measure_in_group());
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

/* A million aliases of one root. */
FIXTURE(crowd)
{
	int root;
	int *fds;
	size_t count;
};

static size_t number_of_aliases(size_t usual)
{
	const char *number = getenv("ALIASES");

	return number ? strtoul(number, NULL, 0) : usual;
}

FIXTURE_SETUP(crowd)
{
	self->count = number_of_aliases(MILLION);
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

/* Seconds that it takes to make and close some aliases. */
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

	if (alone * 4 * (self->count / PROBE) > LONG_TIMEOUT)
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

/*
 * So many that a cost which grows with their number is seen, and not too many
 * for a machine of 2 GiB, as each has two pages of its own. There are fewer
 * where that would take too long.
 */
#define MANY 100000
#define FEW 5000

/* Aliases with some layout in the root, made and closed in some order. */
FIXTURE(pattern)
{
	int root;
	size_t count;
	int *fds;
};

enum shape {
	SIDE_BY_SIDE,
	WITH_GAPS,
	NESTED,
	OVERLAPPING,
};

enum order {
	SORTED,
	REVERSE,
	RANDOM,
};

FIXTURE_VARIANT(pattern)
{
	enum shape shape;
	enum order order;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(pattern, side_by_side) {
	.shape = SIDE_BY_SIDE,
	.order = SORTED,
};

FIXTURE_VARIANT_ADD(pattern, with_gaps_in_reverse) {
	.shape = WITH_GAPS,
	.order = REVERSE,
};

FIXTURE_VARIANT_ADD(pattern, with_gaps_in_random_order) {
	.shape = WITH_GAPS,
	.order = RANDOM,
};

FIXTURE_VARIANT_ADD(pattern, nested) {
	.shape = NESTED,
	.order = SORTED,
};

FIXTURE_VARIANT_ADD(pattern, overlapping_in_random_order) {
	.shape = OVERLAPPING,
	.order = RANDOM,
};

/* clang-format on */

/* Alias number @i of @count in a root of twice as many pages */
static int pattern_alias(int root, enum shape shape, size_t count, size_t i)
{
	switch (shape) {
	case SIDE_BY_SIDE:
		return ds_alias_pages(root, 2 * i, 2 * i + 2, RIGHTS_R);
	case WITH_GAPS:
		return ds_alias_pages(root, 2 * i, 2 * i + 1, RIGHTS_R);
	case NESTED:
		return ds_alias_pages(root, i, 2 * count - i, RIGHTS_R);
	default:
		return ds_alias_pages(root, i, i + count + 1, RIGHTS_R);
	}
}

static void put_in_order(size_t *numbers, size_t count, enum order order)
{
	unsigned int seed = random_seed();
	size_t i, j;

	for (i = 0; i < count; i++) {
		j = order == RANDOM ? rand_r(&seed) % (i + 1) : i;
		numbers[i] = numbers[j];
		numbers[j] = order == REVERSE ? count - 1 - i : i;
	}
}

FIXTURE_SETUP(pattern)
{
	bool is_small = is_debug_kernel() || page_size() > 4096;
	size_t *numbers;
	size_t i;

	self->count = number_of_aliases(is_small ? FEW : MANY);
	self->fds = calloc(self->count, sizeof(*self->fds));
	numbers = calloc(self->count, sizeof(*numbers));
	ASSERT_NE(NULL, self->fds);
	ASSERT_NE(NULL, numbers);
	ASSERT_EQ(0, allow_fds(self->count));
	self->root = ds_alloc_pages(2 * self->count);
	ASSERT_LE(0, self->root);
	put_in_order(numbers, self->count, variant->order);
	for (i = 0; i < self->count; i++) {
		self->fds[i] = pattern_alias(self->root, variant->shape,
					     self->count, numbers[i]);
		ASSERT_LE(0, self->fds[i]);
	}
	free(numbers);
}

FIXTURE_TEARDOWN(pattern)
{
	free(self->fds);
}

/* rules 9, 14 and 15: the root takes as long as giving back its pages */
TEST_F_TIMEOUT(pattern, closing_the_root_is_less_than_3_times_closing_them, 800)
{
	size_t pieces = variant->shape == WITH_GAPS ? self->count : 0;
	double start, root, all;

	EXPECT_EQ(pieces * page_size(), ds_exclusive(self->root));
	start = seconds();
	close(self->root);
	root = seconds() - start;
	start = seconds();
	close_all(self->fds, self->count);
	all = seconds() - start;
	TH_LOG("the root took %.4f s, the %zu others %.4f s", root, self->count,
	       all);
	EXPECT_GT(3 * all, root);
}

#define TRACING "/sys/kernel/tracing/"
#define CONTENTION TRACING "events/lock/contention_begin/enable"
#define CROWD_MAX 8
#define CROWD_SECONDS 1

/* How often processes that do the same at the same time wait for a mutex. */
FIXTURE(at_once)
{
	int cpus;
	int shared;
};

FIXTURE_VARIANT(at_once)
{
	bool faults;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(at_once, aliases) {
	.faults = false,
};

FIXTURE_VARIANT_ADD(at_once, faults) {
	.faults = true,
};

/* clang-format on */

FIXTURE_SETUP(at_once)
{
	self->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (self->cpus > CROWD_MAX)
		self->cpus = CROWD_MAX;
	if (self->cpus < 2)
		SKIP(return, "needs two processors");
	if (text_to_file(CONTENTION, "0"))
		SKIP(return, "this kernel does not tell who waits for a lock");
	if (is_debug_kernel())
		SKIP(return, "this kernel tells of all that take a mutex");
	self->shared = ds_alloc_pages(CROWD_MAX);
	ASSERT_LE(0, self->shared);
}

FIXTURE_TEARDOWN(at_once)
{
	close(self->shared);
}

static void make_aliases_forever(int ds)
{
	for (;;)
		close(ds_alias_pages(ds, 0, 1, RIGHTS_R));
}

static void fault_forever(int ds)
{
	char *map = ds_map(ds, page_size(), READ_WRITE);

	for (;;) {
		*(volatile char *)map = 1;
		madvise(map, page_size(), MADV_DONTNEED);
	}
}

static pid_t start_one(int ds, bool faults)
{
	pid_t child = fork();

	if (!child && faults)
		fault_forever(ds);
	else if (!child)
		make_aliases_forever(ds);
	return child;
}

/* Counts waits of the processes of this program in the kernel's trace */
static long count_waits(void)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[512];
	long count = 0;

	while (trace && fgets(line, sizeof(line), trace))
		count += strstr(line, " scale-") && strstr(line, "MUTEX");
	fclose(trace);
	return count;
}

/* All processes use @root, or each a root of its own if @root is -1 */
static long waits_at_once(int root, int cpus, bool faults)
{
	pid_t children[CROWD_MAX];
	int i, ds;

	text_to_file(TRACING "trace", "\n");
	text_to_file(CONTENTION, "1");
	for (i = 0; i < cpus; i++) {
		ds = root < 0 ? ds_alloc_pages(1) : dup(root);
		children[i] = start_one(ds, faults);
		close(ds);
	}
	sleep(CROWD_SECONDS);
	text_to_file(CONTENTION, "0");
	for (i = 0; i < cpus; i++) {
		kill(children[i], SIGKILL);
		wait_for(children[i]);
	}
	return count_waits();
}

/* rule 9: processes with separate roots share no lock */
TEST_F(at_once, with_separate_roots_nobody_waits)
{
	EXPECT_EQ(0, waits_at_once(-1, self->cpus, variant->faults));
}

/* rule 25: neither faults nor those who make aliases of one root sleep on a lock */
TEST_F(at_once, with_one_root_nobody_sleeps)
{
	EXPECT_EQ(0, waits_at_once(self->shared, self->cpus, variant->faults));
}

TEST_HARNESS_MAIN
