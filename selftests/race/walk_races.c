// SPDX-License-Identifier: GPL-2.0-only
/*
 * REVOKE and SEAL go through all that is derived from a dataspace. Two of them may
 * meet on their way, and neither may leave anything out: rules 17 and 18.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>

#include "common.h"
#include "control.h"
#include "sigbus.h"

/* So many that to go through them takes much longer than a system call. */
#define ALIASES 2000

#define ROUNDS 8

/* The last alias is come to first. */
FIXTURE(walk_races)
{
	int root;
	int ds;
	int aliases[ALIASES];
	pthread_t thread;
	atomic_bool waiting;
	atomic_bool away;
	sem_t go;
	atomic_long wrong;
};

FIXTURE_SETUP(walk_races)
{
	ASSERT_EQ(0, allow_fds(ALIASES));
}

FIXTURE_TEARDOWN(walk_races)
{
	EXPECT_EQ(0, atomic_load(&self->wrong));
}

static void make(FIXTURE_DATA(walk_races) * self)
{
	int i;

	self->root = ds_alloc_pages(1);
	self->ds = ds_alias_pages(self->root, 0, 1, RIGHTS_RW);
	self->wrong += self->ds < 0;
	for (i = 0; i < ALIASES; i++) {
		self->aliases[i] = ds_alias_pages(self->ds, 0, 1, RIGHTS_RW);
		self->wrong += self->aliases[i] < 0;
	}
}

static void drop(FIXTURE_DATA(walk_races) * self)
{
	int i;

	for (i = 0; i < ALIASES; i++)
		close(self->aliases[i]);
	close(self->ds);
	close(self->root);
}

static long try_write(int fd)
{
	char byte = 1;

	return result(pwrite(fd, &byte, 1, 0));
}

/* Returns when the walk of another thread has come to the first alias. */
static void wait_for_walk(FIXTURE_DATA(walk_races) * self)
{
	double end = seconds() + STUCK;

	self->waiting = true;
	while (try_write(self->aliases[ALIASES - 1]) == 1 && seconds() < end)
		;
}

/* Returns when the thread waits. */
static int start(FIXTURE_DATA(walk_races) * self, void *(*run)(void *))
{
	self->waiting = false;
	if (pthread_create(&self->thread, NULL, run, self))
		return -EAGAIN;
	while (!self->waiting)
		sched_yield();
	return 0;
}

static void *seal_root(void *arg)
{
	struct _test_data_walk_races *self = arg;

	wait_for_walk(self);
	self->wrong += !!ds_seal(self->root, 0);
	return NULL;
}

/* rule 17 */
TEST_F(walk_races, of_REVOKE_SELF_and_SEAL_of_the_root)
{
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		make(self);
		ASSERT_EQ(0, start(self, seal_root));
		EXPECT_EQ(0, ds_revoke_flags(self->ds, DATASPACE_REVOKE_SELF));
		for (i = 0; i < ALIASES; i++)
			self->wrong += try_write(self->aliases[i]) != -ESTALE;
		pthread_join(self->thread, NULL);
		drop(self);
	}
}

static void *seal_again(void *arg)
{
	struct _test_data_walk_races *self = arg;

	wait_for_walk(self);
	self->wrong += !!ds_seal(self->ds, 0);
	self->wrong += try_write(self->aliases[0]) != -EPERM;
	return NULL;
}

/* rule 18 */
TEST_F(walk_races, of_two_SEALs)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		make(self);
		ASSERT_EQ(0, start(self, seal_again));
		EXPECT_EQ(0, ds_seal(self->ds, 0));
		pthread_join(self->thread, NULL);
		drop(self);
	}
}

/*
 * So many that the end of a SEAL_NOW takes longer than another one needs to fail. A
 * debug kernel takes as long for a sixth of them.
 */
#define MAPPINGS_MAX 30000

#define NESTED_ROUNDS 4
#define NESTED_SECONDS 30 /* how long an ancestor takes over in each */

/* What has a pinned page, and a mapping of what is derived from the other page. */
struct nested {
	int ancestor;
	char *map;
	atomic_bool stop;
};

/* Ends on a kernel, too, that is so slow that the descendant never comes to its end. */
static void *seal_ancestor(void *arg)
{
	struct nested *nested = arg;
	double end = seconds() + NESTED_SECONDS;

	while (!nested->stop && seconds() < end)
		ds_seal(nested->ancestor, DATASPACE_SEAL_NOW);
	return NULL;
}

static void *keep_writing(void *arg)
{
	struct nested *nested = arg;

	while (!nested->stop && !try_store(nested->map, 1))
		;
	return NULL;
}

/*
 * What is derived from @ds and comes before nested->map in a walk is mapped often. An
 * attempt is EBUSY if the other one takes over.
 */
static int seal_now_beside(struct nested *nested, int ds)
{
	int often = ds_alias_pages(ds, 0, 1, RIGHTS_RW);
	pthread_t writer, sealer;
	const int mappings = is_debug_kernel() ? 5000 : MAPPINGS_MAX;
	char *maps[MAPPINGS_MAX];
	int ret = 0;
	int i;

	for (i = 0; i < mappings && !ret; i++) {
		maps[i] = ds_map(often, page_size(), PROT_READ);
		ret = maps[i] == MAP_FAILED ? -errno : 0;
	}
	close(often);
	nested->stop = false;
	if (ret || pthread_create(&writer, NULL, keep_writing, nested) ||
	    pthread_create(&sealer, NULL, seal_ancestor, nested))
		return -EAGAIN;
	do {
		ret = ds_seal(ds, DATASPACE_SEAL_NOW);
	} while (ret == -EBUSY);
	if (!ret && !try_store(nested->map, 2))
		ret = 1;
	nested->stop = true;
	pthread_join(writer, NULL);
	pthread_join(sealer, NULL);
	for (i = 0; i < mappings; i++)
		munmap(maps[i], page_size());
	return ret;
}

/* rule 18: nobody writes after SEAL_NOW, though one of an ancestor fails meanwhile */
TEST_F_TIMEOUT(walk_races, of_two_SEAL_NOWs_one_of_which_fails, LONG_TIMEOUT)
{
	int root = ds_alloc_pages(2);
	char *map = ds_map(root, 2 * page_size(), READ_WRITE);
	struct nested nested;
	struct pin pin;
	int round;

	sigbus_init();
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin_page(&pin, map + page_size()));
	for (round = 0; round < NESTED_ROUNDS; round++) {
		int derived, ds;

		nested.ancestor = ds_alias_pages(root, 0, 2, RIGHTS_RW);
		ds = ds_alias_pages(nested.ancestor, 0, 1, RIGHTS_RW);
		derived = ds_alias_pages(ds, 0, 1, RIGHTS_RW);
		nested.map = ds_map(derived, page_size(), READ_WRITE);
		ASSERT_NE(MAP_FAILED, nested.map);
		EXPECT_EQ(0, seal_now_beside(&nested, ds));
		munmap(nested.map, page_size());
		close(derived);
		close(ds);
		close(nested.ancestor);
	}
	pin_close(&pin);
	munmap(map, 2 * page_size());
	close(root);
}

/* A thread that is run only if nobody else wants the processor. */
static void *seal_idly(void *arg)
{
	const struct sched_param param = { .sched_priority = 0 };
	struct _test_data_walk_races *self = arg;

	run_on_cpu(0);
	sched_setscheduler(0, SCHED_IDLE, &param);
	self->waiting = true;
	self->wrong += !!ds_seal(self->ds, 0);
	return NULL;
}

/* Takes the processor away from it until all is closed that it has yet to come to. */
static void *be_in_the_way(void *arg)
{
	struct _test_data_walk_races *self = arg;

	run_on_cpu(0);
	/* the other one gets a few milliseconds in ten seconds; workers get more */
	setpriority(PRIO_PROCESS, gettid(), -10);
	sem_wait(&self->go);
	while (self->away)
		;
	return NULL;
}

/* All but the one that is come to last; the walk can end after that. */
static void close_ahead(FIXTURE_DATA(walk_races) * self)
{
	int i;

	for (i = ALIASES - 1; i > 0; i--) {
		close(self->aliases[i]);
		self->aliases[i] = -1;
	}
	self->away = false;
}

static void *close_beside(void *arg)
{
	struct _test_data_walk_races *self = arg;

	usleep(10000);
	close_ahead(self);
	return NULL;
}

/*
 * rule 18: a walk that does not go on comes to what is left, wherever it was, and who
 * derives from that waits for it
 */
TEST_F(walk_races, of_SEAL_and_the_end_of_what_is_next)
{
	pthread_t other, closer;
	int round, ds;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	run_on_cpu(1);
	for (round = 0; round < ROUNDS; round++) {
		make(self);
		ASSERT_EQ(0, sem_init(&self->go, 0, 0));
		self->away = true;
		ASSERT_EQ(0, pthread_create(&other, NULL, be_in_the_way, self));
		ASSERT_EQ(0, start(self, seal_idly));
		wait_for_walk(self);
		sem_post(&self->go);
		ASSERT_EQ(0, pthread_create(&closer, NULL, close_beside, self));
		ds = ds_alias_pages(self->aliases[0], 0, 1, RIGHTS_RW);
		EXPECT_EQ(-EPERM, ds < 0 ? ds : try_write(ds));
		close(ds);
		pthread_join(closer, NULL);
		pthread_join(other, NULL);
		pthread_join(self->thread, NULL);
		EXPECT_EQ(-EPERM, try_write(self->aliases[0]));
		drop(self);
	}
}

/* So many that a search for walks and their displacing take more than one step. */
#define SIBLINGS 6
#define SIBLING_ALIASES 2000

#define FIRST_PRIORITY 10
#define RT_RUNTIME "/proc/sys/kernel/sched_rt_runtime_us"
#define RT_RUNTIME_DEFAULT 950000

/* One of those who were given parts of the same memory. */
struct sibling {
	int ds;
	int aliases[SIBLING_ALIASES];
	int priority;
	pthread_t thread;
	sem_t go;
	sem_t *next_go;
	int ret;
};

/*
 * Each sibling is stopped on its way through what is derived from its dataspace, by
 * the next one, which has a higher priority; the last one by a thread that does not
 * let go of the processor.
 */
FIXTURE(siblings)
{
	int root;
	struct sibling siblings[SIBLINGS];
	pthread_t hog;
	sem_t hog_go;
	atomic_bool hogging;
	atomic_bool stop;
	pthread_t sealer;
	int sealed;
	int ret;
};

static int get_priority_on_cpu_0(int priority)
{
	const struct sched_param param = { .sched_priority =
						   FIRST_PRIORITY + priority };

	return sched_setscheduler(0, SCHED_FIFO, &param) ? -errno :
							   run_on_cpu(0);
}

static bool sibling_has_begun(const struct sibling *sibling)
{
	return try_write(sibling->aliases[SIBLING_ALIASES - 1]) != 1;
}

static bool sibling_has_ended(const struct sibling *sibling)
{
	return try_write(sibling->aliases[0]) != 1;
}

/* Looks from its own processor, so that it can't be late. */
static void wait_for_sibling(const struct sibling *sibling)
{
	double end = seconds() + STUCK;

	while (!sibling_has_begun(sibling) && seconds() < end)
		usleep(100);
}

static void *seal_with_priority(void *arg)
{
	struct sibling *sibling = arg;

	sibling->ret = get_priority_on_cpu_0(sibling->priority);
	sem_wait(&sibling->go);
	if (sibling->priority)
		wait_for_sibling(sibling - 1);
	sem_post(sibling->next_go);
	sibling->ret = sibling->ret ?: ds_seal(sibling->ds, 0);
	return NULL;
}

/* It ends by itself where the module lets who has given the memory wait for others. */
static void *hog_cpu_0(void *arg)
{
	struct _test_data_siblings *self = arg;
	double end;

	if (get_priority_on_cpu_0(SIBLINGS))
		return NULL;
	sem_wait(&self->hog_go);
	wait_for_sibling(&self->siblings[SIBLINGS - 1]);
	self->hogging = true;
	for (end = seconds() + STUCK / 2; !self->stop && seconds() < end;)
		;
	self->hogging = false;
	return NULL;
}

static int siblings_make(FIXTURE_DATA(siblings) * self)
{
	int i, j;

	self->stop = false;
	self->hogging = false;
	if (sem_init(&self->hog_go, 0, 0) ||
	    pthread_create(&self->hog, NULL, hog_cpu_0, self))
		return -EAGAIN;
	for (i = 0; i < SIBLINGS; i++) {
		struct sibling *sibling = &self->siblings[i];

		sibling->priority = i;
		sibling->next_go = i == SIBLINGS - 1 ? &self->hog_go :
						       &sibling[1].go;
		sibling->ds = ds_alias_pages(self->root, 0, 1, RIGHTS_RW);
		for (j = 0; j < SIBLING_ALIASES; j++) {
			sibling->aliases[j] =
				ds_alias_pages(sibling->ds, 0, 1, RIGHTS_RW);
			if (sibling->aliases[j] < 0)
				return sibling->aliases[j];
		}
		if (sem_init(&sibling->go, 0, 0))
			return -errno;
	}
	for (i = 0; i < SIBLINGS; i++)
		if (pthread_create(&self->siblings[i].thread, NULL,
				   seal_with_priority, &self->siblings[i]))
			return -EAGAIN;
	return 0;
}

/* Lets all come to their end. Returns what one of them got, or 0. */
static int siblings_drop(FIXTURE_DATA(siblings) * self)
{
	int ret = 0;
	int i, j;

	self->stop = true;
	pthread_join(self->hog, NULL);
	for (i = 0; i < SIBLINGS; i++) {
		struct sibling *sibling = &self->siblings[i];

		pthread_join(sibling->thread, NULL);
		ret = ret ?: sibling->ret;
		for (j = 0; j < SIBLING_ALIASES; j++) {
			if (try_write(sibling->aliases[j]) != -EPERM)
				ret = ret ?: -EIO;
			close(sibling->aliases[j]);
		}
		close(sibling->ds);
	}
	return ret;
}

static bool siblings_are_on_their_way(const struct _test_data_siblings *self)
{
	int i;

	for (i = 0; i < SIBLINGS; i++)
		if (sibling_has_ended(&self->siblings[i]))
			return false;
	return self->hogging;
}

/* Does it again where the machine was so busy that one has come to its end. */
static int siblings_stop_each_other(FIXTURE_DATA(siblings) * self)
{
	double end = seconds() + 2 * STUCK;
	int ret = 0;

	while (!ret && seconds() < end) {
		ret = siblings_make(self);
		if (ret)
			return ret;
		sem_post(&self->siblings[0].go);
		while (!self->hogging && seconds() < end)
			usleep(1000);
		if (siblings_are_on_their_way(self))
			return 0;
		ret = siblings_drop(self);
	}
	return ret ?: -ETIMEDOUT;
}

FIXTURE_SETUP(siblings)
{
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	ASSERT_EQ(0, run_on_cpu(1));
	/* or a part of each second is for those with a lower priority */
	ASSERT_EQ(0, number_to_file(RT_RUNTIME, -1));
	ASSERT_EQ(0, allow_fds(SIBLINGS * (SIBLING_ALIASES + 1)));
	self->root = ds_alloc_pages(1);
	ASSERT_EQ(0, siblings_stop_each_other(self));
}

FIXTURE_TEARDOWN(siblings)
{
	EXPECT_EQ(0, siblings_drop(self));
	EXPECT_EQ(0, pthread_join(self->sealer, NULL));
	EXPECT_EQ(0, self->ret);
	close(self->root);
	EXPECT_EQ(0, number_to_file(RT_RUNTIME, RT_RUNTIME_DEFAULT));
}

/* A grace period may need the processor that is not let go of. */
static void *seal_beside(void *arg)
{
	struct _test_data_siblings *self = arg;

	self->ret = ds_seal(self->sealed, 0);
	return NULL;
}

/* rule 25: holders who were given parts of the same memory don't wait for others' */
TEST_F(siblings, do_not_wait_for_each_other)
{
	int ds = ds_alias_pages(self->root, 0, 1, RIGHTS_RW);
	int child = ds_alias_pages(ds, 0, 1, RIGHTS_RW);
	double end = seconds() + STUCK;

	ASSERT_LE(0, child);
	self->sealed = ds;
	ASSERT_EQ(0, pthread_create(&self->sealer, NULL, seal_beside, self));
	while (try_write(child) == 1 && seconds() < end)
		sched_yield();
	EXPECT_EQ(-EPERM, try_write(child));
	EXPECT_TRUE(siblings_are_on_their_way(self));
	close(child);
	close(ds);
}

/* rule 18: nor does who has given it to them, and that seals all of it */
TEST_F(siblings, are_not_waited_for_by_who_seals_all)
{
	double end = seconds() + STUCK;
	int i, j;

	self->sealed = self->root;
	ASSERT_EQ(0, pthread_create(&self->sealer, NULL, seal_beside, self));
	while (!sibling_has_ended(&self->siblings[0]) && seconds() < end)
		sched_yield();
	for (i = 0; i < SIBLINGS; i++)
		for (j = 0; j < SIBLING_ALIASES; j++)
			ASSERT_EQ(-EPERM,
				  try_write(self->siblings[i].aliases[j]));
	EXPECT_TRUE(atomic_load(&self->hogging));
}

/* Lets a module pass time, and fail then, that has others wait for the thread. */
static void *give_way_at_last(void *arg)
{
	struct _test_data_walk_races *self = arg;
	double end = seconds() + STUCK / 2;

	while (self->away && seconds() < end)
		usleep(10000);
	self->away = false;
	return NULL;
}

static void revoke_on_cpu_0_idly(struct _test_data_walk_races *self, int ds,
				 __u32 flags)
{
	const struct sched_param param = { .sched_priority = 0 };
	int ret;

	run_on_cpu(0);
	sched_setscheduler(0, SCHED_IDLE, &param);
	self->waiting = true;
	ret = ds_revoke_flags(ds, flags);
	/* unless another one was there first */
	self->wrong += ret && ret != -ESTALE;
}

static void *revoke_self_idly(void *arg)
{
	struct _test_data_walk_races *self = arg;

	revoke_on_cpu_0_idly(self, self->ds, DATASPACE_REVOKE_SELF);
	return NULL;
}

static void *revoke_root_idly(void *arg)
{
	struct _test_data_walk_races *self = arg;

	revoke_on_cpu_0_idly(self, self->root, 0);
	return NULL;
}

static int revoke_root(struct _test_data_walk_races *races)
{
	return ds_revoke(races->root);
}

static int revoke_ds(struct _test_data_walk_races *races)
{
	return ds_revoke(races->ds);
}

static int revoke_self(struct _test_data_walk_races *races)
{
	return ds_revoke_flags(races->ds, DATASPACE_REVOKE_SELF);
}

static int seal_ds(struct _test_data_walk_races *races)
{
	return ds_seal(races->ds, 0);
}

static int make_alias(struct _test_data_walk_races *races)
{
	return ds_alias_pages(races->ds, 0, 1, RIGHTS_RW);
}

/* A thread that has begun to revoke or seal 2000 aliases does not go on. */
FIXTURE(stalled)
{
	struct _test_data_walk_races races;
	pthread_t hog;
	pthread_t last;
};

/* clang-format off */
FIXTURE_VARIANT(stalled)
{
	void *(*thread)(void *arg);
	/* what another one does then, its result, and what comes of writes */
	int (*act)(struct _test_data_walk_races *races);
	int result;
	int write;
};

/* rule 17: who has handed out memory takes all of it back */
FIXTURE_VARIANT_ADD(stalled, REVOKE_SELF_and_REVOKE_of_the_root) {
	.thread = revoke_self_idly,
	.act = revoke_root,
	.write = -ESTALE,
};

/* rule 17: nor does who has the same dataspace wait */
FIXTURE_VARIANT_ADD(stalled, REVOKE_SELF_and_ALIAS) {
	.thread = revoke_self_idly,
	.act = make_alias,
	.result = -ESTALE,
	.write = -ESTALE,
};

FIXTURE_VARIANT_ADD(stalled, SEAL_and_REVOKE_SELF) {
	.thread = seal_idly,
	.act = revoke_self,
	.write = -ESTALE,
};

FIXTURE_VARIANT_ADD(stalled, SEAL_and_SEAL) {
	.thread = seal_idly,
	.act = seal_ds,
	.write = -EPERM,
};

/* rule 17: ESTALE means that all below is revoked, too */
FIXTURE_VARIANT_ADD(stalled, REVOKE_of_the_root_and_REVOKE) {
	.thread = revoke_root_idly,
	.act = revoke_ds,
	.result = -ESTALE,
	.write = -ESTALE,
};

/* clang-format on */

FIXTURE_SETUP(stalled)
{
	struct _test_data_walk_races *races = &self->races;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	ASSERT_EQ(0, allow_fds(ALIASES));
	ASSERT_EQ(0, run_on_cpu(1));
	make(races);
	ASSERT_EQ(0, sem_init(&races->go, 0, 0));
	races->away = true;
	ASSERT_EQ(0, pthread_create(&self->hog, NULL, be_in_the_way, races));
	ASSERT_EQ(0, start(races, variant->thread));
	wait_for_walk(races);
	sem_post(&races->go);
	ASSERT_EQ(0,
		  pthread_create(&self->last, NULL, give_way_at_last, races));
}

FIXTURE_TEARDOWN(stalled)
{
	self->races.away = false;
	pthread_join(self->last, NULL);
	pthread_join(self->hog, NULL);
	pthread_join(self->races.thread, NULL);
	drop(&self->races);
	EXPECT_EQ(0, atomic_load(&self->races.wrong));
}

TEST_F_TIMEOUT(stalled, does_not_hold_up_others, LONG_TIMEOUT)
{
	struct _test_data_walk_races *races = &self->races;
	const double begun = seconds();
	int i;

	EXPECT_EQ(variant->result, variant->act(races));
	TH_LOG("%.3f s", seconds() - begun);
	EXPECT_TRUE(atomic_load(&races->away));
	for (i = 0; i < ALIASES; i++)
		ASSERT_EQ(variant->write, try_write(races->aliases[i]));
}

static void *seal_now(void *arg)
{
	struct _test_data_walk_races *self = arg;

	self->waiting = true;
	self->wrong += !!ds_seal(self->ds, DATASPACE_SEAL_NOW);
	return NULL;
}

/* Reads through the mapping until it is not there any more. */
static void *touch(void *arg)
{
	char *map = arg;
	char byte;
	struct iovec to = { &byte, 1 };
	struct iovec from = { map, 1 };

	while (process_vm_readv(getpid(), &to, 1, &from, 1, 0) == 1)
		;
	return NULL;
}

/* rule 18: a fault that waits for SEAL_NOW ends, too, if all is closed meanwhile */
TEST_F(walk_races, of_SEAL_NOW_and_the_end_of_what_is_touched)
{
	struct timespec end;
	pthread_t toucher;
	char *map;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		make(self);
		map = ds_map(self->aliases[ALIASES - 1], page_size(),
			     PROT_READ);
		ASSERT_NE(MAP_FAILED, map);
		ASSERT_EQ(0, pthread_create(&toucher, NULL, touch, map));
		ASSERT_EQ(0, start(self, seal_now));
		usleep(1000 * (round + 1));
		munmap(map, page_size());
		close(self->aliases[ALIASES - 1]);
		pthread_join(self->thread, NULL);
		clock_gettime(CLOCK_REALTIME, &end);
		end.tv_sec += STUCK;
		ASSERT_EQ(0, pthread_timedjoin_np(toucher, NULL, &end));
		self->aliases[ALIASES - 1] = -1;
		drop(self);
	}
}

TEST_HARNESS_MAIN
