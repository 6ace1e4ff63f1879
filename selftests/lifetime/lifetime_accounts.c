// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page that is pinned when it is released stays accounted until the unpin:
 * rules 4 and 14.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "control.h"
#include "uring.h"

#define LIMIT "/sys/module/dataspace/parameters/limit_mb"

FIXTURE(accounts)
{
	long long limit;
	__u64 before;
	struct pin pin;
	struct uring uring;
};

FIXTURE_VARIANT(accounts)
{
	__u64 length;
	__u32 flags;
	bool registered;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(accounts, pages_in_a_pipe) {
	.length = 64 << 10,
};

FIXTURE_VARIANT_ADD(accounts, huge_pages_in_a_pipe) {
	.length = 8 << 20,
	.flags = DATASPACE_ALLOC_SCATTERED,
};

FIXTURE_VARIANT_ADD(accounts, registered_pages) {
	.length = 64 << 10,
	.registered = true,
};

FIXTURE_VARIANT_ADD(accounts, registered_huge_pages) {
	.length = 8 << 20,
	.flags = DATASPACE_ALLOC_SCATTERED,
	.registered = true,
};

/* clang-format on */

/* Bytes that all dataspaces together have. */
static __u64 in_use(void)
{
	struct dataspace_query query = { .size = sizeof(query) };
	int device = ds_device();
	int ret = ioctl(device, DATASPACE_IOC_QUERY, &query);

	close(device);
	return ret ? UINT64_MAX : query.in_use;
}

FIXTURE_SETUP(accounts)
{
	self->limit = number_in_file(LIMIT, "");
	ASSERT_LE(0, self->limit);
	self->before = in_use();
	if (variant->registered)
		ASSERT_EQ(0, uring_open(&self->uring));
}

FIXTURE_TEARDOWN(accounts)
{
	EXPECT_EQ(0, number_to_file(LIMIT, self->limit));
	if (variant->registered)
		uring_close(&self->uring);
}

static int pin(FIXTURE_DATA(accounts) * self, bool registered, char *at)
{
	if (registered)
		return uring_register(&self->uring, at, page_size());
	return pin_page(&self->pin, at);
}

static int unpin(FIXTURE_DATA(accounts) * self, bool registered)
{
	if (registered)
		return uring_unregister(&self->uring);
	pin_close(&self->pin);
	return 0;
}

/* Pins a page of a new dataspace, of which nothing else is left. */
static int leave_a_pin(FIXTURE_DATA(accounts) * self,
		       const FIXTURE_VARIANT(accounts) * variant)
{
	int ds = ds_alloc(variant->length, RIGHTS_RW, variant->flags);
	char *map = ds_map(ds, variant->length, READ_WRITE);
	int ret;

	if (map == MAP_FAILED)
		return -ENOMEM;
	ret = pin(self, variant->registered, map + 5 * page_size());
	munmap(map, variant->length);
	close(ds);
	return ret;
}

/* Waits until no more than @bytes are in use, for SOON at most. */
static __u64 in_use_soon(__u64 bytes)
{
	const double end = seconds() + SOON;

	while (in_use() > bytes && seconds() < end)
		usleep(10000);
	return in_use();
}

/* rules 4 and 14: the page, and at most the rest of the 2 MiB around it */
TEST_F(accounts, QUERY_counts_it_until_the_unpin)
{
	int ret = leave_a_pin(self, variant);

	if (ret == -EOPNOTSUPP)
		SKIP(return, "this kernel registers no memory of files");
	ASSERT_EQ(0, ret);
	usleep(300000);
	EXPECT_LE(self->before + page_size(), in_use());
	EXPECT_GE(self->before + huge_size(), in_use());
	EXPECT_EQ(0, unpin(self, variant->registered));
	EXPECT_EQ(self->before, in_use_soon(self->before));
}

/* rules 4 and 14 */
TEST_F(accounts, the_limit_counts_it_until_the_unpin)
{
	const __u64 limit = self->before / MEG + 10;
	const __u64 most = limit * MEG - self->before;
	int ret = leave_a_pin(self, variant);
	int ds;

	if (ret == -EOPNOTSUPP)
		SKIP(return, "this kernel registers no memory of files");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, number_to_file(LIMIT, limit));
	EXPECT_EQ(-EDQUOT, ds_alloc(most, RIGHTS_R, DATASPACE_ALLOC_SCATTERED));
	ds = ds_alloc(most - huge_size(), RIGHTS_R, DATASPACE_ALLOC_SCATTERED);
	EXPECT_LE(0, ds);
	close(ds);
	EXPECT_EQ(0, unpin(self, variant->registered));
	EXPECT_EQ(self->before, in_use_soon(self->before));
	ds = ds_alloc(most, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);
	EXPECT_LE(0, ds);
	close(ds);
}

TEST_HARNESS_MAIN
