// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dataspaces while the kernel compacts memory, reclaims it or is short of it,
 * and while processes are killed in the middle of an operation. Contents and
 * physical addresses stay, and nothing is left of those processes: rules 2, 4
 * and 14.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "fdpass.h"
#include "kmod.h"
#include "pages.h"

#define SECONDS 1.0

#define GROUP "dataspace-killed"

/* The root is a large folio of 2 MiB and smaller ones. */
#define PAGES (512 + 24)

/* Forks a child that repeats @forever until it is killed. */
static pid_t start(void (*forever)(int root), int root)
{
	pid_t child = fork();

	if (child)
		return child;
	for (;;)
		forever(root);
}

static int stop(pid_t child)
{
	kill(child, SIGKILL);
	return wait_for(child);
}

static void compact(int root)
{
	text_to_file("/proc/sys/vm/compact_memory", "1");
}

static void reclaim(int root)
{
	text_to_file("/proc/sys/vm/drop_caches", "3");
}

/*
 * Uses most of the free memory, but not so much that a process is killed for
 * it.
 */
static void use_memory(int root)
{
	size_t length = number_in_file("/proc/meminfo", "MemFree:") * 512;
	char *map;

	if (length > 256 << 20)
		length = 256 << 20;
	map = mmap(NULL, length, READ_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map != MAP_FAILED)
		munmap(map, length);
}

/* Makes, uses and drops dataspaces and mappings, on a part of the root. */
static void work(int root)
{
	int own = ds_alloc_pages(20);
	int ds = ds_alias_pages(root, 500, 530, RIGHTS_RW);
	char *map = ds_map(ds, 30 * page_size(), READ_WRITE);

	pattern_write(map, 30, 500);
	close(ds_alias_pages(own, 3, 9, RIGHTS_R));
	close(own);
	close(ds);
	munmap(map + 5 * page_size(), 3 * page_size());
	munmap(map, 30 * page_size());
}

FIXTURE(moved)
{
	int root;
	char *map;
	struct pages pages;
	pid_t stressor;
	pid_t worker;
};

FIXTURE_VARIANT(moved)
{
	void (*stress)(int root);
};

/* clang-format off */
FIXTURE_VARIANT_ADD(moved, compaction) {
	.stress = compact,
};

FIXTURE_VARIANT_ADD(moved, reclaim) {
	.stress = reclaim,
};

FIXTURE_VARIANT_ADD(moved, shortage) {
	.stress = use_memory,
};

/* clang-format on */

FIXTURE_SETUP(moved)
{
	const size_t length = PAGES * page_size();

	self->root = ds_alloc(length, RIGHTS_RW, 0);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, pattern_write_fd(self->root, PAGES, 0));
	self->map = ds_map(self->root, length, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, pages_of_map(&self->pages, self->map, length));
	self->stressor = start(variant->stress, self->root);
	self->worker = start(work, self->root);
}

FIXTURE_TEARDOWN(moved)
{
	EXPECT_EQ(SIGKILL, stop(self->stressor));
	EXPECT_EQ(SIGKILL, stop(self->worker));
	munmap(self->map, PAGES * page_size());
	close(self->root);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	pages_forget(&self->pages);
}

static bool pages_are_same(const struct pages *pages, const void *map)
{
	struct pages now;
	bool same;

	if (pages_of_map(&now, map, pages->count * page_size()))
		return false;
	same = !memcmp(now.pfn, pages->pfn, pages->count * sizeof(*now.pfn));
	pages_forget(&now);
	return same;
}

/* rules 2 and 14 */
TEST_F_TIMEOUT(moved, contents_and_addresses_stay, LONG_TIMEOUT)
{
	const double end = seconds() + SECONDS;

	do {
		EXPECT_EQ(0, pattern_wrong(self->map, PAGES, 0));
		EXPECT_TRUE(pages_are_same(&self->pages, self->map));
		ASSERT_EQ(0, madvise(self->map, PAGES * page_size(),
				     MADV_DONTNEED));
		work(self->root);
	} while (seconds() < end);
}

/* Operations in the middle of which the child is killed. */
static void do_alloc(int root)
{
	close(ds_alloc(3 << 20, RIGHTS_RW, 0));
}

static void do_alloc_scattered(int root)
{
	close(ds_alloc(3 << 20, RIGHTS_RW, DATASPACE_ALLOC_SCATTERED));
}

static void do_alias(int root)
{
	close(ds_alias_pages(root, 7, 520, RIGHTS_R));
}

static void do_map(int root)
{
	const size_t length = PAGES * page_size();

	munmap(mmap(NULL, length, READ_WRITE, MAP_SHARED | MAP_POPULATE, root,
		    0),
	       length);
}

static void do_touch(int root)
{
	char *map = ds_map(root, PAGES * page_size(), READ_WRITE);

	for (;;) {
		pattern_write(map, PAGES, 0);
		madvise(map, PAGES * page_size(), MADV_DONTNEED);
	}
}

static void do_read_and_write(int root)
{
	static char buffer[1 << 20];

	if (pread(root, buffer, sizeof(buffer), 0) < 0 ||
	    pwrite(root, buffer, sizeof(buffer), page_size()) < 0)
		_exit(1);
}

/* Gives back a root piece by piece. */
static void do_release(int root)
{
	int ds = ds_alloc_pages(600);
	char *map = ds_map(ds, 600 * page_size(), PROT_READ);
	int i;

	close(ds);
	for (i = 0; i < 600; i += 100)
		munmap(map + i * page_size(), 100 * page_size());
}

static void do_revoke(int root)
{
	int ds = ds_alias_pages(root, 1, 530, RIGHTS_RW);
	char *map = ds_map(ds, 529 * page_size(), PROT_READ);

	close(ds_alias_pages(ds, 0, 5, RIGHTS_R));
	ds_revoke(root);
	munmap(map, 529 * page_size());
	close(ds);
}

static void do_seal(int root)
{
	int ds = ds_alias_pages(root, 1, 530, RIGHTS_RW);
	char *map = ds_map(ds, 529 * page_size(), READ_WRITE);

	ds_seal(ds, DATASPACE_SEAL_NOW);
	munmap(map, 529 * page_size());
	close(ds);
}

static void do_pass(int root)
{
	close(fd_round_trip(root));
}

static void do_pin(int root)
{
	char *map = ds_map(root, page_size(), PROT_READ);
	struct pin pin;

	if (!pin_page(&pin, map))
		pin_close(&pin);
	munmap(map, page_size());
}

FIXTURE(killed)
{
	long held;
	long long users;
};

FIXTURE_VARIANT(killed)
{
	void (*forever)(int root);
};

/* clang-format off */
FIXTURE_VARIANT_ADD(killed, alloc) { .forever = do_alloc };
FIXTURE_VARIANT_ADD(killed, alloc_scattered) { .forever = do_alloc_scattered };
FIXTURE_VARIANT_ADD(killed, alias) { .forever = do_alias };
FIXTURE_VARIANT_ADD(killed, mmap) { .forever = do_map };
FIXTURE_VARIANT_ADD(killed, touch) { .forever = do_touch };
FIXTURE_VARIANT_ADD(killed, io) { .forever = do_read_and_write };
FIXTURE_VARIANT_ADD(killed, release) { .forever = do_release };
FIXTURE_VARIANT_ADD(killed, revoke) { .forever = do_revoke };
FIXTURE_VARIANT_ADD(killed, seal) { .forever = do_seal };
FIXTURE_VARIANT_ADD(killed, pass) { .forever = do_pass };
FIXTURE_VARIANT_ADD(killed, pin) { .forever = do_pin };
/* clang-format on */

FIXTURE_SETUP(killed)
{
	self->held = pages_held_by_anyone();
	self->users = number_in_file(KMOD_REFCNT, "");
}

FIXTURE_TEARDOWN(killed)
{
	const double end = seconds() + STUCK;

	while (number_in_file(KMOD_REFCNT, "") != self->users &&
	       seconds() < end)
		usleep(10000);
	EXPECT_EQ(self->users, number_in_file(KMOD_REFCNT, ""));
	EXPECT_EQ(self->held, pages_held_by_anyone());
}

/* rule 14: killed at another moment each time */
TEST_F_TIMEOUT(killed, leaves_nothing, LONG_TIMEOUT)
{
	struct pages pages;
	pid_t child;
	int round;

	for (round = 0; round < 8; round++) {
		int root = ds_alloc_pages(PAGES);

		ASSERT_EQ(0, pages_of_fd(&pages, root, PAGES * page_size()));
		child = start(variant->forever, root);
		usleep(2000 + 1700 * round);
		EXPECT_EQ(PAGES, pages_held(&pages));
		EXPECT_EQ(SIGKILL, stop(child));
		close(root);
		EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
		pages_forget(&pages);
	}
}

static pid_t start_in_group(int root)
{
	pid_t child = fork();

	if (child)
		return child;
	if (cgroup_join(GROUP))
		_exit(1);
	fork();
	fork();
	for (;;)
		work(root);
}

/* Waits until the group has a process, or none. */
static bool group_becomes(bool populated)
{
	const double end = seconds() + STUCK;
	const char *file = "cgroup.events";

	while (cgroup_number(GROUP, file, "populated") != populated &&
	       seconds() < end)
		usleep(10000);
	return cgroup_number(GROUP, file, "populated") == populated;
}

/* rules 4 and 14: all processes at once, which share aliases and mappings */
TEST(a_group_that_is_killed_leaves_nothing)
{
	struct pages pages;
	int round;

	if (!cgroup_usable())
		SKIP(return, "no cgroup v2 with the memory controller");
	ASSERT_EQ(0, cgroup_make(GROUP));
	for (round = 0; round < 5; round++) {
		int root = ds_alloc_pages(PAGES);
		pid_t child;

		ASSERT_EQ(0, pages_of_fd(&pages, root, PAGES * page_size()));
		child = start_in_group(root);
		close(root);
		ASSERT_TRUE(group_becomes(true));
		usleep(20000 + 9000 * round);
		EXPECT_EQ(0, cgroup_set(GROUP, "cgroup.kill", "1"));
		EXPECT_EQ(SIGKILL, wait_for(child));
		EXPECT_TRUE(group_becomes(false));
		EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
		pages_forget(&pages);
	}
	EXPECT_EQ(0, cgroup_remove(GROUP));
}

TEST_HARNESS_MAIN
