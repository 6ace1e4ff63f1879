// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory runs out in the middle of it: each operation is done again and again
 * while its first, second, ... allocation fails, until none is left that could.
 * "On every failure nothing has changed", and another try works.
 */
#include <kselftest_harness.h>

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "failpoint.h"
#include "fdpass.h"
#include "fixture.h"
#include "sigbus.h"

/* An operation that fails more often than this does not end. */
#define POINTS_MAX 2000

/* What is kept of a root that is closed or unmapped otherwise. */
#define KEPT_FIRST 100
#define KEPT_END 300
#define KEPT (KEPT_END - KEPT_FIRST)

static size_t alias_length(void)
{
	return (ALIAS_END - ALIAS_FIRST) * page_size();
}

static bool alias_is_mapped(struct fixture *fixture)
{
	return !pattern_wrong(fixture->map, ALIAS_END - ALIAS_FIRST,
			      ALIAS_FIRST);
}

/* Allocation: rules 1 to 3. */
static long run_alloc(struct fixture *fixture, __u64 length, __u32 flags)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.length = length,
		.rights = RIGHTS_RW,
	};

	fixture->length = length;
	fixture->fd = ds_alloc_on(fixture->device, &arg);
	return fixture->fd;
}

static long alloc_page(struct fixture *fixture)
{
	return run_alloc(fixture, page_size(), 0);
}

static long alloc_2m(struct fixture *fixture)
{
	return run_alloc(fixture, 2 << 20, 0);
}

static long alloc_3m(struct fixture *fixture)
{
	return run_alloc(fixture, 3 << 20, 0);
}

static long alloc_3m_scattered(struct fixture *fixture)
{
	return run_alloc(fixture, 3 << 20, DATASPACE_ALLOC_SCATTERED);
}

static bool fd_is_zero(struct fixture *fixture)
{
	fixture->map = ds_map(fixture->fd, fixture->length, PROT_READ);
	return fixture->map != MAP_FAILED &&
	       bytes_are(fixture->map, fixture->length, 0) &&
	       ds_exclusive(fixture->root) == 0 &&
	       !pages_of_map(&fixture->own, fixture->map, fixture->length);
}

static long alloc_8m(struct fixture *fixture)
{
	return run_alloc(fixture, 8 << 20, 0);
}

static long run_open(struct fixture *fixture)
{
	fixture->fd = ds_device();
	return fixture->fd;
}

static bool is_device(struct fixture *fixture)
{
	return ioctl(fixture->fd, DATASPACE_IOC_VERSION) ==
	       DATASPACE_ABI_VERSION;
}

/* Aliases and what is told of them: rules 5 and 15. */
static long run_alias(struct fixture *fixture)
{
	fixture->fd = ds_alias_pages(fixture->alias, 10, 20, RIGHTS_R);
	return fixture->fd;
}

static bool alias_works(struct fixture *fixture)
{
	return !pattern_wrong_fd(fixture->fd, 10, ALIAS_FIRST + 10) &&
	       !ds_ready(fixture->alias);
}

static long run_info(struct fixture *fixture)
{
	struct dataspace_info info;

	return ds_info(fixture->alias, &info);
}

static long read_file(const char *path)
{
	char buffer[4096];
	int file = open(path, O_RDONLY | O_CLOEXEC);
	long ret;

	if (file < 0)
		return -errno;
	do {
		ret = result(read(file, buffer, sizeof(buffer)));
	} while (ret > 0);
	close(file);
	return ret;
}

static long run_fdinfo(struct fixture *fixture)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fixture->alias);
	return read_file(path);
}

static long run_maps(struct fixture *fixture)
{
	return read_file("/proc/self/maps");
}

/*
 * Mapping: rules 20 and 22. At places far from all others, so that it depends
 * on nothing else whether there are tables for the page already.
 */
static void *far_away(const struct fixture *fixture, unsigned int how_far)
{
	return (char *)fixture->view - how_far * (1ULL << 40);
}

static long map_alias(struct fixture *fixture, int flags)
{
	void *map = mmap(far_away(fixture, 1), alias_length(), READ_WRITE,
			 MAP_SHARED | flags, fixture->alias, 0);

	if (map == MAP_FAILED)
		return -errno;
	fixture->map = map;
	fixture->length = alias_length();
	return 0;
}

static long run_map(struct fixture *fixture)
{
	return map_alias(fixture, 0);
}

static long run_map_populate(struct fixture *fixture)
{
	return map_alias(fixture, MAP_POPULATE);
}

static bool was_mapped(struct fixture *fixture)
{
	return !pattern_wrong_fd(fixture->alias, ALIAS_END - ALIAS_FIRST,
				 ALIAS_FIRST);
}

static bool map_before(struct fixture *fixture)
{
	return !map_alias(fixture, 0);
}

static long run_load(struct fixture *fixture)
{
	__u64 value;

	return -try_load(fixture->map, &value);
}

static long run_store(struct fixture *fixture)
{
	__u64 value =
		*(__u64 *)((char *)fixture->view + ALIAS_FIRST * page_size());

	return -try_store(fixture->map, value);
}

static bool map_several_large_folios(struct fixture *fixture)
{
	fixture->length = 3 * huge_size();
	fixture->fd = ds_alloc(fixture->length, RIGHTS_RW, 0);
	if (fixture->fd < 0)
		return false;
	fixture->map = mmap(far_away(fixture, 1), fixture->length, PROT_READ,
			    MAP_SHARED, fixture->fd, 0);
	return fixture->map != MAP_FAILED;
}

static bool map_is_zero(struct fixture *fixture)
{
	return bytes_are(fixture->map, fixture->length, 0) &&
	       !pages_of_map(&fixture->own, fixture->map, fixture->length);
}

static bool map_private(struct fixture *fixture)
{
	fixture->length = alias_length();
	fixture->map = mmap(NULL, fixture->length, READ_WRITE, MAP_PRIVATE,
			    fixture->alias, 0);
	return fixture->map != MAP_FAILED && alias_is_mapped(fixture);
}

static long run_private_store(struct fixture *fixture)
{
	return -try_store(fixture->map, 1);
}

static bool copy_is_private(struct fixture *fixture)
{
	return *(__u64 *)fixture->map == 1 &&
	       !pattern_wrong(fixture->view, ROOT_PAGES, 0);
}

static long run_mremap(struct fixture *fixture)
{
	void *moved = mremap(fixture->map, fixture->length, fixture->length,
			     MREMAP_MAYMOVE | MREMAP_FIXED,
			     far_away(fixture, 2));

	if (moved == MAP_FAILED)
		return -errno;
	fixture->map = moved;
	return 0;
}

/* Reading and writing: rule 20. */
static const char text[] = "written while memory runs out";

static long run_pread(struct fixture *fixture)
{
	__u64 words[1024];

	return result(pread(fixture->alias, words, sizeof(words), 0));
}

static long run_pwrite(struct fixture *fixture)
{
	return result(pwrite(fixture->alias, text, sizeof(text), 64));
}

static bool text_is_written(struct fixture *fixture)
{
	return !memcmp((char *)fixture->view + ALIAS_FIRST * page_size() + 64,
		       text, sizeof(text));
}

static bool have_pipe(struct fixture *fixture)
{
	int ends[2];

	if (pipe(ends))
		return false;
	fixture->fd = ends[0];
	fixture->other = ends[1];
	return true;
}

static long run_splice(struct fixture *fixture)
{
	return result(splice(fixture->alias, NULL, fixture->other, NULL,
			     4 * page_size(), 0));
}

static bool pipe_has_pattern(struct fixture *fixture)
{
	__u64 word = 0;

	return read(fixture->fd, &word, sizeof(word)) == sizeof(word) &&
	       word == *(__u64 *)((char *)fixture->view +
				  ALIAS_FIRST * page_size());
}

static bool have_text_in_pipe(struct fixture *fixture)
{
	return have_pipe(fixture) &&
	       write(fixture->other, text, sizeof(text)) == sizeof(text);
}

/* At the file's position: to tell of another one could fail afterwards. */
static long run_splice_into(struct fixture *fixture)
{
	long ret;

	lseek(fixture->alias, 64, SEEK_SET);
	ret = splice(fixture->fd, NULL, fixture->alias, NULL, sizeof(text), 0);
	return result(ret);
}

/* Pages that go back: rules 13 and 14. */
static bool have_own_root(struct fixture *fixture)
{
	const size_t length = ROOT_PAGES * page_size();

	fixture->fd = ds_alloc(length, RIGHTS_RW, 0);
	return fixture->fd >= 0 &&
	       !pattern_write_fd(fixture->fd, ROOT_PAGES, 0) &&
	       !pages_of_fd(&fixture->own, fixture->fd, length);
}

static bool have_kept_alias(struct fixture *fixture)
{
	if (!have_own_root(fixture))
		return false;
	fixture->other =
		ds_alias_pages(fixture->fd, KEPT_FIRST, KEPT_END, RIGHTS_R);
	return fixture->other >= 0;
}

static long run_close(struct fixture *fixture)
{
	int fd = fixture->fd;

	fixture->fd = -1;
	return result(close(fd));
}

static bool all_is_gone(struct fixture *fixture)
{
	return !pages_wait(&fixture->own, 0, SOON);
}

static bool rest_is_kept(struct fixture *fixture)
{
	return pages_wait(&fixture->own, KEPT, SOON) == KEPT &&
	       pages_held_in(&fixture->own, KEPT_FIRST, KEPT_END) == KEPT &&
	       !pattern_wrong_fd(fixture->other, KEPT, KEPT_FIRST);
}

static bool have_only_mapping(struct fixture *fixture)
{
	if (!have_own_root(fixture))
		return false;
	fixture->length = ROOT_PAGES * page_size();
	fixture->map = ds_map(fixture->fd, fixture->length, PROT_READ);
	return fixture->map != MAP_FAILED && !run_close(fixture) &&
	       !pattern_wrong(fixture->map, ROOT_PAGES, 0);
}

static long run_munmap(struct fixture *fixture)
{
	return result(munmap((char *)fixture->map + KEPT_FIRST * page_size(),
			     KEPT * page_size()));
}

static bool middle_is_gone(struct fixture *fixture)
{
	const size_t rest = ROOT_PAGES - KEPT;
	const char *behind = (char *)fixture->map + KEPT_END * page_size();

	return pages_wait(&fixture->own, rest, SOON) == rest &&
	       !pages_held_in(&fixture->own, KEPT_FIRST, KEPT_END) &&
	       !pattern_wrong(fixture->map, KEPT_FIRST, 0) &&
	       !pattern_wrong(behind, ROOT_PAGES - KEPT_END, KEPT_END);
}

/* Areas that are split; what core has split it leaves so. */
static long run_mprotect(struct fixture *fixture)
{
	return result(mprotect((char *)fixture->map + KEPT_FIRST * page_size(),
			       KEPT * page_size(), PROT_NONE));
}

static bool middle_is_protected(struct fixture *fixture)
{
	char *middle = (char *)fixture->map + KEPT_FIRST * page_size();
	__u64 value;

	return try_load(middle, &value) == SIGSEGV &&
	       !pattern_wrong(fixture->map, KEPT_FIRST, 0) &&
	       !pattern_wrong(middle + KEPT * page_size(),
			      ROOT_PAGES - KEPT_END, KEPT_END);
}

/* Other processes: rules 8 and 11. */
static long run_fork(struct fixture *fixture)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -errno : wait_for(child);
}

/* Above all that the table of descriptors has had room for until now. */
static long run_dup(struct fixture *fixture)
{
	const struct rlimit all = { 1 << 20, 1 << 20 };
	static int above = 64;

	above *= 2;
	if (setrlimit(RLIMIT_NOFILE, &all))
		return -errno;
	fixture->fd = result(fcntl(fixture->alias, F_DUPFD_CLOEXEC, above));
	return fixture->fd;
}

static bool is_the_alias(struct fixture *fixture)
{
	return ds_id(fixture->fd) == ds_id(fixture->alias);
}

static bool have_sockets(struct fixture *fixture)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return false;
	fixture->fd = ends[0];
	fixture->other = ends[1];
	return true;
}

static long run_pass(struct fixture *fixture)
{
	int fd = fd_send(fixture->fd, fixture->alias);
	struct dataspace_info info;
	long ret;

	if (!fd)
		fd = fd_receive(fixture->other);
	if (fd < 0)
		return fd;
	ret = ds_info(fd, &info);
	close(fd);
	return ret;
}

/* Control: rules 17 to 19. */
static long run_revoke(struct fixture *fixture)
{
	return ds_revoke(fixture->root);
}

static bool alias_is_revoked(struct fixture *fixture)
{
	return ds_state(fixture->alias) & DATASPACE_STATE_REVOKED &&
	       load_is_sigbus(fixture->map) && ds_ready(fixture->root);
}

static bool map_in_parts(struct fixture *fixture)
{
	return map_before(fixture) && alias_is_mapped(fixture) &&
	       !munmap((char *)fixture->map + page_size(), page_size()) &&
	       !munmap((char *)fixture->map + 7 * page_size(), page_size());
}

static bool parts_are_revoked(struct fixture *fixture)
{
	return alias_is_revoked(fixture) &&
	       load_is_sigbus((char *)fixture->map + 2 * page_size()) &&
	       load_is_sigbus((char *)fixture->map + 8 * page_size());
}

static long run_seal(struct fixture *fixture)
{
	return ds_seal(fixture->alias, 0);
}

static bool alias_is_sealed(struct fixture *fixture)
{
	return ds_state(fixture->alias) & DATASPACE_STATE_SEALED;
}

static bool map_and_touch(struct fixture *fixture)
{
	return map_before(fixture) && alias_is_mapped(fixture) &&
	       !run_store(fixture);
}

static long run_seal_now(struct fixture *fixture)
{
	return ds_seal(fixture->alias, DATASPACE_SEAL_NOW);
}

static bool alias_is_sealed_now(struct fixture *fixture)
{
	return alias_is_sealed(fixture) && store_is_sigbus(fixture->map) &&
	       alias_is_mapped(fixture);
}

static long run_poll(struct fixture *fixture)
{
	return ds_poll(fixture->alias, 0);
}

static bool alias_is_ready(struct fixture *fixture)
{
	return ds_ready(fixture->alias) && !ds_ready(fixture->root);
}

static bool have_epoll(struct fixture *fixture)
{
	fixture->fd = epoll_create1(EPOLL_CLOEXEC);
	return fixture->fd >= 0;
}

static long run_epoll_add(struct fixture *fixture)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(fixture->fd, EPOLL_CTL_ADD, fixture->alias, &event))
		return -errno;
	return 0;
}

static bool epoll_is_told(struct fixture *fixture)
{
	struct epoll_event event;

	return epoll_wait(fixture->fd, &event, 1, 0) == 1;
}

/*
 * @prepare: what comes before, without failures, or NULL
 * @run: the operation; 0, a number, or -errno
 * @works: whether it has done what it should, or NULL
 * @least: how many failures it must have met, lest nothing was tested
 * @errors: what it may say besides ENOMEM and EFAULT
 * @mm_warns: whether the kernel warns of failures that are not the module's;
 *	then the console shows errors only
 */
struct operation {
	bool (*prepare)(struct fixture *fixture);
	long (*run)(struct fixture *fixture);
	bool (*works)(struct fixture *fixture);
	unsigned int least;
	int errors[2];
	bool mm_warns;
};

FIXTURE_VARIANT(failing)
{
	struct operation op;
};

/* Of all operations together; shared, as each is tried by another process. */
static unsigned int *total;

static void __attribute__((constructor)) share_total(void)
{
	total = mmap(NULL, sizeof(*total), READ_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

FIXTURE(failing)
{
	unsigned int points;
	long long level;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(failing, alloc_page) {
	.op = { .run = alloc_page, .works = fd_is_zero, .least = 5 },
};

FIXTURE_VARIANT_ADD(failing, alloc_2m) {
	.op = { .run = alloc_2m, .works = fd_is_zero, .least = 5 },
};

FIXTURE_VARIANT_ADD(failing, alloc_3m) {
	.op = { .run = alloc_3m, .works = fd_is_zero, .least = 5 },
};

FIXTURE_VARIANT_ADD(failing, alloc_3m_scattered) {
	.op = { .run = alloc_3m_scattered, .works = fd_is_zero, .least = 5 },
};

FIXTURE_VARIANT_ADD(failing, alloc_8m) {
	.op = { .run = alloc_8m, .works = fd_is_zero, .least = 5 },
};

FIXTURE_VARIANT_ADD(failing, open_of_the_device) {
	.op = { .run = run_open, .works = is_device, .least = 2 },
};

FIXTURE_VARIANT_ADD(failing, alias) {
	.op = { .run = run_alias, .works = alias_works, .least = 3 },
};

FIXTURE_VARIANT_ADD(failing, info) {
	.op = { .run = run_info },
};

FIXTURE_VARIANT_ADD(failing, fdinfo) {
	.op = { .run = run_fdinfo, .least = 3 },
};

FIXTURE_VARIANT_ADD(failing, maps) {
	.op = { .prepare = map_before, .run = run_maps, .least = 3 },
};

FIXTURE_VARIANT_ADD(failing, first_mmap) {
	.op = { .run = run_map, .works = alias_is_mapped, .least = 3 },
};

FIXTURE_VARIANT_ADD(failing, second_mmap) {
	.op = {
		.prepare = was_mapped, .run = run_map, .works = alias_is_mapped,
		.least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, mmap_populate) {
	.op = { .run = run_map_populate, .works = alias_is_mapped, .least = 3 },
};

FIXTURE_VARIANT_ADD(failing, first_load) {
	.op = {
		.prepare = map_before, .run = run_load,
		.works = alias_is_mapped, .least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, first_store) {
	.op = {
		.prepare = map_before, .run = run_store,
		.works = alias_is_mapped, .least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, first_load_of_several_large_folios) {
	.op = {
		.prepare = map_several_large_folios, .run = run_load,
		.works = map_is_zero, .least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, first_private_store) {
	.op = {
		.prepare = map_private, .run = run_private_store,
		.works = copy_is_private, .least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, mremap) {
	.op = {
		.prepare = map_and_touch, .run = run_mremap,
		.works = alias_is_mapped, .least = 2,
	},
};

FIXTURE_VARIANT_ADD(failing, pread) {
	.op = { .run = run_pread },
};

FIXTURE_VARIANT_ADD(failing, pwrite) {
	.op = { .run = run_pwrite, .works = text_is_written },
};

FIXTURE_VARIANT_ADD(failing, splice) {
	.op = {
		.prepare = have_pipe, .run = run_splice, .works = pipe_has_pattern,
		.least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, splice_into) {
	.op = {
		.prepare = have_text_in_pipe, .run = run_splice_into,
		.works = text_is_written, .least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, munmap_of_a_part) {
	.op = {
		.prepare = have_only_mapping, .run = run_munmap,
		.works = middle_is_gone, .least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, close_of_a_part) {
	.op = {
		.prepare = have_kept_alias, .run = run_close,
		.works = rest_is_kept, .least = 1,
	},
};

FIXTURE_VARIANT_ADD(failing, close_of_all) {
	.op = {
		.prepare = have_own_root, .run = run_close,
		.works = all_is_gone,
	},
};

FIXTURE_VARIANT_ADD(failing, mprotect_of_a_part) {
	.op = {
		.prepare = have_only_mapping, .run = run_mprotect,
		.works = middle_is_protected, .least = 2,
	},
};

FIXTURE_VARIANT_ADD(failing, fork) {
	.op = {
		.prepare = map_before, .run = run_fork,
		.works = alias_is_mapped, .least = 3, .errors = { EAGAIN },
		.mm_warns = true,
	},
};

FIXTURE_VARIANT_ADD(failing, dup) {
	.op = { .run = run_dup, .works = is_the_alias, .least = 1 },
};

FIXTURE_VARIANT_ADD(failing, pass) {
	.op = {
		.prepare = have_sockets, .run = run_pass, .least = 3,
		.errors = { ENOBUFS, EBADMSG },
	},
};

FIXTURE_VARIANT_ADD(failing, revoke) {
	.op = {
		.prepare = map_and_touch, .run = run_revoke,
		.works = alias_is_revoked,
	},
};

FIXTURE_VARIANT_ADD(failing, revoke_of_parts) {
	.op = {
		.prepare = map_in_parts, .run = run_revoke,
		.works = parts_are_revoked,
	},
};

FIXTURE_VARIANT_ADD(failing, seal) {
	.op = { .run = run_seal, .works = alias_is_sealed },
};

FIXTURE_VARIANT_ADD(failing, seal_now) {
	.op = {
		.prepare = map_and_touch, .run = run_seal_now,
		.works = alias_is_sealed_now,
	},
};

FIXTURE_VARIANT_ADD(failing, poll) {
	.op = { .run = run_poll, .works = alias_is_ready },
};

FIXTURE_VARIANT_ADD(failing, epoll_add) {
	.op = {
		.prepare = have_epoll, .run = run_epoll_add,
		.works = epoll_is_told, .least = 1,
	},
};

/* clang-format on */

FIXTURE_SETUP(failing)
{
	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
	sigbus_init();
	ASSERT_EQ(0, failpoint_arm(0));
	if (!variant->op.mm_warns)
		return;
	self->level = failpoint_hush();
}

FIXTURE_TEARDOWN(failing)
{
	if (self->level)
		failpoint_speak(self->level);
}

static bool may_say(const struct operation *op, int error)
{
	return error == ENOMEM || error == EFAULT || error == op->errors[0] ||
	       error == op->errors[1];
}

static const char *judge_failure(const struct operation *op,
				 struct fixture *fixture,
				 const struct fixture_state *before, long ret)
{
	struct fixture_state after;
	const char *difference;

	if (!may_say(op, -ret))
		return "it failed with another errno";
	fixture_snapshot(fixture, &after);
	difference = fixture_difference(before, &after);
	if (difference)
		return difference;
	return op->run(fixture) < 0 ? "another try failed" : NULL;
}

static const char *try_operation(const struct operation *op,
				 struct fixture *fixture, unsigned int nth,
				 bool *hit, long *ret)
{
	struct fixture_state before;
	const char *problem = NULL;

	if (op->prepare && !op->prepare(fixture))
		return "it could not be prepared";
	fixture_snapshot(fixture, &before);
	if (failpoint_arm(nth))
		return "failures could not be asked for";
	*ret = op->run(fixture);
	*hit = failpoint_disarm();
	if (*ret < 0)
		problem = judge_failure(op, fixture, &before, *ret);
	if (!problem && op->works && !op->works(fixture))
		problem = "it did not work";
	return problem;
}

/* In a fixture of its own, so that one failure is not the cause of another. */
static const char *fail_once(const struct operation *op, unsigned int nth,
			     bool *hit, long *ret)
{
	struct fixture fixture;
	const char *problem;

	*hit = false;
	*ret = 0;
	if (fixture_open(&fixture))
		return "there is no memory for it";
	problem = try_operation(op, &fixture, nth, hit, ret);
	if (!fixture_close(&fixture, SOON) && !problem)
		problem = "something is left";
	return problem;
}

TEST_F(failing, nothing_has_changed)
{
	const char *problem = NULL;
	bool hit = true;
	long ret = 0;

	while (!problem && hit && self->points < POINTS_MAX) {
		problem = fail_once(&variant->op, self->points + 1, &hit, &ret);
		self->points += hit;
	}
	TH_LOG("%u failure points", self->points);
	*total += self->points;
	EXPECT_EQ(NULL, problem)
	{
		TH_LOG("failure %u, result %ld: %s", self->points, ret,
		       problem);
	}
	EXPECT_FALSE(hit && !problem);
	EXPECT_LE(variant->op.least, self->points);
}

FIXTURE(all)
{
	int unused;
};

FIXTURE_SETUP(all)
{
	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
}

FIXTURE_TEARDOWN(all)
{
}

/* After all of the above; none of them can have been empty. */
TEST_F(all, have_met_failures)
{
	TH_LOG("note: %u failure points of all operations", *total);
	EXPECT_LT(300, *total);
}

TEST_HARNESS_MAIN
