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
#include "scene.h"
#include "touch.h"

/* How long "soon" is where the contract says so, in seconds. */
#define SOON 1.0

/* An operation that fails more often than this does not end. */
#define POINTS_MAX 2000

/* What is kept of a root that is closed or unmapped otherwise. */
#define KEPT_FIRST 100
#define KEPT_END 300
#define KEPT (KEPT_END - KEPT_FIRST)

static size_t alias_length(void)
{
	return (SCENE_END - SCENE_FIRST) * page_size();
}

static bool alias_is_mapped(struct scene *scene)
{
	return !tags_wrong(scene->map, SCENE_END - SCENE_FIRST, SCENE_FIRST);
}

/* Allocation: rules 1 to 3. */
static long run_alloc(struct scene *scene, __u64 length, __u32 flags)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.length = length,
		.rights = RIGHTS_RW,
	};

	scene->length = length;
	scene->fd = ds_alloc_on(scene->device, &arg);
	return scene->fd;
}

static long alloc_page(struct scene *scene)
{
	return run_alloc(scene, page_size(), 0);
}

static long alloc_2m(struct scene *scene)
{
	return run_alloc(scene, 2 << 20, 0);
}

static long alloc_3m(struct scene *scene)
{
	return run_alloc(scene, 3 << 20, 0);
}

static long alloc_3m_scattered(struct scene *scene)
{
	return run_alloc(scene, 3 << 20, DATASPACE_ALLOC_SCATTERED);
}

static bool fd_is_zero(struct scene *scene)
{
	scene->map = ds_map(scene->fd, scene->length, PROT_READ);
	return scene->map != MAP_FAILED &&
	       bytes_are(scene->map, scene->length, 0) &&
	       ds_exclusive(scene->root) == 0 &&
	       !pages_of_map(&scene->own, scene->map, scene->length);
}

static long alloc_8m(struct scene *scene)
{
	return run_alloc(scene, 8 << 20, 0);
}

static long run_open(struct scene *scene)
{
	scene->fd = ds_device();
	return scene->fd;
}

static bool is_device(struct scene *scene)
{
	return ioctl(scene->fd, DATASPACE_IOC_VERSION) == DATASPACE_ABI_VERSION;
}

/* Aliases and what is told of them: rules 5 and 15. */
static long run_alias(struct scene *scene)
{
	scene->fd = ds_alias_pages(scene->alias, 10, 20, RIGHTS_R);
	return scene->fd;
}

static bool alias_works(struct scene *scene)
{
	return !tags_wrong_fd(scene->fd, 10, SCENE_FIRST + 10) &&
	       !ds_ready(scene->alias);
}

static long run_info(struct scene *scene)
{
	struct dataspace_info info;

	return ds_info(scene->alias, &info);
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

static long run_fdinfo(struct scene *scene)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", scene->alias);
	return read_file(path);
}

static long run_maps(struct scene *scene)
{
	return read_file("/proc/self/maps");
}

/*
 * Mapping: rules 20 and 22. At places far from all others, so that it depends
 * on nothing else whether there are tables for the page already.
 */
static void *far_away(const struct scene *scene, unsigned int how_far)
{
	return (char *)scene->view - how_far * (1ULL << 40);
}

static long map_alias(struct scene *scene, int flags)
{
	void *map = mmap(far_away(scene, 1), alias_length(),
			 PROT_READ | PROT_WRITE, MAP_SHARED | flags,
			 scene->alias, 0);

	if (map == MAP_FAILED)
		return -errno;
	scene->map = map;
	scene->length = alias_length();
	return 0;
}

static long run_map(struct scene *scene)
{
	return map_alias(scene, 0);
}

static long run_map_populate(struct scene *scene)
{
	return map_alias(scene, MAP_POPULATE);
}

static bool was_mapped(struct scene *scene)
{
	return !tags_wrong_fd(scene->alias, SCENE_END - SCENE_FIRST,
			      SCENE_FIRST);
}

static bool map_before(struct scene *scene)
{
	return !map_alias(scene, 0);
}

static long run_load(struct scene *scene)
{
	__u64 value;

	return -touch_load(scene->map, &value);
}

static long run_store(struct scene *scene)
{
	__u64 value =
		*(__u64 *)((char *)scene->view + SCENE_FIRST * page_size());

	return -touch_store(scene->map, value);
}

static bool map_several_chunks(struct scene *scene)
{
	scene->length = 3 * huge_size();
	scene->fd = ds_alloc(scene->length, RIGHTS_RW, 0);
	if (scene->fd < 0)
		return false;
	scene->map = mmap(far_away(scene, 1), scene->length, PROT_READ,
			  MAP_SHARED, scene->fd, 0);
	return scene->map != MAP_FAILED;
}

static bool map_is_zero(struct scene *scene)
{
	return bytes_are(scene->map, scene->length, 0) &&
	       !pages_of_map(&scene->own, scene->map, scene->length);
}

static bool map_private(struct scene *scene)
{
	scene->length = alias_length();
	scene->map = mmap(NULL, scene->length, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE, scene->alias, 0);
	return scene->map != MAP_FAILED && alias_is_mapped(scene);
}

static long run_private_store(struct scene *scene)
{
	return -touch_store(scene->map, 1);
}

static bool copy_is_private(struct scene *scene)
{
	return *(__u64 *)scene->map == 1 &&
	       !tags_wrong(scene->view, SCENE_PAGES, 0);
}

static long run_mremap(struct scene *scene)
{
	void *moved = mremap(scene->map, scene->length, scene->length,
			     MREMAP_MAYMOVE | MREMAP_FIXED, far_away(scene, 2));

	if (moved == MAP_FAILED)
		return -errno;
	scene->map = moved;
	return 0;
}

/* Reading and writing: rule 20. */
static const char text[] = "written while memory runs out";

static long run_pread(struct scene *scene)
{
	__u64 words[1024];

	return result(pread(scene->alias, words, sizeof(words), 0));
}

static long run_pwrite(struct scene *scene)
{
	return result(pwrite(scene->alias, text, sizeof(text), 64));
}

static bool text_is_written(struct scene *scene)
{
	return !memcmp((char *)scene->view + SCENE_FIRST * page_size() + 64,
		       text, sizeof(text));
}

static bool have_pipe(struct scene *scene)
{
	int ends[2];

	if (pipe(ends))
		return false;
	scene->fd = ends[0];
	scene->other = ends[1];
	return true;
}

static long run_splice(struct scene *scene)
{
	return result(splice(scene->alias, NULL, scene->other, NULL,
			     4 * page_size(), 0));
}

static bool pipe_has_tag(struct scene *scene)
{
	__u64 word = 0;

	return read(scene->fd, &word, sizeof(word)) == sizeof(word) &&
	       word == *(__u64 *)((char *)scene->view +
				  SCENE_FIRST * page_size());
}

static bool have_text_in_pipe(struct scene *scene)
{
	return have_pipe(scene) &&
	       write(scene->other, text, sizeof(text)) == sizeof(text);
}

/* At the file's position: to tell of another one could fail afterwards. */
static long run_splice_into(struct scene *scene)
{
	long ret;

	lseek(scene->alias, 64, SEEK_SET);
	ret = splice(scene->fd, NULL, scene->alias, NULL, sizeof(text), 0);
	return result(ret);
}

/* Pages that go back: rules 13 and 14. */
static bool have_own_root(struct scene *scene)
{
	const size_t length = SCENE_PAGES * page_size();

	scene->fd = ds_alloc(length, RIGHTS_RW, 0);
	return scene->fd >= 0 && !tags_write_fd(scene->fd, SCENE_PAGES, 0) &&
	       !pages_of_fd(&scene->own, scene->fd, length);
}

static bool have_kept_alias(struct scene *scene)
{
	if (!have_own_root(scene))
		return false;
	scene->other =
		ds_alias_pages(scene->fd, KEPT_FIRST, KEPT_END, RIGHTS_R);
	return scene->other >= 0;
}

static long run_close(struct scene *scene)
{
	int fd = scene->fd;

	scene->fd = -1;
	return result(close(fd));
}

static bool all_is_gone(struct scene *scene)
{
	return !pages_wait(&scene->own, 0, SOON);
}

static bool rest_is_kept(struct scene *scene)
{
	return pages_wait(&scene->own, KEPT, SOON) == KEPT &&
	       pages_held_in(&scene->own, KEPT_FIRST, KEPT_END) == KEPT &&
	       !tags_wrong_fd(scene->other, KEPT, KEPT_FIRST);
}

static bool have_only_mapping(struct scene *scene)
{
	if (!have_own_root(scene))
		return false;
	scene->length = SCENE_PAGES * page_size();
	scene->map = ds_map(scene->fd, scene->length, PROT_READ);
	return scene->map != MAP_FAILED && !run_close(scene) &&
	       !tags_wrong(scene->map, SCENE_PAGES, 0);
}

static long run_munmap(struct scene *scene)
{
	return result(munmap((char *)scene->map + KEPT_FIRST * page_size(),
			     KEPT * page_size()));
}

static bool middle_is_gone(struct scene *scene)
{
	const size_t rest = SCENE_PAGES - KEPT;
	const char *behind = (char *)scene->map + KEPT_END * page_size();

	return pages_wait(&scene->own, rest, SOON) == rest &&
	       !pages_held_in(&scene->own, KEPT_FIRST, KEPT_END) &&
	       !tags_wrong(scene->map, KEPT_FIRST, 0) &&
	       !tags_wrong(behind, SCENE_PAGES - KEPT_END, KEPT_END);
}

/* Areas that are split; what core has split it leaves so. */
static long run_mprotect(struct scene *scene)
{
	return result(mprotect((char *)scene->map + KEPT_FIRST * page_size(),
			       KEPT * page_size(), PROT_NONE));
}

static bool middle_is_protected(struct scene *scene)
{
	char *middle = (char *)scene->map + KEPT_FIRST * page_size();
	__u64 value;

	return touch_load(middle, &value) == SIGSEGV &&
	       !tags_wrong(scene->map, KEPT_FIRST, 0) &&
	       !tags_wrong(middle + KEPT * page_size(), SCENE_PAGES - KEPT_END,
			   KEPT_END);
}

/* Other processes: rules 8 and 11. */
static long run_fork(struct scene *scene)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -errno : wait_for(child);
}

/* Above all that the table of descriptors has had room for until now. */
static long run_dup(struct scene *scene)
{
	const struct rlimit all = { 1 << 20, 1 << 20 };
	static int above = 64;

	above *= 2;
	if (setrlimit(RLIMIT_NOFILE, &all))
		return -errno;
	scene->fd = result(fcntl(scene->alias, F_DUPFD_CLOEXEC, above));
	return scene->fd;
}

static bool is_the_alias(struct scene *scene)
{
	return ds_id(scene->fd) == ds_id(scene->alias);
}

static bool have_sockets(struct scene *scene)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return false;
	scene->fd = ends[0];
	scene->other = ends[1];
	return true;
}

static long run_pass(struct scene *scene)
{
	int fd = fd_send(scene->fd, scene->alias);
	struct dataspace_info info;
	long ret;

	if (!fd)
		fd = fd_receive(scene->other);
	if (fd < 0)
		return fd;
	ret = ds_info(fd, &info);
	close(fd);
	return ret;
}

/* Control: rules 17 to 19. */
static long run_revoke(struct scene *scene)
{
	return ds_revoke(scene->root);
}

static bool alias_is_revoked(struct scene *scene)
{
	return ds_state(scene->alias) & DATASPACE_STATE_REVOKED &&
	       load_is_sigbus(scene->map) && ds_ready(scene->root);
}

static bool map_in_parts(struct scene *scene)
{
	return map_before(scene) && alias_is_mapped(scene) &&
	       !munmap((char *)scene->map + page_size(), page_size()) &&
	       !munmap((char *)scene->map + 7 * page_size(), page_size());
}

static bool parts_are_revoked(struct scene *scene)
{
	return alias_is_revoked(scene) &&
	       load_is_sigbus((char *)scene->map + 2 * page_size()) &&
	       load_is_sigbus((char *)scene->map + 8 * page_size());
}

static long run_seal(struct scene *scene)
{
	return ds_seal(scene->alias, 0);
}

static bool alias_is_sealed(struct scene *scene)
{
	return ds_state(scene->alias) & DATASPACE_STATE_SEALED;
}

static bool map_and_touch(struct scene *scene)
{
	return map_before(scene) && alias_is_mapped(scene) && !run_store(scene);
}

static long run_seal_now(struct scene *scene)
{
	return ds_seal(scene->alias, DATASPACE_SEAL_NOW);
}

static bool alias_is_sealed_now(struct scene *scene)
{
	return alias_is_sealed(scene) && store_is_sigbus(scene->map) &&
	       alias_is_mapped(scene);
}

static long run_poll(struct scene *scene)
{
	return ds_poll(scene->alias, 0);
}

static bool alias_is_ready(struct scene *scene)
{
	return ds_ready(scene->alias) && !ds_ready(scene->root);
}

static bool have_epoll(struct scene *scene)
{
	scene->fd = epoll_create1(EPOLL_CLOEXEC);
	return scene->fd >= 0;
}

static long run_epoll_add(struct scene *scene)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (epoll_ctl(scene->fd, EPOLL_CTL_ADD, scene->alias, &event))
		return -errno;
	return 0;
}

static bool epoll_is_told(struct scene *scene)
{
	struct epoll_event event;

	return epoll_wait(scene->fd, &event, 1, 0) == 1;
}

/*
 * @prepare: what comes before, without failures, or NULL
 * @run: the operation; 0, a number, or -errno
 * @works: whether it has done what it should, or NULL
 * @least: how many failures it must have met, lest nothing was tested
 * @errors: what it may say besides ENOMEM and EFAULT
 * @core_warns: whether the kernel warns of failures that are not the module's;
 *	then the console shows errors only
 */
struct operation {
	bool (*prepare)(struct scene *scene);
	long (*run)(struct scene *scene);
	bool (*works)(struct scene *scene);
	unsigned int least;
	int errors[2];
	bool core_warns;
};

FIXTURE_VARIANT(failing)
{
	struct operation op;
};

/* Of all operations together; shared, as each is tried by another process. */
static unsigned int *total;

static void __attribute__((constructor)) share_total(void)
{
	total = mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE,
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

FIXTURE_VARIANT_ADD(failing, first_load_of_several_chunks) {
	.op = {
		.prepare = map_several_chunks, .run = run_load,
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
		.prepare = have_pipe, .run = run_splice, .works = pipe_has_tag,
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
		.core_warns = true,
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
	touch_init();
	ASSERT_EQ(0, failpoint_arm(0));
	if (!variant->op.core_warns)
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
				 struct scene *scene,
				 const struct scene_state *before, long ret)
{
	struct scene_state after;
	const char *difference;

	if (!may_say(op, -ret))
		return "it failed with another errno";
	scene_look(scene, &after);
	difference = scene_difference(before, &after);
	if (difference)
		return difference;
	return op->run(scene) < 0 ? "another try failed" : NULL;
}

static const char *try_operation(const struct operation *op,
				 struct scene *scene, unsigned int nth,
				 bool *hit, long *ret)
{
	struct scene_state before;
	const char *problem = NULL;

	if (op->prepare && !op->prepare(scene))
		return "it could not be prepared";
	scene_look(scene, &before);
	if (failpoint_arm(nth))
		return "failures could not be asked for";
	*ret = op->run(scene);
	*hit = failpoint_disarm();
	if (*ret < 0)
		problem = judge_failure(op, scene, &before, *ret);
	if (!problem && op->works && !op->works(scene))
		problem = "it did not work";
	return problem;
}

/* In a scene of its own, so that one failure is not the cause of another. */
static const char *fail_once(const struct operation *op, unsigned int nth,
			     bool *hit, long *ret)
{
	struct scene scene;
	const char *problem;

	*hit = false;
	*ret = 0;
	if (scene_open(&scene))
		return "there is no memory for it";
	problem = try_operation(op, &scene, nth, hit, ret);
	if (!scene_close(&scene, SOON) && !problem)
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
