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
		.node = DATASPACE_NODE_ANY,
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

/* Mapping: rules 20 and 22. */
static long map_alias(struct scene *scene, int flags)
{
	void *map = mmap(NULL, alias_length(), PROT_READ | PROT_WRITE,
			 MAP_SHARED | flags, scene->alias, 0);

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
	scene->map = ds_map(scene->fd, scene->length, PROT_READ);
	return scene->map != MAP_FAILED;
}

static bool map_is_zero(struct scene *scene)
{
	return bytes_are(scene->map, scene->length, 0) &&
	       !pages_of_map(&scene->own, scene->map, scene->length);
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

/* Other processes: rules 8 and 11. */
static long run_fork(struct scene *scene)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -errno : wait_for(child);
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

FIXTURE(failing)
{
	unsigned int points;
	long long level;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(failing, alloc_page) {
	.op.run = alloc_page,
	.op.works = fd_is_zero,
	.op.least = 5,
};

FIXTURE_VARIANT_ADD(failing, alloc_2m) {
	.op.run = alloc_2m,
	.op.works = fd_is_zero,
	.op.least = 5,
};

FIXTURE_VARIANT_ADD(failing, alloc_3m) {
	.op.run = alloc_3m,
	.op.works = fd_is_zero,
	.op.least = 5,
};

FIXTURE_VARIANT_ADD(failing, alloc_3m_scattered) {
	.op.run = alloc_3m_scattered,
	.op.works = fd_is_zero,
	.op.least = 5,
};

FIXTURE_VARIANT_ADD(failing, alias) {
	.op.run = run_alias,
	.op.works = alias_works,
	.op.least = 3,
};

FIXTURE_VARIANT_ADD(failing, info) {
	.op.run = run_info,
};

FIXTURE_VARIANT_ADD(failing, first_mmap) {
	.op.run = run_map,
	.op.works = alias_is_mapped,
	.op.least = 3,
};

FIXTURE_VARIANT_ADD(failing, second_mmap) {
	.op.prepare = was_mapped,
	.op.run = run_map,
	.op.works = alias_is_mapped,
	.op.least = 1,
};

FIXTURE_VARIANT_ADD(failing, mmap_populate) {
	.op.run = run_map_populate,
	.op.works = alias_is_mapped,
	.op.least = 3,
};

FIXTURE_VARIANT_ADD(failing, first_load) {
	.op.prepare = map_before,
	.op.run = run_load,
	.op.works = alias_is_mapped,
	.op.least = 1,
};

FIXTURE_VARIANT_ADD(failing, first_store) {
	.op.prepare = map_before,
	.op.run = run_store,
	.op.works = alias_is_mapped,
	.op.least = 1,
};

FIXTURE_VARIANT_ADD(failing, first_load_of_several_chunks) {
	.op.prepare = map_several_chunks,
	.op.run = run_load,
	.op.works = map_is_zero,
	.op.least = 1,
};

FIXTURE_VARIANT_ADD(failing, pread) {
	.op.run = run_pread,
};

FIXTURE_VARIANT_ADD(failing, pwrite) {
	.op.run = run_pwrite,
	.op.works = text_is_written,
};

FIXTURE_VARIANT_ADD(failing, splice) {
	.op.prepare = have_pipe,
	.op.run = run_splice,
	.op.works = pipe_has_tag,
	.op.least = 1,
};

FIXTURE_VARIANT_ADD(failing, munmap_of_a_part) {
	.op.prepare = have_only_mapping,
	.op.run = run_munmap,
	.op.works = middle_is_gone,
	.op.least = 1,
};

FIXTURE_VARIANT_ADD(failing, close_of_a_part) {
	.op.prepare = have_kept_alias,
	.op.run = run_close,
	.op.works = rest_is_kept,
	.op.least = 1,
};

FIXTURE_VARIANT_ADD(failing, fork) {
	.op.prepare = map_before,
	.op.run = run_fork,
	.op.works = alias_is_mapped,
	.op.least = 3,
	.op.errors = { EAGAIN },
	.op.core_warns = true,
};

FIXTURE_VARIANT_ADD(failing, pass) {
	.op.prepare = have_sockets,
	.op.run = run_pass,
	.op.least = 3,
	.op.errors = { ENOBUFS, EBADMSG },
};

FIXTURE_VARIANT_ADD(failing, revoke) {
	.op.prepare = map_and_touch,
	.op.run = run_revoke,
	.op.works = alias_is_revoked,
};

FIXTURE_VARIANT_ADD(failing, seal) {
	.op.run = run_seal,
	.op.works = alias_is_sealed,
};

FIXTURE_VARIANT_ADD(failing, seal_now) {
	.op.prepare = map_and_touch,
	.op.run = run_seal_now,
	.op.works = alias_is_sealed_now,
};

FIXTURE_VARIANT_ADD(failing, poll) {
	.op.run = run_poll,
	.op.works = alias_is_ready,
};

FIXTURE_VARIANT_ADD(failing, epoll_add) {
	.op.prepare = have_epoll,
	.op.run = run_epoll_add,
	.op.works = epoll_is_told,
	.op.least = 1,
};

/* clang-format on */

/* What is as urgent as an error is shown at 4, warnings are not. */
#define LEVEL_FILE "/proc/sys/kernel/printk"
#define LEVEL_ERRORS 4

static void set_level(long long level)
{
	FILE *file = fopen(LEVEL_FILE, "w");

	if (!file)
		return;
	fprintf(file, "%lld\n", level);
	fclose(file);
}

FIXTURE_SETUP(failing)
{
	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
	touch_init();
	ASSERT_EQ(0, failpoint_arm(0));
	if (!variant->op.core_warns)
		return;
	self->level = number_in_file(LEVEL_FILE, "");
	set_level(LEVEL_ERRORS);
}

FIXTURE_TEARDOWN(failing)
{
	if (self->level)
		set_level(self->level);
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
	EXPECT_EQ(NULL, problem)
	{
		TH_LOG("failure %u, result %ld: %s", self->points, ret,
		       problem);
	}
	EXPECT_FALSE(hit && !problem);
	EXPECT_LE(variant->op.least, self->points);
}

TEST_HARNESS_MAIN
