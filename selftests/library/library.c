// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the library returns: rules 1, 3, 5, 8 and 13. It leaves errno alone
 * and no descriptor behind.
 */
#include <kselftest_harness.h>

#include <dataspace.h>
#include <sys/socket.h>

#include "common.h"
#include "fdpass.h"
#include "library_call.h"

FIXTURE(library)
{
	int fds;
	int ends[2];
	size_t page;
	int ds;
};

FIXTURE_SETUP(library)
{
	self->page = page_size();
	self->fds = count_fds();
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, self->ends));
	errno = UNTOUCHED;
	self->ds = dataspace_alloc(4 * self->page, RIGHTS_RW, 0);
	ASSERT_LE(0, self->ds);
	EXPECT_EQ(UNTOUCHED, errno);
}

FIXTURE_TEARDOWN(library)
{
	close(self->ds);
	close(self->ends[0]);
	close(self->ends[1]);
	EXPECT_EQ(self->fds, count_fds());
}

/* rule 1 */
TEST_F(library, allocates)
{
	struct dataspace_info info;

	ASSERT_EQ(0, dataspace_info(self->ds, &info));
	EXPECT_EQ(4 * self->page, info.length);
	EXPECT_EQ(RIGHTS_RW, info.rights);
	EXPECT_EQ(UNTOUCHED, errno);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->ds, F_GETFD));
}

/* rule 3 */
TEST_F(library, passes_the_flags_on)
{
	int ds = dataspace_alloc(1, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);

	EXPECT_LE(0, ds);
	close(ds);
	EXPECT_EQ(-EINVAL, dataspace_alloc(1, RIGHTS_R, 1U << 31));
	EXPECT_EQ(-EINVAL, dataspace_alloc(1, 0, 0));
	EXPECT_EQ(-EINVAL, dataspace_alloc(0, RIGHTS_R, 0));
	EXPECT_EQ(-ENOMEM, dataspace_alloc(1ULL << 60, RIGHTS_R, 0));
	EXPECT_EQ(UNTOUCHED, errno);
}

/* rule 5 */
TEST_F(library, makes_aliases)
{
	int ds =
		dataspace_alias(self->ds, self->page, 2 * self->page, RIGHTS_R);
	struct dataspace_info info;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, dataspace_info(ds, &info));
	EXPECT_EQ(2 * self->page, info.length);
	EXPECT_EQ(RIGHTS_R, info.rights);
	EXPECT_EQ(-EPERM, dataspace_alias(ds, 0, self->page, RIGHTS_RW));
	EXPECT_EQ(-EINVAL, dataspace_alias(ds, 1, self->page, RIGHTS_R));
	EXPECT_EQ(UNTOUCHED, errno);
	close(ds);
}

/* rule 8 */
TEST_F(library, makes_clipped_aliases)
{
	int ds = dataspace_alias_flags(self->ds, 0, self->page, RIGHTS_RWX,
				       DATASPACE_ALIAS_CLIP);
	struct dataspace_info info;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, dataspace_info(ds, &info));
	EXPECT_EQ(RIGHTS_RW, info.rights);
	close(ds);
}

/* rules 8 and 13 */
TEST_F(library, sends_and_receives)
{
	struct dataspace_info sent, received;
	int ds;

	ASSERT_EQ(0, dataspace_send(self->ends[0], self->ds));
	ds = dataspace_recv(self->ends[1]);
	ASSERT_LE(0, ds);
	EXPECT_EQ(UNTOUCHED, errno);
	EXPECT_EQ(FD_CLOEXEC, fcntl(ds, F_GETFD));
	ASSERT_EQ(0, dataspace_info(self->ds, &sent));
	ASSERT_EQ(0, dataspace_info(ds, &received));
	EXPECT_EQ(sent.id, received.id);
	close(ds);
}

TEST_F(library, receives_dataspaces_only)
{
	int memory = memfd_create("other", MFD_CLOEXEC);

	ASSERT_EQ(0, fd_send(self->ends[0], memory));
	EXPECT_EQ(-EBADFD, dataspace_recv(self->ends[1]));
	ASSERT_EQ(1, write(self->ends[0], "x", 1));
	EXPECT_EQ(-EBADMSG, dataspace_recv(self->ends[1]));
	shutdown(self->ends[0], SHUT_WR);
	EXPECT_EQ(-ENODATA, dataspace_recv(self->ends[1]));
	EXPECT_EQ(UNTOUCHED, errno);
	close(memory);
}

TEST_F(library, tells_what_is_no_dataspace)
{
	int memory = memfd_create("other", MFD_CLOEXEC);
	struct dataspace_info info;

	EXPECT_EQ(-EBADFD, dataspace_info(memory, &info));
	EXPECT_EQ(-EBADFD, dataspace_alias(memory, 0, self->page, RIGHTS_R));
	EXPECT_EQ(-EBADF, dataspace_info(-1, &info));
	EXPECT_EQ(-EBADF, dataspace_alias(-1, 0, self->page, RIGHTS_R));
	EXPECT_EQ(-EBADF, dataspace_send(self->ends[0], -1));
	EXPECT_EQ(-EFAULT, dataspace_info(self->ds, NULL));
	EXPECT_EQ(UNTOUCHED, errno);
	close(memory);
}

TEST_HARNESS_MAIN
