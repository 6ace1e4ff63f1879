// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the holder of one page does is not noticed by the holder of another page
 * of the same root: rule 25.
 *
 * A table is printed of what a neighbour's operations cost while nobody disturbs
 * it and while somebody tries to. The limits are wide enough for an emulated
 * machine that has other things to do.
 */
#include <kselftest_harness.h>

#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "attacks.h"
#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "dmabuf.h"

/* Pages of the root, that of the attacker, and where those of the neighbour begin. */
#define ROOT_PAGES 1024
#define ATTACKED 600
#define FIRST 700

#define SAMPLES 60
#define POLLED 20

/* What is allowed for the median: so many times what it was, and so much more. */
#define TIMES 10
#define MORE 0.005

/*
 * The same for what waits for a grace period: others can draw that out by system calls
 * that have nothing to do with this, such as to wake up very many.
 */
#define MORE_GRACE 0.05

/* What the two share is covered by both, and released by nobody. */
struct neighbour {
	/* FIRST and what follows, and an alias of each page from there on */
	int ds;
	int pages[SAMPLES];
	/* its own mapping that stays */
	char *map;
	struct pollfd polled[POLLED];
};

static double alias_and_close(struct neighbour *neighbour, int sample)
{
	const double begun = seconds();

	close(ds_alias(neighbour->ds, 0, page_size(), RIGHTS_RW));
	return seconds() - begun;
}

static double unmap(struct neighbour *neighbour, int sample)
{
	int ds = ds_alias(neighbour->ds, 0, page_size(), RIGHTS_RW);
	char *map = ds_map(ds, page_size(), READ_WRITE);
	double begun;

	close(ds);
	*map = 1;
	begun = seconds();
	munmap(map, page_size());
	return seconds() - begun;
}

/* The page has no other cover, so that it goes back. */
static double release(struct neighbour *neighbour, int sample)
{
	const double begun = seconds();

	close(neighbour->pages[sample]);
	return seconds() - begun;
}

static double poll_all(struct neighbour *neighbour, int sample)
{
	const double begun = seconds();

	poll(neighbour->polled, POLLED, 0);
	return seconds() - begun;
}

static double first_touch(struct neighbour *neighbour, int sample)
{
	char *map = ds_map(neighbour->ds, page_size(), READ_WRITE);
	double begun = seconds();

	*map = 1;
	begun = seconds() - begun;
	munmap(map, page_size());
	return begun;
}

static double touch(struct neighbour *neighbour, int sample)
{
	const double begun = seconds();

	*(volatile char *)neighbour->map = 1;
	return seconds() - begun;
}

static double info(struct neighbour *neighbour, int sample)
{
	const double begun = seconds();

	ds_exclusive(neighbour->ds);
	return seconds() - begun;
}

static double revoke_own(struct neighbour *neighbour, int sample)
{
	int ds = ds_alias(neighbour->ds, 0, page_size(), RIGHTS_RW);
	int derived = ds_alias(ds, 0, page_size(), RIGHTS_RW);
	double begun = seconds();

	ds_revoke(ds);
	begun = seconds() - begun;
	close(derived);
	close(ds);
	return begun;
}

static double allocate(struct neighbour *neighbour, int sample)
{
	const double begun = seconds();

	close(ds_alloc_pages(4));
	return seconds() - begun;
}

/* A process that has what the neighbour has, and maps it. */
static double kill_child(struct neighbour *neighbour, int sample)
{
	double begun;
	pid_t child = fork();

	if (child < 0)
		return INFINITY;
	if (!child) {
		for (;;)
			pause();
	}
	begun = seconds();
	kill(child, SIGKILL);
	wait_for(child);
	return seconds() - begun;
}

struct operation {
	const char *name;
	double (*run)(struct neighbour *neighbour, int sample);
	double more;
};

static const struct operation operations[] = {
	{ "alias+close", alias_and_close, MORE },
	{ "munmap", unmap, MORE },
	{ "release", release, MORE },
	{ "poll", poll_all, MORE },
	{ "first touch", first_touch, MORE },
	{ "touch", touch, MORE },
	{ "info", info, MORE },
	{ "revoke", revoke_own, MORE_GRACE },
	{ "ALLOC+close", allocate, MORE },
	{ "kill -9", kill_child, MORE },
};

struct cost {
	double p50, p99, max;
};

static int compare(const void *one, const void *other)
{
	const double *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

static struct cost cost_of(double *samples, int count)
{
	qsort(samples, count, sizeof(*samples), compare);
	return (struct cost){
		.p50 = samples[count / 2],
		.p99 = samples[(count - 1) * 99 / 100],
		.max = samples[count - 1],
	};
}

static void measure(struct neighbour *neighbour, struct cost *costs)
{
	double samples[SAMPLES];
	int i, k;

	for (i = 0; i < ARRAY_LENGTH(operations); i++) {
		for (k = 0; k < SAMPLES; k++) {
			samples[k] = operations[i].run(neighbour, k);
			usleep(500);
		}
		costs[i] = cost_of(samples, SAMPLES);
	}
}

/* The root lives only in what the two have of it. Returns the attacker's page. */
static int make_neighbour(struct neighbour *neighbour)
{
	int root = ds_alloc(ROOT_PAGES * page_size(), RIGHTS_RW, 0);
	int page = ds_alias_pages(root, ATTACKED, ATTACKED + 1, RIGHTS_RW);
	int i;

	neighbour->ds = ds_alias_pages(root, FIRST, FIRST + 1, RIGHTS_RW);
	neighbour->map = ds_map(neighbour->ds, page_size(), READ_WRITE);
	if (neighbour->map == MAP_FAILED)
		return -errno;
	*neighbour->map = 1;
	for (i = 0; i < SAMPLES; i++)
		neighbour->pages[i] = ds_alias_pages(root, FIRST + 1 + i,
						     FIRST + 2 + i, RIGHTS_RW);
	for (i = 0; i < POLLED; i++) {
		neighbour->polled[i].fd =
			ds_alias(neighbour->ds, 0, page_size(), RIGHTS_RW);
		neighbour->polled[i].events = POLLPRI;
	}
	close(root);
	return page;
}

static void forget_neighbour(struct neighbour *neighbour)
{
	int i;

	for (i = 0; i < POLLED; i++)
		close(neighbour->polled[i].fd);
	munmap(neighbour->map, page_size());
	close(neighbour->ds);
}

static int ready_pipe[2];

static void tell_ready(void)
{
	write(ready_pipe[1], "", 1);
}

/* Returns when the attack has begun. */
static pid_t start_attack(void (*attack)(int ds, void (*ready)(void)), int ds,
			  const struct neighbour *neighbour)
{
	pid_t attacker;
	char byte;
	int i;

	if (pipe(ready_pipe))
		return -errno;
	attacker = fork();
	if (!attacker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		munmap(neighbour->map, page_size());
		for (i = 3; i < 1000; i++) {
			if (i != ds && i != ready_pipe[1])
				close(i);
		}
		attack(ds, tell_ready);
	}
	close(ready_pipe[1]);
	if (read(ready_pipe[0], &byte, 1) != 1)
		return -EPIPE;
	close(ready_pipe[0]);
	return attacker;
}

FIXTURE(neighbour)
{
	struct neighbour neighbour;
	struct cost alone[ARRAY_LENGTH(operations)];
	struct cost attacked[ARRAY_LENGTH(operations)];
};

FIXTURE_VARIANT(neighbour)
{
	const char *name;
	void (*attack)(int ds, void (*ready)(void));
	bool importer;
	bool throttled;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(neighbour, seal_now) {
	.name = "SEAL_NOW, own page pinned",
	.attack = attack_with_seal_now,
};

FIXTURE_VARIANT_ADD(neighbour, info) {
	.name = "INFO",
	.attack = attack_with_info,
};

FIXTURE_VARIANT_ADD(neighbour, revoke) {
	.name = "ALIAS and REVOKE",
	.attack = attack_with_revoke,
};

FIXTURE_VARIANT_ADD(neighbour, mappings) {
	.name = "15000 mappings",
	.attack = attack_with_mappings,
};

FIXTURE_VARIANT_ADD(neighbour, revoked_mappings) {
	.name = "15000 revoked mappings",
	.attack = attack_with_revoked_mappings,
};

FIXTURE_VARIANT_ADD(neighbour, pin_and_mappings) {
	.name = "15000 mappings and a pin",
	.attack = attack_with_pin_and_mappings,
};

FIXTURE_VARIANT_ADD(neighbour, pollers) {
	.name = "10000 epoll instances",
	.attack = attack_with_pollers,
};

FIXTURE_VARIANT_ADD(neighbour, seal) {
	.name = "SEAL of 20000 aliases",
	.attack = attack_with_seal,
};

FIXTURE_VARIANT_ADD(neighbour, exports) {
	.name = "10000 dma-bufs, and REVOKE of more",
	.attack = attack_with_exports,
};

FIXTURE_VARIANT_ADD(neighbour, devices) {
	.name = "1000 dma-bufs that devices have mapped, and REVOKE of more",
	.attack = attack_with_devices,
	.importer = true,
};

FIXTURE_VARIANT_ADD(neighbour, mm) {
	.name = "MADV_PAGEOUT and mremap",
	.attack = attack_with_the_mm,
};

FIXTURE_VARIANT_ADD(neighbour, tree) {
	.name = "20000 aliases, and somebody who lists them",
	.attack = attack_with_the_tree,
};

FIXTURE_VARIANT_ADD(neighbour, nested) {
	.name = "SEAL of 100000 aliases, one derived from the other",
	.attack = attack_with_nested_aliases,
};

FIXTURE_VARIANT_ADD(neighbour, SCHED_IDLE) {
	.name = "all of that by SCHED_IDLE, which is hardly ever run",
	.attack = attack_with_SCHED_IDLE,
};

FIXTURE_VARIANT_ADD(neighbour, cpu_max) {
	.name = "the same, throttled by cpu.max",
	.attack = attack_with_cpu_max,
	.throttled = true,
};

FIXTURE_VARIANT_ADD(neighbour, stopped) {
	.name = "the same, and 20 stopped holders",
	.attack = attack_with_stopped_holders,
};

FIXTURE_VARIANT_ADD(neighbour, stalled) {
	.name = "the same, and 20 copies stalled by userfaultfd",
	.attack = attack_with_stalled_copies,
};

/* clang-format on */

/* Whether there is a group now that an attacker can be throttled in. */
static bool make_throttled(void)
{
	return !cgroup_set("", "cgroup.subtree_control", "+cpu") &&
	       !cgroup_make(THROTTLED);
}

FIXTURE_SETUP(neighbour)
{
	int ret = variant->importer ? importer_load() : 0;

	if (ret == -ENOENT)
		SKIP(return, "there is no importer");
	ASSERT_EQ(0, ret);
	if (variant->throttled && !make_throttled())
		SKIP(return, "there is no cgroup with cpu.max");
	ASSERT_EQ(0, allow_fds(1000));
	ASSERT_LE(0, make_neighbour(&self->neighbour));
	measure(&self->neighbour, self->alone);
	forget_neighbour(&self->neighbour);
}

FIXTURE_TEARDOWN(neighbour)
{
	forget_neighbour(&self->neighbour);
	if (variant->importer)
		EXPECT_EQ(0, importer_unload());
	if (variant->throttled)
		EXPECT_EQ(0, cgroup_remove(THROTTLED));
}

static void print_row(const char *name, const struct cost *alone,
		      const struct cost *attacked)
{
	printf("# %-12s %8.3f %8.3f %8.3f   %8.3f %8.3f %8.3f\n", name,
	       alone->p50 * 1e3, alone->p99 * 1e3, alone->max * 1e3,
	       attacked->p50 * 1e3, attacked->p99 * 1e3, attacked->max * 1e3);
}

/* rule 25 */
TEST_F(neighbour, is_not_held_up)
{
	int page = make_neighbour(&self->neighbour);
	pid_t attacker;
	int i;

	ASSERT_LE(0, page);
	attacker = start_attack(variant->attack, page, &self->neighbour);
	ASSERT_LT(0, attacker);
	close(page);
	measure(&self->neighbour, self->attacked);
	printf("# %s\n", variant->name);
	printf("# ms           alone:                       attacked:\n");
	printf("#                   p50      p99      max        p50      p99      max\n");
	for (i = 0; i < ARRAY_LENGTH(operations); i++) {
		print_row(operations[i].name, &self->alone[i],
			  &self->attacked[i]);
		EXPECT_GT(TIMES * self->alone[i].p50 + operations[i].more,
			  self->attacked[i].p50);
	}
	kill(attacker, SIGKILL);
	EXPECT_EQ(SIGKILL, wait_for(attacker));
}

#define INFOS 50

static double info_cost(int ds)
{
	double samples[INFOS];
	int i;

	for (i = 0; i < INFOS; i++) {
		samples[i] = seconds();
		ds_exclusive(ds);
		samples[i] = seconds() - samples[i];
	}
	return cost_of(samples, INFOS).p50;
}

#define RANGE 256

/*
 * rule 25: INFO does not look at what is revoked. Every second page is mapped, so
 * that it has many pieces to look at.
 */
TEST(INFO_beside_revoked_mappings)
{
	const int count = many(15000);
	const size_t length = RANGE * page_size();
	int root = ds_alloc_pages(RANGE);
	double before, after;
	int parent, ds;
	int i;

	for (i = 1; i < RANGE; i += 2)
		ASSERT_NE(MAP_FAILED, mmap(NULL, page_size(), PROT_READ,
					   MAP_SHARED, root, i * page_size()));
	before = info_cost(root);
	parent = ds_alias(root, 0, length, RIGHTS_R);
	ds = ds_alias(parent, 0, length, RIGHTS_R);
	for (i = 0; i < count; i++)
		ASSERT_NE(MAP_FAILED,
			  ds_map(ds, length, i % 2 ? PROT_READ : PROT_NONE));
	ASSERT_EQ(0, ds_revoke(parent));
	close(ds);
	close(parent);
	after = info_cost(root);
	printf("# INFO %.3f ms, with %d revoked mappings %.3f ms\n",
	       before * 1e3, count, after * 1e3);
	EXPECT_EQ(length / 2, ds_exclusive(root));
	EXPECT_GT(20 * before, after);
}

/* Seconds that REVOKE takes for @count aliases of one page, each mapped once. */
static double revoke_cost(int count)
{
	int root = ds_alloc_pages(1);
	double begun;
	int ret;
	int i;

	for (i = 0; i < count; i++) {
		int ds = ds_alias_pages(root, 0, 1, RIGHTS_R);
		char *map = ds_map(ds, page_size(), PROT_READ);

		if (map == MAP_FAILED)
			return -1;
		*(volatile char *)map;
		close(ds);
	}
	begun = seconds();
	ret = ds_revoke(root);
	begun = seconds() - begun;
	close(root);
	return ret ? -1 : begun;
}

/* rules 17 and 25: a page that many map is unmapped once */
TEST(REVOKE_of_one_page_is_linear)
{
	const double few = revoke_cost(1000);
	const double lots = revoke_cost(8000);

	ASSERT_LT(0, few);
	ASSERT_LT(0, lots);
	printf("# REVOKE of 1000: %.1f ms, of 8000: %.1f ms\n", few * 1e3,
	       lots * 1e3);
	EXPECT_GT(30 * few, lots);
}

/* A process that maps @ds often and waits for its end. */
static pid_t start_mapper(int ds, int count)
{
	pid_t child;
	char byte;

	if (pipe(ready_pipe))
		return -errno;
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		map_often(ds, count);
		close(ds);
		tell_ready();
		for (;;)
			pause();
	}
	close(ready_pipe[1]);
	if (read(ready_pipe[0], &byte, 1) != 1)
		return -EPIPE;
	close(ready_pipe[0]);
	return child;
}

/*
 * Seconds that it takes to kill one of two processes with @count mappings each,
 * which are revoked, or have just lost their descriptors.
 */
static double kill_cost(int count, bool revoked)
{
	int root = ds_alloc_pages(64);
	int parent = ds_alias_pages(root, 0, 32, RIGHTS_RW);
	int ds = ds_alias_pages(parent, 0, 1, RIGHTS_R);
	pid_t one = start_mapper(ds, count);
	pid_t other = start_mapper(ds, count);
	double begun;

	if (one < 0 || other < 0 || (revoked && ds_revoke(parent)))
		return -1;
	close(ds);
	close(parent);
	close(root);
	begun = seconds();
	kill(one, SIGKILL);
	wait_for(one);
	begun = seconds() - begun;
	kill(other, SIGKILL);
	wait_for(other);
	return begun;
}

/* rule 25: the end of a mapping that was revoked before releases nothing */
TEST(kill_of_a_process_with_revoked_mappings)
{
	const double live = kill_cost(4000, false);
	const double revoked = kill_cost(4000, true);

	ASSERT_LT(0, live);
	ASSERT_LT(0, revoked);
	printf("# kill -9 with 4000 mappings: %.1f ms, revoked: %.1f ms\n",
	       live * 1e3, revoked * 1e3);
	EXPECT_GT(10 * live + 1, revoked);
}

TEST_HARNESS_MAIN
