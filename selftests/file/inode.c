// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a dataspace answers as a file: all dataspaces of a root share an inode,
 * and none of them may tell of another one.
 */
#include <kselftest_harness.h>

#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "common.h"
#include "control.h"

#define ROOT_PAGES 8
#define SOMEBODY 1000
#define MANY 256

FIXTURE(inode)
{
	int root;
	/* pages 2 to 5 of it */
	int ds;
	off_t length;
};

FIXTURE_SETUP(inode)
{
	self->root = ds_alloc(ROOT_PAGES * page_size(), RIGHTS_RW, 0);
	ASSERT_LE(0, self->root);
	self->ds = ds_alias_pages(self->root, 2, 5, RIGHTS_RW);
	ASSERT_LE(0, self->ds);
	self->length = 3 * page_size();
}

FIXTURE_TEARDOWN(inode)
{
}

/* Writes all of the dataspace, and tells later whether that is there. */
static long write_all(int ds, off_t length)
{
	void *bytes = malloc(length);
	long ret;

	memset(bytes, 0x5a, length);
	ret = result(pwrite(ds, bytes, length, 0));
	free(bytes);
	return ret;
}

static bool is_unchanged(int ds, off_t length)
{
	void *bytes = malloc(length);
	bool same = pread(ds, bytes, length, 0) == length &&
		    bytes_are(bytes, length, 0x5a);

	free(bytes);
	return same;
}

/* rule 20 */
TEST_F(inode, fallocate_within_the_range_is_0_and_changes_nothing)
{
	const off_t page = page_size();

	ASSERT_EQ(self->length, write_all(self->ds, self->length));
	EXPECT_EQ(0, fallocate(self->ds, 0, 0, self->length));
	EXPECT_EQ(0, fallocate(self->ds, 0, 0, 1));
	EXPECT_EQ(0, fallocate(self->ds, 0, page + 1, page));
	EXPECT_EQ(0, fallocate(self->ds, 0, self->length - 1, 1));
	EXPECT_EQ(0, posix_fallocate(self->ds, 0, self->length));
	EXPECT_TRUE(is_unchanged(self->ds, self->length));
}

/* rule 20: glibc would write into every block at EOPNOTSUPP */
TEST_F(inode, fallocate_beyond_the_range_is_ENOSPC)
{
	const off_t length = self->length;

	EXPECT_EQ(-ENOSPC, result(fallocate(self->ds, 0, 0, length + 1)));
	EXPECT_EQ(-ENOSPC, result(fallocate(self->ds, 0, length, 1)));
	EXPECT_EQ(-ENOSPC, result(fallocate(self->ds, 0, 1 << 30, 1)));
	EXPECT_EQ(-ENOSPC, result(fallocate(self->ds, 0, 0, INT64_MAX)));
	EXPECT_EQ(ENOSPC, posix_fallocate(self->ds, 0, length + 1));
}

/* rule 20 */
TEST_F(inode, other_modes_of_fallocate_are_EOPNOTSUPP)
{
	const int modes[] = {
		FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_ZERO_RANGE,
		FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
		FALLOC_FL_COLLAPSE_RANGE,
		FALLOC_FL_INSERT_RANGE,
		FALLOC_FL_UNSHARE_RANGE,
	};
	size_t i;

	ASSERT_EQ(self->length, write_all(self->ds, self->length));
	for (i = 0; i < ARRAY_LENGTH(modes); i++)
		EXPECT_EQ(-EOPNOTSUPP, result(fallocate(self->ds, modes[i], 0,
							page_size())));
	EXPECT_TRUE(is_unchanged(self->ds, self->length));
}

/* rule 20 */
TEST_F(inode, ftruncate_is_0_to_the_same_size_and_EINVAL_to_others)
{
	const off_t sizes[] = { 0,
				1,
				self->length - 1,
				self->length + 1,
				ROOT_PAGES * page_size(),
				1 << 30 };
	struct stat stat;
	size_t i;

	ASSERT_EQ(self->length, write_all(self->ds, self->length));
	EXPECT_EQ(0, ftruncate(self->ds, self->length));
	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		EXPECT_EQ(-EINVAL, result(ftruncate(self->ds, sizes[i])));
	ASSERT_EQ(0, fstat(self->ds, &stat));
	EXPECT_EQ(self->length, stat.st_size);
	EXPECT_TRUE(is_unchanged(self->ds, self->length));
}

/* rule 20: without O_LARGEFILE ftruncate() of 2 GiB and more is EINVAL */
TEST_F(inode, the_flags_of_the_file_are_those_of_a_memfd)
{
	int memfd = memfd_create("memfd", 0);

	ASSERT_LE(0, memfd);
	EXPECT_EQ(fcntl(memfd, F_GETFL), fcntl(self->ds, F_GETFL));
	close(memfd);
}

/* rule 10 */
TEST_F(inode, without_WRITE_both_are_refused)
{
	int ds = ds_alias_pages(self->root, 0, 1, RIGHTS_R);

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EBADF, result(fallocate(ds, 0, 0, page_size())));
	EXPECT_EQ(-EINVAL, result(ftruncate(ds, page_size())));
	close(ds);
}

/* rule 17 */
TEST_F(inode, both_are_ESTALE_once_it_is_revoked)
{
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-ESTALE, result(fallocate(self->ds, 0, 0, page_size())));
	EXPECT_EQ(-ESTALE, result(ftruncate(self->ds, self->length)));
}

static double time_of(const struct timespec *time)
{
	return time->tv_sec + time->tv_nsec / 1e9;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME_COARSE, &time);
	return time_of(&time);
}

/* rule 20 */
TEST_F(inode, the_times_are_those_of_the_creation)
{
	const double before = now();
	int ds = ds_alias_pages(self->root, 0, 1, RIGHTS_RW);
	const double after = now();
	struct stat stat, again;
	char *map;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, fstat(ds, &stat));
	EXPECT_LE(before, time_of(&stat.st_mtim));
	EXPECT_GE(after, time_of(&stat.st_mtim));
	EXPECT_EQ(time_of(&stat.st_mtim), time_of(&stat.st_ctim));
	EXPECT_EQ(time_of(&stat.st_mtim), time_of(&stat.st_atim));

	usleep(50000);
	EXPECT_EQ(1, pwrite(ds, "x", 1, 0));
	EXPECT_EQ(1, pwrite(self->root, "x", 1, 0));
	map = ds_map(ds, page_size(), PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, map);
	*map = 1;
	EXPECT_EQ(0, ftruncate(ds, page_size()));
	EXPECT_EQ(0, fallocate(ds, 0, 0, page_size()));
	ASSERT_EQ(0, fstat(ds, &again));
	EXPECT_EQ(time_of(&stat.st_mtim), time_of(&again.st_mtim));
	EXPECT_EQ(time_of(&stat.st_ctim), time_of(&again.st_ctim));
	EXPECT_EQ(time_of(&stat.st_atim), time_of(&again.st_atim));
	munmap(map, page_size());
	close(ds);
}

/* rule 20: each dataspace has times of its own */
TEST_F(inode, an_alias_has_not_the_times_of_its_source)
{
	struct stat old, new;
	int ds;

	usleep(50000);
	ds = ds_alias_pages(self->ds, 0, 1, RIGHTS_R);
	ASSERT_LE(0, ds);
	ASSERT_EQ(0, fstat(self->ds, &old));
	ASSERT_EQ(0, fstat(ds, &new));
	EXPECT_LT(time_of(&old.st_mtim), time_of(&new.st_mtim));
	close(ds);
}

/* the way to know a dataspace */
TEST_F(inode, fstatfs_tells_the_magic_number)
{
	struct statfs statfs;

	ASSERT_EQ(0, fstatfs(self->ds, &statfs));
	EXPECT_EQ(DATASPACE_MAGIC, statfs.f_type);
}

/* rule 24: only so debuggers take it for memory */
TEST_F(inode, its_name_in_maps_ends_in_deleted)
{
	void *map = ds_map(self->ds, page_size(), PROT_READ);
	FILE *file = fopen("/proc/self/maps", "r");
	char name[64];
	char line[256];
	int found = 0;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(NULL, file);
	snprintf(name, sizeof(name), " /dataspace:%llu (deleted)\n",
		 (unsigned long long)ds_id(self->ds));
	while (fgets(line, sizeof(line), file))
		found += strlen(line) > strlen(name) &&
			 !strcmp(line + strlen(line) - strlen(name), name);
	EXPECT_EQ(1, found);
	fclose(file);
	munmap(map, page_size());
}

/* as of a memfd, of which there is no name either */
TEST_F(inode, has_no_links)
{
	struct stat stat;

	ASSERT_EQ(0, fstat(self->ds, &stat));
	EXPECT_EQ(0, stat.st_nlink);
	EXPECT_EQ(-EXDEV, result(linkat(self->ds, "", AT_FDCWD, "/inode",
					AT_EMPTY_PATH)));
}

/* A process of another user can still look at itself in /proc. */
static bool become_somebody(void)
{
	return !setresgid(SOMEBODY, SOMEBODY, SOMEBODY) &&
	       !setresuid(SOMEBODY, SOMEBODY, SOMEBODY) &&
	       !prctl(PR_SET_DUMPABLE, 1);
}

static int alloc_as_somebody(int device, __u64 length)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.length = length,
		.rights = RIGHTS_RW,
	};

	return become_somebody() ? ds_alloc_on(device, &arg) : -EPERM;
}

static int owner_is_who_made_it(int device)
{
	int ds = alloc_as_somebody(device, page_size());
	struct stat stat;

	return ds < 0 || fstat(ds, &stat) || stat.st_uid != SOMEBODY ||
	       stat.st_gid != SOMEBODY;
}

TEST_F(inode, the_owner_is_who_made_the_root)
{
	int device = ds_device();
	struct stat stat;
	pid_t child;

	ASSERT_LE(0, device);
	ASSERT_EQ(0, fstat(self->root, &stat));
	EXPECT_EQ(geteuid(), stat.st_uid);
	EXPECT_EQ(getegid(), stat.st_gid);
	child = fork();
	if (!child)
		_exit(owner_is_who_made_it(device));
	EXPECT_EQ(0, wait_for(child));
	close(device);
}

static long reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return result(open(path, flags | O_CLOEXEC));
}

/* rule 8: by whoever it is */
TEST_F(inode, reopening_is_ENXIO_for_another_user_too)
{
	pid_t child;

	EXPECT_EQ(-ENXIO, reopen(self->ds, O_RDONLY));
	EXPECT_EQ(-ENXIO, reopen(self->ds, O_RDWR));
	child = fork();
	if (!child)
		_exit(!become_somebody() ||
		      reopen(self->ds, O_RDONLY) != -ENXIO ||
		      reopen(self->ds, O_RDWR) != -ENXIO ||
		      reopen(self->ds, O_WRONLY | O_TRUNC) != -ENXIO);
	EXPECT_EQ(0, wait_for(child));
}

/* rule 24: it is the inode that would be watched, which others use, too */
TEST_F(inode, nobody_can_watch_it)
{
	int inotify = inotify_init1(IN_CLOEXEC);
	int fanotify = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY);
	char path[64];

	if (inotify < 0 && errno == ENOSYS)
		SKIP(return, "this kernel has no inotify");
	ASSERT_LE(0, inotify);
	ASSERT_LE(0, fanotify);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->ds);
	EXPECT_EQ(-EACCES,
		  result(inotify_add_watch(inotify, path, IN_ALL_EVENTS)));
	EXPECT_EQ(-EACCES, result(inotify_add_watch(inotify, path, IN_CLOSE)));
	EXPECT_EQ(-EACCES, result(fanotify_mark(fanotify, FAN_MARK_ADD,
						FAN_OPEN, AT_FDCWD, path)));
	close(fanotify);
	close(inotify);
}

/* In KiB, of this process. */
static long mapped_huge(void)
{
	return number_in_file("/proc/self/smaps_rollup", "FilePmdMapped:");
}

/*
 * Returns 0 if one of its holders, who is the user that made it, could not undo
 * the huge mapping by paging out a part, 4 if there was no such mapping.
 */
static int page_out_a_part(int device)
{
	int ds = alloc_as_somebody(device, huge_size());
	char *map;

	if (ds < 0)
		return 5;
	map = ds_map(ds, huge_size(), PROT_READ | PROT_WRITE);
	if (map == MAP_FAILED)
		return 2;
	*map = 1;
	if (mapped_huge() <= 0)
		return 4;
	if (madvise(map, page_size(), MADV_PAGEOUT))
		return 3;
	return mapped_huge() != huge_size() / 1024;
}

/* rule 25: it would do the same to those who map the other part */
TEST_F(inode, the_owner_cannot_page_it_out)
{
	int device = ds_device();
	pid_t child;
	int status;

	if (!can_map_huge())
		SKIP(return, "no huge mappings");
	ASSERT_LE(0, device);
	child = fork();
	if (!child)
		_exit(page_out_a_part(device));
	status = wait_for(child);
	EXPECT_EQ(0, WEXITSTATUS(status));
	EXPECT_TRUE(WIFEXITED(status));
	close(device);
}

static int compare_ids(const void *a, const void *b)
{
	const __u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

/* rule 24: they do not tell how many others have made in between */
TEST_F(inode, ids_are_unique_and_do_not_count)
{
	__u64 ids[MANY];
	int rising = 0;
	int i;

	for (i = 0; i < MANY; i++) {
		int ds = ds_alias_pages(self->root, 0, 1, RIGHTS_R);

		ASSERT_LE(0, ds);
		ids[i] = ds_id(ds);
		rising += i && ids[i] > ids[i - 1];
		close(ds);
	}
	EXPECT_LT(MANY / 4, rising);
	EXPECT_GT(MANY * 3 / 4, rising);
	qsort(ids, MANY, sizeof(*ids), compare_ids);
	for (i = 1; i < MANY; i++)
		EXPECT_LT(ids[i - 1], ids[i]);
}

TEST_HARNESS_MAIN
