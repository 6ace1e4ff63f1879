// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who uses a dataspace while SEAL_NOW is being decided waits for that, can be killed
 * meanwhile, and leaves nothing behind then: rule 18.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/uio.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "lazy.h"
#include "proc.h"

#define NOW DATASPACE_SEAL_NOW

#define ROUNDS 8

/* Seconds in which some reads begin while SEAL_NOW is being decided. */
#define READING 0.5

/*
 * A root with a pinned page, for which one thread after another SEAL_NOW fails; what
 * is used is the other page.
 */
FIXTURE(waiting)
{
	size_t page;
	int root;
	char *pinned;
	struct pin pin;
	int alias;
	char *map;
	int memory;
	int import;
	pthread_t sealer;
	atomic_bool stop;
};

FIXTURE_VARIANT(waiting)
{
	void (*call)(FIXTURE_DATA(waiting) * self);
	bool imports;
};

static void call_load(FIXTURE_DATA(waiting) * self)
{
	madvise(self->map, self->page, MADV_DONTNEED);
	*(volatile char *)self->map;
}

/* The kernel does not let go of the address space for this. */
static void call_read_of_memory(FIXTURE_DATA(waiting) * self)
{
	char byte;

	madvise(self->map, self->page, MADV_DONTNEED);
	pread(self->memory, &byte, 1, (uintptr_t)self->map);
}

static void call_punch(FIXTURE_DATA(waiting) * self)
{
	ds_punch(self->alias, 0, self->page);
}

static void call_alias(FIXTURE_DATA(waiting) * self)
{
	close(ds_alias(self->alias, 0, self->page, RIGHTS_R));
}

static void call_device_map(FIXTURE_DATA(waiting) * self)
{
	import_map(self->import, TO_DEVICE);
	import_unmap(self->import);
}

/* clang-format off */
FIXTURE_VARIANT_ADD(waiting, load) {
	.call = call_load,
};

FIXTURE_VARIANT_ADD(waiting, read_of_memory) {
	.call = call_read_of_memory,
};

FIXTURE_VARIANT_ADD(waiting, punch) {
	.call = call_punch,
};

FIXTURE_VARIANT_ADD(waiting, alias) {
	.call = call_alias,
};

FIXTURE_VARIANT_ADD(waiting, device_map) {
	.call = call_device_map,
	.imports = true,
};

/* clang-format on */

static void *keep_sealing(void *arg)
{
	struct _test_data_waiting *self = arg;

	while (!self->stop)
		ds_seal(self->root, NOW);
	return NULL;
}

static int import_alias(FIXTURE_DATA(waiting) * self)
{
	int dmabuf = ds_export(self->alias, 0);

	self->import = import(dmabuf, IMPORTER_TOLD);
	close(dmabuf);
	return self->import;
}

FIXTURE_SETUP(waiting)
{
	if (variant->imports && importer_load() == -ENOENT)
		SKIP(return, "there is no importer");
	self->page = page_size();
	self->root = lazy_alloc(2 * self->page);
	self->alias = ds_alias_pages(self->root, 1, 2, RIGHTS_RW);
	self->pinned = ds_map(self->root, self->page, READ_WRITE);
	self->map = ds_map(self->alias, self->page, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->pinned);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, pin_page(&self->pin, self->pinned));
	if (variant->imports)
		ASSERT_LE(0, import_alias(self));
	ASSERT_EQ(0, pthread_create(&self->sealer, NULL, keep_sealing, self));
}

FIXTURE_TEARDOWN(waiting)
{
	self->stop = true;
	pthread_join(self->sealer, NULL);
	pin_close(&self->pin);
	if (variant->imports) {
		import_unmap(self->import);
		close(self->import);
	}
	EXPECT_EQ(0, ds_seal(self->root, NOW));
	EXPECT_EQ(0, ds_revoke_flags(self->root, DATASPACE_REVOKE_SELF));
	if (variant->imports)
		EXPECT_EQ(0, importer_unload());
}

static pid_t start_caller(const FIXTURE_VARIANT(waiting) * variant,
			  FIXTURE_DATA(waiting) * self)
{
	pid_t child = fork();

	if (child)
		return child;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	self->memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	for (;;)
		variant->call(self);
}

/* Whether a process waits for something, and a signal that it handles does not end that. */
static bool is_waiting(pid_t child)
{
	char path[64], text[512];
	const char *state;

	snprintf(path, sizeof(path), "/proc/%d/stat", child);
	if (proc_read(path, text, sizeof(text)) <= 0)
		return false;
	state = strrchr(text, ')');
	return state && state[2] == 'D';
}

/* It waits for this at least as long as SEAL_NOW looks for pins, 25 ms. */
static bool wait_until_waiting(pid_t child)
{
	const double end = seconds() + STUCK;

	while (seconds() < end) {
		if (is_waiting(child) && !usleep(4000) && is_waiting(child))
			return true;
	}
	return false;
}

/* rule 18: what was called may wait for something else once in a while */
TEST_F(waiting, can_be_killed)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		pid_t child = start_caller(variant, self);

		EXPECT_TRUE(wait_until_waiting(child));
		EXPECT_EQ(0, kill(child, SIGKILL));
		EXPECT_EQ(SIGKILL, wait_for(child));
		if (variant->imports)
			import_unmap(self->import);
	}
}

/* rules 18 and 19: at EAGAIN io_uring would wait until nothing derived is left */
TEST_F(waiting, a_read_that_must_not_wait_is_not_EAGAIN)
{
	char byte;
	struct iovec to = { &byte, 1 };
	const double end = seconds() + READING;

	while (seconds() < end) {
		ASSERT_EQ(1,
			  result(preadv2(self->alias, &to, 1, 0, RWF_NOWAIT)));
	}
}

static void *unpin_soon(void *arg)
{
	usleep(60000);
	pin_close(arg);
	return NULL;
}

static void ignore(int signal)
{
}

/* rule 18: what holds a page for a moment only is waited for, whatever signals come */
TEST(signals_do_not_shorten_the_wait_for_an_unpin)
{
	const struct itimerval often = {
		.it_interval.tv_usec = 4000,
		.it_value.tv_usec = 4000,
	};
	const struct itimerval never = {};
	struct sigaction handler = { .sa_handler = ignore };
	int root = ds_alloc_pages(1);
	char *map = ds_map(root, page_size(), READ_WRITE);
	pthread_t thread;
	struct pin pin;
	sigset_t alarms;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin_page(&pin, map));
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigaction(SIGALRM, &handler, NULL);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, unpin_soon, &pin));
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	EXPECT_EQ(0, ds_seal(root, NOW));
	setitimer(ITIMER_REAL, &never, NULL);
	pthread_join(thread, NULL);
	munmap(map, page_size());
	close(root);
}

TEST_HARNESS_MAIN
