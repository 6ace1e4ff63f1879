// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module stays for as long as anything of it is in use, and leaves nothing
 * behind: rule 16. The module's file is $DATASPACE_MODULE, or where the virtual
 * machine has it.
 */
#include <kselftest_harness.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "common.h"
#include "fdpass.h"
#include "pages.h"
#include "proc.h"

#define MODULE "/lib/dataspace.ko"
#define ROUNDS 100

static const char *module_file(void)
{
	return getenv("DATASPACE_MODULE") ?: MODULE;
}

static int unload(void)
{
	return result(syscall(SYS_delete_module, "dataspace", O_NONBLOCK));
}

static int load(void)
{
	int fd = open(module_file(), O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = result(syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	return ret;
}

/* What a dataspace is put into, and how it is taken back out of the way. */
FIXTURE(busy)
{
	int ds;
};

FIXTURE_SETUP(busy)
{
	if (access(module_file(), R_OK))
		SKIP(return, "no file of the module to load again");
	self->ds = ds_alloc_pages(4);
	ASSERT_LE(0, self->ds);
}

/* Each test ends with nothing in use: then the module can go, and come. */
FIXTURE_TEARDOWN(busy)
{
	EXPECT_EQ(0, unload());
	EXPECT_EQ(0, load());
}

static long unload_is_refused(void)
{
	const int ret = unload();

	return ret == -EAGAIN || ret == -EBUSY || ret == -EWOULDBLOCK;
}

/* rule 16 */
TEST_F(busy, while_a_root_is_open)
{
	EXPECT_TRUE(unload_is_refused());
	close(self->ds);
}

/* rule 16 */
TEST_F(busy, while_an_alias_is_open)
{
	int alias = ds_alias_pages(self->ds, 1, 2, RIGHTS_R);

	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(alias);
}

/* rule 16 */
TEST_F(busy, while_the_device_is_open)
{
	int device = ds_device();

	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(device);
}

/* rule 16 */
TEST_F(busy, while_a_page_is_mapped)
{
	char *map = ds_map(self->ds, 4 * page_size(), PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	munmap(map, 2 * page_size());
	EXPECT_TRUE(unload_is_refused());
	munmap(map, 4 * page_size());
}

/* rule 16 */
TEST_F(busy, while_a_page_is_mapped_privately_and_copied)
{
	char *map = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE,
			 self->ds, 0);

	ASSERT_NE(MAP_FAILED, map);
	map[0] = 1;
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	munmap(map, page_size());
}

/* rule 16 */
TEST_F(busy, while_a_child_maps_it)
{
	char *map = ds_map(self->ds, 4 * page_size(), PROT_READ);
	int ends[2];
	pid_t child;
	char byte;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pipe(ends));
	child = fork();
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1));
	}
	munmap(map, 4 * page_size());
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(ends[1]);
	EXPECT_EQ(0, wait_for(child));
}

/* rule 16 */
TEST_F(busy, while_one_is_in_flight)
{
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], self->ds));
	close(self->ds);
	EXPECT_TRUE(unload_is_refused());
	close(ends[0]);
	close(ends[1]);
}

/* A user comes and goes before the module does. */
static int use(void)
{
	int ds = ds_alloc_pages(8);
	int alias = ds_alias_pages(ds, 2, 5, RIGHTS_RW);
	int ret = tags_write_fd(alias, 3, 0);

	close(ds);
	close(alias);
	return ret;
}

static bool mentions_dataspace(const char *path)
{
	char *text = malloc(1 << 20);
	bool found = proc_read(path, text, 1 << 20) > 0 &&
		     strstr(text, "dataspace");

	free(text);
	return found;
}

FIXTURE(reload)
{
	long held;
};

FIXTURE_SETUP(reload)
{
	if (access(module_file(), R_OK))
		SKIP(return, "no file of the module to load again");
	self->held = pages_held_by_anyone();
}

FIXTURE_TEARDOWN(reload)
{
}

/* rule 16 */
TEST_F_TIMEOUT(reload, a_hundred_times_leaves_nothing, 240)
{
	int round;

	for (round = 0; round < ROUNDS; round++) {
		ASSERT_EQ(0, use());
		ASSERT_EQ(0, unload());
		ASSERT_EQ(-ENOENT, ds_device());
		ASSERT_EQ(0, load());
	}
	ASSERT_EQ(0, unload());
	EXPECT_FALSE(mentions_dataspace("/proc/slabinfo"));
	EXPECT_FALSE(mentions_dataspace("/proc/misc"));
	EXPECT_FALSE(mentions_dataspace("/proc/filesystems"));
	EXPECT_FALSE(mentions_dataspace("/proc/modules"));
	EXPECT_EQ(self->held, pages_held_by_anyone());
	ASSERT_EQ(0, load());
	EXPECT_EQ(0, use());
}

TEST_HARNESS_MAIN
