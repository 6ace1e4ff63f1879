// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random programs of system calls, for some time: the kernel must not complain,
 * and nothing may be left. A program that reaches a place in the module that no
 * other has reached is kept, and others are made from it.
 *
 * A child runs them in batches and reports each through a pipe. Every few
 * batches it is killed in the middle of one. It may also crash by itself, as
 * programs unmap and close at random; that is no failure.
 *
 * FUZZ_MINUTES and SEED in the environment set how long and from which seed on;
 * FUZZ_PLACES is the number of places in the module, for the report.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/wait.h>

#include "common.h"
#include "kcov.h"
#include "kmod.h"
#include "program.h"

#define TIMEOUT 36000
#define BATCH 40
#define CORPUS_MAX 4096

/* The child of every fourth batch is killed, and each that takes too long. */
#define KILLED_BATCH 4
#define BATCH_SECONDS 60

/* The memory that all dataspaces may have, so that some is left for others. */
#define LIMIT_FILE "/sys/module/dataspace/parameters/limit_mb"
#define LIMIT_MB 48

static struct {
	struct program programs[CORPUS_MAX];
	__u32 count;
} corpus;

static struct places known;

static struct {
	__u64 batches;
	__u64 programs;
	__u64 killed;
	__u64 died;
} counts;

/* What the child reports about a program; places that are new follow. */
struct report {
	struct program program;
	__u32 places;
};

static void choose_program(struct program *program, struct source *source)
{
	const struct program *other;

	if (!corpus.count || !source_below(source, 8)) {
		program_make(program, source);
		return;
	}
	*program = corpus.programs[source_below(source, corpus.count)];
	other = &corpus.programs[source_below(source, corpus.count)];
	program_mutate(program, other, source);
}

static void tell(FILE *out, const struct program *program)
{
	struct report report = { .program = *program };
	const __u64 *passed;
	__u64 *places;
	size_t count = kcov_passed(&passed);
	size_t i;

	places = malloc((count + 1) * sizeof(*places));
	for (i = 0; places && i < count; i++) {
		if (places_add(&known, passed[i]))
			places[report.places++] = passed[i];
	}
	fwrite(&report, sizeof(report), 1, out);
	fwrite(places, sizeof(*places), report.places, out);
	fflush(out);
	free(places);
}

static void run_batch(FILE *out, __u64 seed)
{
	struct source source = { .state = seed };
	struct program program;
	int i;

	if (programs_init() || kcov_start())
		_exit(1);
	alarm(BATCH_SECONDS);
	for (i = 0; i < BATCH; i++) {
		choose_program(&program, &source);
		kcov_reset();
		program_run(&program);
		tell(out, &program);
	}
	_exit(0);
}

static void keep(const struct program *program, __u32 places)
{
	if (corpus.count < CORPUS_MAX)
		corpus.programs[corpus.count++] = *program;
	printf("# %llu: %u new:", counts.programs, places);
	program_print(program, stdout);
}

/* Reads reports until the child has exited or sends what is none. */
static void listen_to(FILE *in)
{
	struct report report;
	__u64 place;
	__u32 i;

	while (fread(&report, sizeof(report), 1, in) == 1) {
		if (!program_is_valid(&report.program))
			return;
		counts.programs++;
		for (i = 0; i < report.places; i++) {
			if (fread(&place, sizeof(place), 1, in) != 1)
				return;
			places_add(&known, place);
		}
		if (report.places)
			keep(&report.program, report.places);
	}
}

static void wait_for_child(pid_t child)
{
	int status = wait_for(child);

	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		counts.died++;
}

/* Kills the child from another process, as this one reads reports. */
static pid_t start_killer(pid_t victim, struct source *source)
{
	const useconds_t delay = source_below(source, 2000000);
	pid_t killer;

	if (++counts.batches % KILLED_BATCH)
		return 0;
	counts.killed++;
	killer = fork();
	if (killer)
		return killer;
	usleep(delay);
	kill(victim, SIGKILL);
	_exit(0);
}

static bool one_batch(struct source *source)
{
	__u64 seed = source_next(source) | 1;
	pid_t child, killer;
	int ends[2];
	FILE *in;

	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC))
		return false;
	child = fork();
	if (!child)
		run_batch(fdopen(ends[1], "w"), seed);
	close(ends[1]);
	killer = start_killer(child, source);
	in = fdopen(ends[0], "r");
	listen_to(in);
	fclose(in);
	if (killer)
		wait_for(killer);
	wait_for_child(child);
	return child > 0;
}

static bool nothing_is_left(long long users)
{
	double end = seconds() + 10;

	while (number_in_file(KMOD_REFCNT, "") != users && seconds() < end)
		usleep(100000);
	return number_in_file(KMOD_REFCNT, "") == users;
}

static double asked_minutes(void)
{
	const char *given = getenv("FUZZ_MINUTES");

	return given ? strtod(given, NULL) : 1;
}

static void print_counts(double minutes)
{
	const char *places = getenv("FUZZ_PLACES");

	printf("# note: %llu programs in %.1f minutes, %llu batches killed, %llu died\n",
	       counts.programs, minutes, counts.killed, counts.died);
	printf("# note: %u programs kept, which reach %zu of %s places\n",
	       corpus.count, known.count, places ? places : "?");
}

FIXTURE(fuzz)
{
	long long users;
};

FIXTURE_SETUP(fuzz)
{
	self->users = number_in_file(KMOD_REFCNT, "");
	number_to_file(LIMIT_FILE, LIMIT_MB);
}

FIXTURE_TEARDOWN(fuzz)
{
	number_to_file(LIMIT_FILE, 0);
}

TEST_F_TIMEOUT(fuzz, nothing_to_complain_about, TIMEOUT)
{
	/* the generator would stay at 0 */
	struct source source = { .state = random_seed() + 1ULL };
	double minutes = asked_minutes();
	double start = seconds();

	while (seconds() - start < minutes * 60)
		ASSERT_TRUE(one_batch(&source));
	print_counts((seconds() - start) / 60);
	EXPECT_LT(0, known.count)
	{
		TH_LOG("no coverage: was the module built for it?");
	}
	EXPECT_TRUE(nothing_is_left(self->users));
}

TEST_HARNESS_MAIN
