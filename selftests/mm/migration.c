// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a dataspace are not migrated: rule 14. What asks for that is
 * refused, or goes on until it is interrupted; the pages keep their addresses
 * and contents.
 */
#include <kselftest_harness.h>

#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "common.h"
#include "disk.h"
#include "pages.h"
#include "swap.h"

#define BLOCKS "/sys/devices/system/memory/"

/* Seconds after which taking memory offline is interrupted. */
#define ATTEMPT_SECONDS 2

/*
 * Dataspaces that are tried until one is in a memory block without holes:
 * others can't be taken offline in any case.
 */
#define TRIES_MAX 64

/* MPOL_MF_MOVE_ALL of move_pages(2), which moves shared pages, too. */
#define MOVE_ALL 4

FIXTURE(migration)
{
	size_t pages;
	size_t length;
	int ds[TRIES_MAX];
	char *map[TRIES_MAX];
	struct pages before[TRIES_MAX];
	int count;
};

static int add_dataspace(FIXTURE_DATA(migration) * self)
{
	int i = self->count;

	self->ds[i] = ds_alloc(self->length, RIGHTS_RW, 0);
	if (self->ds[i] < 0)
		return self->ds[i];
	self->map[i] = ds_map(self->ds[i], self->length, READ_WRITE);
	if (self->map[i] == MAP_FAILED)
		return -errno;
	pattern_write(self->map[i], self->pages, i);
	self->count++;
	return pages_of_map(&self->before[i], self->map[i], self->length);
}

FIXTURE_SETUP(migration)
{
	self->length = huge_size();
	self->pages = self->length / page_size();
	ASSERT_EQ(0, add_dataspace(self));
}

/* All pages have their addresses and contents. */
FIXTURE_TEARDOWN(migration)
{
	struct pages after;
	int i;

	for (i = 0; i < self->count; i++) {
		EXPECT_EQ(0, pattern_wrong(self->map[i], self->pages, i));
		ASSERT_EQ(0, pages_of_map(&after, self->map[i], self->length));
		EXPECT_EQ(0, memcmp(self->before[i].pfn, after.pfn,
				    self->pages * sizeof(*after.pfn)));
	}
}

/* rule 14 */
TEST_F(migration, compaction_leaves_them_where_they_are)
{
	int i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, text_to_file("/proc/sys/vm/compact_memory", "1"));
}

/* rule 14: to the other node, if there is one */
TEST_F(migration, move_pages_does_not_move_them)
{
	void *page = self->map[0];
	int node, status;
	long ret;

	if (access("/sys/devices/system/node/node1", F_OK))
		SKIP(return, "this machine has one node");
	ASSERT_EQ(0, syscall(SYS_move_pages, 0, 1UL, &page, NULL, &node, 0));
	node = !node;
	status = node;
	ret = syscall(SYS_move_pages, 0, 1UL, &page, &node, &status, MOVE_ALL);
	EXPECT_TRUE(ret > 0 || status < 0)
	{
		TH_LOG("result %ld, status %d", ret, status);
	}
}

#define POWER "/sys/power/"
#define DELAY "/sys/module/suspend/parameters/pm_test_delay"

/* rule 14: all of suspend but switching the processors off */
TEST_F(migration, suspend_leaves_them_where_they_are)
{
	if (text_to_file(POWER "pm_test", "platform"))
		SKIP(return, "this kernel can't try to suspend");
	EXPECT_EQ(0, text_to_file(DELAY, "0"));
	EXPECT_EQ(0, text_to_file(POWER "state", "mem"));
	EXPECT_EQ(0, text_to_file(POWER "pm_test", "none"));
}

/*
 * Whether the kernel opens the disk again to read the image; until 6.4 that is
 * EBUSY.
 */
static bool reads_back_what_it_wrote(void)
{
	int version, level;
	struct utsname name;

	if (uname(&name) ||
	    sscanf(name.release, "%d.%d", &version, &level) != 2)
		return false;
	return version > 6 || (version == 6 && level >= 4);
}

/*
 * rule 14: the kernel writes all memory to a disk, and instead of switching the
 * machine off it resets the devices and reads the image back
 */
TEST_F_TIMEOUT(migration, hibernation_leaves_them_where_they_are, LONG_TIMEOUT)
{
	char device[32];
	dev_t disk;
	int err;

	if (!reads_back_what_it_wrote() ||
	    text_to_file(POWER "disk", "test_resume"))
		SKIP(return, "this kernel can't try to hibernate");
	err = swap_begin(&disk);
	if (err == -ENOENT || err == -EBUSY)
		SKIP(return, "no blank disk " DISK " to hibernate to");
	ASSERT_EQ(0, err);
	snprintf(device, sizeof(device), "%u:%u", major(disk), minor(disk));
	EXPECT_EQ(0, text_to_file(POWER "resume", device));
	EXPECT_EQ(0, text_to_file(POWER "state", "disk"));
	EXPECT_EQ(0, text_to_file(POWER "disk", "shutdown"));
	EXPECT_EQ(0, swap_end());
}

static void block_state(const struct pages *pages, char *path, size_t size)
{
	char text[32] = "";
	int fd = open(BLOCKS "block_size_bytes", O_RDONLY | O_CLOEXEC);
	unsigned long long block = 0;

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		block = strtoull(text, NULL, 16) / page_size();
	close(fd);
	snprintf(path, size, BLOCKS "memory%llu/state",
		 block ? pages->pfn[0] / block : 0);
}

/* Tries it in a child, which is interrupted after a while. */
static int try_offline(const char *path)
{
	pid_t child = fork();
	int status = -1;

	if (!child) {
		alarm(ATTEMPT_SECONDS);
		_exit(-text_to_file(path, "offline"));
	}
	waitpid(child, &status, 0);
	return status;
}

/* rule 14: the kernel refuses at once, or tries until it is interrupted */
TEST_F(migration, their_memory_cannot_be_taken_offline)
{
	const int with_holes = W_EXITCODE(EINVAL, 0);
	int status = with_holes;
	char path[96];

	block_state(&self->before[0], path, sizeof(path));
	if (access(path, W_OK))
		SKIP(return, "memory can't be taken offline here");
	while (status == with_holes && self->count < TRIES_MAX) {
		ASSERT_EQ(0, add_dataspace(self));
		block_state(&self->before[self->count - 1], path, sizeof(path));
		status = try_offline(path);
	}
	if (status == with_holes)
		SKIP(return, "all of the memory that was found has holes");
	EXPECT_TRUE(status == W_EXITCODE(EBUSY, 0) ||
		    status == W_EXITCODE(EINTR, 0) || status == SIGALRM)
	{
		TH_LOG("status %#x of %s", status, path);
	}
	EXPECT_EQ(0, number_in_file(path, "online"));
}

TEST_HARNESS_MAIN
