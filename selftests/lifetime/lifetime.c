// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who keeps which page: rules 13, 14 and 15. What goes back to the kernel and
 * when is measured on the pages themselves.
 */
#include <kselftest_harness.h>

#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common.h"
#include "fdpass.h"
#include "pages.h"

#define NESTED 1000

/*
 * What keeps pages: a descriptor, or a mapping whose descriptor is closed. A
 * keeper is one of them; to drop it is what the tests measure.
 */
struct keeper {
	int fd;
	void *map;
	size_t length;
};

static int keep(struct keeper *keeper, int fd, bool mapped)
{
	struct dataspace_info info;

	keeper->fd = fd;
	keeper->map = NULL;
	if (fd < 0 || ds_info(fd, &info))
		return -1;
	keeper->length = info.length;
	if (!mapped)
		return 0;
	keeper->map = ds_map(fd, keeper->length, PROT_READ);
	close(fd);
	return keeper->map == MAP_FAILED ? -1 : 0;
}

static void drop(struct keeper *keeper)
{
	if (keeper->map)
		munmap(keeper->map, keeper->length);
	else
		close(keeper->fd);
}

static size_t wrong_in(const struct keeper *keeper, __u64 first)
{
	const size_t pages = keeper->length / page_size();

	if (keeper->map)
		return pattern_wrong(keeper->map, pages, first);
	return pattern_wrong_fd(keeper->fd, pages, first);
}

/*
 * A root of so many pages, made as the variant says; what is kept of it is
 * kept as the variant says.
 */
FIXTURE(kept)
{
	int root;
	struct pages pages;
};

FIXTURE_VARIANT(kept)
{
	__u32 flags;
	bool mapped;
	/* pages that the root has more than it needs, in front */
	size_t shift;
	/* and behind */
	size_t more;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(kept, by_descriptors) {
	.flags = DATASPACE_ALLOC_SCATTERED,
};

FIXTURE_VARIANT_ADD(kept, by_mappings) {
	.flags = DATASPACE_ALLOC_SCATTERED,
	.mapped = true,
};

FIXTURE_VARIANT_ADD(kept, by_descriptors_of_contiguous_memory) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(kept, by_mappings_of_contiguous_memory) {
	.flags = 0,
	.mapped = true,
};

/* The same inside of, and across, pages of 2 MiB. */
FIXTURE_VARIANT_ADD(kept, by_descriptors_of_huge_pages) {
	.flags = DATASPACE_ALLOC_SCATTERED,
	.shift = 400,
	.more = 736,
};

FIXTURE_VARIANT_ADD(kept, by_mappings_of_huge_pages) {
	.flags = DATASPACE_ALLOC_SCATTERED,
	.mapped = true,
	.shift = 400,
	.more = 736,
};

FIXTURE_VARIANT_ADD(kept, by_mappings_of_contiguous_huge_pages) {
	.flags = 0,
	.mapped = true,
	.shift = 400,
	.more = 736,
};

/* clang-format on */

FIXTURE_SETUP(kept)
{
	const size_t pages = variant->shift + 400 + variant->more;
	int all;

	if (variant->more && !variant->flags && page_size() > 4096)
		SKIP(return, "contiguous memory is not in huge pages here");
	all = ds_alloc(pages * page_size(), RIGHTS_RW, variant->flags);
	allow_many_fds();
	ASSERT_LE(0, all);
	self->root = ds_alias_pages(all, variant->shift, variant->shift + 400,
				    RIGHTS_RW);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, pattern_write_fd(self->root, 400, 0));
	ASSERT_EQ(0, pages_of_fd(&self->pages, self->root, 400 * page_size()));
	close(all);
}

/* Every test ends with nothing kept. */
FIXTURE_TEARDOWN(kept)
{
	EXPECT_EQ(0, pages_held(&self->pages));
	pages_forget(&self->pages);
}

/* rules 13, 14 and 15 */
TEST_F(kept, two_overlapping_ranges_go_back_to_the_page)
{
	const struct pages *pages = &self->pages;
	struct keeper low, high;

	ASSERT_EQ(0, keep(&low, ds_alias_pages(self->root, 100, 160, RIGHTS_R),
			  variant->mapped));
	ASSERT_EQ(0, keep(&high, ds_alias_pages(self->root, 130, 190, RIGHTS_R),
			  variant->mapped));
	EXPECT_EQ(400, pages_held(pages));
	EXPECT_EQ(310 * page_size(), ds_exclusive(self->root));

	close(self->root);
	EXPECT_EQ(400 - 310, pages_held(pages));
	EXPECT_EQ(90, pages_held_in(pages, 100, 190));
	EXPECT_EQ(0, wrong_in(&low, 100));
	EXPECT_EQ(0, wrong_in(&high, 130));
	if (!variant->mapped)
		EXPECT_EQ(30 * page_size(), ds_exclusive(low.fd));

	drop(&low);
	EXPECT_EQ(60, pages_held(pages));
	EXPECT_EQ(60, pages_held_in(pages, 130, 190));
	EXPECT_EQ(0, wrong_in(&high, 130));
	if (!variant->mapped)
		EXPECT_EQ(60 * page_size(), ds_exclusive(high.fd));

	drop(&high);
	EXPECT_EQ(0, pages_held(pages));
}

/* rule 14 */
TEST_F(kept, what_stays_stays_where_it_is)
{
	struct keeper kept;
	struct pages now;
	size_t i;
	int fd;

	fd = ds_alias_pages(self->root, 37, 263, RIGHTS_R);
	ASSERT_EQ(0, keep(&kept, fd, variant->mapped));
	close(self->root);
	ASSERT_EQ(0, kept.map ? pages_of_map(&now, kept.map, kept.length) :
				pages_of_fd(&now, kept.fd, kept.length));
	for (i = 0; i < now.count; i++)
		EXPECT_EQ(self->pages.pfn[37 + i], now.pfn[i]);
	EXPECT_EQ(now.count, pages_held(&self->pages));
	drop(&kept);
	pages_forget(&now);
}

/* rule 14: single pages here and there */
TEST_F(kept, every_third_page_stays)
{
	struct keeper kept[134];
	size_t i;

	for (i = 0; i < 134; i++)
		ASSERT_EQ(0, keep(&kept[i],
				  ds_alias_pages(self->root, 3 * i, 3 * i + 1,
						 RIGHTS_R),
				  variant->mapped));
	EXPECT_EQ(266 * page_size(), ds_exclusive(self->root));
	close(self->root);
	EXPECT_EQ(134, pages_held(&self->pages));
	for (i = 0; i < 134; i++) {
		EXPECT_TRUE(page_held(&self->pages, 3 * i));
		EXPECT_EQ(0, wrong_in(&kept[i], 3 * i));
		drop(&kept[i]);
		EXPECT_EQ(133 - i, pages_held(&self->pages));
	}
}

static void shuffle(size_t *numbers, size_t count, unsigned int *seed)
{
	size_t i, j, number;

	for (i = 0; i < count; i++)
		numbers[i] = i;
	for (i = count - 1; i > 0; i--) {
		j = rand_r(seed) % (i + 1);
		number = numbers[i];
		numbers[i] = numbers[j];
		numbers[j] = number;
	}
}

/* rules 13 and 14: each made from the one before, every fifth a page less */
TEST_F(kept, nested_1000_deep_and_dropped_in_any_order)
{
	unsigned int seed = random_seed();
	struct keeper kept[NESTED];
	size_t order[NESTED];
	int fd[NESTED];
	size_t i;

	fd[0] = self->root;
	for (i = 1; i < NESTED; i++) {
		fd[i] = ds_alias_pages(fd[i - 1], i % 5 == 0, 400 - (i - 1) / 5,
				       RIGHTS_R);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < NESTED; i++)
		ASSERT_EQ(0, keep(&kept[i], fd[i], variant->mapped));
	EXPECT_EQ(400, pages_held(&self->pages));
	shuffle(order, NESTED, &seed);
	for (i = 0; i < NESTED - 1; i++)
		drop(&kept[order[i]]);
	i = order[NESTED - 1];
	EXPECT_EQ(kept[i].length / page_size(), pages_held(&self->pages));
	EXPECT_EQ(0, wrong_in(&kept[i], i / 5));
	drop(&kept[i]);
}

/* rule 13: three generations, closed in each of the six orders */
TEST_F(kept, a_family_closed_in_every_order)
{
	static const int orders[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
	};
	/* [20, 60), of it [30, 50), of it [38, 42) */
	static const size_t first[3] = { 20, 30, 38 };
	static const size_t end[3] = { 60, 50, 42 };
	struct keeper kept[3];
	size_t order;
	int i, fd[3];

	for (order = 0; order < 6; order++) {
		fd[0] = ds_alias_pages(self->root, 20, 60, RIGHTS_R);
		fd[1] = ds_alias_pages(fd[0], 10, 30, RIGHTS_R);
		fd[2] = ds_alias_pages(fd[1], 8, 12, RIGHTS_R);
		for (i = 0; i < 3; i++)
			ASSERT_EQ(0, keep(&kept[i], fd[i], variant->mapped));
		for (i = 0; i < 3; i++) {
			const int which = orders[order][i];

			EXPECT_EQ(0, wrong_in(&kept[which], first[which]));
			EXPECT_EQ((end[which] - first[which]) * page_size(),
				  kept[which].length);
			drop(&kept[which]);
		}
		EXPECT_EQ(400, pages_held(&self->pages));
	}
	close(self->root);
}

/* rule 13 */
TEST_F(kept, an_orphan_is_as_good_as_any)
{
	int orphan = ds_alias_pages(self->root, 10, 20, RIGHTS_RW);
	int child;

	close(self->root);
	EXPECT_EQ(10, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong_fd(orphan, 10, 10));
	EXPECT_EQ(1, pwrite(orphan, "x", 1, 100));
	child = ds_alias_pages(orphan, 5, 10, RIGHTS_RW);
	EXPECT_LE(0, child);
	EXPECT_EQ(5 * page_size(), ds_exclusive(orphan));
	close(orphan);
	EXPECT_EQ(5, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong_fd(child, 5, 15));
	close(child);
}

/* rules 14 and 15: the last descriptor is what counts */
TEST_F(kept, a_duplicate_keeps_everything)
{
	int copy = dup(self->root);

	close(self->root);
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(400 * page_size(), ds_exclusive(copy));
	close(copy);
}

/* A mapping of all of the root that alone keeps it. */
static char *map_and_close(FIXTURE_DATA(kept) * self)
{
	char *map = ds_map(self->root, 400 * page_size(), READ_WRITE);

	close(self->root);
	return map;
}

/* rule 14 */
TEST_F(kept, munmap_of_a_part_gives_back_that_part)
{
	const struct pages *pages = &self->pages;
	const size_t page = page_size();
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(400, pages_held(pages));
	munmap(map, 10 * page);
	EXPECT_EQ(0, pages_held_in(pages, 0, 10));
	EXPECT_EQ(390, pages_held(pages));
	munmap(map + 390 * page, 10 * page);
	EXPECT_EQ(0, pages_held_in(pages, 390, 400));
	EXPECT_EQ(380, pages_held(pages));
	munmap(map + 100 * page, 100 * page);
	EXPECT_EQ(0, pages_held_in(pages, 100, 200));
	EXPECT_EQ(280, pages_held(pages));
	EXPECT_EQ(0, pattern_wrong(map + 10 * page, 90, 10));
	EXPECT_EQ(0, pattern_wrong(map + 200 * page, 190, 200));
	munmap(map, 400 * page);
}

/* rule 14 */
TEST_F(kept, overmapping_gives_back_what_it_covers)
{
	const size_t page = page_size();
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(map + 7 * page,
		  mmap(map + 7 * page, 50 * page, PROT_READ,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(350, pages_held(&self->pages));
	EXPECT_EQ(0, pages_held_in(&self->pages, 7, 57));
	munmap(map, 400 * page);
}

/* rule 14 */
TEST_F(kept, mremap_gives_back_what_it_cuts_off_and_keeps_what_it_moves)
{
	const size_t page = page_size();
	char *map = map_and_close(self);
	char *place = mmap(NULL, 400 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(map, mremap(map, 400 * page, 250 * page, 0));
	EXPECT_EQ(250, pages_held(&self->pages));
	EXPECT_EQ(place, mremap(map, 250 * page, 250 * page,
				MREMAP_MAYMOVE | MREMAP_FIXED, place));
	EXPECT_EQ(250, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong(place, 250, 0));
	/* out of the middle: two pieces stay where they were */
	map = mremap(place + 50 * page, 50 * page, 20 * page, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(220, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong(map, 20, 50));
	munmap(map, 20 * page);
	EXPECT_EQ(200, pages_held(&self->pages));
	munmap(place, 400 * page);
}

/* rule 14 */
TEST_F(kept, mprotect_of_a_part_loses_nothing)
{
	const size_t page = page_size();
	char *map = map_and_close(self);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, mprotect(map + 50 * page, 50 * page, PROT_NONE));
	EXPECT_EQ(0, mprotect(map + 200 * page, 50 * page, PROT_READ));
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(0, mprotect(map, 400 * page, READ_WRITE));
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(0, pattern_wrong(map, 400, 0));
	munmap(map, 400 * page);
}

/* rule 14: a mapping that was never touched covers as well */
TEST_F(kept, an_untouched_mapping_keeps_pages)
{
	const size_t page = page_size();
	char *map = mmap(NULL, 5 * page, PROT_NONE, MAP_SHARED, self->root,
			 20 * page);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(395 * page, ds_exclusive(self->root));
	close(self->root);
	EXPECT_EQ(5, pages_held(&self->pages));
	EXPECT_EQ(5, pages_held_in(&self->pages, 20, 25));
	EXPECT_EQ(0, mprotect(map, 5 * page, PROT_READ));
	EXPECT_EQ(0, pattern_wrong(map, 5, 20));
	munmap(map, 5 * page);
}

/* Stops the child when it was told to by a byte. */
struct child {
	pid_t pid;
	int pipe[2];
};

static int child_start(struct child *child)
{
	char byte;

	if (pipe(child->pipe))
		return -1;
	child->pid = fork();
	if (!child->pid) {
		close(child->pipe[1]);
		if (read(child->pipe[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(child->pipe[0]);
	return child->pid < 0;
}

static int child_stop(struct child *child, int signal)
{
	if (signal)
		kill(child->pid, signal);
	close(child->pipe[1]);
	return wait_for(child->pid);
}

/* rule 14: what the child has counts as much */
TEST_F(kept, until_the_child_exits_too)
{
	const size_t page = page_size();
	char *map = map_and_close(self);
	struct child child;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, child_start(&child));
	munmap(map + 100 * page, 300 * page);
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(0, child_stop(&child, 0));
	EXPECT_EQ(100, pages_held(&self->pages));
	munmap(map, 100 * page);
}

/* rule 14 */
TEST_F(kept, until_the_child_is_killed)
{
	char *map = map_and_close(self);
	struct child child;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, child_start(&child));
	munmap(map, 400 * page_size());
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(SIGKILL, child_stop(&child, SIGKILL));
}

/* rule 14: exec closes the descriptor and ends the mappings */
TEST_F(kept, until_the_child_executes_something_else)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	int ends[2];
	pid_t child;
	char byte;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	child = fork();
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", "lifetime", "--wait", NULL);
		_exit(127);
	}
	close(ends[1]);
	EXPECT_EQ(1, read(ends[0], &byte, 1));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_EQ(0, pages_held(&self->pages));
	kill(child, SIGKILL);
	EXPECT_EQ(SIGKILL, wait_for(child));
}

/* rule 14 */
TEST_F(kept, while_in_flight_in_a_socket)
{
	int ends[2];
	int fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], self->root));
	close(self->root);
	EXPECT_EQ(400, pages_held(&self->pages));
	fd = fd_receive(ends[1]);
	EXPECT_EQ(0, pattern_wrong_fd(fd, 400, 0));
	ASSERT_EQ(0, fd_send(ends[0], fd));
	close(fd);
	EXPECT_EQ(400, pages_held(&self->pages));
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, pages_held(&self->pages));
}

/* rule 14: sockets that hold each other are found by the kernel's collector */
TEST_F(kept, until_a_cycle_of_sockets_is_collected)
{
	int ends[2], other[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], ends[0]));
	ASSERT_EQ(0, fd_send(ends[0], ends[1]));
	ASSERT_EQ(0, fd_send(ends[0], self->root));
	close(self->root);
	close(ends[0]);
	close(ends[1]);
	/* any other socket that is closed makes the collector run */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, other));
	close(other[0]);
	close(other[1]);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, STUCK));
}

static int run_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* rule 14: at once also if another processor made the pages */
TEST_F(kept, no_matter_which_cpu_closes)
{
	struct pages pages;
	int round, fd;

	close(self->root);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two processors");
	for (round = 0; round < 20; round++) {
		ASSERT_EQ(0, run_on_cpu(0));
		fd = ds_alloc((round + 1) * page_size(), RIGHTS_R,
			      variant->flags);
		ASSERT_EQ(0,
			  pages_of_fd(&pages, fd, (round + 1) * page_size()));
		ASSERT_EQ(0, run_on_cpu(1));
		close(fd);
		EXPECT_EQ(0, pages_held(&pages));
		pages_forget(&pages);
	}
}

/* Pins pages of a mapping by putting them into a pipe. */
static int pin(int ends[2], void *map, size_t length)
{
	struct iovec iov = { map, length };

	if (pipe(ends) || fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) < 0)
		return -errno;
	return vmsplice(ends[1], &iov, 1, 0) == (ssize_t)length ? 0 : -errno;
}

static void unpin(int ends[2])
{
	close(ends[0]);
	close(ends[1]);
}

/* Pages of the 2 MiB around the pinned one may wait for it, no others. */
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
	int ends[2];

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin(ends, map + 250 * page, page));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_TRUE(page_held(&self->pages, 250));
	EXPECT_GE(pages_around(&self->pages, 250), pages_held(&self->pages));
	unpin(ends);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
}

/* rule 14: pins of pages that go do no harm to those that stay */
TEST_F(kept, a_pin_does_no_harm_to_neighbours_that_stay)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	struct keeper kept;
	int ends[2], fd;

	ASSERT_NE(MAP_FAILED, map);
	fd = ds_alias_pages(self->root, 260, 270, RIGHTS_R);
	ASSERT_EQ(0, keep(&kept, fd, variant->mapped));
	ASSERT_EQ(0, pin(ends, map + 250 * page, page));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_EQ(0, wrong_in(&kept, 260));
	unpin(ends);
	EXPECT_EQ(10, pages_wait(&self->pages, 10, SOON));
	EXPECT_EQ(0, wrong_in(&kept, 260));
	drop(&kept);
}

/* rule 14: of what is released only the 2 MiB around a pinned page wait */
TEST(a_pin_delays_no_more_than_the_huge_page_around_it)
{
	const size_t unit = huge_size() / page_size();
	int root = ds_alloc(2 * huge_size(), RIGHTS_R, 0);
	char *map = ds_map(root, 2 * huge_size(), PROT_READ);
	int kept = ds_alias_pages(root, unit + unit / 2, 2 * unit, RIGHTS_R);
	struct pages pages;
	int ends[2];

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_LE(0, kept);
	ASSERT_EQ(0, pages_of_fd(&pages, root, 2 * huge_size()));
	ASSERT_EQ(0, pin(ends, map + huge_size(), page_size()));
	munmap(map, 2 * huge_size());
	close(root);
	EXPECT_EQ(0, pages_held_in(&pages, 0, unit));
	EXPECT_TRUE(page_held(&pages, unit));
	unpin(ends);
	EXPECT_EQ(unit / 2, pages_wait(&pages, unit / 2, SOON));
	EXPECT_EQ(unit / 2, pages_held_in(&pages, unit + unit / 2, 2 * unit));
	close(kept);
	EXPECT_EQ(0, pages_held(&pages));
}

/* rule 14: a page that stays keeps its pin; who holds it sees the new bytes */
TEST_F(kept, a_pin_of_a_page_that_stays_sees_later_writes)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	int ends[2], fd;
	char seen[2];

	ASSERT_NE(MAP_FAILED, map);
	fd = ds_alias_pages(self->root, 250, 252, RIGHTS_RW);
	ASSERT_EQ(0, pin(ends, map + 250 * page, page));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_EQ(2, pwrite(fd, "ab", 2, 0));
	EXPECT_EQ(2, read(ends[0], seen, 2));
	EXPECT_EQ(0, memcmp(seen, "ab", 2));
	unpin(ends);
	EXPECT_EQ(2, pages_wait(&self->pages, 2, SOON));
	close(fd);
}

/* rule 15 */
TEST_F(kept, exclusive_is_what_nobody_else_covers)
{
	const size_t page = page_size();
	int low = ds_alias_pages(self->root, 0, 100, RIGHTS_R);
	int same = ds_alias_pages(self->root, 0, 100, RIGHTS_R);
	int inner = ds_alias_pages(low, 40, 60, RIGHTS_R);
	char *map = mmap(NULL, 10 * page, PROT_READ, MAP_SHARED, self->root,
			 95 * page);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(295 * page, ds_exclusive(self->root));
	EXPECT_EQ(0, ds_exclusive(low));
	EXPECT_EQ(0, ds_exclusive(inner));
	close(self->root);
	EXPECT_EQ(105, pages_held(&self->pages));
	EXPECT_EQ(0, ds_exclusive(low));
	close(same);
	EXPECT_EQ(75 * page, ds_exclusive(low));
	munmap(map, 10 * page);
	EXPECT_EQ(80 * page, ds_exclusive(low));
	EXPECT_EQ(100, pages_held(&self->pages));
	close(low);
	EXPECT_EQ(20, pages_held(&self->pages));
	EXPECT_EQ(20 * page, ds_exclusive(inner));
	close(inner);
}

/* rule 15: and the counts beside it */
TEST_F(kept, mappings_are_counted_by_piece_in_all_processes)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	struct dataspace_info info;
	struct child child;

	ASSERT_NE(MAP_FAILED, map);
	ds_info(self->root, &info);
	EXPECT_EQ(1, info.mappings);
	munmap(map + 100 * page, page);
	ds_info(self->root, &info);
	EXPECT_EQ(2, info.mappings);
	ASSERT_EQ(0, child_start(&child));
	ds_info(self->root, &info);
	EXPECT_EQ(4, info.mappings);
	EXPECT_EQ(0, child_stop(&child, 0));
	munmap(map, 400 * page);
	ds_info(self->root, &info);
	EXPECT_EQ(0, info.mappings);
	close(self->root);
}

/* rules 1 and 14: what came back can be had again, and is empty */
TEST_F(kept, what_went_back_is_free_to_use)
{
	int orphan = ds_alias_pages(self->root, 199, 200, RIGHTS_R);
	int again;

	close(self->root);
	again = ds_alloc(399 * page_size(), RIGHTS_R, variant->flags);
	ASSERT_LE(0, again);
	EXPECT_NE(0, pattern_wrong_fd(again, 399, 0));
	EXPECT_EQ(0, pattern_wrong_fd(orphan, 1, 199));
	close(again);
	close(orphan);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--wait"))
		return write(STDOUT_FILENO, "", 1) != 1 || pause();
	return test_harness_run(argc, argv);
}
