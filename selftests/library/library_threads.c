// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library in many threads and signal handlers at the same time: calls share
 * no state, so each does what it does alone, and errno stays.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common.h"
#include "library_call.h"

#define THREADS 8
#define ROUNDS 200
#define PAGES 4

/* Rounds of a signal handler, and microseconds between signals. */
#define SIGNAL_ROUNDS 50
#define SIGNAL_US 30000

struct worker {
	pthread_t thread;
	int ds; /* shared by all threads */
	int ends[2];
	unsigned int bad;
};

static int alias_of(int ds, __u32 rights)
{
	return CALL(dataspace_alias(ds, 0, page_size(), rights, 0));
}

/* Sends @ds, closes it and receives it again. */
static int pass_on(struct worker *worker, int ds)
{
	int sent = CALL(dataspace_send(worker->ends[0], ds));

	close(ds);
	return sent ? sent : CALL(dataspace_recv(worker->ends[1]));
}

/* rule 17 */
static bool revoke_one(int grant, int ds)
{
	struct dataspace_info info;

	return !CALL(dataspace_revoke(grant, 0)) &&
	       alias_of(ds, RIGHTS_R) == -ESTALE &&
	       !CALL(dataspace_info(ds, &info, sizeof(info))) &&
	       info.state & DATASPACE_STATE_REVOKED;
}

/* rule 18 */
static bool seal_one(int grant)
{
	int ds;

	if (CALL(dataspace_seal(grant, 0)) ||
	    alias_of(grant, RIGHTS_RW) != -EPERM)
		return false;
	ds = alias_of(grant, RIGHTS_R);
	close(ds);
	return ds >= 0;
}

static bool one_round(struct worker *worker)
{
	int grant = alias_of(worker->ds, RIGHTS_RW);
	int ds = pass_on(worker, alias_of(grant, RIGHTS_R));
	bool good = ds >= 0 && revoke_one(grant, ds) && seal_one(grant) &&
		    CALL(dataspace_revoke(-EXDEV, 0)) == -EXDEV;

	close(ds);
	close(grant);
	return good;
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	int i;

	for (i = 0; i < ROUNDS; i++)
		worker->bad += !one_round(worker);
	return NULL;
}

FIXTURE(threads)
{
	int fds;
	int ds;
};

FIXTURE_SETUP(threads)
{
	self->fds = count_fds();
	self->ds = dataspace_alloc(PAGES * page_size(), RIGHTS_RW, 0);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(threads)
{
	struct dataspace_info info;

	EXPECT_EQ(0, dataspace_info(self->ds, &info, sizeof(info)));
	EXPECT_EQ(0, info.aliases);
	EXPECT_EQ(RIGHTS_RW, info.rights);
	close(self->ds);
	EXPECT_EQ(self->fds, count_fds());
}

TEST_F(threads, do_not_disturb_each_other)
{
	struct worker workers[THREADS] = {};
	int i;

	for (i = 0; i < THREADS; i++) {
		workers[i].ds = self->ds;
		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0,
					workers[i].ends));
		ASSERT_EQ(0, pthread_create(&workers[i].thread, NULL, work,
					    &workers[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(workers[i].thread, NULL));
		EXPECT_EQ(0, workers[i].bad);
		close(workers[i].ends[0]);
		close(workers[i].ends[1]);
	}
}

static struct worker handler_worker;
static volatile sig_atomic_t handler_rounds;

static void on_alarm(int signal)
{
	int saved = errno;

	handler_worker.bad += !one_round(&handler_worker);
	handler_rounds++;
	errno = saved;
}

static void set_timer(int us)
{
	const struct itimerval timer = {
		.it_interval.tv_usec = us,
		.it_value.tv_usec = us,
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* The handler makes the same calls as the thread that it interrupts. */
TEST_F(threads, signal_handlers_may_call_it)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct worker worker = { .ds = self->ds };

	handler_worker.ds = self->ds;
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, worker.ends));
	ASSERT_EQ(0,
		  socketpair(AF_UNIX, SOCK_SEQPACKET, 0, handler_worker.ends));
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	set_timer(SIGNAL_US);
	while (handler_rounds < SIGNAL_ROUNDS)
		worker.bad += !one_round(&worker);
	set_timer(0);
	EXPECT_EQ(0, worker.bad);
	EXPECT_EQ(0, handler_worker.bad);
	close(worker.ends[0]);
	close(worker.ends[1]);
	close(handler_worker.ends[0]);
	close(handler_worker.ends[1]);
}

TEST_HARNESS_MAIN
