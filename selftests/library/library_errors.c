// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each error that the library's header names, but for those of sockets. errno
 * is left alone, and no descriptor is left behind. Where the test would have to
 * give something up to see an error, a child does that.
 */
#include <kselftest_harness.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common.h"
#include "control.h"
#include "other_fds.h"
#include "library_call.h"

#define PAGES 4
#define NOBODY 65534
#define UNKNOWN_BIT 0x80000000
#define FILE_MAX "/proc/sys/fs/file-max"
#define LIMIT "/sys/module/dataspace/parameters/limit_mb"

/* The exit status of a child whose call succeeded. */
#define SUCCEEDED 255

FIXTURE(errors)
{
	int fds;
	size_t page;
	int ds;
};

FIXTURE_SETUP(errors)
{
	self->fds = count_fds();
	self->page = page_size();
	self->ds = CALL(dataspace_alloc(PAGES * self->page, RIGHTS_RW, 0));
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(errors)
{
	struct dataspace_info info;

	EXPECT_EQ(0, dataspace_info(self->ds, &info, sizeof(info)));
	EXPECT_EQ(0, info.aliases);
	close(self->ds);
	EXPECT_EQ(self->fds, count_fds());
}

static int alloc_page(int ds)
{
	return dataspace_alloc(page_size(), RIGHTS_R, 0);
}

static int alias_page(int ds)
{
	return dataspace_alias(ds, 0, page_size(), RIGHTS_R, 0);
}

static int alias_page_clipped(int ds)
{
	return dataspace_alias(ds, 0, page_size(), RIGHTS_RWX,
			       DATASPACE_ALIAS_CLIP);
}

static int seal_later(int ds)
{
	return dataspace_seal(ds, 0);
}

static int seal_now(int ds)
{
	return dataspace_seal(ds, DATASPACE_SEAL_NOW);
}

static int revoke_below(int ds)
{
	return dataspace_revoke(ds, 0);
}

static int export(int ds)
{
	int dmabuf = dataspace_export_dmabuf(ds, 0);

	if (dmabuf < 0)
		return dmabuf;
	close(dmabuf);
	return 0;
}

static int set_name(int ds)
{
	return dataspace_set_name(ds, "name");
}

static int info_of(int ds)
{
	struct dataspace_info info;

	return dataspace_info(ds, &info, sizeof(info));
}

/* The calls on a dataspace that are ESTALE if it was revoked. */
static int (*const calls[])(int ds) = {
	alias_page, alias_page_clipped, revoke_below, seal_later, seal_now,
	export,	    set_name,
};

/* How many of these calls, INFO and EXPORT return @error for @ds. */
static int calls_that_say(int error, int ds)
{
	int count = CALL(info_of(ds)) == error;
	int i;

	for (i = 0; i < ARRAY_LENGTH(calls); i++)
		count += CALL(calls[i](ds)) == error;
	return count;
}

#define ALL_CALLS (ARRAY_LENGTH(calls) + 1)

/* The result of @call in a child, after @prepare. */
static int in_child(bool (*prepare)(void), int (*call)(int ds), int ds)
{
	pid_t child = fork();
	int status;
	int ret;

	if (child < 0)
		return -errno;
	if (!child) {
		if (!prepare())
			_exit(SUCCEEDED);
		ret = CALL(call(ds));
		_exit(ret < 0 && ret > -SUCCEEDED ? -ret : SUCCEEDED);
	}
	status = wait_for(child);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -SUCCEEDED;
}

static bool enter_empty_root(void)
{
	char path[] = "/tmp/library-XXXXXX";

	return mkdtemp(path) && !chroot(path) && !chdir("/");
}

static bool enter_root_with_device(dev_t device)
{
	return enter_empty_root() && !mkdir("/dev", 0755) &&
	       !mknod("/dev/dataspace", S_IFCHR | 0666, device);
}

static bool enter_root_with_other_device(void)
{
	return enter_root_with_device(makedev(1, 3));
}

/* A major number that is neither assigned nor allocated on demand. */
static bool enter_root_with_unknown_major(void)
{
	return enter_root_with_device(makedev(300, 0));
}

static bool enter_root_with_unknown_minor(void)
{
	return enter_root_with_device(makedev(10, 99));
}

static bool become_nobody(void)
{
	return !setresgid(NOBODY, NOBODY, NOBODY) &&
	       !setresuid(NOBODY, NOBODY, NOBODY);
}

/* Lets the process have @count more descriptors. */
static bool leave_descriptors(int count)
{
	int next = dup(STDERR_FILENO);
	struct rlimit limit = { next + count, next + count };

	return next >= 0 && !close(next) && !setrlimit(RLIMIT_NOFILE, &limit);
}

static bool leave_no_descriptor(void)
{
	return leave_descriptors(0);
}

static bool leave_one_descriptor(void)
{
	return leave_descriptors(1);
}

static bool write_number(const char *path, long long number)
{
	FILE *file = fopen(path, "w");
	bool written;

	if (!file)
		return false;
	written = fprintf(file, "%lld\n", number) > 0;
	return !fclose(file) && written;
}

/* The limit does not hold for root. */
static bool leave_no_file(void)
{
	return write_number(FILE_MAX, 0) && become_nobody();
}

/* rule 1, and a device that is missing or another one */
TEST_F(errors, alloc_needs_the_device)
{
	EXPECT_EQ(-ENOENT, in_child(enter_empty_root, alloc_page, -1));
	EXPECT_EQ(-ENXIO,
		  in_child(enter_root_with_unknown_major, alloc_page, -1));
	EXPECT_EQ(-ENODEV,
		  in_child(enter_root_with_unknown_minor, alloc_page, -1));
	EXPECT_EQ(-ENOTTY,
		  in_child(enter_root_with_other_device, alloc_page, -1));
	EXPECT_EQ(-EACCES, in_child(become_nobody, alloc_page, -1));
}

/* rule 1 */
TEST_F(errors, alloc_says_what_is_malformed)
{
	size_t page = self->page;

	EXPECT_EQ(-EINVAL, CALL(dataspace_alloc(0, RIGHTS_R, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alloc(page, 0, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alloc(page, DATASPACE_WRITE, 0)));
	EXPECT_EQ(-EOPNOTSUPP,
		  CALL(dataspace_alloc(page, RIGHTS_R | UNKNOWN_BIT, 0)));
	EXPECT_EQ(-EOPNOTSUPP,
		  CALL(dataspace_alloc(page, RIGHTS_R, UNKNOWN_BIT)));
	EXPECT_EQ(-ENOMEM, CALL(dataspace_alloc(1ULL << 60, RIGHTS_R, 0)));
	EXPECT_EQ(-ENOMEM, CALL(dataspace_alloc(1ULL << 60, RIGHTS_R,
						DATASPACE_ALLOC_SCATTERED)));
}

/* rule 6 */
TEST_F(errors, alias_says_what_is_malformed)
{
	const __u32 unknown = RIGHTS_R | UNKNOWN_BIT;
	size_t page = self->page;
	int ds = self->ds;

	EXPECT_EQ(-EINVAL, CALL(dataspace_alias(ds, 0, 0, RIGHTS_R, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alias(ds, 1, page, RIGHTS_R, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alias(ds, 0, page + 1, RIGHTS_R, 0)));
	EXPECT_EQ(-EINVAL,
		  CALL(dataspace_alias(ds, PAGES * page, page, RIGHTS_R, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alias(ds, -page, page, RIGHTS_R, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alias(ds, 0, page, 0, 0)));
	EXPECT_EQ(-EOPNOTSUPP, CALL(dataspace_alias(ds, 0, page, unknown, 0)));
	EXPECT_EQ(-EOPNOTSUPP,
		  CALL(dataspace_alias(ds, 0, page, RIGHTS_R, UNKNOWN_BIT)));
}

/* rule 8 */
TEST_F(errors, alias_gives_no_more_than_there_is)
{
	const __u32 rights = DATASPACE_READ | DATASPACE_MAP;
	size_t page = self->page;
	int ds = CALL(dataspace_alias(self->ds, 0, page, rights, 0));

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EPERM,
		  CALL(dataspace_alias(self->ds, 0, page, RIGHTS_RX, 0)));
	EXPECT_EQ(-EPERM, CALL(dataspace_alias(ds, 0, page, rights, 0)));
	EXPECT_EQ(-EPERM, CALL(alias_page_clipped(ds)));
	EXPECT_EQ(-EPERM, CALL(export(ds)));
	close(ds);
}

/* rule 4 */
TEST_F(errors, alloc_is_over_the_limit_of_the_module)
{
	long long before = number_in_file(LIMIT, "");

	ASSERT_LE(0, before);
	ASSERT_EQ(0, number_to_file(LIMIT, 1));
	EXPECT_EQ(-EDQUOT, CALL(dataspace_alloc(MEG, RIGHTS_R, 0)));
	EXPECT_EQ(0, number_to_file(LIMIT, before));
}

TEST_F(errors, descriptors_run_out_in_the_process)
{
	EXPECT_EQ(-EMFILE, in_child(leave_no_descriptor, alloc_page, -1));
	EXPECT_EQ(-EMFILE, in_child(leave_one_descriptor, alloc_page, -1));
	EXPECT_EQ(-EMFILE, in_child(leave_no_descriptor, alias_page, self->ds));
}

TEST_F(errors, files_run_out_in_the_system)
{
	long long before = number_in_file(FILE_MAX, "");

	ASSERT_LT(0, before);
	EXPECT_EQ(-ENFILE, in_child(leave_no_file, alloc_page, -1));
	EXPECT_EQ(-ENFILE, in_child(leave_no_file, alias_page, self->ds));
	ASSERT_TRUE(write_number(FILE_MAX, before));
}

TEST_F(errors, info_needs_a_place)
{
	struct dataspace_info info;
	size_t huge = SIZE_MAX;

	EXPECT_EQ(-EFAULT, CALL(dataspace_info(self->ds, NULL, sizeof(info))));
	EXPECT_EQ(-EINVAL, CALL(dataspace_info(self->ds, &info, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_info(self->ds, &info, 7)));
	EXPECT_EQ(-EINVAL,
		  CALL(dataspace_info(self->ds, &info, sizeof(info) - 1)));
	EXPECT_EQ(-E2BIG,
		  CALL(dataspace_info(self->ds, &info, self->page + 1)));
	EXPECT_EQ(-E2BIG, CALL(dataspace_info(self->ds, &info, huge)));
}

/* All but the two fields that the library itself sets. */
TEST_F(errors, info_leaves_the_place_alone)
{
	struct dataspace_info info = { .rights = 1, .length = UNTOUCHED };

	EXPECT_EQ(-EXDEV, CALL(dataspace_info(-EXDEV, &info, sizeof(info))));
	EXPECT_EQ(0, info.size);
	EXPECT_EQ(-EBADF, CALL(dataspace_info(CLOSED, &info, sizeof(info))));
	EXPECT_EQ(-EBADFD,
		  CALL(dataspace_info(STDERR_FILENO, &info, sizeof(info))));
	EXPECT_EQ(UNTOUCHED, info.length);
	EXPECT_EQ(1, info.rights);
}

TEST_F(errors, query_is_for_the_device)
{
	struct dataspace_query query;
	int device = ds_device();

	ASSERT_LE(0, device);
	EXPECT_EQ(-EXDEV, CALL(dataspace_query(-EXDEV, &query, sizeof(query))));
	EXPECT_EQ(-EBADF, CALL(dataspace_query(CLOSED, &query, sizeof(query))));
	EXPECT_EQ(-ENOTTY,
		  CALL(dataspace_query(self->ds, &query, sizeof(query))));
	EXPECT_EQ(-EFAULT, CALL(dataspace_query(device, NULL, sizeof(query))));
	EXPECT_EQ(-EINVAL, CALL(dataspace_query(device, &query, 0)));
	EXPECT_EQ(-EINVAL,
		  CALL(dataspace_query(device, &query, sizeof(query) - 1)));
	EXPECT_EQ(-E2BIG,
		  CALL(dataspace_query(device, &query, self->page + 1)));
	close(device);
}

/* Whatever is behind the structure that the library knows has to be zero. */
TEST_F(errors, alloc_from_says_what_is_malformed)
{
	struct {
		struct dataspace_alloc known;
		char rest[8];
	} args = { .known = { .length = 1, .rights = RIGHTS_R } };
	struct dataspace_alloc *known = &args.known;
	const size_t size = sizeof(*known);
	int device = ds_device();
	int ds;

	ASSERT_LE(0, device);
	EXPECT_EQ(-EXDEV, CALL(dataspace_alloc_from(-EXDEV, known, size)));
	EXPECT_EQ(-EBADF, CALL(dataspace_alloc_from(CLOSED, known, size)));
	EXPECT_EQ(-ENOTTY, CALL(dataspace_alloc_from(self->ds, known, size)));
	EXPECT_EQ(-EFAULT, CALL(dataspace_alloc_from(device, NULL, size)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alloc_from(device, known, 0)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_alloc_from(device, known, size - 1)));
	EXPECT_EQ(-E2BIG,
		  CALL(dataspace_alloc_from(device, known, self->page + 1)));
	ds = CALL(dataspace_alloc_from(device, known, sizeof(args)));
	EXPECT_LE(0, ds);
	close(ds);
	args.rest[7] = 1;
	EXPECT_EQ(-E2BIG,
		  CALL(dataspace_alloc_from(device, known, sizeof(args))));
	known->node = 1;
	EXPECT_EQ(-EINVAL, CALL(dataspace_alloc_from(device, known, size)));
	close(device);
}

TEST_F(errors, name_is_malformed)
{
	char name[DATASPACE_NAME_MAX + 1];

	memset(name, 'x', sizeof(name));
	name[DATASPACE_NAME_MAX] = 0;
	EXPECT_EQ(-EFAULT, CALL(dataspace_set_name(self->ds, NULL)));
	EXPECT_EQ(-EXDEV, CALL(dataspace_set_name(-EXDEV, NULL)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_set_name(self->ds, name)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_set_name(self->ds, "two\nlines")));
	EXPECT_EQ(-EINVAL, CALL(dataspace_set_name(self->ds, "\177")));
}

TEST_F(errors, flags_are_unknown)
{
	EXPECT_EQ(-EOPNOTSUPP, CALL(dataspace_revoke(self->ds, UNKNOWN_BIT)));
	EXPECT_EQ(-EOPNOTSUPP, CALL(dataspace_seal(self->ds, UNKNOWN_BIT)));
	EXPECT_EQ(-EOPNOTSUPP,
		  CALL(dataspace_export_dmabuf(self->ds, UNKNOWN_BIT)));
}

/* rule 23 */
TEST_F(errors, a_dma_buf_is_no_dataspace)
{
	const __u32 flags = DATASPACE_EXPORT_REVOCABLE;
	int dmabuf = CALL(dataspace_export_dmabuf(self->ds, flags));

	ASSERT_LE(0, dmabuf);
	EXPECT_EQ(FD_CLOEXEC, fcntl(dmabuf, F_GETFD));
	EXPECT_EQ(-EBADFD, CALL(info_of(dmabuf)));
	EXPECT_EQ(-EBADFD, CALL(export(dmabuf)));
	close(dmabuf);
	EXPECT_EQ(0, CALL(export(self->ds)));
}

TEST_F(errors, nothing_is_asked_of_other_files)
{
	int kind;
	int fd;

	for (kind = 0; kind < OTHER_FDS; kind++) {
		fd = other_fd_open(kind);
		ASSERT_LE(0, fd)
		TH_LOG("file %d", kind);
		EXPECT_EQ(ALL_CALLS, calls_that_say(-EBADFD, fd))
		TH_LOG("file %d", kind);
		close(fd);
	}
}

TEST_F(errors, nothing_is_asked_of_what_is_not_open)
{
	char path[64];
	int fd;

	EXPECT_EQ(ALL_CALLS, calls_that_say(-EXDEV, -EXDEV));
	EXPECT_EQ(ALL_CALLS, calls_that_say(-1, -1));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->ds);
	fd = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(ALL_CALLS, calls_that_say(-EBADF, fd));
	close(fd);
	EXPECT_EQ(ALL_CALLS, calls_that_say(-EBADF, fd));
}

/* rule 17 */
TEST_F(errors, revoked_ones_are_stale)
{
	int grant = CALL(alias_page(self->ds));
	int ds = CALL(alias_page(grant));
	int i;

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, CALL(revoke_below(grant)));
	for (i = 0; i < ARRAY_LENGTH(calls); i++)
		EXPECT_EQ(-ESTALE, CALL(calls[i](ds)))
	TH_LOG("call %d", i);
	EXPECT_EQ(0, CALL(info_of(ds)));
	EXPECT_EQ(DATASPACE_STATE_REVOKED,
		  ds_state(ds) & DATASPACE_STATE_REVOKED);
	EXPECT_EQ(0, CALL(revoke_below(grant)));
	close(ds);
	close(grant);
}

/* rule 18 */
TEST_F(errors, sealed_ones_give_no_right_to_write)
{
	int ds = CALL(dataspace_alias(self->ds, 0, self->page, RIGHTS_RW, 0));
	int clipped;

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, CALL(seal_later(ds)));
	EXPECT_EQ(0, CALL(seal_now(ds)));
	EXPECT_EQ(0, CALL(seal_later(ds)));
	EXPECT_EQ(-EPERM,
		  CALL(dataspace_alias(ds, 0, self->page, RIGHTS_RW, 0)));
	clipped = CALL(alias_page_clipped(ds));
	ASSERT_LE(0, clipped);
	EXPECT_EQ(RIGHTS_R, ds_rights(clipped));
	close(clipped);
	close(ds);
}

/* An error that alloc or alias has returned is handed on, whatever else is wrong. */
TEST_F(errors, send_returns_a_descriptor_that_is_negative)
{
	const int failed = -ENOMEM;
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, file);
	EXPECT_EQ(failed, CALL(dataspace_send(file, failed)));
	EXPECT_EQ(failed, CALL(dataspace_send_msg(file, "", 1, &failed, 1)));
	EXPECT_EQ(failed, CALL(dataspace_send_msg(file, "", 0, &failed, 1)));
	EXPECT_EQ(-EPERM, CALL(dataspace_send(-EPERM, failed)));
	close(file);
}

/* rule 18 */
TEST_F(errors, seal_is_refused)
{
	int ds = CALL(alias_page(self->ds));

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EPERM, CALL(seal_later(ds)));
	EXPECT_EQ(-EPERM, CALL(seal_now(ds)));
	EXPECT_EQ(0, ds_state(self->ds) & DATASPACE_STATE_SEALED);
	close(ds);
}

/* rule 18 */
TEST_F(errors, seal_waits_for_no_pin)
{
	void *map = ds_map(self->ds, self->page, READ_WRITE);
	struct pin pin;

	ASSERT_NE(MAP_FAILED, map);
	pattern_write(map, 1, 0);
	ASSERT_EQ(0, pin_page(&pin, map));
	EXPECT_EQ(-EBUSY, CALL(seal_now(self->ds)));
	EXPECT_EQ(0, ds_state(self->ds) & DATASPACE_STATE_SEALED);
	pin_close(&pin);
	EXPECT_EQ(0, CALL(seal_now(self->ds)));
	EXPECT_EQ(0, munmap(map, self->page));
}

TEST_HARNESS_MAIN
