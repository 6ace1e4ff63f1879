// SPDX-License-Identifier: GPL-2.0-only
/*
 * The copies that revoking does not kill: they return an error, tell which, pin
 * nothing, and have nothing to do with the program's own handler of SIGBUS.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "library_call.h"

#define PAGES 4
#define THREADS 4

/* What the threads copy, whatever the size of a page. */
#define COPIED (PAGES * 4096)

/* Grants that are revoked under the copying threads, one after another. */
#define ROUNDS 20
#define ROUND_US 20000

static volatile sig_atomic_t signals;

static void on_sigbus(int signal)
{
	signals++;
}

FIXTURE(copy)
{
	int fds;
	size_t bytes;
	int ds;
	int loan;
	char *all; /* a mapping of ds */
	char *map; /* a mapping of loan */
	char *own;
};

FIXTURE_SETUP(copy)
{
	const struct sigaction action = { .sa_handler = on_sigbus };

	self->fds = count_fds();
	self->bytes = PAGES * page_size();
	self->ds = dataspace_alloc(self->bytes, RIGHTS_RW, 0);
	ASSERT_LE(0, self->ds);
	self->loan = dataspace_alias(self->ds, 0, self->bytes, RIGHTS_RW, 0);
	ASSERT_LE(0, self->loan);
	self->all = ds_map(self->ds, self->bytes, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->all);
	self->map = ds_map(self->loan, self->bytes, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	self->own = malloc(self->bytes);
	ASSERT_NE(NULL, self->own);
	ASSERT_EQ(0, sigaction(SIGBUS, &action, NULL));
	signals = 0;
}

FIXTURE_TEARDOWN(copy)
{
	struct sigaction action;

	EXPECT_EQ(0, sigaction(SIGBUS, NULL, &action));
	EXPECT_TRUE(action.sa_handler == on_sigbus);
	EXPECT_EQ(0, signals);
	free(self->own);
	munmap(self->map, self->bytes);
	munmap(self->all, self->bytes);
	close(self->loan);
	close(self->ds);
	EXPECT_EQ(self->fds, count_fds());
}

TEST_F(copy, copies_each_byte_and_no_other)
{
	size_t end = self->bytes - 1;

	memset(self->all, 'd', self->bytes);
	memset(self->own, 'o', self->bytes);
	ASSERT_EQ(0, CALL(dataspace_copy_from(self->loan, self->own + 1,
					      self->map + 1, end - 1)));
	EXPECT_EQ('o', self->own[0]);
	EXPECT_TRUE(bytes_are(self->own + 1, end - 1, 'd'));
	EXPECT_EQ('o', self->own[end]);
	memset(self->own, 'o', self->bytes);
	ASSERT_EQ(0, CALL(dataspace_copy_to(self->loan, self->map + 1,
					    self->own + 1, end - 1)));
	EXPECT_EQ('d', self->all[0]);
	EXPECT_TRUE(bytes_are(self->all + 1, end - 1, 'o'));
	EXPECT_EQ('d', self->all[end]);
	EXPECT_EQ(0, CALL(dataspace_copy_from(self->loan, NULL, NULL, 0)));
}

/* rule 17 */
TEST_F(copy, what_is_revoked_is_stale)
{
	memset(self->all, 'd', self->bytes);
	ASSERT_EQ(0, CALL(dataspace_revoke(self->ds, 0)));
	memset(self->own, 'o', self->bytes);
	EXPECT_EQ(-ESTALE, CALL(dataspace_copy_from(self->loan, self->own,
						    self->map, self->bytes)));
	EXPECT_TRUE(bytes_are(self->own, self->bytes, 'o'));
	EXPECT_EQ(-ESTALE, CALL(dataspace_copy_to(self->loan, self->map,
						  self->own, self->bytes)));
	EXPECT_TRUE(bytes_are(self->all, self->bytes, 'd'));
}

/* rule 18 */
TEST_F(copy, nothing_is_copied_into_what_is_sealed)
{
	ASSERT_EQ(0, CALL(dataspace_seal(self->ds, DATASPACE_SEAL_NOW)));
	EXPECT_EQ(-EPERM, CALL(dataspace_copy_to(self->loan, self->map,
						 self->own, self->bytes)));
	EXPECT_EQ(0, CALL(dataspace_copy_from(self->loan, self->own, self->map,
					      self->bytes)));
}

/* rule 10 */
TEST_F(copy, what_is_mapped_read_only_is_a_fault)
{
	char *map = ds_map(self->loan, self->bytes, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-EFAULT,
		  CALL(dataspace_copy_to(self->loan, map, self->own, 1)));
	EXPECT_EQ(0, CALL(dataspace_copy_from(self->loan, self->own, map, 1)));
	munmap(map, self->bytes);
}

TEST_F(copy, wrong_addresses_are_faults)
{
	int loan = self->loan;

	EXPECT_EQ(-EFAULT, CALL(dataspace_copy_from(loan, self->own, NULL, 1)));
	EXPECT_EQ(-EFAULT, CALL(dataspace_copy_from(loan, NULL, self->map, 1)));
	EXPECT_EQ(-EFAULT, CALL(dataspace_copy_to(loan, NULL, self->own, 1)));
	EXPECT_EQ(-EFAULT, CALL(dataspace_copy_to(loan, self->map, NULL, 1)));
}

/* Half of the range is not mapped: what comes before that is copied. */
TEST_F(copy, ends_at_the_first_page_that_is_missing)
{
	size_t half = self->bytes / 2;

	memset(self->all, 'd', self->bytes);
	memset(self->own, 'o', self->bytes);
	ASSERT_EQ(0, munmap(self->map + half, half));
	EXPECT_EQ(-EFAULT, CALL(dataspace_copy_from(self->loan, self->own,
						    self->map, self->bytes)));
	EXPECT_TRUE(bytes_are(self->own, half, 'd'));
	EXPECT_TRUE(bytes_are(self->own + half, half, 'o'));
}

TEST_F(copy, descriptors_are_told_apart)
{
	char *own = self->own;
	char *map = self->map;

	EXPECT_EQ(-EXDEV, CALL(dataspace_copy_from(-EXDEV, own, map, 1)));
	EXPECT_EQ(-EXDEV, CALL(dataspace_copy_to(-EXDEV, map, own, 1)));
	EXPECT_EQ(-EBADF, CALL(dataspace_copy_from(CLOSED, own, NULL, 1)));
	EXPECT_EQ(-EBADF, CALL(dataspace_copy_to(CLOSED, NULL, own, 1)));
	EXPECT_EQ(-EBADFD,
		  CALL(dataspace_copy_from(STDERR_FILENO, own, NULL, 1)));
	EXPECT_EQ(-EBADFD,
		  CALL(dataspace_copy_to(STDERR_FILENO, NULL, own, 1)));
}

static void *copy_without_the_first_thread(void *arg)
{
	char *map = arg;
	char own;

	usleep(100000);
	_exit(dataspace_copy_from(0, &own, map, 1) || own != 'd');
}

/* The process goes on when its first thread has ended. */
TEST_F(copy, needs_no_first_thread)
{
	pthread_t thread;
	pid_t child;

	self->all[0] = 'd';
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		pthread_create(&thread, NULL, copy_without_the_first_thread,
			       self->map);
		pthread_exit(NULL);
	}
	EXPECT_EQ(0, wait_for(child));
}

struct copier {
	pthread_t thread;
	int ds;
	char *map;
	unsigned long rounds;
	int ret_from;
	int ret_to;
};

/* Copies in both directions until both fail. */
static void *copy_until_revoked(void *arg)
{
	struct copier *copier = arg;
	char own[COPIED];

	do {
		copier->ret_from = dataspace_copy_from(copier->ds, own,
						       copier->map, COPIED);
		copier->ret_to =
			dataspace_copy_to(copier->ds, copier->map, own, COPIED);
		__atomic_add_fetch(&copier->rounds, 1, __ATOMIC_RELAXED);
	} while (!copier->ret_from || !copier->ret_to);
	return NULL;
}

static bool wait_for_a_copy(struct copier *copier)
{
	double end = seconds() + STUCK;

	while (!__atomic_load_n(&copier->rounds, __ATOMIC_RELAXED))
		if (seconds() > end)
			return false;
	return true;
}

/* How many of the copiers of a new grant end as they should. */
static int revoke_under_copiers(int ds, size_t bytes, char *all)
{
	int grant = dataspace_alias(ds, 0, bytes, RIGHTS_RW, 0);
	struct copier copiers[THREADS] = {};
	char *map = ds_map(grant, bytes, READ_WRITE);
	int good = 0;
	int i;

	for (i = 0; i < THREADS; i++) {
		copiers[i].ds = grant;
		copiers[i].map = map;
		pthread_create(&copiers[i].thread, NULL, copy_until_revoked,
			       &copiers[i]);
	}
	for (i = 0; i < THREADS; i++)
		good += wait_for_a_copy(&copiers[i]);
	usleep(ROUND_US);
	good += !dataspace_revoke(ds, 0);
	memset(all, 'd', bytes);
	for (i = 0; i < THREADS; i++)
		pthread_join(copiers[i].thread, NULL);
	for (i = 0; i < THREADS; i++)
		good += copiers[i].ret_from == -ESTALE &&
			copiers[i].ret_to == -ESTALE;
	good += bytes_are(all, bytes, 'd');
	munmap(map, bytes);
	close(grant);
	return good;
}

/* rule 17: a copy under way changes nothing any more when revoking has ended. */
TEST_F(copy, threads_survive_revoking)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(2 * THREADS + 2,
			  revoke_under_copiers(self->ds, self->bytes,
					       self->all))
	TH_LOG("round %d", i);
}

static void *copy_for_ever(void *arg)
{
	struct copier *copier = arg;
	char own[COPIED];

	while (!dataspace_copy_from(copier->ds, own, copier->map, COPIED))
		__atomic_add_fetch(&copier->rounds, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* rule 18: readers are no pin. */
TEST_F(copy, sealing_is_not_kept_from_a_page_that_is_read)
{
	struct copier copier = { .ds = self->loan, .map = self->map };
	int grant;
	int i;

	ASSERT_EQ(0,
		  pthread_create(&copier.thread, NULL, copy_for_ever, &copier));
	ASSERT_TRUE(wait_for_a_copy(&copier));
	for (i = 0; i < ROUNDS; i++) {
		grant = dataspace_alias(self->ds, 0, self->bytes, RIGHTS_RW, 0);
		ASSERT_LE(0, grant);
		EXPECT_EQ(0, dataspace_seal(grant, DATASPACE_SEAL_NOW));
		close(grant);
	}
	EXPECT_EQ(0, dataspace_revoke(self->ds, 0));
	EXPECT_EQ(0, pthread_join(copier.thread, NULL));
}

TEST_HARNESS_MAIN
