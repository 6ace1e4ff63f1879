// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contiguous memory is made by migrating pages where there is no free run: rule
 * 2. This program is one of the first, as what others make the kernel allocate
 * for itself all over memory can't be migrated, and stays for long.
 */
#define _GNU_SOURCE
#include <kselftest_harness.h>

#include "common.h"
#include "pages.h"

#define STRIPE ((size_t)64 << 10)

/*
 * The page cache fills the memory, and then every second stripe of it is
 * dropped.
 */
FIXTURE(dropped)
{
	int kept;
	__u64 want;
};

/*
 * Writes stripes of two files in turn, so that they lie side by side. Less
 * memory is left free than the test asks for in one piece.
 */
FIXTURE_SETUP(dropped)
{
	const __u64 memory = memory_of_the_machine();
	int other = memfd_create("dropped", MFD_CLOEXEC);
	off_t at = 0;

	if (memory > 12ULL << 30)
		SKIP(return, "needs a machine with at most 12 GiB");
	if (page_size() > 4096)
		SKIP(return, "hardly any block of this kernel is movable");
	if (is_debug_kernel())
		SKIP(return, "this kernel keeps freed objects everywhere");
	self->want = memory / 16 < 256 * MEG ? memory / 16 : 256 * MEG;
	self->kept = memfd_create("kept", MFD_CLOEXEC);
	while (number_in_file("/proc/meminfo", "MemFree:") * 1024 >
	       self->want) {
		ASSERT_EQ(0, fallocate(self->kept, 0, at, STRIPE));
		ASSERT_EQ(0, fallocate(other, 0, at, STRIPE));
		at += STRIPE;
	}
	close(other);
}

FIXTURE_TEARDOWN(dropped)
{
	close(self->kept);
}

/*
 * A page that is pinned for a moment may be in the way, so a failure is
 * repeated.
 */
static int alloc_patiently(__u64 length)
{
	int tries = 10;
	int ds = -ENOMEM;

	while (ds == -ENOMEM && tries--) {
		ds = ds_alloc(length, RIGHTS_R, 0);
		if (ds == -ENOMEM)
			usleep(100000);
	}
	return ds;
}

/* rule 2: movable pages are migrated out of the run */
TEST_F_TIMEOUT(dropped, page_cache_makes_room_for_a_run, LONG_TIMEOUT)
{
	long long moved = number_in_file("/proc/vmstat", "pgmigrate_success");
	struct pages pages;
	int ds = alloc_patiently(self->want);

	moved = number_in_file("/proc/vmstat", "pgmigrate_success") - moved;
	TH_LOG("%llu MiB, %lld pages moved", self->want / MEG, moved);
	ASSERT_LE(0, ds);
	EXPECT_LT(0, moved);
	ASSERT_EQ(0, pages_of_fd(&pages, ds, self->want / MEG * MEG));
	EXPECT_TRUE(pages_contiguous(&pages, 0, pages.count));
	pages_forget(&pages);
	close(ds);
}

TEST_HARNESS_MAIN
