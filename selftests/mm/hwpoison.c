// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page has an uncorrectable memory error, injected by madvise(2): only that
 * page is lost, and a process that touches it is told. Rules 4, 14, 15, 17, 18
 * and 20 hold for all others. The machine loses the pages until it is booted
 * again.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "failpoint.h"
#include "lazy.h"
#include "pages.h"

#ifndef MADV_HWPOISON
#define MADV_HWPOISON 100
#endif

#define PARAMETER "/sys/module/dataspace/parameters/limit_mb"

/* The page of the root that has the error; it is page 1 of the alias. */
#define BAD 3
#define FIRST 2
#define END 5

FIXTURE(hwpoison)
{
	size_t page;
	size_t pages;
	int root;
	int alias;
	char *map;
};

FIXTURE_VARIANT(hwpoison)
{
	size_t large_folios;
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(hwpoison, pages) {
	.pages = 8,
};

FIXTURE_VARIANT_ADD(hwpoison, huge) {
	.large_folios = 1,
};

/* clang-format on */

FIXTURE_SETUP(hwpoison)
{
	self->page = page_size();
	self->pages = variant->pages +
		      variant->large_folios * huge_size() / self->page;
	self->root = ds_alloc_pages(self->pages);
	ASSERT_LE(0, self->root);
	self->alias = ds_alias_pages(self->root, FIRST, END, RIGHTS_RW);
	ASSERT_LE(0, self->alias);
	self->map = ds_map(self->root, self->pages * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, self->pages, 0);
}

/* All other pages have kept their contents. */
FIXTURE_TEARDOWN(hwpoison)
{
	const size_t after = BAD + 1;

	EXPECT_EQ(0, pattern_wrong(self->map, BAD, 0));
	EXPECT_EQ(0, pattern_wrong(self->map + after * self->page,
				   self->pages - after, after));
}

static long poison(FIXTURE_DATA(hwpoison) * self)
{
	return result(madvise(self->map + BAD * self->page, self->page,
			      MADV_HWPOISON));
}

static void *expected_address;

/* Ends the process, with 0 if this is the expected error. */
static void on_sigbus(int number, siginfo_t *info, void *context)
{
	_exit(info->si_code != BUS_MCEERR_AR ||
	      info->si_addr != expected_address);
}

/* 0 if the touch raises the signal for a memory error, in a child. */
static int touch_is_memory_error(char *at, bool store)
{
	struct sigaction action = {
		.sa_sigaction = on_sigbus,
		.sa_flags = SA_SIGINFO,
	};
	pid_t child = fork();

	if (child)
		return wait_for(child);
	expected_address = at;
	sigaction(SIGBUS, &action, NULL);
	if (store)
		*(volatile char *)at = 1;
	else
		*(volatile char *)at;
	_exit(2);
}

TEST_F(hwpoison, a_touch_is_SIGBUS_that_names_the_address)
{
	char *bad = self->map + BAD * self->page;

	ASSERT_EQ(0, poison(self));
	EXPECT_EQ(0, touch_is_memory_error(bad, false));
	EXPECT_EQ(0, touch_is_memory_error(bad, true));
}

TEST_F(hwpoison, a_new_mapping_says_the_same)
{
	char *map;

	ASSERT_EQ(0, poison(self));
	map = ds_map(self->alias, (END - FIRST) * self->page, PROT_READ);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, touch_is_memory_error(map + self->page, false));
	EXPECT_EQ(0, pattern_wrong(map, 1, FIRST));
	EXPECT_EQ(0, pattern_wrong(map + 2 * self->page, 1, FIRST + 2));
}

/* rule 20 */
TEST_F(hwpoison, read_and_write_are_EIO_there_and_stop_before_it)
{
	const size_t page = self->page;
	const size_t length = 8 * page;
	char *buffer = malloc(length);

	ASSERT_EQ(0, poison(self));
	EXPECT_EQ(-EIO, result(pread(self->root, buffer, 1, BAD * page)));
	EXPECT_EQ(-EIO, result(pwrite(self->root, buffer, 1, BAD * page + 9)));
	EXPECT_EQ(-EIO, result(pread(self->alias, buffer, page, page)));
	EXPECT_EQ(BAD * page, pread(self->root, buffer, length, 0));
	EXPECT_EQ(0, pattern_wrong(buffer, BAD, 0));
	EXPECT_EQ(page,
		  pwrite(self->alias, buffer + FIRST * page, 2 * page, 0));
	EXPECT_EQ(page, pread(self->root, buffer, page, (BAD + 1) * page));
	EXPECT_EQ(0, pattern_wrong(buffer, 1, BAD + 1));
}

/* rule 15 */
TEST_F(hwpoison, counts_stay_what_they_were)
{
	struct dataspace_info before, after;

	ASSERT_EQ(0, ds_info(self->root, &before));
	ASSERT_EQ(0, poison(self));
	ASSERT_EQ(0, ds_info(self->root, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
}

/* rule 14 */
TEST_F(hwpoison, all_the_others_go_back)
{
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, self->map, self->pages * self->page));
	ASSERT_EQ(0, poison(self));
	munmap(self->map, self->pages * self->page);
	close(self->root);
	EXPECT_EQ(END - FIRST - 1,
		  pages_held_in(&pages, 0, BAD) +
			  pages_held_in(&pages, BAD + 1, self->pages));
	EXPECT_EQ(0, pattern_wrong_fd(self->alias, 1, FIRST));
	close(self->alias);
	EXPECT_EQ(0, pages_held_in(&pages, 0, BAD));
	EXPECT_EQ(0, pages_held_in(&pages, BAD + 1, self->pages));
	self->map = ds_map(ds_alloc_pages(self->pages),
			   self->pages * self->page, READ_WRITE);
	pattern_write(self->map, self->pages, 0);
}

/* rules 17 and 18: SEAL with NOW looks for pins, and the bad page has none */
TEST_F(hwpoison, it_can_be_sealed_and_revoked)
{
	ASSERT_EQ(0, poison(self));
	EXPECT_EQ(0, ds_seal(self->alias, DATASPACE_SEAL_NOW));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-ESTALE, result(pwrite(self->alias, "x", 1, 0)));
}

/* rule 23: the device would not be told */
TEST_F(hwpoison, a_device_mapping_is_EIO)
{
	const int ret = importer_load();
	int dmabuf, fd;

	if (ret == -ENOENT)
		SKIP(return, "there is no importer");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, poison(self));
	dmabuf = ds_export(self->alias, 0);
	fd = import(dmabuf, IMPORTER_TOLD);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EIO, import_map(fd, TO_DEVICE));
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, ds_seal(self->alias, DATASPACE_SEAL_NOW));
	close(fd);
	close(dmabuf);
	EXPECT_EQ(0, importer_unload());
}

/* 0 if madvise() refused, or if the child was told that the page is lost. */
static int poison_from_a_child(FIXTURE_DATA(hwpoison) * self)
{
	pid_t child;
	int status;

	signal(SIGBUS, SIG_IGN);
	child = fork();
	if (!child)
		_exit(poison(self) != -EBUSY);
	status = wait_for(child);
	signal(SIGBUS, SIG_DFL);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS ? 0 : status;
}

/*
 * rule 14: the mm can't split a folio that is pinned, and may send SIGBUS to
 * processes that map it. Only the bad page is lost all the same.
 */
TEST_F(hwpoison, of_a_pinned_huge_page_only_the_bad_one_is_lost)
{
	char byte;
	struct pin pin;

	if (!variant->large_folios)
		SKIP(return, "pages of their own need not be split");
	ASSERT_EQ(0, pin_page(&pin, self->map));
	EXPECT_EQ(0, poison_from_a_child(self));
	EXPECT_EQ(-EIO, result(pread(self->root, &byte, 1, BAD * self->page)));
	EXPECT_EQ(1, pread(self->root, &byte, 1, (BAD - 1) * self->page));
	EXPECT_EQ(1, pread(self->root, &byte, 1, (BAD + 1) * self->page));
	EXPECT_EQ(0,
		  touch_is_memory_error(self->map + BAD * self->page, false));
	pin_close(&pin);
}

static int try_to_map_for_a_device(int ds)
{
	int dmabuf = ds_export(ds, 0);
	int fd = import(dmabuf, IMPORTER_TOLD);
	int ret = fd < 0 ? fd : import_map(fd, TO_DEVICE);

	close(fd);
	close(dmabuf);
	return ret;
}

/* rule 23 */
TEST_F(hwpoison, of_a_pinned_huge_page_devices_get_all_but_the_bad_one)
{
	struct pin pin;
	int good, ret;

	if (!variant->large_folios)
		SKIP(return, "pages of their own need not be split");
	ret = importer_load();
	if (ret == -ENOENT)
		SKIP(return, "there is no importer");
	ASSERT_EQ(0, ret);
	good = ds_alias_pages(self->root, BAD + 1, END, RIGHTS_RW);
	ASSERT_EQ(0, pin_page(&pin, self->map));
	EXPECT_EQ(0, poison_from_a_child(self));
	EXPECT_EQ(-EIO, try_to_map_for_a_device(self->alias));
	EXPECT_EQ(0, try_to_map_for_a_device(good));
	pin_close(&pin);
	close(good);
	EXPECT_EQ(0, importer_unload());
}

/* rule 14 */
TEST_F(hwpoison, soft_offlining_is_EBUSY_and_moves_nothing)
{
	struct pages before, after;
	const size_t length = self->pages * self->page;

	ASSERT_EQ(0, pages_of_map(&before, self->map, length));
	EXPECT_EQ(-EBUSY, result(madvise(self->map + BAD * self->page,
					 self->page, 101)));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
	ASSERT_EQ(0, pages_of_map(&after, self->map, length));
	EXPECT_EQ(0, memcmp(before.pfn, after.pfn,
			    self->pages * sizeof(*before.pfn)));
}

/*
 * rule 4: after an error the limit counts not a page more or less than there is
 */
TEST(a_lost_page_is_taken_off_the_account_once)
{
	const size_t length = 1 << 20;
	int ds = ds_alloc(length, RIGHTS_RW, 0);
	char *map = ds_map(ds, length, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, result(madvise(map, page_size(), MADV_HWPOISON)));
	munmap(map, length);
	close(ds);
	ASSERT_EQ(0, text_to_file(PARAMETER, "1"));
	EXPECT_EQ(-EDQUOT, ds_alloc(length + 1, RIGHTS_RW, 0));
	ds = ds_alloc(length, RIGHTS_RW, 0);
	EXPECT_LE(0, ds);
	ASSERT_EQ(0, text_to_file(PARAMETER, "0"));
}

/* rule 30: until it is punched out */
TEST(a_lost_page_of_lazy_memory_is_no_hole)
{
	const size_t page = page_size();
	const size_t length = 2 * huge_size();
	int ds = lazy_alloc(length);
	char *map = ds_map(ds, length, READ_WRITE);
	char *bad = map + BAD * page;

	ASSERT_NE(MAP_FAILED, map);
	memset(map, 1, length);
	ASSERT_EQ(0, result(madvise(bad, page, MADV_HWPOISON)));
	EXPECT_EQ(0, touch_is_memory_error(bad, false));
	EXPECT_EQ(0, touch_is_memory_error(bad, true));
	EXPECT_EQ(-EIO, lazy_byte(ds, BAD * page));
	EXPECT_EQ(-EIO, lazy_write(ds, BAD * page, 1, 1));
	EXPECT_EQ(-EIO, ds_fill(ds, 0, length));
	EXPECT_EQ(length - page, ds_resident(ds));
	EXPECT_EQ(1, lazy_byte(ds, (BAD + 1) * page));
	ASSERT_EQ(0, ds_punch(ds, BAD * page, page));
	EXPECT_EQ(0, lazy_byte(ds, BAD * page));
	*bad = 2;
	EXPECT_EQ(2, lazy_byte(ds, BAD * page));
}

static void on_news(int signal)
{
}

/*
 * Whether an allocation has failed while a page was lost. The mm sends SIGBUS to who
 * maps the page, and without memory it may kill that, so a child does it.
 */
static bool lose_page_failing(char *at, unsigned int nth)
{
	pid_t child = fork();

	if (!child) {
		signal(SIGBUS, on_news);
		if (!failpoint_arm(nth))
			madvise(at, page_size(), MADV_HWPOISON);
		_exit(failpoint_disarm());
	}
	return wait_for(child);
}

/*
 * rule 30: also if there was no memory for a note of it, so that it stays. Then it is
 * not zeroed when it is punched out.
 */
TEST(a_page_that_is_lost_without_memory_is_no_hole)
{
	const size_t page = page_size();
	const size_t length = 8 * page;
	unsigned int nth;
	bool hit = true;

	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
	for (nth = 1; hit && nth < 300; nth++) {
		int ds = lazy_alloc(length);
		char *map = ds_map(ds, length, READ_WRITE);
		int byte;

		ASSERT_NE(MAP_FAILED, map);
		memset(map, 1, length);
		hit = lose_page_failing(map + BAD * page, nth);
		byte = lazy_byte(ds, BAD * page);
		/* else madvise() has not come as far as to lose it */
		if (byte == -EIO) {
			EXPECT_EQ(-EIO, lazy_write(ds, BAD * page, 1, 1));
			EXPECT_EQ(1, lazy_byte(ds, (BAD + 1) * page));
			EXPECT_EQ(0, ds_punch(ds, 0, length));
			EXPECT_EQ(0, lazy_byte(ds, (BAD + 1) * page));
		} else {
			EXPECT_TRUE(hit);
			EXPECT_EQ(1, byte);
		}
		munmap(map, length);
		close(ds);
	}
	EXPECT_FALSE(hit);
}

TEST_HARNESS_MAIN
