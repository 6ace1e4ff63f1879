// SPDX-License-Identifier: GPL-2.0-only
/*
 * A holder who may only read can use none of the ways to access a page to change
 * it, or to see another one: rules 5, 8, 10, 11 and 12. There is a test for each
 * way, in which it is tried by
 *
 *	holder	the process that made the alias
 *	child	a process that was forked from it
 *	socket	a process that received the alias over a socket
 *	pidfd	a process that took the alias with pidfd_getfd(2)
 *
 * and each of them as
 *
 *	root	the user who allocated the memory, with all capabilities
 *	same	that user without capabilities
 *	other	another user
 *
 * Each of them has to get exactly the result that is expected. Then the whole
 * root has to be as it was, and the child may have read or mapped no byte of the
 * pages beside the alias. One line for each way shows its results.
 */
#include <kselftest_harness.h>

#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/capability.h>
#include <linux/kvm.h>

#include "common.h"
#include "disk.h"
#include "access.h"
#include "fdpass.h"

#define PATTERN 0x5a5a5a5a5a5a5a5aULL
#define SECRET 0x7e7e5ec2e7c0ffeeULL

enum holder { HOLDER, CHILD, SOCKET, PIDFD, HOLDERS };
enum user { ROOT, SAME, OTHER, USERS };

static const char *const holder_names[] = { "holder", "child", "socket",
					    "pidfd" };
static const char *const user_names[] = { "root", "same", "other" };

static long access_direct_read(void *map)
{
	long ret = access_direct_read_into(map, DISK);

	return ret == -ENOENT ? NOT_AVAILABLE : ret;
}

/* What the child reports, in memory that it shares with the test. */
struct report {
	long result;
	bool secret;
};

/*
 * @total: bytes of the root, of which the alias is [@first, @first + @length)
 * @all: the root's mapping
 * @map: the alias's mapping
 * @other: another root that is there at the same time, and must not be changed
 */
struct memory {
	size_t total;
	size_t first;
	size_t length;
	int root;
	int ds;
	char *all;
	char *map;
	struct report *report;
	struct memory *other;
};

FIXTURE(access)
{
	struct memory memory;
	/* its alias is 2 MiB long and aligned */
	struct memory huge;
};

/*
 * @fd, @map, @range: the access, by what it takes; if none is set, it is
 *	@advice
 * @want: the result that is expected
 * @also: another result that is right, because of @why
 * @same, @other: what those users get instead of @want; @other is like @same if
 *	it is not given
 */
FIXTURE_VARIANT(access)
{
	const char *name;
	long (*fd)(int ds);
	long (*map)(void *map);
	long (*range)(void *map, size_t length);
	int advice;
	long want;
	long also;
	const char *why;
	long same;
	long other;
};

static bool is_in_alias(const struct memory *memory, size_t at)
{
	return at >= memory->first && at < memory->first + memory->length;
}

/* The pages of the alias have one pattern, all others the secret one. */
static __u64 word_at(const struct memory *memory, size_t at)
{
	return is_in_alias(memory, at) ? PATTERN : SECRET;
}

static void fill(const struct memory *memory)
{
	size_t at;

	for (at = 0; at < memory->total; at += sizeof(__u64))
		*(__u64 *)(memory->all + at) = word_at(memory, at);
}

static bool is_unchanged(const struct memory *memory)
{
	size_t at;

	for (at = 0; at < memory->total; at += sizeof(__u64)) {
		if (*(__u64 *)(memory->all + at) != word_at(memory, at))
			return false;
	}
	return true;
}

static void *shared_memory(size_t length)
{
	return mmap(NULL, length, READ_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
}

/*
 * Maps with nothing behind the mapping, and so that it can be one huge entry.
 */
static char *map_alone(const struct memory *memory, int ds)
{
	const size_t huge = huge_size();
	const size_t space = memory->length + 2 * huge;
	char *map = mmap(NULL, space, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (map == MAP_FAILED)
		return map;
	munmap(map, space);
	map += huge - (uintptr_t)map % huge;
	return mmap(map, memory->length, PROT_READ,
		    MAP_SHARED | MAP_FIXED_NOREPLACE, ds, 0);
}

/*
 * Makes a root of @pages pages, and an alias of its middle third; 0 or -errno.
 */
static long memory_make(struct memory *memory, size_t pages)
{
	memory->total = pages * page_size();
	memory->first = memory->total / 3;
	memory->length = memory->total / 3;
	memory->root = ds_alloc_pages(pages);
	memory->all = ds_map(memory->root, memory->total, READ_WRITE);
	memory->report = shared_memory(sizeof(*memory->report));
	if (memory->all == MAP_FAILED)
		return -errno;
	fill(memory);
	memory->ds =
		ds_alias(memory->root, memory->first, memory->length, RIGHTS_R);
	memory->map = map_alone(memory, memory->ds);
	return memory->map == MAP_FAILED ? -errno : 0;
}

FIXTURE_SETUP(access)
{
	const size_t huge_pages = huge_size() / page_size();

	/* parent and child run one after the other, so one processor is enough */
	ASSERT_EQ(0, run_on_cpu(sched_getcpu()));
	ASSERT_EQ(0, memory_make(&self->memory, 9));
	ASSERT_EQ(0, memory_make(&self->huge, 3 * huge_pages));
	self->memory.other = &self->huge;
	self->huge.other = &self->memory;
}

FIXTURE_TEARDOWN(access)
{
}

/* Closes and unmaps what the child has inherited; the alias only if @alias. */
static void forget(struct memory *memory, bool alias)
{
	munmap(memory->all, memory->total);
	close(memory->root);
	if (!alias)
		return;
	munmap(memory->map, memory->length);
	close(memory->ds);
}

/*
 * Finds the parent's alias by its number, which is the same in both processes.
 */
static int get_alias(const struct memory *memory, enum holder holder,
		     int socket)
{
	switch (holder) {
	case HOLDER:
		return ds_alias(memory->root, memory->first, memory->length,
				RIGHTS_R);
	case SOCKET:
		return fd_receive(socket);
	default:
		return fd_of_process(getppid(), memory->ds);
	}
}

/*
 * The child gets the alias in one way, and keeps nothing else. The descriptor
 * has the same number as the parent's.
 */
static bool become_holder(struct memory *memory, enum holder holder, int socket)
{
	int ds;

	forget(memory->other, true);
	if (holder == CHILD) {
		forget(memory, false);
		return true;
	}
	ds = get_alias(memory, holder, socket);
	forget(memory, true);
	if (dup3(ds, memory->ds, O_CLOEXEC) < 0 || close(ds))
		return false;
	memory->map = map_alone(memory, memory->ds);
	return memory->map != MAP_FAILED;
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = {};

	return !syscall(SYS_capset, &header, none);
}

static bool become_user(enum user user)
{
	if (user == SAME)
		return drop_capabilities();
	if (user == OTHER)
		return !setresgid(65534, 65534, 65534) &&
		       !setresuid(65534, 65534, 65534) &&
		       !prctl(PR_SET_DUMPABLE, 1);
	return true;
}

static bool has_secret(const void *memory, size_t length)
{
	const __u64 *words = memory;
	size_t i;

	for (i = 0; i < length / sizeof(*words); i++) {
		if (words[i] == SECRET)
			return true;
	}
	return false;
}

/* Whether any mapping of a dataspace shows the secret pattern. */
static bool maps_show_secret(void)
{
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	bool found = false;
	char line[512];
	char mode;

	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, "/dataspace:") &&
		    sscanf(line, "%lx-%lx %c", &start, &end, &mode) == 3 &&
		    mode == 'r')
			found |= has_secret((void *)start, end - start);
	}
	if (!file)
		return true;
	fclose(file);
	return found;
}

static long try_way(const FIXTURE_VARIANT(access) * way, int ds, void *map,
		    size_t length)
{
	if (way->fd)
		return way->fd(ds);
	if (way->map)
		return way->map(map);
	if (way->range)
		return way->range(map, length);
	return result(madvise(map, length, way->advice));
}

static void access_as_child(struct memory *memory,
			    const FIXTURE_VARIANT(access) * way)
{
	struct report *report = memory->report;

	report->result = try_way(way, memory->ds, memory->map, memory->length);
	report->secret = has_secret(seen, sizeof(seen)) || maps_show_secret();
}

/* Tries the access in a child; 0 if the child exited by itself. */
static int run_child(struct memory *memory, const FIXTURE_VARIANT(access) * way,
		     enum holder holder, enum user user)
{
	int ends[2];
	pid_t child;

	memset(memory->report, 0, sizeof(*memory->report));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	if (holder == SOCKET)
		fd_send(ends[0], memory->ds);
	child = fork();
	if (!child) {
		if (!become_holder(memory, holder, ends[1]) ||
		    !become_user(user))
			_exit(1);
		access_as_child(memory, way);
		_exit(0);
	}
	close(ends[0]);
	close(ends[1]);
	return wait_for(child);
}

static long expected(const FIXTURE_VARIANT(access) * way, enum user user)
{
	long same = way->same ? way->same : way->want;

	if (user == OTHER)
		return way->other ? way->other : same;
	return user == SAME ? same : way->want;
}

static bool is_expected(const FIXTURE_VARIANT(access) * way, enum user user,
			long result)
{
	return result == expected(way, user) ||
	       (way->why && result == way->also);
}

static const char *outcome_name(long result)
{
	static char number[24];

	if (result == NOT_AVAILABLE)
		return "none";
	if (result < 0)
		return strerrorname_np(-result);
	snprintf(number, sizeof(number), "%ld", result);
	return number;
}

/* What went wrong, or NULL. */
static const char *find_problem(struct memory *memory,
				const FIXTURE_VARIANT(access) * way,
				enum holder holder, enum user user)
{
	const struct report *report = memory->report;

	if (run_child(memory, way, holder, user))
		return "the child did not exit by itself";
	if (report->result != NOT_AVAILABLE &&
	    !is_expected(way, user, report->result))
		return "not the expected result";
	if (report->secret)
		return "pages beside the alias were seen";
	if (!is_unchanged(memory))
		return "a byte has changed";
	return NULL;
}

static const char *check(struct __test_metadata *_metadata,
			 struct memory *memory,
			 const FIXTURE_VARIANT(access) * way,
			 enum holder holder, enum user user)
{
	const char *problem = find_problem(memory, way, holder, user);
	const char *outcome = outcome_name(memory->report->result);

	EXPECT_EQ(NULL, problem)
	{
		TH_LOG("%s as %s: %s: %s", holder_names[holder],
		       user_names[user], outcome, problem);
	}
	return outcome;
}

static void print_line(const char *name, char outcomes[USERS][24])
{
	printf("# %-26s", name);
	if (!strcmp(outcomes[ROOT], outcomes[SAME]) &&
	    !strcmp(outcomes[ROOT], outcomes[OTHER]))
		printf("%s\n", outcomes[ROOT]);
	else
		printf("%s, same user %s, other %s\n", outcomes[ROOT],
		       outcomes[SAME], outcomes[OTHER]);
}

/* rules 5, 8, 10, 11 and 12 */
TEST_F(access, changes_and_shows_nothing_else)
{
	char outcomes[USERS][24];
	const char *outcome = "";
	enum holder holder;
	enum user user;

	for (user = ROOT; user < USERS; user++) {
		for (holder = HOLDER; holder < HOLDERS; holder++)
			outcome = check(_metadata, &self->memory, variant,
					holder, user);
		snprintf(outcomes[user], sizeof(outcomes[user]), "%s", outcome);
	}
	check(_metadata, &self->huge, variant, CHILD, ROOT);
	print_line(variant->name, outcomes);
	if (!strcmp(outcomes[ROOT], "none"))
		SKIP(return, "this kernel, or this machine, does not have it");
}

/*
 * rule 10: what stops a guest from writing is the missing right, nothing else
 */
TEST(a_guest_writes_if_its_owner_may)
{
	int ds = ds_alloc_pages(1);
	char *map = ds_map(ds, page_size(), READ_WRITE);
	long ret = access_kvm(map);

	if (ret == NOT_AVAILABLE)
		SKIP(return, "no KVM");
	EXPECT_EQ(KVM_EXIT_HLT, ret);
	EXPECT_EQ('i', *map);
}

/* Advice that the C library has no names for. */
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#define ACCESS(id) FIXTURE_VARIANT_ADD(access, id)
#define FD(id) .name = #id, .fd = access_##id
#define MAP(id) .name = #id, .map = access_##id
#define RANGE(id) .name = #id, .range = access_##id
#define ADVICE(id) .name = #id, .advice = MADV_##id

#include "access_table.h"

TEST_HARNESS_MAIN
