// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the library returns: rules 1, 3, 5, 8 and 13. It leaves errno alone
 * and no descriptor behind.
 */
#include <kselftest_harness.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common.h"
#include "control.h"
#include "fdpass.h"
#include "library_call.h"

#define MARK 0x55

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

	ASSERT_EQ(0, dataspace_info(self->ds, &info, sizeof(info)));
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
	EXPECT_EQ(-EOPNOTSUPP, dataspace_alloc(1, RIGHTS_R, 1U << 31));
	EXPECT_EQ(-EINVAL, dataspace_alloc(1, 0, 0));
	EXPECT_EQ(-EINVAL, dataspace_alloc(0, RIGHTS_R, 0));
	EXPECT_EQ(-ENOMEM, dataspace_alloc(1ULL << 60, RIGHTS_R, 0));
	EXPECT_EQ(UNTOUCHED, errno);
}

/* rule 5 */
TEST_F(library, makes_aliases)
{
	int ds = dataspace_alias(self->ds, self->page, 2 * self->page, RIGHTS_R,
				 0);
	struct dataspace_info info;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, dataspace_info(ds, &info, sizeof(info)));
	EXPECT_EQ(2 * self->page, info.length);
	EXPECT_EQ(RIGHTS_R, info.rights);
	EXPECT_EQ(-EPERM, dataspace_alias(ds, 0, self->page, RIGHTS_RW, 0));
	EXPECT_EQ(-EINVAL, dataspace_alias(ds, 1, self->page, RIGHTS_R, 0));
	EXPECT_EQ(UNTOUCHED, errno);
	close(ds);
}

/* rule 8 */
TEST_F(library, makes_clipped_aliases)
{
	int ds = dataspace_alias(self->ds, 0, self->page, RIGHTS_RWX,
				 DATASPACE_ALIAS_CLIP);
	struct dataspace_info info;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, dataspace_info(ds, &info, sizeof(info)));
	EXPECT_EQ(RIGHTS_RW, info.rights);
	close(ds);
}

/* rule 2 */
TEST_F(library, allocates_from_an_open_device)
{
	struct dataspace_alloc args = {
		.length = 2 * self->page,
		.rights = RIGHTS_R,
		.align = 1 << 20,
	};
	int device = ds_device();
	struct dataspace_info info;
	int ds;

	ASSERT_LE(0, device);
	ds = CALL(dataspace_alloc_from(device, &args, sizeof(args)));
	ASSERT_LE(0, ds);
	EXPECT_EQ(0, args.size);
	EXPECT_EQ(FD_CLOEXEC, fcntl(ds, F_GETFD));
	ASSERT_EQ(0, CALL(dataspace_info(ds, &info, sizeof(info))));
	EXPECT_EQ(2 * self->page, info.length);
	EXPECT_EQ(RIGHTS_R, info.rights);
	EXPECT_EQ(DATASPACE_STATE_CONTIGUOUS, info.state);
	close(ds);
	close(device);
}

TEST_F(library, asks_what_the_module_can)
{
	int device = ds_device();
	struct dataspace_query query;

	ASSERT_LE(0, device);
	memset(&query, MARK, sizeof(query));
	ASSERT_EQ(0, CALL(dataspace_query(device, &query, sizeof(query))));
	EXPECT_EQ(sizeof(query), query.size);
	EXPECT_EQ(DATASPACE_ABI_VERSION, query.version);
	EXPECT_EQ(RIGHTS_RWX, query.rights);
	EXPECT_LE(4 * self->page, query.in_use);
	close(device);
}

/* A structure of a program that knows more than the module. */
TEST_F(library, fills_in_longer_structures)
{
	char place[2 * sizeof(struct dataspace_info)];
	struct dataspace_info *info = (void *)place;

	memset(place, MARK, sizeof(place));
	ASSERT_EQ(0, CALL(dataspace_info(self->ds, info, sizeof(place))));
	EXPECT_EQ(sizeof(*info), info->size);
	EXPECT_EQ(4 * self->page, info->length);
	EXPECT_TRUE(bytes_are(info + 1, sizeof(place) - sizeof(*info), 0));
}

/* The name that fdinfo shows, or an empty one. */
static void read_name(int ds, char *name)
{
	char path[64];
	char line[128];
	FILE *file;

	name[0] = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ds);
	file = fopen(path, "r");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		sscanf(line, "dataspace-name:\t%31[^\n]", name);
	fclose(file);
}

/* rule 24 */
TEST_F(library, gives_names)
{
	static const char *const names[] = {
		"first",
		"with spaces",
		"0123456789abcdef0123456789abcde",
		"",
	};
	char name[DATASPACE_NAME_MAX];
	int i;

	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		EXPECT_EQ(0, CALL(dataspace_set_name(self->ds, names[i])));
		read_name(self->ds, name);
		EXPECT_STREQ(names[i], name);
	}
}

TEST_F(library, tells_its_version)
{
	EXPECT_STREQ(DATASPACE_VERSION, dataspace_version());
}

/* rules 17, 18, 19 */
TEST_F(library, revokes_and_seals)
{
	int grant =
		CALL(dataspace_alias(self->ds, 0, self->page, RIGHTS_RW, 0));
	int loan = CALL(dataspace_alias(grant, 0, self->page, RIGHTS_R, 0));

	ASSERT_LE(0, loan);
	EXPECT_EQ(0, ds_poll(grant, 0));
	EXPECT_EQ(0, CALL(dataspace_revoke(grant, 0)));
	EXPECT_EQ(READY, ds_poll(grant, 0));
	EXPECT_EQ(DATASPACE_STATE_REVOKED | DATASPACE_STATE_ALIAS,
		  ds_state(loan) & ~DATASPACE_STATE_CONTIGUOUS);
	EXPECT_EQ(0, CALL(dataspace_seal(grant, DATASPACE_SEAL_NOW)));
	EXPECT_EQ(RIGHTS_R, ds_rights(grant));
	EXPECT_EQ(RIGHTS_RW, ds_rights(self->ds));
	close(loan);
	close(grant);
}

/* rule 17 */
TEST_F(library, revokes_the_dataspace_itself)
{
	int ds = CALL(dataspace_alias(self->ds, 0, self->page, RIGHTS_RW, 0));

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, CALL(dataspace_revoke(ds, DATASPACE_REVOKE_SELF)));
	EXPECT_EQ(-ESTALE, CALL(dataspace_revoke(ds, DATASPACE_REVOKE_SELF)));
	EXPECT_EQ(-ESTALE,
		  CALL(dataspace_alias(ds, 0, self->page, RIGHTS_R, 0)));
	EXPECT_EQ(0, ds_state(self->ds) & DATASPACE_STATE_REVOKED);
	close(ds);
}

/* An error comes out at the end of a chain as it went in. */
TEST_F(library, hands_errors_on)
{
	int ds = CALL(dataspace_alloc(1ULL << 60, RIGHTS_RW, 0));
	int alias = CALL(dataspace_alias(ds, 0, self->page, RIGHTS_R, 0));
	int twice = CALL(dataspace_alias(alias, 0, self->page, RIGHTS_R, 0));

	EXPECT_EQ(-ENOMEM, CALL(dataspace_send(self->ends[0], twice)));
	EXPECT_EQ(-ENOMEM, CALL(dataspace_revoke(twice, 0)));
	EXPECT_EQ(-ENOMEM, CALL(dataspace_send_msg(twice, "x", 1, NULL, 0)));
}

TEST_F(library, sends_and_receives)
{
	struct dataspace_info sent, received;
	int ds;

	ASSERT_EQ(0, dataspace_send(self->ends[0], self->ds));
	ds = dataspace_recv(self->ends[1]);
	ASSERT_LE(0, ds);
	EXPECT_EQ(UNTOUCHED, errno);
	EXPECT_EQ(FD_CLOEXEC, fcntl(ds, F_GETFD));
	ASSERT_EQ(0, dataspace_info(self->ds, &sent, sizeof(sent)));
	ASSERT_EQ(0, dataspace_info(ds, &received, sizeof(received)));
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

TEST_HARNESS_MAIN
