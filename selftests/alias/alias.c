// SPDX-License-Identifier: GPL-2.0-only
/* What an alias shows, and which rights it has: rules 5 to 8. */
#include <kselftest_harness.h>

#include <sys/stat.h>

#include "common.h"
#include "fdpass.h"

#define ROOT_PAGES 16

FIXTURE(alias)
{
	int root;
	size_t page;
};

FIXTURE_SETUP(alias)
{
	self->page = page_size();
	self->root = ds_alloc_pages(ROOT_PAGES);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, pattern_write_fd(self->root, ROOT_PAGES, 0));
}

FIXTURE_TEARDOWN(alias)
{
	close(self->root);
}

/* rule 5 */
TEST_F(alias, shows_exactly_its_pages)
{
	size_t first, end;
	int ds;

	for (first = 0; first < ROOT_PAGES; first++) {
		for (end = first + 1; end <= ROOT_PAGES; end++) {
			ds = ds_alias_pages(self->root, first, end, RIGHTS_R);
			ASSERT_LE(0, ds);
			EXPECT_EQ(0, pattern_wrong_fd(ds, end - first, first));
			close(ds);
		}
	}
}

/* rules 5 and 20 */
TEST_F(alias, ends_where_it_ends)
{
	int ds = ds_alias_pages(self->root, 3, 7, RIGHTS_RW);
	const size_t page = self->page;
	char byte;

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, pread(ds, &byte, 1, 4 * page));
	EXPECT_EQ(0, pread(ds, &byte, 1, 9 * page));
	EXPECT_EQ(-ENOSPC, result(pwrite(ds, "x", 1, 4 * page)));
	EXPECT_EQ(-EINVAL,
		  ds_try_map(ds, page, PROT_READ, MAP_SHARED, 4 * page));
	EXPECT_EQ(-EINVAL,
		  ds_try_map(ds, 2 * page, PROT_READ, MAP_SHARED, 3 * page));
	EXPECT_EQ(-EINVAL, ds_try_map(ds, 5 * page, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, pattern_wrong_fd(self->root, ROOT_PAGES, 0));
	close(ds);
}

/* rule 5: offsets of mmap() that wrap in the module's arithmetic */
TEST_F(alias, cannot_be_mapped_before_its_start)
{
	int ds = ds_alias_pages(self->root, 3, 7, RIGHTS_R);
	const off_t page = self->page;
	int back;

	for (back = 1; back <= 4; back++)
		EXPECT_GT(0, ds_try_map(ds, page, PROT_READ, MAP_SHARED,
					-back * page));
	EXPECT_GT(0, ds_try_map(ds, page, PROT_READ, MAP_SHARED,
				INT64_MAX / page * page));
	close(ds);
}

/* rule 5: the mm must not merge two mappings of the same file */
TEST_F(alias, does_not_grow_by_a_mapping_next_to_it)
{
	const size_t page = self->page;
	int ds = ds_alias_pages(self->root, 2, 6, RIGHTS_R);
	char *space = mmap(NULL, 8 * page, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *map;

	ASSERT_LE(0, ds);
	map = mmap(space, 4 * page, PROT_READ, MAP_SHARED | MAP_FIXED, ds, 0);
	ASSERT_EQ(space, map);
	ASSERT_EQ(0, munmap(space + 4 * page, 4 * page));
	EXPECT_EQ(MAP_FAILED,
		  mmap(space + 4 * page, page, PROT_READ,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, ds, 4 * page));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED,
		  mmap(space + 4 * page, page, PROT_READ,
		       MAP_SHARED | MAP_FIXED_NOREPLACE, ds, 6 * page));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-ENOMEM, result(msync(space + 4 * page, page, MS_ASYNC)));
}

/* rule 5 */
TEST_F(alias, tells_no_size_but_its_own)
{
	int ds = ds_alias_pages(self->root, 5, 8, RIGHTS_R);
	const off_t length = 3 * self->page;
	struct dataspace_info info;
	struct stat stat;
	int left = 0;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, ds_info(ds, &info));
	ASSERT_EQ(0, fstat(ds, &stat));
	EXPECT_EQ(length, info.length);
	EXPECT_EQ(length, stat.st_size);
	EXPECT_EQ(length, lseek(ds, 0, SEEK_END));
	EXPECT_GE(length / 512, stat.st_blocks);
	if (!ioctl(ds, FIONREAD, &left))
		EXPECT_GE(length, left);
	close(ds);
}

/* rule 6 */
TEST_F(alias, of_a_malformed_range_is_EINVAL)
{
	const __u64 page = self->page, end = ROOT_PAGES * page;
	const __u64 last = -page;
	const struct {
		__u64 offset, length;
	} ranges[] = {
		{ 1, page },
		{ 1024, page },
		{ page - 1, page },
		{ page / 2, page / 2 },
		{ 0, 1 },
		{ 0, page + 1 },
		{ 0, page - 1 },
		{ 0, 0 },
		{ page, 0 },
		{ end, 0 },
		{ end, page },
		{ end + page, page },
		{ 0, end + page },
		{ page, end },
		{ end - page, 2 * page },
		{ last, page },
		{ last, 2 * page },
		{ page, last },
		{ last, last },
		{ 0, last },
		{ 2 * page, last },
		{ 1ULL << 63, page },
		{ 1ULL << 63, 1ULL << 63 },
		{ page, 1ULL << 63 },
		{ 1ULL << 44, page },
		{ 1ULL << 32, page },
		{ UINT64_MAX, UINT64_MAX },
	};
	struct dataspace_info before, after;
	int fds = count_fds();
	size_t i;

	ASSERT_EQ(0, ds_info(self->root, &before));
	for (i = 0; i < ARRAY_LENGTH(ranges); i++) {
		EXPECT_EQ(-EINVAL, ds_alias(self->root, ranges[i].offset,
					    ranges[i].length, RIGHTS_R))
		{
			TH_LOG("range %zu", i);
		}
	}
	ASSERT_EQ(0, ds_info(self->root, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(before)));
	EXPECT_EQ(fds, count_fds());
}

/* rule 6: the end of the source counts, not the end of the root */
TEST_F(alias, of_an_alias_cannot_pass_its_end)
{
	int source = ds_alias_pages(self->root, 4, 8, RIGHTS_R);

	ASSERT_LE(0, source);
	EXPECT_EQ(-EINVAL, ds_alias_pages(source, 0, 5, RIGHTS_R));
	EXPECT_EQ(-EINVAL, ds_alias_pages(source, 4, 5, RIGHTS_R));
	EXPECT_EQ(-EINVAL, ds_alias_pages(source, 3, 5, RIGHTS_R));
	EXPECT_EQ(-EINVAL,
		  ds_alias(source, -(__u64)self->page, self->page, RIGHTS_R));
	close(source);
}

/* rule 7 */
TEST_F(alias, of_an_alias_adds_up_the_offsets)
{
	int source = self->root;
	size_t depth;
	int ds;

	for (depth = 1; depth < ROOT_PAGES / 2; depth++) {
		const size_t pages = ROOT_PAGES - 2 * depth;

		ds = ds_alias_pages(source, 1, pages + 1, RIGHTS_RW);
		ASSERT_LE(0, ds);
		EXPECT_EQ(0, pattern_wrong_fd(ds, pages, depth));
		if (source != self->root)
			close(source);
		source = ds;
	}
	close(source);
}

/* rule 7 */
TEST_F(alias, says_that_it_is_one_and_the_root_counts_it)
{
	int ds = ds_alias_pages(self->root, 0, 4, RIGHTS_R);
	int below = ds_alias_pages(ds, 0, 2, RIGHTS_R);
	struct dataspace_info info;

	ASSERT_LE(0, below);
	ASSERT_EQ(0, ds_info(ds, &info));
	EXPECT_NE(0, info.state & DATASPACE_STATE_ALIAS);
	EXPECT_EQ(1, info.aliases);
	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(0, info.state & DATASPACE_STATE_ALIAS);
	EXPECT_EQ(2, info.aliases);
	close(ds);
	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(1, info.aliases);
	close(below);
	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(0, info.aliases);
}

/* rule 7 */
TEST_F(alias, overlaps_with_others_and_all_see_writes_at_once)
{
	const size_t page = self->page;
	int low = ds_alias_pages(self->root, 0, 8, RIGHTS_RW);
	int high = ds_alias_pages(self->root, 4, 12, RIGHTS_R);
	char *low_map = ds_map(low, 8 * page, READ_WRITE);
	char *high_map = ds_map(high, 8 * page, PROT_READ);
	char byte;

	ASSERT_NE(MAP_FAILED, low_map);
	ASSERT_NE(MAP_FAILED, high_map);
	low_map[5 * page + 3] = 'm';
	EXPECT_EQ('m', high_map[page + 3]);
	EXPECT_EQ(1, pread(high, &byte, 1, page + 3));
	EXPECT_EQ('m', byte);
	EXPECT_EQ(1, pwrite(low, "w", 1, 7 * page));
	EXPECT_EQ('w', high_map[3 * page]);
	EXPECT_EQ(1, pwrite(self->root, "r", 1, 4 * page));
	EXPECT_EQ('r', high_map[0]);
	EXPECT_EQ('r', low_map[4 * page]);
}

/* rule 5 */
TEST_F(alias, of_other_pages_sees_nothing_of_its_neighbour)
{
	int left = ds_alias_pages(self->root, 0, 8, RIGHTS_RW);
	int right = ds_alias_pages(self->root, 8, 16, RIGHTS_RW);

	ASSERT_EQ(0, pattern_write_fd(left, 8, 1000));
	EXPECT_EQ(0, pattern_wrong_fd(right, 8, 8));
	ASSERT_EQ(0, pattern_write_fd(right, 8, 2000));
	EXPECT_EQ(0, pattern_wrong_fd(left, 8, 1000));
	close(left);
	close(right);
}

/* rule 2: an alias of contiguous memory is contiguous */
TEST(an_alias_of_contiguous_memory_says_that_it_is_contiguous)
{
	int root = ds_alloc(8 * page_size(), RIGHTS_R, 0);
	int ds = ds_alias_pages(root, 2, 7, RIGHTS_R);
	struct dataspace_info info;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, ds_info(ds, &info));
	EXPECT_EQ(DATASPACE_STATE_CONTIGUOUS | DATASPACE_STATE_ALIAS,
		  info.state);
}

static const __u32 all_rights[] = { RIGHTS_R, RIGHTS_RW, RIGHTS_RX,
				    RIGHTS_RWX };

static long rights_of(int ds)
{
	struct dataspace_info info;

	return ds_info(ds, &info) ? -errno : info.rights;
}

/* rule 8 */
TEST(rights_of_an_alias_are_a_subset_or_EPERM)
{
	size_t has, asks;

	for (has = 0; has < ARRAY_LENGTH(all_rights); has++) {
		int root = ds_alloc(1, all_rights[has], 0);

		for (asks = 0; asks < ARRAY_LENGTH(all_rights); asks++) {
			const __u32 rights = all_rights[asks];
			int ds = ds_alias(root, 0, page_size(), rights);

			if (rights & ~all_rights[has]) {
				EXPECT_EQ(-EPERM, ds);
				continue;
			}
			EXPECT_LE(0, ds);
			EXPECT_EQ(rights, rights_of(ds));
			close(ds);
		}
		close(root);
	}
}

/* rule 8 */
TEST(rights_with_CLIP_are_those_in_common)
{
	size_t has, asks;

	for (has = 0; has < ARRAY_LENGTH(all_rights); has++) {
		int root = ds_alloc(1, all_rights[has], 0);

		for (asks = 0; asks < ARRAY_LENGTH(all_rights); asks++) {
			int ds = ds_alias_flags(root, 0, page_size(),
						all_rights[asks],
						DATASPACE_ALIAS_CLIP);

			EXPECT_LE(0, ds);
			EXPECT_EQ(all_rights[asks] & all_rights[has],
				  rights_of(ds));
			close(ds);
		}
		close(root);
	}
}

/* rule 8: a right that an alias has lost does not come back further down */
TEST(rights_only_shrink_along_a_chain)
{
	int root = ds_alloc(1, RIGHTS_RWX, 0);
	int middle = ds_alias(root, 0, page_size(), RIGHTS_RX);
	int end = ds_alias(middle, 0, page_size(), RIGHTS_R);

	ASSERT_LE(0, end);
	close(root);
	EXPECT_EQ(-EPERM, ds_alias(middle, 0, page_size(), RIGHTS_RW));
	EXPECT_EQ(-EPERM, ds_alias(end, 0, page_size(), RIGHTS_RX));
	EXPECT_EQ(-EPERM, ds_alias(end, 0, page_size(), RIGHTS_RW));
	EXPECT_EQ(RIGHTS_R, rights_of(end));
}

/*
 * 0 if the descriptor has the right to read and no other, else the number of the
 * line that found more. That no access gets around it is shown by access.c.
 */
static int more_than_read_only(int fd)
{
	const size_t page = page_size();

	if ((fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
		return __LINE__;
	if (rights_of(fd) != RIGHTS_R)
		return __LINE__;
	if (result(pwrite(fd, "x", 1, 0)) != -EBADF)
		return __LINE__;
	if (ds_try_map(fd, page, READ_WRITE, MAP_SHARED, 0) != -EACCES)
		return __LINE__;
	if (ds_try_map(fd, page, PROT_READ, MAP_SHARED, 0))
		return __LINE__;
	if (ds_alias(fd, 0, page, RIGHTS_RW) != -EPERM)
		return __LINE__;
	return 0;
}

FIXTURE(read_only)
{
	int root;
	int ds;
};

FIXTURE_SETUP(read_only)
{
	self->root = ds_alloc_pages(4);
	ASSERT_EQ(0, pattern_write_fd(self->root, 4, 0));
	self->ds = ds_alias_pages(self->root, 1, 3, RIGHTS_R);
	ASSERT_LE(0, self->ds);
}

/* Whatever the test did, the descriptor is as it was, and so is the memory. */
FIXTURE_TEARDOWN(read_only)
{
	EXPECT_EQ(0, more_than_read_only(self->ds));
	EXPECT_EQ(0, pattern_wrong_fd(self->root, 4, 0));
}

static int reopen(const char *process, int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/fd/%d", process, fd);
	return result(open(path, flags | O_CLOEXEC));
}

/* rule 8: reopening is refused even with the rights of the descriptor */
TEST_F(read_only, its_writable_root_cannot_be_reopened)
{
	char parent[16];
	pid_t child;

	EXPECT_EQ(-ENXIO, reopen("self", self->root, O_RDWR));
	EXPECT_EQ(-ENXIO, reopen("self", self->root, O_RDONLY));
	snprintf(parent, sizeof(parent), "%d", getpid());
	child = fork();
	if (!child)
		_exit(reopen(parent, self->root, O_RDWR) != -ENXIO);
	EXPECT_EQ(0, wait_for(child));
}

/* rule 8 */
TEST_F(read_only, O_PATH_gives_no_access)
{
	int path = reopen("self", self->ds, O_PATH);

	ASSERT_LE(0, path);
	EXPECT_EQ(-EBADF, ds_alias(path, 0, page_size(), RIGHTS_R));
	EXPECT_EQ(-EBADF,
		  ds_try_map(path, page_size(), PROT_READ, MAP_SHARED, 0));
	close(path);
}

/* rule 8 */
TEST_F(read_only, stays_so_after_SCM_RIGHTS)
{
	int copy = fd_round_trip(self->ds);

	ASSERT_LE(0, copy);
	EXPECT_EQ(0, more_than_read_only(copy));
	EXPECT_EQ(ds_id(self->ds), ds_id(copy));
	close(copy);
}

/* rule 8 */
TEST_F(read_only, stays_so_after_pidfd_getfd)
{
	pid_t parent = getpid();
	pid_t child = fork();

	if (!child) {
		int copy = fd_of_process(parent, self->ds);

		_exit(copy < 0 || more_than_read_only(copy));
	}
	EXPECT_EQ(0, wait_for(child));
}

/* rule 8 */
TEST_F(read_only, stays_so_after_exec)
{
	pid_t child = fork();
	char number[16];

	if (!child) {
		snprintf(number, sizeof(number), "%d", dup(self->ds));
		execl("/proc/self/exe", "alias", "--check", number, NULL);
		_exit(127);
	}
	EXPECT_EQ(0, wait_for(child));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--check"))
		return !!more_than_read_only(atoi(argv[2]));
	return test_harness_run(argc, argv);
}
