// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that are pinned when they are released go back after the unpin: rule 14.
 */
#include <kselftest_harness.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "kept.h"
#include "lazy.h"
#include "sigbus.h"

#define TRACING "/sys/kernel/tracing/"
#define WORKS TRACING "events/workqueue/workqueue_execute_start/enable"

/* How many roots have a pinned page, and for how many seconds works are counted. */
#define PINNED 50
#define COUNTED 4

/* How many of the pages lie in the same 2 MiB as @page: they may wait for it. */
static size_t pages_around(const struct pages *pages, size_t page)
{
	size_t unit = huge_size() / page_size();
	__u64 base = pages->pfn[page] / unit * unit;
	size_t count = 0;
	size_t i;

	for (i = 0; i < pages->count; i++)
		count += pages->pfn[i] >= base && pages->pfn[i] < base + unit;
	return count;
}

/* rule 14 */
TEST_F(kept, a_pinned_page_goes_back_after_the_unpin)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	struct pin pin;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin_page(&pin, map + 250 * page));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_TRUE(page_held(&self->pages, 250));
	EXPECT_GE(pages_around(&self->pages, 250), pages_held(&self->pages));
	pin_close(&pin);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
}

/*
 * rule 14: "soon after the unpin" is about a second, however long the pages were
 * pinned
 */
TEST(pages_are_back_within_about_a_second_of_the_unpin)
{
	static const double pinned_for[] = { 0.1, 1, 4 };
	struct pages pages;
	struct pin pin;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(pinned_for); i++) {
		int root = ds_alloc_pages(16);
		char *map = ds_map(root, 16 * page_size(), PROT_READ);

		ASSERT_NE(MAP_FAILED, map);
		ASSERT_EQ(0, pages_of_map(&pages, map, 16 * page_size()));
		ASSERT_EQ(0, pin_page(&pin, map));
		munmap(map, 16 * page_size());
		close(root);
		usleep(1000000 * pinned_for[i]);
		EXPECT_TRUE(page_held(&pages, 0));
		pin_close(&pin);
		EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
		pages_forget(&pages);
	}
}

/* rules 14 and 30 */
TEST(pages_of_lazy_memory_are_back_soon_after_the_unpin)
{
	const long long before = lazy_in_use();
	const size_t length = 4 * page_size();
	int root = lazy_alloc(length);
	char *map = ds_map(root, length, READ_WRITE);
	struct pin pin;

	ASSERT_NE(MAP_FAILED, map);
	memset(map, 1, length);
	ASSERT_EQ(0, pin_page(&pin, map + page_size()));
	munmap(map, length);
	close(root);
	usleep(300000);
	EXPECT_EQ(before + page_size(), lazy_in_use());
	pin_close(&pin);
	EXPECT_EQ(before, lazy_in_use_soon(before));
}

/*
 * rules 14 and 26: what has been pinned for long is looked at once in a second, also
 * if something else of the root is looked at more often
 */
TEST(a_page_is_back_soon_beside_one_that_is_pinned_for_long)
{
	const size_t unit = huge_size();
	int root = ds_alloc(2 * unit, RIGHTS_R, 0);
	int half = ds_alias(root, unit, unit, RIGHTS_R);
	char *map = ds_map(root, 2 * unit, PROT_READ);
	struct pages pages;
	struct pin pins[2];

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pages_of_map(&pages, map, 2 * unit));
	ASSERT_EQ(0, pin_page(&pins[0], map));
	ASSERT_EQ(0, pin_page(&pins[1], map + unit));
	munmap(map, 2 * unit);
	close(root);
	sleep(4);
	close(half);
	usleep(300000);
	EXPECT_TRUE(page_held(&pages, 0));
	EXPECT_TRUE(page_held(&pages, unit / page_size()));
	pin_close(&pins[1]);
	EXPECT_LE(1, pages_wait(&pages, unit / page_size(), SOON));
	EXPECT_FALSE(page_held(&pages, unit / page_size()));
	EXPECT_TRUE(page_held(&pages, 0));
	pin_close(&pins[0]);
	EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
	pages_forget(&pages);
}

#define MANY_PINNED 2000

/* Lazy memory that nothing covers any more, but for a pin. */
static int leave_pinned(struct pin *pin)
{
	int root = lazy_alloc(page_size());
	char *map = ds_map(root, page_size(), READ_WRITE);
	int ret = -EFAULT;

	if (map != MAP_FAILED && !try_store(map, 1))
		ret = pin_page(pin, map);
	munmap(map, page_size());
	close(root);
	return ret;
}

/* How long it takes until a page is back that is let go of; or as long as can be. */
static double time_until_unpinned_is_back(void)
{
	int ds = ds_alloc_pages(1);
	char *map = ds_map(ds, page_size(), PROT_READ);
	struct pages pages;
	struct pin pin;
	double begun;

	if (map == MAP_FAILED || pages_of_map(&pages, map, page_size()) ||
	    pin_page(&pin, map))
		return INFINITY;
	munmap(map, page_size());
	close(ds);
	pin_close(&pin);
	begun = seconds();
	pages_wait(&pages, 0, 10 * SOON);
	pages_forget(&pages);
	return seconds() - begun;
}

/*
 * rules 14 and 25: what others have pinned makes nobody wait, neither as long as it is
 * looked at often nor later
 */
TEST(a_page_is_back_soon_though_others_have_left_many_roots_pinned)
{
	const int many = is_debug_kernel() ? MANY_PINNED / 4 : MANY_PINNED;
	struct pin *pins = calloc(many, sizeof(*pins));
	double first, later;
	int i;

	sigbus_init();
	ASSERT_EQ(0, allow_fds(2 * many + 100));
	for (i = 0; i < many; i++)
		ASSERT_EQ(0, leave_pinned(&pins[i]));
	first = time_until_unpinned_is_back();
	sleep(2);
	later = time_until_unpinned_is_back();
	printf("# back after %.3f s, %.3f s\n", first, later);
	EXPECT_GT(2 * SOON, first);
	EXPECT_GT(2 * SOON, later);
	for (i = 0; i < many; i++)
		pin_close(&pins[i]);
	free(pins);
}

/*
 * rules 14 and 25: nobody puts off what waits for others, by pages that look pinned and
 * are let go one by one
 */
TEST(a_page_is_back_soon_while_others_let_go_of_pinned_ones)
{
	const size_t unit = huge_size();
	int root = ds_alloc(2 * unit, RIGHTS_R, 0);
	char *map = ds_map(root, 2 * unit, PROT_READ);
	struct pages pages;
	struct pin pins[2];
	size_t at;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pages_of_map(&pages, map, 2 * unit));
	ASSERT_EQ(0, pin_page(&pins[0], map));
	ASSERT_EQ(0, pin_page(&pins[1], map + unit));
	close(root);
	for (at = 0; at < unit; at += page_size()) {
		munmap(map + unit + at, page_size());
		if (!at) {
			munmap(map, unit);
			pin_close(&pins[0]);
		}
		usleep(1500);
	}
	EXPECT_FALSE(page_held(&pages, 0));
	EXPECT_TRUE(page_held(&pages, unit / page_size()));
	pin_close(&pins[1]);
	EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
	pages_forget(&pages);
}

/* rule 14: a pin of a released page does not harm pages that stay */
TEST_F(kept, a_pin_does_no_harm_to_neighbours_that_stay)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	struct keeper kept;
	struct pin pin;
	int fd;

	ASSERT_NE(MAP_FAILED, map);
	fd = ds_alias_pages(self->root, 260, 270, RIGHTS_R);
	ASSERT_EQ(0, keep(&kept, fd, variant->mapped));
	ASSERT_EQ(0, pin_page(&pin, map + 250 * page));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_EQ(0, wrong_in(&kept, 260));
	pin_close(&pin);
	EXPECT_EQ(10, pages_wait(&self->pages, 10, SOON));
	EXPECT_EQ(0, wrong_in(&kept, 260));
	drop(&kept);
}

/* rule 14: only pages of the same 2 MiB wait for the unpin */
TEST(a_pin_delays_no_more_than_the_huge_page_around_it)
{
	const size_t unit = huge_size() / page_size();
	int root = ds_alloc(2 * huge_size(), RIGHTS_R, 0);
	char *map = ds_map(root, 2 * huge_size(), PROT_READ);
	int kept = ds_alias_pages(root, unit + unit / 2, 2 * unit, RIGHTS_R);
	struct pages pages;
	struct pin pin;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_LE(0, kept);
	ASSERT_EQ(0, pages_of_fd(&pages, root, 2 * huge_size()));
	ASSERT_EQ(0, pin_page(&pin, map + huge_size()));
	munmap(map, 2 * huge_size());
	close(root);
	EXPECT_EQ(0, pages_held_in(&pages, 0, unit));
	EXPECT_TRUE(page_held(&pages, unit));
	pin_close(&pin);
	EXPECT_EQ(unit / 2, pages_wait(&pages, unit / 2, SOON));
	EXPECT_EQ(unit / 2, pages_held_in(&pages, unit + unit / 2, 2 * unit));
	close(kept);
	EXPECT_EQ(0, pages_held(&pages));
}

/* rule 14: a page that stays keeps its pin, which shows later writes */
TEST_F(kept, a_pin_of_a_page_that_stays_sees_later_writes)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	struct pin pin;
	int fd;
	char seen[2];

	ASSERT_NE(MAP_FAILED, map);
	fd = ds_alias_pages(self->root, 250, 252, RIGHTS_RW);
	ASSERT_EQ(0, pin_page(&pin, map + 250 * page));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_EQ(2, pwrite(fd, "ab", 2, 0));
	EXPECT_EQ(2, read(pin.ends[0], seen, 2));
	EXPECT_EQ(0, memcmp(seen, "ab", 2));
	pin_close(&pin);
	EXPECT_EQ(2, pages_wait(&self->pages, 2, SOON));
	close(fd);
}

static int pinned_and_released(struct pin *pin)
{
	int root = ds_alloc_pages(1);
	char *map = ds_map(root, page_size(), PROT_READ);
	int ret;

	if (map == MAP_FAILED)
		return -errno;
	ret = pin_page(pin, map);
	munmap(map, page_size());
	close(root);
	return ret;
}

/* How often the module's work that looks at pinned pages has run, by the trace. */
static int count_retries(void)
{
	FILE *trace = fopen(TRACING "trace", "r");
	char line[512];
	int count = 0;

	while (trace && fgets(line, sizeof(line), trace))
		count += !!strstr(line, "function backing_retry");
	if (trace)
		fclose(trace);
	return count;
}

/* rule 26: each of them looks at a few counts once in a second */
TEST(memory_that_waits_for_an_unpin_is_looked_at_once_in_a_second)
{
	struct pin pins[PINNED];
	int i, count;

	if (text_to_file(WORKS, "0"))
		SKIP(return, "this kernel does not trace works");
	for (i = 0; i < PINNED; i++)
		ASSERT_EQ(0, pinned_and_released(&pins[i]));
	sleep(3);
	ASSERT_EQ(0, text_to_file(TRACING "trace", ""));
	ASSERT_EQ(0, text_to_file(WORKS, "1"));
	sleep(COUNTED);
	ASSERT_EQ(0, text_to_file(WORKS, "0"));
	count = count_retries();
	TH_LOG("%d pinned pages, %d works in %d s", PINNED, count, COUNTED);
	EXPECT_LE(PINNED, count);
	EXPECT_GE(PINNED * (COUNTED + 1), count);
	for (i = 0; i < PINNED; i++)
		pin_close(&pins[i]);
}

TEST_HARNESS_MAIN
