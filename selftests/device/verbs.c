// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that another machine accesses by RDMA verbs: rules 5, 10, 17, 18 and 21. Both ends
 * are queue pairs of one device, which the kernel makes of the loopback interface.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "control.h"
#include "rdma.h"
#include "verbs_end.h"

/* @near, @far: the two ends; @offer: what the first offers to the second */
FIXTURE(verbs)
{
	struct rdma rdma;
	struct end near;
	struct end far;
	struct end_address near_address;
	struct end_address far_address;
	struct offer offer;
};

FIXTURE_SETUP(verbs)
{
	long ret = rdma_open(&self->rdma);

	if (ret == NO_RDMA)
		SKIP(return, "the kernel makes no such device");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, end_open(&self->near, RDMA_NAME));
	ASSERT_EQ(0, end_open(&self->far, RDMA_NAME));
	self->near_address = end_address(&self->near);
	self->far_address = end_address(&self->far);
	ASSERT_EQ(0, end_connect(&self->near, &self->far_address));
	ASSERT_EQ(0, end_connect(&self->far, &self->near_address));
	ASSERT_TRUE(offer_prepare(&self->offer));
}

FIXTURE_TEARDOWN(verbs)
{
	EXPECT_EQ(0, offer_end(&self->offer));
	EXPECT_EQ(0, end_close(&self->far));
	EXPECT_EQ(0, end_close(&self->near));
	offer_free(&self->offer);
	rdma_close(&self->rdma);
}

static int offer(FIXTURE_DATA(verbs) * self, int more_access)
{
	return offer_make(&self->offer, &self->near, more_access);
}

/*
 * Registers the part for the other end to read, or the same pages of the root where
 * this kernel registers none that can only be read; 0 or an error number.
 */
static int offer_any(FIXTURE_DATA(verbs) * self)
{
	struct offer *of = &self->offer;
	int ret = offer(self, 0);

	if (ret != EFAULT)
		return ret;
	munmap(of->part, of->length);
	of->part = mmap(NULL, of->length, READ_WRITE, MAP_SHARED, of->root,
			FIRST * of->page);
	return of->part == MAP_FAILED ? errno : offer(self, 0);
}

/*
 * Has the far end read or write, as far behind the beginning of what is registered
 * as is said. Returns how that ended, or -1.
 */
static int access_far(FIXTURE_DATA(verbs) * self, enum ibv_wr_opcode opcode,
		      size_t offset)
{
	return end_access(&self->far, opcode,
			  (uintptr_t)self->offer.part + offset,
			  self->offer.region->rkey);
}

static int read_far(FIXTURE_DATA(verbs) * self, size_t offset)
{
	return access_far(self, IBV_WR_RDMA_READ, offset);
}

static bool has_read(FIXTURE_DATA(verbs) * self, size_t page)
{
	return offer_has_been_read(&self->offer, self->far.buffer, page);
}

static bool has_read_nothing(FIXTURE_DATA(verbs) * self)
{
	return bytes_are(self->far.buffer, BYTES, UNREAD);
}

/* rules 5 and 21 */
TEST_F(verbs, the_other_end_reads_what_is_registered)
{
	size_t i;

	ASSERT_EQ(0, offer_any(self));
	for (i = 0; i < END - FIRST; i++) {
		ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, i * self->offer.page));
		EXPECT_TRUE(has_read(self, FIRST + i));
	}
}

/* rule 5 */
TEST_F(verbs, the_other_end_reads_nothing_behind_an_alias)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, self->offer.length));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 5 */
TEST_F(verbs, the_other_end_reads_nothing_in_front_of_an_alias)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, -self->offer.page));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 10 */
TEST_F(verbs, the_other_end_does_not_write_to_what_is_registered_for_reading)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR,
		  access_far(self, IBV_WR_RDMA_WRITE, 0));
	EXPECT_EQ(0, pattern_wrong(self->offer.map, PAGES, 0));
}

/* rule 10 */
TEST_F(verbs, a_read_only_alias_is_not_registered_for_writing)
{
	EXPECT_EQ(EFAULT, offer(self, IBV_ACCESS_LOCAL_WRITE));
	EXPECT_EQ(EFAULT, offer(self, IBV_ACCESS_LOCAL_WRITE |
					      IBV_ACCESS_REMOTE_WRITE));
}

/* rule 18 */
TEST_F(verbs, SEAL_NOW_fails_while_pages_are_registered)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(-EBUSY, ds_seal(self->offer.root, DATASPACE_SEAL_NOW));
	ASSERT_EQ(0, offer_end(&self->offer));
	EXPECT_EQ(0, ds_seal(self->offer.root, DATASPACE_SEAL_NOW));
}

/* rule 17: what is pinned stays as it was for who has pinned it, and is nobody else's */
TEST_F(verbs, pages_that_are_registered_stay_after_REVOKE)
{
	if (offer(self, 0) == EFAULT)
		SKIP(return, "RDMA takes no read-only memory here");
	ASSERT_NE(NULL, self->offer.region);
	ASSERT_EQ(0, ds_revoke(self->offer.root));
	munmap(self->offer.map, PAGES * self->offer.page);
	close(self->offer.root);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
	self->offer.root = ds_alloc_pages(PAGES);
	self->offer.map =
		ds_map(self->offer.root, PAGES * self->offer.page, READ_WRITE);
}

/* rule 17 */
TEST_F(verbs, REVOKE_ends_access_on_demand)
{
	int ret = offer(self, IBV_ACCESS_ON_DEMAND);

	if (is_not_on_demand(ret))
		SKIP(return, "the device has no paging on demand");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
	ASSERT_EQ(0, ds_revoke(self->offer.root));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, 0));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 18 */
TEST_F(verbs, SEAL_NOW_succeeds_beside_access_on_demand)
{
	int ret = offer(self, IBV_ACCESS_ON_DEMAND);

	if (is_not_on_demand(ret))
		SKIP(return, "the device has no paging on demand");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	ASSERT_EQ(0, ds_seal(self->offer.root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
}

TEST_HARNESS_MAIN
