// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a holder cannot do who lacks MAP, DERIVE or EXPORT, and that none of them
 * comes back: rules 7, 8, 10 and 23.
 */
#include <kselftest_harness.h>

#include "access.h"
#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "fdpass.h"

#define PAGES 4

#define ALL_RIGHTS RIGHTS_RWX

/* An alias of all pages of a root that has all rights but one. */
FIXTURE(lost)
{
	size_t length;
	int root;
	int ds;
};

FIXTURE_VARIANT(lost)
{
	__u32 right;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(lost, MAP) {
	.right = DATASPACE_MAP,
};

FIXTURE_VARIANT_ADD(lost, DERIVE) {
	.right = DATASPACE_DERIVE,
};

FIXTURE_VARIANT_ADD(lost, EXPORT) {
	.right = DATASPACE_EXPORT,
};

/* clang-format on */

FIXTURE_SETUP(lost)
{
	self->length = PAGES * page_size();
	self->root = ds_alloc(self->length, ALL_RIGHTS, 0);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, pattern_write_fd(self->root, PAGES, 0));
	self->ds = ds_alias(self->root, 0, self->length,
			    ALL_RIGHTS & ~variant->right);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(lost)
{
}

static int try_alias(int ds)
{
	int alias = ds_alias_pages(ds, 1, 2, DATASPACE_READ);

	close(alias);
	return alias < 0 ? alias : 0;
}

static int try_export(int ds)
{
	int dmabuf = ds_export(ds, 0);

	close(dmabuf);
	return dmabuf < 0 ? dmabuf : 0;
}

/* 0 if @ds allows all but what needs the right, or a number of a line. */
static int check_lost(int ds, __u32 right)
{
	const bool map = right != DATASPACE_MAP;
	const bool derive = right != DATASPACE_DERIVE;
	const bool export = right != DATASPACE_EXPORT;
	char byte;

	if (ds_rights(ds) != (ALL_RIGHTS & ~right))
		return __LINE__;
	if (ds_try_map(ds, page_size(), PROT_READ, MAP_SHARED, 0) !=
	    (map ? 0 : -EACCES))
		return __LINE__;
	if (try_alias(ds) != (derive ? 0 : -EPERM))
		return __LINE__;
	if (try_export(ds) != (export ? 0 : -EPERM))
		return __LINE__;
	if (pread(ds, &byte, 1, 7) != 1 || pwrite(ds, &byte, 1, 7) != 1)
		return __LINE__;
	return 0;
}

/* rules 8, 10 and 23 */
TEST_F(lost, all_else_is_allowed)
{
	EXPECT_EQ(0, check_lost(self->ds, variant->right));
	EXPECT_EQ(0, ds_revoke(self->ds));
	EXPECT_EQ(0, ds_seal(self->ds, 0));
}

/* rule 8 */
TEST_F(lost, dup_and_SCM_RIGHTS_change_nothing)
{
	EXPECT_EQ(0, check_lost(dup(self->ds), variant->right));
	EXPECT_EQ(0, check_lost(fd_round_trip(self->ds), variant->right));
}

/* rule 8 */
TEST_F(lost, fork_and_pidfd_getfd_change_nothing)
{
	const pid_t parent = getpid();
	pid_t child = fork();

	if (!child) {
		int copy = fd_of_process(parent, self->ds);

		_exit(check_lost(self->ds, variant->right) ||
		      check_lost(copy, variant->right));
	}
	EXPECT_EQ(0, wait_for(child));
}

/* rule 8: also where the other rights are there */
TEST_F(lost, an_alias_cannot_have_it)
{
	const bool derive = variant->right != DATASPACE_DERIVE;
	int clipped = ds_alias_flags(self->ds, 0, self->length, ALL_RIGHTS,
				     DATASPACE_ALIAS_CLIP);

	EXPECT_EQ(-EPERM, ds_alias(self->ds, 0, self->length,
				   DATASPACE_READ | variant->right));
	if (!derive) {
		EXPECT_EQ(-EPERM, clipped);
		return;
	}
	ASSERT_LE(0, clipped);
	EXPECT_EQ(0, check_lost(clipped, variant->right));
	EXPECT_EQ(-EPERM, ds_alias(clipped, 0, self->length,
				   DATASPACE_READ | variant->right));
}

/* rule 8 */
TEST_F(lost, a_root_can_be_made_without_it)
{
	int root = ds_alloc(self->length, ALL_RIGHTS & ~variant->right, 0);

	EXPECT_EQ(0, check_lost(root, variant->right));
}

/* An alias without the right to map. */
FIXTURE(unmapped)
{
	size_t length;
	int root;
	char *map;
	int ds;
};

FIXTURE_SETUP(unmapped)
{
	self->length = PAGES * page_size();
	self->root = ds_alloc(self->length, ALL_RIGHTS, 0);
	self->map = ds_map(self->root, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, PAGES, 0);
	self->ds = ds_alias(self->root, 0, self->length,
			    ALL_RIGHTS & ~DATASPACE_MAP);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(unmapped)
{
}

/* rule 10 */
TEST_F(unmapped, mmap_is_EACCES_in_every_form)
{
	static const int flags[] = {
		MAP_SHARED,
		MAP_PRIVATE,
		MAP_SHARED_VALIDATE,
		MAP_SHARED | MAP_POPULATE,
		MAP_PRIVATE | MAP_POPULATE,
		MAP_SHARED | MAP_LOCKED,
		MAP_SHARED | MAP_NONBLOCK,
		MAP_SHARED | MAP_NORESERVE,
	};
	size_t i;
	int prot;

	for (i = 0; i < ARRAY_LENGTH(flags); i++) {
		for (prot = PROT_NONE; prot <= 7; prot++) {
			EXPECT_EQ(-EACCES, ds_try_map(self->ds, page_size(),
						      prot, flags[i], 0))
			{
				TH_LOG("protection %d, flags %x", prot,
				       flags[i]);
			}
		}
	}
}

/* rule 10: of an offset, and of more than there is, no more is told */
TEST_F(unmapped, mmap_of_other_ranges_is_EACCES)
{
	EXPECT_EQ(-EACCES, ds_try_map(self->ds, page_size(), PROT_READ,
				      MAP_SHARED, 3 * page_size()));
	EXPECT_EQ(-EACCES, ds_try_map(self->ds, 9 * page_size(), PROT_READ,
				      MAP_SHARED, 0));
}

/* rules 10 and 18: a right that it never had comes first */
TEST_F(unmapped, mmap_is_EACCES_when_it_was_sealed)
{
	ASSERT_EQ(0, ds_seal(self->ds, 0));
	EXPECT_EQ(-EACCES,
		  ds_try_map(self->ds, page_size(), READ_WRITE, MAP_SHARED, 0));
}

/* rules 10 and 20 */
TEST_F(unmapped, every_way_to_read_and_write_works)
{
	EXPECT_EQ(O_RDWR, fcntl(self->ds, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(0, ds_try_map(self->root, page_size(), READ_WRITE, MAP_SHARED,
				0));
	EXPECT_LT(0, access_write(self->ds));
	EXPECT_LT(0, access_pwrite(self->ds));
	EXPECT_LT(0, access_writev(self->ds));
	EXPECT_LT(0, access_aio_write(self->ds));
	EXPECT_LT(0, access_io_uring_write(self->ds));
	EXPECT_LT(0, access_splice(self->ds));
	EXPECT_LT(0, access_sendfile(self->ds));
	EXPECT_EQ(0, memcmp(self->map, PAYLOAD, sizeof(PAYLOAD)));
	EXPECT_EQ(0, pattern_write_fd(self->root, PAGES, 3));
	EXPECT_EQ(0, pattern_wrong(self->map, PAGES, 3));
}

/* rules 10 and 18: what it has put into a pipe is a copy, and no pin */
TEST_F(unmapped, its_holder_cannot_pin_a_page)
{
	char *seen_page = malloc(page_size());
	loff_t offset = 0;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(page_size(),
		  splice(self->ds, &offset, ends[1], NULL, page_size(), 0));
	EXPECT_EQ(0, ds_seal(self->ds, DATASPACE_SEAL_NOW));
	pattern_write(self->map, PAGES, 5);
	EXPECT_EQ(page_size(), read(ends[0], seen_page, page_size()));
	EXPECT_EQ(0, pattern_wrong(seen_page, 1, 0));
	close_pipe(ends);
	free(seen_page);
}

/* The sets of rights that contain READ, which is the lowest bit. */
#define SETS (ALL_RIGHTS / 2 + 1)

static __u32 rights_of_set(size_t set)
{
	return DATASPACE_READ | set << 1;
}

static int want_alias(__u32 has, __u32 asks)
{
	return !(has & DATASPACE_DERIVE) || asks & ~has ? -EPERM : 0;
}

/* 0 if an alias with @asks is made with @want, or not, as is right. */
static int check_alias(int ds, __u32 asks, __u32 flags, int ret, __u32 want)
{
	int alias = ds_alias_flags(ds, 0, page_size(), asks, flags);
	int wrong = ret ? alias != ret : ds_rights(alias) != want;

	if (alias >= 0)
		close(alias);
	return wrong;
}

/* rules 7 and 8: every set of rights, of which every other one is asked for */
TEST(aliases_of_aliases_only_lose)
{
	int root = ds_alloc(1, ALL_RIGHTS, 0);
	size_t set, other;

	for (set = 0; set < SETS; set++) {
		const __u32 has = rights_of_set(set);
		int ds = ds_alias(root, 0, page_size(), has);

		ASSERT_LE(0, ds);
		EXPECT_EQ(has, ds_rights(ds));
		for (other = 0; other < SETS; other++) {
			const __u32 asks = rights_of_set(other);
			const int ret = want_alias(has, asks);

			EXPECT_EQ(0, check_alias(ds, asks, 0, ret, asks))
			{
				TH_LOG("%x of %x", asks, has);
			}
			EXPECT_EQ(0,
				  check_alias(ds, asks, DATASPACE_ALIAS_CLIP,
					      want_alias(has, has), asks & has))
			{
				TH_LOG("%x of %x with CLIP", asks, has);
			}
		}
		close(ds);
	}
}

TEST_HARNESS_MAIN
