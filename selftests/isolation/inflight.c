// SPDX-License-Identifier: GPL-2.0-only
/*
 * REVOKE while a process is in the middle of munmap(): rule 17.
 *
 * munmap() clears page tables, takes the VMAs out of the reverse mapping and
 * flushes the TLB, in that order. The user of a grant can draw this out: it unmaps
 * the grant together with a page of a file whose reverse mapping is busy, as a hole
 * is being punched under very many mappings. Until that is over the user's other
 * thread goes on with the entries in the TLB of its processor, which has nothing
 * else to do.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "proc.h"
#include "sigbus.h"

/*
 * Processes, and how often each maps the file. A debug kernel takes as long for a
 * sixth.
 */
#define CROWD 2
#define CROWD_MAPPINGS (is_debug_kernel() ? 5000 : 30000)

/* Rounds with a munmap() in flight that are enough, and seconds to get them. */
#define ENOUGH 3
#define PATIENCE 4.0

/* What the owner writes once REVOKE has returned. */
#define AFTER 0xaf7e50000000001ULL

/* Shared with the user. */
struct state {
	/* accesses so far; whether the user has seen AFTER */
	__u64 uses;
	bool seen;
	/* the thread that unmaps, once it is about to */
	pid_t unmapper;
	bool punching;
	bool unmapped;
};

FIXTURE(inflight)
{
	struct state *state;
	size_t length;
	/* each derived from the one before */
	int root;
	int middle;
	int grant;
	/* the file, the processes that map it, and the user */
	int file;
	pid_t crowd[CROWD];
	pid_t user;
	/* the grant, as the user has it mapped, and how it uses it */
	char *map;
	bool writes;
	/* rounds, and those in which munmap() was in flight */
	int rounds;
	int stalled;
};

#define get(field) __atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define set(field, value) __atomic_store_n(&(field), value, __ATOMIC_SEQ_CST)

static void join_crowd(int file, int ready)
{
	const int mappings = CROWD_MAPPINGS;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < mappings; i++) {
		if (ds_map(file, page_size(), PROT_READ) == MAP_FAILED)
			_exit(1);
	}
	write(ready, "", 1);
	for (;;)
		pause();
}

/* The file is in the page cache, so that there is a hole to punch. */
FIXTURE_SETUP(inflight)
{
	int ready[2];
	char byte;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	sigbus_init();
	self->state = mmap(NULL, page_size(), READ_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->state);
	self->file = memfd_create("busy", MFD_CLOEXEC);
	ASSERT_EQ(0, ftruncate(self->file, page_size()));
	ASSERT_EQ(0, pipe(ready));
	for (i = 0; i < CROWD; i++) {
		self->crowd[i] = fork();
		if (!self->crowd[i])
			join_crowd(self->file, ready[1]);
	}
	close(ready[1]);
	for (i = 0; i < CROWD; i++)
		ASSERT_EQ(1, read(ready[0], &byte, 1));
	close(ready[0]);
	run_on_cpu(0);
}

FIXTURE_TEARDOWN(inflight)
{
	int i;

	for (i = 0; i < CROWD; i++) {
		if (self->crowd[i] > 0)
			kill(self->crowd[i], SIGKILL);
	}
	for (i = 0; i < CROWD; i++) {
		if (self->crowd[i] > 0)
			wait_for(self->crowd[i]);
	}
}

static void *use_grant(void *arg)
{
	struct _test_data_inflight *self = arg;
	struct state *state = self->state;
	__u64 value;

	run_on_cpu(1);
	for (;;) {
		if (self->writes ? try_store(self->map, state->uses) :
				   try_load(self->map, &value))
			return NULL;
		if (!self->writes && value == AFTER)
			set(state->seen, true);
		set(state->uses, state->uses + 1);
	}
}

static void *punch(void *arg)
{
	struct _test_data_inflight *self = arg;

	set(self->state->punching, true);
	fallocate(self->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		  page_size());
	return NULL;
}

/* The grant, and behind it a page of the file. */
static bool map_both(FIXTURE_DATA(inflight) * self)
{
	const size_t space = 2 * self->length + page_size();
	char *at = mmap(NULL, space, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);

	if (at == MAP_FAILED)
		return false;
	at += self->length - (uintptr_t)at % self->length;
	self->map = mmap(at, self->length,
			 self->writes ? READ_WRITE : PROT_READ,
			 MAP_SHARED | MAP_FIXED, self->grant, 0);
	return self->map == at &&
	       mmap(at + self->length, page_size(), PROT_READ,
		    MAP_SHARED | MAP_FIXED, self->file, 0) != MAP_FAILED;
}

static void user_main(FIXTURE_DATA(inflight) * self)
{
	struct state *state = self->state;
	pthread_t user, puncher;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!map_both(self) || pthread_create(&user, NULL, use_grant, self))
		_exit(1);
	while (!get(state->uses))
		usleep(1000);
	if (pthread_create(&puncher, NULL, punch, self))
		_exit(1);
	while (!get(state->punching))
		usleep(100);
	usleep(1000);
	set(state->unmapper, syscall(SYS_gettid));
	munmap(self->map, self->length + page_size());
	set(state->unmapped, true);
	pthread_join(puncher, NULL);
	pthread_join(user, NULL);
	_exit(0);
}

/* Whether the thread that unmaps waits for something in the kernel. */
static bool unmapper_waits(const FIXTURE_DATA(inflight) * self)
{
	char path[64];
	char text[512];
	char *name_end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", self->user,
		 get(self->state->unmapper));
	if (proc_read(path, text, sizeof(text)) < 0)
		return false;
	name_end = strrchr(text, ')');
	return name_end && name_end[2] == 'D';
}

/* Whether the user goes on, at the moment. */
static bool user_goes_on(const FIXTURE_DATA(inflight) * self)
{
	const __u64 uses = get(self->state->uses);
	int i;

	for (i = 0; i < 100; i++) {
		if (get(self->state->uses) != uses)
			return true;
		usleep(100);
	}
	return false;
}

/* Waits for it; returns whether munmap() is stuck and the user is not. */
static bool munmap_is_in_flight(const FIXTURE_DATA(inflight) * self)
{
	while (!get(self->state->unmapped)) {
		if (get(self->state->unmapper) && unmapper_waits(self))
			return user_goes_on(self) &&
			       !get(self->state->unmapped);
		usleep(200);
	}
	return false;
}

static bool round_begin(FIXTURE_DATA(inflight) * self)
{
	const __u64 zero = 0;

	memset(self->state, 0, sizeof(*self->state));
	if (pwrite(self->file, &zero, sizeof(zero), 0) != sizeof(zero))
		return false;
	self->root = ds_alloc(self->length, RIGHTS_RW, 0);
	self->middle = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	self->grant = ds_alias(self->middle, 0, self->length, RIGHTS_RW);
	if (self->grant < 0)
		return false;
	self->user = fork();
	if (!self->user)
		user_main(self);
	self->rounds++;
	return self->user > 0;
}

/*
 * REVOKE of the root has returned: what the owner writes now stays, and is not
 * seen. Returns whether that was so until munmap() had ended.
 */
static bool round_end(FIXTURE_DATA(inflight) * self)
{
	const __u64 after = AFTER;
	__u64 value = 0;
	bool right;

	pwrite(self->root, &after, sizeof(after), 0);
	right = wait_for(self->user) == 0;
	pread(self->root, &value, sizeof(value), 0);
	right = right && value == AFTER && !get(self->state->seen);
	close(self->grant);
	close(self->middle);
	close(self->root);
	return right;
}

static bool goes_on(const FIXTURE_DATA(inflight) * self, double begun)
{
	return self->stalled < ENOUGH && seconds() - begun < PATIENCE;
}

static void tell(const FIXTURE_DATA(inflight) * self)
{
	printf("# munmap was in flight in %d of %d rounds\n", self->stalled,
	       self->rounds);
}

static void revoke_rounds(struct __test_metadata *_metadata,
			  FIXTURE_DATA(inflight) * self, size_t length,
			  bool writes, __u32 flags)
{
	const double begun = seconds();
	int ret;

	self->length = length;
	self->writes = writes;
	while (goes_on(self, begun)) {
		ASSERT_TRUE(round_begin(self));
		self->stalled += munmap_is_in_flight(self);
		ret = ds_revoke_flags(flags ? self->middle : self->root, flags);
		EXPECT_EQ(0, ret);
		EXPECT_TRUE(round_end(self));
	}
	tell(self);
	if (!self->stalled)
		SKIP(return, "munmap was never in flight");
}

/* rule 17 */
TEST_F_TIMEOUT(inflight, a_huge_page_is_not_written_any_more, LONG_TIMEOUT)
{
	revoke_rounds(_metadata, self, huge_size(), true, 0);
}

/* rule 17 */
TEST_F_TIMEOUT(inflight, a_huge_page_is_not_read_any_more, LONG_TIMEOUT)
{
	revoke_rounds(_metadata, self, huge_size(), false, 0);
}

/*
 * rule 17: kernels from 6.2 on flush the TLB of a small page that was written to
 * before they take the VMA out of the reverse mapping, so there is nothing to wait
 * for.
 */
TEST_F_TIMEOUT(inflight, a_small_page_is_not_written_any_more, LONG_TIMEOUT)
{
	revoke_rounds(_metadata, self, page_size(), true, 0);
}

/* rule 17 */
TEST_F_TIMEOUT(inflight, a_small_page_is_not_read_any_more, LONG_TIMEOUT)
{
	revoke_rounds(_metadata, self, page_size(), false, 0);
}

/* rule 17: REVOKE_SELF waits for what is derived, too */
TEST_F_TIMEOUT(inflight, what_is_derived_is_not_read_any_more_after_REVOKE_SELF,
	       LONG_TIMEOUT)
{
	revoke_rounds(_metadata, self, huge_size(), false,
		      DATASPACE_REVOKE_SELF);
}

/* A process that calls REVOKE and exits with 0 or an errno. */
static pid_t revoke_in_child(int ds)
{
	pid_t child = fork();

	if (!child)
		_exit(-ds_revoke(ds));
	return child;
}

static bool has_ended(pid_t child)
{
	siginfo_t info = { .si_pid = 0 };

	waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid == child;
}

/*
 * rule 17: REVOKE that waits for munmap() can be killed, and the next one waits
 * again. A round counts if munmap() had not ended before the first one did.
 */
TEST_F_TIMEOUT(inflight, a_wait_can_be_killed_and_is_taken_up_again,
	       LONG_TIMEOUT)
{
	const double begun = seconds();

	self->length = huge_size();
	self->writes = true;
	while (goes_on(self, begun)) {
		pid_t child;
		int status;

		ASSERT_TRUE(round_begin(self));
		munmap_is_in_flight(self);
		child = revoke_in_child(self->root);
		usleep(10000);
		kill(child, SIGKILL);
		status = wait_for(child);
		EXPECT_TRUE(status == SIGKILL || status == 0);
		self->stalled += status == SIGKILL &&
				 !get(self->state->unmapped);
		EXPECT_EQ(0, ds_revoke(self->root));
		EXPECT_TRUE(round_end(self));
	}
	tell(self);
	if (!self->stalled)
		SKIP(return, "REVOKE was never killed while it waited");
}

/*
 * rule 17: what an ancestor revokes while a descendant's REVOKE waits has ended as
 * well when REVOKE of the ancestor returns
 */
TEST_F_TIMEOUT(inflight, an_ancestor_waits_for_the_same, LONG_TIMEOUT)
{
	const double begun = seconds();

	self->length = huge_size();
	self->writes = true;
	while (goes_on(self, begun)) {
		pid_t child;
		int status;

		ASSERT_TRUE(round_begin(self));
		munmap_is_in_flight(self);
		child = revoke_in_child(self->middle);
		usleep(10000);
		self->stalled += !has_ended(child) &&
				 !get(self->state->unmapped);
		EXPECT_EQ(0, ds_revoke(self->root));
		EXPECT_TRUE(round_end(self));
		status = wait_for(child);
		/* The ancestor's may have come first */
		EXPECT_TRUE(!status || WEXITSTATUS(status) == ESTALE);
	}
	tell(self);
	if (!self->stalled)
		SKIP(return, "no REVOKE waited for munmap");
}

TEST_HARNESS_MAIN
