// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long the module holds a spinlock does not depend on how many aliases and
 * mappings a holder has: rule 25.
 *
 * Probes record when the module takes and releases each of its spinlocks. That says
 * something only on a machine with one processor whose clock counts instructions, as
 * nothing else can make a hold longer there, but for an interrupt: of several rounds
 * the shortest one counts. ICOUNT=1 in the environment tells of such a machine
 * (VM_ICOUNT=1 VM_CPUS=1 VM_APPEND=ICOUNT=1 for run.sh).
 */
#include <kselftest_harness.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common.h"
#include "control.h"
#include "proc.h"

#define TRACING "/sys/kernel/tracing/"
#define PROBES TRACING "events/dataspace_holds/"

#define ROUNDS 3
#define FEW 50
#define MANY 2000

/* What is allowed: so many times as long, and a time for what noise is left. */
#define TIMES 3
#define MORE_US 20

/* Locks that one processor can hold at once, and processors. */
#define DEPTH 4
#define CPUS 16

/* Aliases of one page, each mapped once; what they are derived from is not. */
struct crowd {
	int root;
	int parent;
	int count;
	int *fds;
};

/* Records only what is called by the module. */
static int filter_module(const char *probe)
{
	FILE *modules = fopen("/proc/modules", "re");
	char path[128], filter[128], line[512];
	unsigned long start = 0, size = 0;

	while (modules && fgets(line, sizeof(line), modules)) {
		if (!strncmp(line, "dataspace ", 10))
			sscanf(line, "dataspace %lu %*s %*s %*s %lx", &size,
			       &start);
	}
	if (modules)
		fclose(modules);
	if (!start)
		return -ENOENT;
	snprintf(path, sizeof(path), PROBES "%s/filter", probe);
	snprintf(filter, sizeof(filter), "caller >= 0x%lx && caller < 0x%lx",
		 start, start + size);
	return text_to_file(path, filter);
}

static void remove_probes(void)
{
	text_to_file(PROBES "enable", "0");
	text_to_file(TRACING "kprobe_events", "\n");
}

static int add_probes(void)
{
	static const char probes[] =
		"p:dataspace_holds/take _raw_spin_lock lock=%di caller=$stack0\n"
		"p:dataspace_holds/release _raw_spin_unlock lock=%di caller=$stack0\n";

	if (text_to_file(TRACING "kprobe_events", probes) ||
	    filter_module("take") || filter_module("release"))
		return -ENOENT;
	return text_to_file(TRACING "buffer_size_kb", "8192");
}

/* A line of the trace, as far as it matters here. */
struct event {
	int cpu;
	double us;
	bool releases;
	char lock[20];
};

/* "... [001] d..1. 12.345678: release: (_raw_spin_unlock+0x0/0x30) lock=0xff..." */
static bool parse_event(const char *line, struct event *event)
{
	const char *cpu = strchr(line, '[');
	const char *lock = strstr(line, "lock=");
	const char *name = strstr(line, ": take: (");

	event->releases = !name;
	if (!name)
		name = strstr(line, ": release: (");
	if (line[0] == '#' || !cpu || !name || !lock)
		return false;
	while (name > line && name[-1] != ' ')
		name--;
	event->cpu = atoi(cpu + 1) % CPUS;
	event->us = atof(name) * 1e6;
	return sscanf(lock, "lock=%19s", event->lock) == 1;
}

/* Microseconds of the longest time that a lock was held. */
static double read_holds(long *events)
{
	struct event held[CPUS][DEPTH] = {};
	FILE *trace = fopen(TRACING "trace", "re");
	struct event event;
	double longest = 0;
	char line[512];
	int i;

	*events = 0;
	while (trace && fgets(line, sizeof(line), trace)) {
		if (!parse_event(line, &event))
			continue;
		++*events;
		for (i = 0; i < DEPTH; i++) {
			struct event *taken = &held[event.cpu][i];

			if (!event.releases && !taken->lock[0]) {
				*taken = event;
				break;
			}
			if (event.releases &&
			    !strcmp(taken->lock, event.lock)) {
				if (event.us - taken->us > longest)
					longest = event.us - taken->us;
				taken->lock[0] = 0;
				break;
			}
		}
	}
	if (trace)
		fclose(trace);
	return longest;
}

static int crowd_begin(struct crowd *crowd, int count)
{
	int i;

	crowd->count = count;
	crowd->fds = calloc(count, sizeof(*crowd->fds));
	crowd->root = ds_alloc_pages(4);
	crowd->parent = ds_alias_pages(crowd->root, 0, 2, RIGHTS_RW);
	for (i = 0; i < count; i++) {
		int fd = ds_alias_pages(crowd->parent, 0, 1, RIGHTS_RW);
		char *map = ds_map(fd, page_size(), READ_WRITE);

		if (map == MAP_FAILED)
			return -errno;
		*map = 1;
		munmap(map, page_size());
		map = ds_map(fd, page_size(), PROT_READ);
		if (map == MAP_FAILED)
			return -errno;
		crowd->fds[i] = fd;
	}
	return 0;
}

static void crowd_end(struct crowd *crowd)
{
	int i;

	for (i = 0; i < crowd->count; i++)
		close(crowd->fds[i]);
	close(crowd->parent);
	close(crowd->root);
	free(crowd->fds);
}

static void alias_and_close(const struct crowd *crowd)
{
	close(ds_alias_pages(crowd->parent, 0, 1, RIGHTS_R));
}

static void map_and_unmap(const struct crowd *crowd)
{
	char *map = ds_map(crowd->parent, page_size(), PROT_READ);

	*(volatile char *)map;
	munmap(map, page_size());
}

static void info(const struct crowd *crowd)
{
	ds_exclusive(crowd->parent);
}

static void seal(const struct crowd *crowd)
{
	ds_seal(crowd->parent, 0);
}

static void revoke_all(const struct crowd *crowd)
{
	ds_revoke(crowd->root);
}

struct call {
	const char *name;
	void (*run)(const struct crowd *crowd);
};

/* In this order, as the last ones change what the others work on. */
static const struct call calls[] = {
	{ "alias+close", alias_and_close },
	{ "map+unmap", map_and_unmap },
	{ "info", info },
	{ "seal", seal },
	{ "revoke", revoke_all },
};

#define CALLS ARRAY_LENGTH(calls)

/* The longest hold in each call, in microseconds. */
static int measure(int count, double *longest, long *events)
{
	size_t i, round;

	for (i = 0; i < CALLS; i++)
		longest[i] = 1e9;
	for (round = 0; round < ROUNDS; round++) {
		struct crowd crowd;
		int ret = crowd_begin(&crowd, count);

		for (i = 0; !ret && i < CALLS; i++) {
			double hold;

			text_to_file(TRACING "trace", "\n");
			text_to_file(PROBES "enable", "1");
			calls[i].run(&crowd);
			text_to_file(PROBES "enable", "0");
			hold = read_holds(&events[i]);
			if (hold < longest[i])
				longest[i] = hold;
		}
		crowd_end(&crowd);
		if (ret)
			return ret;
	}
	return 0;
}

/* clang-format off */

FIXTURE(holds)
{
};

/* clang-format on */

FIXTURE_SETUP(holds)
{
	if (!getenv("ICOUNT"))
		SKIP(return, "needs a clock that counts instructions");
	if (add_probes()) {
		remove_probes();
		SKIP(return, "this kernel has no probes of its spinlocks");
	}
	ASSERT_EQ(0, allow_fds(MANY + 100));
}

FIXTURE_TEARDOWN(holds)
{
	remove_probes();
}

/* rule 25 */
TEST_F_TIMEOUT(holds, do_not_grow_with_aliases_and_mappings, LONG_TIMEOUT)
{
	double few[CALLS], many[CALLS];
	long events[CALLS];
	size_t i;

	ASSERT_EQ(0, measure(FEW, few, events));
	ASSERT_EQ(0, measure(MANY, many, events));
	for (i = 0; i < CALLS; i++) {
		TH_LOG("%-11s %6.0f us among %d, %6.0f us among %d, %ld events",
		       calls[i].name, few[i], FEW, many[i], MANY, events[i]);
		EXPECT_LT(0, events[i]);
		EXPECT_LT(0, many[i]);
		EXPECT_GT(TIMES * few[i] + MORE_US, many[i]);
	}
}

TEST_HARNESS_MAIN
