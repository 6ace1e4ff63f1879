// SPDX-License-Identifier: GPL-2.0-only
/* What ALLOC hands out, and what it refuses: rules 1, 2 and 3. */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/resource.h>

#include "common.h"
#include "pages.h"
#include "proc.h"

static long long oom_kills(void)
{
	return number_in_file("/proc/vmstat", "oom_kill");
}

FIXTURE(kind)
{
	int log;
};

FIXTURE_VARIANT(kind)
{
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(kind, contiguous) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(kind, scattered) {
	.flags = DATASPACE_ALLOC_SCATTERED,
};

/* clang-format on */

FIXTURE_SETUP(kind)
{
	self->log = log_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(kind)
{
	close(self->log);
}

/* rule 1 */
TEST_F(kind, length_is_rounded_up_to_whole_pages)
{
	const __u64 lengths[] = { 1, page_size() - 1, page_size(),
				  page_size() + 1, 7 * page_size() - 3 };
	struct dataspace_info info;
	size_t i;
	int ds;

	for (i = 0; i < ARRAY_LENGTH(lengths); i++) {
		ds = ds_alloc(lengths[i], RIGHTS_R, variant->flags);
		ASSERT_LE(0, ds);
		ASSERT_EQ(0, ds_info(ds, &info));
		EXPECT_EQ((lengths[i] + page_size() - 1) / page_size() *
				  page_size(),
			  info.length);
		close(ds);
	}
}

/* rule 1 */
TEST_F(kind, rights_are_exactly_those_asked_for)
{
	const __u32 rights[] = { RIGHTS_R, RIGHTS_RW, RIGHTS_RX, RIGHTS_RWX };
	struct dataspace_info info;
	size_t i;
	int ds;

	for (i = 0; i < ARRAY_LENGTH(rights); i++) {
		ds = ds_alloc(1, rights[i], variant->flags);
		ASSERT_LE(0, ds);
		ASSERT_EQ(0, ds_info(ds, &info));
		EXPECT_EQ(rights[i], info.rights);
		EXPECT_EQ(rights[i] & DATASPACE_WRITE ? O_RDWR : O_RDONLY,
			  fcntl(ds, F_GETFL) & O_ACCMODE);
		close(ds);
	}
}

/* rule 1 */
TEST_F(kind, every_allocation_is_zero_also_of_pages_that_were_used_before)
{
	const size_t length = 4 * MEG;
	void *map;
	int round, ds;

	for (round = 0; round < 4; round++) {
		ds = ds_alloc(length, RIGHTS_RW, variant->flags);
		ASSERT_LE(0, ds);
		map = ds_map(ds, length, READ_WRITE);
		ASSERT_NE(MAP_FAILED, map);
		EXPECT_TRUE(bytes_are(map, length, 0));
		memset(map, 0xa5, length);
		munmap(map, length);
		close(ds);
	}
}

/* rule 1 */
TEST_F(kind, a_new_root_is_alone)
{
	struct dataspace_info info;
	int ds = ds_alloc(5 * page_size(), RIGHTS_RW, variant->flags);

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, ds_info(ds, &info));
	EXPECT_EQ(0, info.state & ~DATASPACE_STATE_CONTIGUOUS);
	EXPECT_EQ(5 * page_size(), info.exclusive);
	EXPECT_EQ(0, info.aliases);
	EXPECT_EQ(0, info.mappings);
	EXPECT_EQ(page_size(), info.granule);
	EXPECT_EQ(0, info.flags);
	close(ds);
}

/* rule 1 */
TEST_F(kind, length_0_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, ds_alloc(0, RIGHTS_RW, variant->flags));
}

/* rule 1 */
TEST_F(kind, more_than_the_machine_has_is_ENOMEM_quickly_and_silently)
{
	const __u64 lengths[] = {
		memory_of_the_machine() * 2,
		(__u64)1 << 62,
		(__u64)1 << 63,
		INT64_MAX,
		INT64_MAX - page_size() + 2,
		UINT64_MAX - page_size() + 1,
		UINT64_MAX - page_size() + 2,
		UINT64_MAX,
	};
	long held = pages_held_by_anyone();
	long long kills = oom_kills();
	double start = seconds();
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(lengths); i++) {
		EXPECT_EQ(-ENOMEM,
			  ds_alloc(lengths[i], RIGHTS_RW, variant->flags))
		{
			TH_LOG("length %#llx", (unsigned long long)lengths[i]);
		}
	}
	EXPECT_GT(5.0, seconds() - start);
	EXPECT_EQ(kills, oom_kills());
	EXPECT_EQ(held, pages_held_by_anyone());
	EXPECT_FALSE(log_has(self->log, "WARNING"));
}

/* rule 1 */
TEST_F_TIMEOUT(kind, all_of_the_memory_is_ENOMEM_and_kills_nobody, LONG_TIMEOUT)
{
	long held = pages_held_by_anyone();
	long long kills = oom_kills();
	pid_t bystander = fork();

	if (!bystander) {
		pause();
		_exit(0);
	}
	EXPECT_EQ(-ENOMEM,
		  ds_alloc(memory_of_the_machine(), RIGHTS_RW, variant->flags));
	EXPECT_EQ(kills, oom_kills());
	EXPECT_EQ(0, kill(bystander, SIGTERM));
	EXPECT_EQ(SIGTERM, wait_for(bystander));
	EXPECT_EQ(held, pages_held_by_anyone());
	EXPECT_FALSE(log_has(self->log, "WARNING"));
}

/* rule 1: the memory comes from the node that was asked for */
TEST_F(kind, node_is_honoured_or_refused)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = variant->flags,
		.length = 1,
		.rights = RIGHTS_R,
	};
	int device = ds_device();
	int ds;

	ASSERT_LE(0, device);
	ds = ds_alloc_on(device, &arg);
	EXPECT_LE(0, ds);
	close(ds);
	arg.length = 5 * MEG;
	ds = ds_alloc_on(device, &arg);
	EXPECT_TRUE(ds >= 0 || ds == -ENOMEM);
	close(ds);
	arg.flags |= DATASPACE_ALLOC_NODE;
	arg.node = -1;
	EXPECT_EQ(-EINVAL, ds_alloc_on(device, &arg));
	arg.node = INT32_MAX;
	EXPECT_EQ(-EINVAL, ds_alloc_on(device, &arg));
	arg.node = INT32_MIN;
	EXPECT_EQ(-EINVAL, ds_alloc_on(device, &arg));
	close(device);
}

/* rules 1 and 14 */
TEST_F(kind, sixteen_roots_of_rising_size_leave_nothing)
{
	struct pages pages[16];
	int ds[16];
	size_t i;

	for (i = 0; i < 16; i++) {
		const size_t length = (i * i * 3 + 1) * page_size();

		ds[i] = ds_alloc(length, RIGHTS_RW, variant->flags);
		ASSERT_LE(0, ds[i]);
		ASSERT_EQ(0, pages_of_fd(&pages[i], ds[i], length));
		EXPECT_EQ(pages[i].count, pages_held(&pages[i]));
	}
	for (i = 0; i < 16; i++) {
		close(ds[i]);
		EXPECT_EQ(0, pages_held(&pages[i]));
		pages_forget(&pages[i]);
	}
}

FIXTURE(extent)
{
	__u64 length;
	__u64 align;
	struct pages pages;
	struct dataspace_info info;
};

FIXTURE_VARIANT(extent)
{
	__u64 length;
	__u64 align;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(extent, one_byte) {
	.length = 1,
};

FIXTURE_VARIANT_ADD(extent, kib_12) {
	.length = 12 << 10,
};

FIXTURE_VARIANT_ADD(extent, kib_64) {
	.length = 64 << 10,
};

FIXTURE_VARIANT_ADD(extent, kib_1000) {
	.length = 1000 << 10,
};

FIXTURE_VARIANT_ADD(extent, mib_2) {
	.length = 2 << 20,
};

FIXTURE_VARIANT_ADD(extent, mib_3) {
	.length = 3 << 20,
};

FIXTURE_VARIANT_ADD(extent, mib_4) {
	.length = 4 << 20,
};

FIXTURE_VARIANT_ADD(extent, one_byte_at_64_kib) {
	.length = 1,
	.align = 64 << 10,
};

FIXTURE_VARIANT_ADD(extent, kib_256_at_2_mib) {
	.length = 256 << 10,
	.align = 2 << 20,
};

FIXTURE_VARIANT_ADD(extent, mib_1_at_one_byte) {
	.length = 1 << 20,
	.align = 1,
};

/* Longer than a huge page, so its large folios have an alignment, too. */
FIXTURE_VARIANT_ADD(extent, kib_2052_at_one_page) {
	.length = 2052 << 10,
	.align = 4 << 10,
};

FIXTURE_VARIANT_ADD(extent, kib_7000_at_one_page) {
	.length = 7000 << 10,
	.align = 4 << 10,
};

/* clang-format on */

FIXTURE_SETUP(extent)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.length = variant->length,
		.rights = RIGHTS_R,
		.align = variant->align,
	};
	int device = ds_device();
	int ds;

	ASSERT_LE(0, device);
	ds = ds_alloc_on(device, &arg);
	ASSERT_LE(0, ds);
	ASSERT_EQ(0, ds_info(ds, &self->info));
	ASSERT_EQ(0, pages_of_fd(&self->pages, ds, self->info.length));
	close(ds);
	close(device);
}

FIXTURE_TEARDOWN(extent)
{
	pages_forget(&self->pages);
}

static __u64 natural_alignment(__u64 length)
{
	__u64 align = page_size();

	while (align < length && align < 2 * MEG)
		align *= 2;
	return align;
}

/* rule 2 */
TEST_F(extent, is_one_physical_run)
{
	EXPECT_TRUE(pages_contiguous(&self->pages, 0, self->pages.count));
	EXPECT_NE(0, self->info.state & DATASPACE_STATE_CONTIGUOUS);
}

/* rule 2 */
TEST_F(extent, is_aligned)
{
	__u64 align = variant->align ?: natural_alignment(variant->length);

	if (align < page_size())
		align = page_size();
	EXPECT_EQ(0, self->pages.pfn[0] * page_size() % align);
}

/* rule 14 */
TEST_F(extent, goes_back_as_a_whole)
{
	EXPECT_EQ(0, pages_held(&self->pages));
}

/* rule 2 */
TEST(more_than_4_mib_is_contiguous_or_ENOMEM_never_scattered)
{
	const size_t length = 32 * MEG;
	struct pages pages;
	int ds = ds_alloc(length, RIGHTS_R, 0);

	if (ds < 0) {
		EXPECT_EQ(-ENOMEM, ds);
		return;
	}
	ASSERT_EQ(0, pages_of_fd(&pages, ds, length));
	EXPECT_TRUE(pages_contiguous(&pages, 0, pages.count));
}

/* rule 2 */
TEST(without_a_run_the_log_names_the_largest_one)
{
	int log = log_open();

	ASSERT_LE(0, log);
	ASSERT_EQ(-ENOMEM, ds_alloc(memory_of_the_machine(), RIGHTS_R, 0));
	EXPECT_TRUE(log_has(log, "largest"));
	close(log);
}

/* rule 3 */
TEST(scattered_memory_is_made_of_2_mib_runs)
{
	const size_t length = 64 * MEG;
	size_t unit = huge_size() / page_size();
	struct pages pages;
	size_t i;
	int ds = ds_alloc(length, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, pages_of_fd(&pages, ds, length));
	for (i = 0; i < pages.count; i += unit) {
		EXPECT_EQ(0, pages.pfn[i] % unit);
		EXPECT_TRUE(pages_contiguous(&pages, i, i + unit));
	}
	close(ds);
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/* Allocates all memory but a reserve, so that no large pieces are free. */
static int take_memory(int *ds, int max)
{
	int count = 0;

	while (count < max) {
		if (number_in_file("/proc/meminfo", "MemFree:") < 96 << 10)
			break;
		ds[count] =
			ds_alloc(16 * MEG, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);
		if (ds[count] < 0)
			break;
		count++;
	}
	return count;
}

/* Keeps one page in the middle of each 2 MiB and releases the rest. */
static int keep_single_pages(int ds, int *kept)
{
	int count = 0;
	__u64 at;

	for (at = MEG; at < 16 * MEG; at += 2 * MEG) {
		kept[count] = ds_alias(ds, at, page_size(), RIGHTS_R);
		if (kept[count] < 0)
			return kept[count];
		count++;
	}
	close(ds);
	return count;
}

FIXTURE(fragmented)
{
	int pieces[1024];
	int kept[1024][8];
};

/* Of a machine with much memory this takes 16 GiB at most. */
FIXTURE_SETUP(fragmented)
{
	int count, i;

	if (memory_of_the_machine() > 12ULL << 30)
		SKIP(return, "needs a machine with at most 12 GiB");
	allow_many_fds();
	count = take_memory(self->pieces, ARRAY_LENGTH(self->pieces));
	for (i = 0; i < count; i++)
		ASSERT_EQ(8, keep_single_pages(self->pieces[i], self->kept[i]));
}

FIXTURE_TEARDOWN(fragmented)
{
}

/* rule 3 */
TEST_F_TIMEOUT(fragmented, memory_still_serves_scattered_roots, LONG_TIMEOUT)
{
	__u64 length = memory_of_the_machine() / 2;
	int ds = ds_alloc(length, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);

	EXPECT_LE(0, ds);
	close(ds);
}

/* rule 2 */
TEST_F_TIMEOUT(fragmented, memory_gives_large_runs_contiguous_or_not_at_all,
	       LONG_TIMEOUT)
{
	struct pages pages;
	int ds;

	ds = ds_alloc(64 * MEG, RIGHTS_R, 0);
	if (ds < 0) {
		EXPECT_EQ(-ENOMEM, ds);
		return;
	}
	ASSERT_EQ(0, pages_of_fd(&pages, ds, 64 * MEG));
	EXPECT_TRUE(pages_contiguous(&pages, 0, pages.count));
}

TEST_HARNESS_MAIN
