// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAL_NOW beside system calls that are half done, and beside readers: rule 18.
 *
 * A thread of idle priority makes a system call on a mapping. Another thread on
 * its processor takes that away from it in the middle of the call, for a while, in
 * which SEAL_NOW is called on the other processor. Where in the call that happens
 * is different in each round, and only few moments matter. RACE_SECONDS=<number> in
 * the environment sets for how long each call is tried, twice that long.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "race.h"
#include "sigbus.h"

#define NOW DATASPACE_SEAL_NOW

/* Pages of the mapping, and those that the call is for. */
#define PAGES 8
#define FIRST 1
#define END 3

/* For how many seconds the processor is taken away. */
#define AWAY 0.008

/* What the threads share; the test's own is the one that calls SEAL_NOW. */
FIXTURE(sealing)
{
	void (*call)(FIXTURE_DATA(sealing) * self);
	int root;
	char *map;
	/* where mremap() moves to, and the child of fork() */
	char *target;
	pid_t child;
	/* a round is asked for, and its call is done, by number */
	int asked;
	int done;
	/* the processor is to be taken away, and is */
	int away_event;
	int away;
	/* the round's SEAL_NOW is over, for the child; shared */
	int *sealed;
};

#define get(field) __atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define set(field, value) __atomic_store_n(&(field), value, __ATOMIC_SEQ_CST)

static char *first_of(const FIXTURE_DATA(sealing) * self)
{
	return self->map + FIRST * page_size();
}

static size_t length_of_part(void)
{
	return (END - FIRST) * page_size();
}

static void *make_calls(void *arg)
{
	const struct sched_param param = { .sched_priority = 0 };
	struct _test_data_sealing *self = arg;
	int round = 0;

	run_on_cpu(0);
	sched_setscheduler(0, SCHED_IDLE, &param);
	for (;;) {
		while (get(self->asked) == round)
			sched_yield();
		round = get(self->asked);
		self->call(self);
		set(self->done, round);
	}
	return NULL;
}

static void *take_away(void *arg)
{
	struct _test_data_sealing *self = arg;
	double end;
	__u64 count;

	run_on_cpu(0);
	while (read(self->away_event, &count, sizeof(count)) > 0) {
		end = seconds() + AWAY;
		while (seconds() < end)
			;
		set(self->away, 0);
	}
	return NULL;
}

FIXTURE_SETUP(sealing)
{
	pthread_t thread;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	sigbus_init();
	srand(random_seed());
	self->sealed = mmap(NULL, page_size(), READ_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->sealed);
	self->target = mmap(NULL, length_of_part(), PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->target);
	self->away_event = eventfd(0, EFD_CLOEXEC);
	ASSERT_LE(0, self->away_event);
	ASSERT_EQ(0, pthread_create(&thread, NULL, make_calls, self));
	ASSERT_EQ(0, pthread_create(&thread, NULL, take_away, self));
	run_on_cpu(1);
}

/* The threads end with the process. */
FIXTURE_TEARDOWN(sealing)
{
}

static void call_mprotect(FIXTURE_DATA(sealing) * self)
{
	mprotect(first_of(self), length_of_part(), READ_WRITE);
}

static void call_madvise(FIXTURE_DATA(sealing) * self)
{
	madvise(first_of(self), length_of_part(), MADV_SEQUENTIAL);
}

static void call_munmap(FIXTURE_DATA(sealing) * self)
{
	munmap(first_of(self), length_of_part());
}

static void call_mremap(FIXTURE_DATA(sealing) * self)
{
	mremap(first_of(self), length_of_part(), length_of_part(),
	       MREMAP_MAYMOVE | MREMAP_FIXED, self->target);
}

static int pages_written(char *map, size_t pages)
{
	int written = 0;
	__u64 value;
	size_t i;

	for (i = 0; i < pages; i++) {
		try_load(map + i * page_size(), &value);
		written += !try_store(map + i * page_size(), 1);
	}
	return written;
}

/* The child tells how many pages it could write to after SEAL_NOW. */
static void call_fork(FIXTURE_DATA(sealing) * self)
{
	self->child = fork();
	if (self->child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!get(*self->sealed))
		usleep(100);
	_exit(pages_written(self->map, PAGES));
}

static void touch(const char *map)
{
	__u64 value;
	size_t i;

	for (i = 0; i < PAGES; i++)
		try_load(map + i * page_size(), &value);
}

/* Starts the call, and takes the processor away from it some time later. */
static void start_call(FIXTURE_DATA(sealing) * self, int round)
{
	const __u64 one = 1;
	unsigned int spin = rand() % 6000;

	set(*self->sealed, 0);
	set(self->away, 1);
	set(self->asked, round);
	while (spin--)
		get(self->away);
	write(self->away_event, &one, sizeof(one));
}

static void finish_call(FIXTURE_DATA(sealing) * self, int round)
{
	while (get(self->done) != round || get(self->away))
		usleep(200);
	set(*self->sealed, 1);
}

/* How many pages can be written to, wherever the call has left them. */
static int count_written(FIXTURE_DATA(sealing) * self)
{
	int written = pages_written(self->map, PAGES) +
		      pages_written(self->target, END - FIRST);
	int status = self->child ? wait_for(self->child) : 0;

	self->child = 0;
	return written + (WIFEXITED(status) ? WEXITSTATUS(status) : 0);
}

static void forget_mapping(FIXTURE_DATA(sealing) * self)
{
	munmap(self->map, PAGES * page_size());
	mmap(self->target, length_of_part(), PROT_NONE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	close(self->root);
}

/* A munmap() that is half done has references to pages: that may be EBUSY. */
static void seal_rounds(struct __test_metadata *_metadata,
			FIXTURE_DATA(sealing) * self,
			void (*call)(FIXTURE_DATA(sealing) * self), int prot)
{
	const double end = seconds() + 2 * race_seconds();
	int in_flight = 0;
	int written = 0;
	int sealed = 0;
	int round = 0;
	int ret;

	self->call = call;
	while (seconds() < end) {
		self->root = ds_alloc_pages(PAGES);
		ASSERT_LE(0, self->root);
		self->map = ds_map(self->root, PAGES * page_size(), prot);
		ASSERT_NE(MAP_FAILED, self->map);
		touch(self->map);
		start_call(self, ++round);
		ret = ds_seal(self->root, NOW);
		EXPECT_TRUE(ret == 0 || ret == -EBUSY);
		sealed += !ret;
		in_flight += !ret && get(self->done) != round;
		touch(self->map);
		finish_call(self, round);
		written += count_written(self) && !ret;
		forget_mapping(self);
	}
	printf("# sealed %d times in %d rounds, with the call in flight %d\n",
	       sealed, round, in_flight);
	EXPECT_EQ(0, written);
	if (!in_flight)
		SKIP(return, "the call was never in flight");
}

/* rule 18: a mapping that is being made writable */
TEST_F(sealing, mprotect_in_flight)
{
	seal_rounds(_metadata, self, call_mprotect, PROT_READ);
}

/* rule 18: VMAs that are being split are sealed in all parts */
TEST_F(sealing, madvise_in_flight)
{
	seal_rounds(_metadata, self, call_madvise, READ_WRITE);
}

/* rule 18: what is left when a part is unmapped */
TEST_F(sealing, munmap_in_flight)
{
	seal_rounds(_metadata, self, call_munmap, READ_WRITE);
}

/* rule 18: here and there */
TEST_F(sealing, mremap_in_flight)
{
	seal_rounds(_metadata, self, call_mremap, READ_WRITE);
}

/* rule 18: the child is sealed, too */
TEST_F(sealing, fork_in_flight)
{
	seal_rounds(_metadata, self, call_fork, READ_WRITE);
}

/* Somebody who reads a page over and over. */
static pid_t start_reader(int ds)
{
	pid_t reader = fork();
	char page[4096];

	if (reader)
		return reader;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pread(ds, page, sizeof(page), 0);
}

/* rule 18: a reader is no pin, also of another page of the same large folio */
TEST(a_reader_does_not_make_it_EBUSY)
{
	const size_t pages = huge_size() / page_size();
	int root = ds_alloc(huge_size(), RIGHTS_RW, 0);
	int own = ds_alias_pages(root, pages - 1, pages, RIGHTS_R);
	int refused = 0;
	pid_t reader;
	size_t i;

	ASSERT_LE(0, own);
	reader = start_reader(own);
	usleep(20000);
	for (i = 0; i < 60; i++) {
		int ds = ds_alias_pages(root, i, i + 1, RIGHTS_RW);
		char *map = ds_map(ds, page_size(), READ_WRITE);

		ASSERT_NE(MAP_FAILED, map);
		*map = 1;
		refused += ds_seal(ds, NOW) != 0;
		munmap(map, page_size());
		close(ds);
	}
	EXPECT_EQ(0, refused);
	kill(reader, SIGKILL);
	wait_for(reader);
}

/* A process that exits with the errno of SEAL_NOW. */
static pid_t seal_in_child(int ds)
{
	pid_t child = fork();

	if (!child)
		_exit(-ds_seal(ds, NOW));
	return child;
}

static bool has_ended(pid_t child)
{
	siginfo_t info = { .si_pid = 0 };

	waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid == child;
}

static int compare(const void *one, const void *other)
{
	const double *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

#define TIMES 11

/*
 * rules 18 and 25: the median of some rounds, as an emulated processor may stand
 * still at any time
 */
TEST(an_ancestors_REVOKE_does_not_wait_for_it)
{
	int root = ds_alloc_pages(4);
	double took[TIMES];
	int beside = 0;
	int i;

	for (i = 0; i < TIMES; i++) {
		int parent = ds_alias_pages(root, 0, 4, RIGHTS_RW);
		int ds = ds_alias_pages(parent, 1, 2, RIGHTS_RW);
		char *map = ds_map(ds, page_size(), READ_WRITE);
		struct pin pin;
		pid_t child;
		int status;

		ASSERT_NE(MAP_FAILED, map);
		ASSERT_EQ(0, pin_page(&pin, map));
		child = seal_in_child(ds);
		usleep(15000);
		beside += !has_ended(child);
		took[i] = seconds();
		EXPECT_EQ(0, ds_revoke(parent));
		took[i] = seconds() - took[i];
		status = wait_for(child);
		EXPECT_TRUE(WIFEXITED(status) &&
			    (WEXITSTATUS(status) == EBUSY ||
			     WEXITSTATUS(status) == ESTALE));
		pin_close(&pin);
		munmap(map, page_size());
		close(ds);
		close(parent);
	}
	qsort(took, TIMES, sizeof(*took), compare);
	printf("# REVOKE took %.1f ms beside SEAL_NOW in %d of %d rounds\n",
	       took[TIMES / 2] * 1e3, beside, TIMES);
	EXPECT_GT(0.1, took[TIMES / 2]);
	if (!beside)
		SKIP(return, "SEAL_NOW had always ended");
	close(root);
}

TEST_HARNESS_MAIN
