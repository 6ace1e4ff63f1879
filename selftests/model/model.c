// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random operations of several processes and threads are compared with a model:
 * rules 1, 5, 7, 8, 10, 12 to 15 and 17 to 19. After each operation the module
 * has to agree with the model on its result, on contents, rights and INFO, and
 * on which physical pages are held and which have gone back. See model.h.
 *
 * A difference is printed with the seed of its world, which is enough to repeat
 * it, with this in the environment (VM_APPEND for run.sh):
 *
 *	SEED=<number> WORLDS=1 STEPS=<number>
 */
#include <kselftest_harness.h>

#include "common.h"
#include "model.h"
#include "pages.h"

/*
 * Debug kernels are slower. A machine that has other things to do may stop after a
 * while, when a fair part of the steps has been done.
 */
#define STEPS 1000000
#define STEPS_DEBUG 100000
#define FAIR_PART 5
#define ENOUGH_SECONDS 600
#define TIMEOUT 840

/*
 * Migration of pages to make a contiguous run looks at pages of other worlds,
 * which can't be released for that moment; and while a page is allocated again
 * its flags may look as if it had not been released.
 */
#define LATE_ONE_OF 1000

/* A small machine does not have a run of a few MiB for each request. */
#define REFUSED_ONE_OF 2000

/* The physical pages that the table of owners has room for. */
#define FRAMES (256 << 20)

static long from_environment(const char *name, long otherwise)
{
	const char *given = getenv(name);

	return given ? atol(given) : otherwise;
}

static void *share(size_t length)
{
	return mmap(NULL, length, READ_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

FIXTURE(model)
{
	int nr_worlds;
	struct world *worlds;
	__u16 *owner;
	int flags_fd;
	long held;
	int fds;
};

FIXTURE_SETUP(model)
{
	self->held = pages_held_by_anyone();
	self->fds = count_fds();
	/* a debug kernel stops if it shows a page that is just being split */
	self->flags_fd = -1;
	if (from_environment("LOOK_AT_PAGES", 1)) {
		self->flags_fd = page_flags_open();
		ASSERT_LE(0, self->flags_fd);
	}
	self->nr_worlds = from_environment("WORLDS", WORLDS);
	ASSERT_LE(1, self->nr_worlds);
	ASSERT_GE(WORLDS_MAX, self->nr_worlds);
	self->worlds = share(self->nr_worlds * sizeof(*self->worlds));
	self->owner = share(FRAMES * sizeof(*self->owner));
	ASSERT_NE(MAP_FAILED, self->worlds);
	ASSERT_NE(MAP_FAILED, self->owner);
}

FIXTURE_TEARDOWN(model)
{
	close(self->flags_fd);
	EXPECT_EQ(self->held, pages_held_by_anyone());
	EXPECT_EQ(self->fds, count_fds());
}

/* What all worlds have done, added up. */
struct totals {
	long done[OPERATIONS];
	long steps;
	long looks;
	long late;
	long refused;
	long deepest;
};

static void add(struct totals *totals, const struct world *world)
{
	int i;

	for (i = 0; i < OPERATIONS; i++)
		totals->done[i] += world->done[i];
	totals->steps += world->step;
	totals->looks += world->looks;
	totals->late += world->waited;
	totals->refused += world->refused;
	if (world->deepest > totals->deepest)
		totals->deepest = world->deepest;
}

static void print_operations(const struct totals *totals)
{
	int i;

	fprintf(stderr, "#");
	for (i = 0; i < OPERATIONS; i++)
		fprintf(stderr, " %s %ld", operation_name(i), totals->done[i]);
	fprintf(stderr, "\n");
}

static pid_t start_world(struct world *world, int index, unsigned int seed)
{
	pid_t child;

	world->index = index;
	world->seed = seed + index;
	child = fork();
	if (!child)
		_exit(!world_run(world));
	return child;
}

/* rules 1, 5, 7, 8, 10, 12, 13, 14, 15, 17, 18 and 19 */
TEST_F_TIMEOUT(model, matches_after_every_random_step, TIMEOUT)
{
	bool debug = is_debug_kernel();
	long steps = from_environment("STEPS", debug ? STEPS_DEBUG : STEPS);
	unsigned int seed = random_seed();
	struct totals totals = {};
	double begin = seconds();
	pid_t children[WORLDS_MAX];
	int differences = 0;
	int i;

	for (i = 0; i < self->nr_worlds; i++) {
		self->worlds[i].steps = steps / self->nr_worlds;
		self->worlds[i].end = begin + ENOUGH_SECONDS;
		self->worlds[i].owner = self->owner;
		self->worlds[i].flags_fd = self->flags_fd;
		children[i] = start_world(&self->worlds[i], i, seed);
	}
	for (i = 0; i < self->nr_worlds; i++) {
		differences += !!wait_for(children[i]);
		add(&totals, &self->worlds[i]);
	}
	print_operations(&totals);
	TH_LOG("%s kernel, %s registers memory of files, %d worlds",
	       debug ? "debug" : "release",
	       self->worlds[0].rings ? "which" : "which never",
	       self->nr_worlds);
	TH_LOG("%ld operations in %.1f s, %ld pages looked at, %ld of them late",
	       totals.steps, seconds() - begin, totals.looks, totals.late);
	TH_LOG("%ld runs of pages were not there", totals.refused);
	TH_LOG("derivation was up to %ld deep", totals.deepest);
	TH_LOG("worlds with differences: %d", differences);
	EXPECT_EQ(0, differences);
	EXPECT_LE(steps / FAIR_PART / self->nr_worlds * self->nr_worlds,
		  totals.steps);
	EXPECT_GE(totals.looks / LATE_ONE_OF, totals.late);
	EXPECT_GE(totals.steps / REFUSED_ONE_OF, totals.refused);
}

TEST_HARNESS_MAIN
