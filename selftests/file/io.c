// SPDX-License-Identifier: GPL-2.0-only
/* Reading, writing and seeking: rule 20. */
#include <kselftest_harness.h>

#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <linux/falloc.h>

#include "common.h"
#include "uring.h"

#define ROOT_PAGES 12
#define FIRST 4
#define PAGES 3

/*
 * An alias of the middle of a root; the pages around it must not be read or
 * changed.
 */
FIXTURE(io)
{
	size_t page;
	off_t end;
	int root;
	int ds;
	char *around;
	char *map;
};

FIXTURE_SETUP(io)
{
	self->page = page_size();
	self->end = PAGES * self->page;
	self->root = ds_alloc_pages(ROOT_PAGES);
	ASSERT_LE(0, self->root);
	self->around = ds_map(self->root, ROOT_PAGES * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->around);
	memset(self->around, 'N', ROOT_PAGES * self->page);
	self->map = self->around + FIRST * self->page;
	memset(self->map, 'a', self->end);
	self->ds = ds_alias_pages(self->root, FIRST, FIRST + PAGES, RIGHTS_RW);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(io)
{
	const size_t behind = (ROOT_PAGES - FIRST - PAGES) * self->page;

	EXPECT_TRUE(bytes_are(self->around, FIRST * self->page, 'N'));
	EXPECT_TRUE(bytes_are(self->map + self->end, behind, 'N'));
}

/* rule 20 */
TEST_F(io, sizes_agree)
{
	struct dataspace_info info;
	struct stat stat;

	ASSERT_EQ(0, ds_info(self->ds, &info));
	ASSERT_EQ(0, fstat(self->ds, &stat));
	EXPECT_EQ(self->end, info.length);
	EXPECT_EQ(self->end, stat.st_size);
	EXPECT_EQ(self->end, lseek(self->ds, 0, SEEK_END));
	EXPECT_TRUE(S_ISREG(stat.st_mode));
	ASSERT_EQ(0, fstat(self->root, &stat));
	EXPECT_EQ(ROOT_PAGES * self->page, stat.st_size);
}

/* rule 20 */
TEST_F(io, lseek_moves_within_the_range)
{
	EXPECT_EQ(0, lseek(self->ds, 0, SEEK_CUR));
	EXPECT_EQ(5, lseek(self->ds, 5, SEEK_SET));
	EXPECT_EQ(7, lseek(self->ds, 2, SEEK_CUR));
	EXPECT_EQ(self->end - 1, lseek(self->ds, -1, SEEK_END));
	EXPECT_EQ(-EINVAL, result(lseek(self->ds, -1, SEEK_SET)));
	EXPECT_EQ(-EINVAL, result(lseek(self->ds, -self->end - 1, SEEK_END)));
	EXPECT_EQ(-EINVAL, result(lseek(self->ds, 0, 77)));
	EXPECT_EQ(self->end - 1, lseek(self->ds, 0, SEEK_CUR));
}

/* rule 20 */
TEST_F(io, read_goes_to_the_end_and_no_further)
{
	char *buffer = calloc(1, 2 * self->end);

	EXPECT_EQ(self->end, read(self->ds, buffer, 2 * self->end));
	EXPECT_TRUE(bytes_are(buffer, self->end, 'a'));
	EXPECT_TRUE(bytes_are(buffer + self->end, self->end, 0));
	EXPECT_EQ(0, read(self->ds, buffer, 1));
	EXPECT_EQ(self->end, lseek(self->ds, 0, SEEK_CUR));
	free(buffer);
}

/* rule 20 */
TEST_F(io, pread_goes_to_the_end_and_no_further)
{
	char buffer[16];

	EXPECT_EQ(16, pread(self->ds, buffer, 16, self->page - 8));
	EXPECT_EQ(8, pread(self->ds, buffer, 16, self->end - 8));
	EXPECT_EQ(0, pread(self->ds, buffer, 16, self->end));
	EXPECT_EQ(0, pread(self->ds, buffer, 16, self->end + 1));
	EXPECT_EQ(0, pread(self->ds, buffer, 16, INT64_MAX - 16));
	EXPECT_EQ(-EINVAL, result(pread(self->ds, buffer, 16, -1)));
	EXPECT_EQ(0, pread(self->ds, buffer, 0, 0));
	EXPECT_EQ(0, lseek(self->ds, 0, SEEK_CUR));
}

/* rule 20 */
TEST_F(io, write_goes_to_the_end_and_no_further)
{
	char *buffer = malloc(2 * self->end);

	memset(buffer, 'b', 2 * self->end);
	EXPECT_EQ(self->end, write(self->ds, buffer, 2 * self->end));
	EXPECT_TRUE(bytes_are(self->map, self->end, 'b'));
	EXPECT_EQ(-ENOSPC, result(write(self->ds, buffer, 1)));
	EXPECT_EQ(self->end, lseek(self->ds, 0, SEEK_CUR));
	free(buffer);
}

/* rule 20 */
TEST_F(io, appending_is_ENOSPC)
{
	struct iovec iov = { "x", 1 };

	EXPECT_EQ(-ENOSPC, result(pwritev2(self->ds, &iov, 1, 0, RWF_APPEND)));
}

/* rule 20 */
TEST_F(io, pwrite_goes_to_the_end_and_no_further)
{
	EXPECT_EQ(4, pwrite(self->ds, "1234", 4, self->page - 2));
	EXPECT_EQ(0, memcmp(self->map + self->page - 2, "1234", 4));
	EXPECT_EQ(2, pwrite(self->ds, "5678", 4, self->end - 2));
	EXPECT_EQ(0, memcmp(self->map + self->end - 2, "56", 2));
	EXPECT_EQ(-ENOSPC, result(pwrite(self->ds, "x", 1, self->end)));
	EXPECT_EQ(-ENOSPC, result(pwrite(self->ds, "x", 1, self->end + 5)));
	EXPECT_GT(0, pwrite(self->ds, "x", 1, INT64_MAX - 1));
	EXPECT_EQ(-EINVAL, result(pwrite(self->ds, "x", 1, -1)));
	EXPECT_EQ(0, pwrite(self->ds, "x", 0, 0));
}

/* rule 20 */
TEST_F(io, readv_and_writev_cross_pages)
{
	struct iovec iov[3] = {
		{ "first", 5 },
		{ "second", 6 },
		{ "third", 5 },
	};
	char buffer[16];

	EXPECT_EQ(16, pwritev(self->ds, iov, 3, self->page - 7));
	EXPECT_EQ(0,
		  memcmp(self->map + self->page - 7, "firstsecondthird", 16));
	iov[0].iov_base = buffer;
	iov[1].iov_base = buffer + 5;
	iov[2].iov_base = buffer + 11;
	EXPECT_EQ(16, preadv(self->ds, iov, 3, self->page - 7));
	EXPECT_EQ(0, memcmp(buffer, "firstsecondthird", 16));
}

/* rule 20 */
TEST_F(io, bad_buffers_are_EFAULT_and_nothing_is_written)
{
	void *hole = mmap(NULL, self->page, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_EQ(-EFAULT, result(pread(self->ds, hole, 8, 0)));
	EXPECT_EQ(-EFAULT, result(pwrite(self->ds, hole, 8, 0)));
	EXPECT_EQ(-EFAULT, result(pwrite(self->ds, (void *)(-4096L), 8, 0)));
	EXPECT_TRUE(bytes_are(self->map, self->end, 'a'));
}

/* rule 20 */
TEST_F(io, a_buffer_that_ends_early_is_a_short_transfer)
{
	char *space = mmap(NULL, 2 * self->page, READ_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *buffer = space + self->page - 100;

	ASSERT_EQ(0, munmap(space + self->page, self->page));
	memset(space, 'c', self->page);
	EXPECT_EQ(100, pwrite(self->ds, buffer, 300, 0));
	EXPECT_TRUE(bytes_are(self->map, 100, 'c'));
	EXPECT_TRUE(bytes_are(self->map + 100, self->end - 100, 'a'));
	EXPECT_EQ(100, pread(self->ds, buffer, 300, self->page));
	EXPECT_TRUE(bytes_are(buffer, 100, 'a'));
}

/* rule 20: the read faults on the pages that it reads */
TEST_F(io, it_can_be_read_into_its_own_mapping)
{
	char *map = ds_map(self->ds, self->end, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	memset(self->map, 'd', self->page);
	EXPECT_EQ(self->page, pread(self->ds, map + self->page, self->page, 0));
	EXPECT_TRUE(bytes_are(self->map + self->page, self->page, 'd'));
	EXPECT_EQ(self->end, pread(self->ds, map, self->end, 0));
	EXPECT_EQ(self->end, pwrite(self->ds, map, self->end, 0));
	EXPECT_EQ(self->page,
		  pwrite(self->root, map, self->page, FIRST * self->page));
}

/* rule 20: POLLIN does not mean data, so no read waits for it */
TEST_F(io, io_uring_reads_and_writes_while_aliases_live)
{
	int alias = ds_alias(self->ds, 0, self->page, RIGHTS_R);
	struct uring uring;
	char buffer[8] = "iouring";

	ASSERT_LE(0, alias);
	ASSERT_EQ(0, uring_open(&uring));
	EXPECT_EQ(8,
		  uring_transfer(&uring, IORING_OP_WRITE, self->ds, buffer, 8));
	EXPECT_EQ(0, memcmp(self->map, "iouring", 8));
	memcpy(self->map, "another", 8);
	EXPECT_EQ(8,
		  uring_transfer(&uring, IORING_OP_READ, self->ds, buffer, 8));
	EXPECT_EQ(0, memcmp(buffer, "another", 8));
	uring_close(&uring);
	close(alias);
}

/* Reads one dataspace into a mapping of the other, again and again. */
static int cross_read(int from, int into, size_t length)
{
	char *map = ds_map(into, length, READ_WRITE);
	int i;

	for (i = 0; i < 500; i++) {
		if (pread(from, map, length, 0) != (ssize_t)length ||
		    pwrite(from, map, length, 0) != (ssize_t)length)
			return 1;
	}
	return 0;
}

/* rule 20: two reads at the same time don't deadlock */
TEST_F(io, two_can_be_read_into_each_other)
{
	int other = ds_alloc_pages(PAGES);
	pid_t child = fork();

	if (!child)
		_exit(cross_read(self->ds, other, self->end));
	EXPECT_EQ(0, cross_read(other, self->ds, self->end));
	EXPECT_EQ(0, wait_for(child));
	close(other);
}

/* rule 20: what is in the pipe is a copy */
TEST_F(io, splice_out_copies)
{
	char buffer[8] = "";
	off_t offset = 8;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	memcpy(self->map + 8, "original", 8);
	EXPECT_EQ(8, splice(self->ds, &offset, ends[1], NULL, 8, 0));
	EXPECT_EQ(16, offset);
	memcpy(self->map + 8, "modified", 8);
	EXPECT_EQ(8, read(ends[0], buffer, 8));
	EXPECT_EQ(0, memcmp(buffer, "original", 8));
}

/* rule 20 */
TEST_F(io, splice_out_ends_at_the_end)
{
	off_t offset = self->end - 5;
	char buffer[64];
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(5, splice(self->ds, &offset, ends[1], NULL, 64, 0));
	EXPECT_EQ(5, read(ends[0], buffer, 64));
	EXPECT_TRUE(bytes_are(buffer, 5, 'a'));
	EXPECT_EQ(0, splice(self->ds, &offset, ends[1], NULL, 64, 0));
}

/* rule 20 */
TEST_F(io, splice_in_writes)
{
	off_t offset = self->end - 4;
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	ASSERT_EQ(8, write(ends[1], "splicing", 8));
	EXPECT_EQ(4, splice(ends[0], NULL, self->ds, &offset, 4, 0));
	EXPECT_EQ(0, memcmp(self->map + self->end - 4, "spli", 4));
	EXPECT_EQ(-ENOSPC,
		  result(splice(ends[0], NULL, self->ds, &offset, 4, 0)));
}

/* rule 20 */
TEST_F(io, sendfile_copies_in_and_out)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	char buffer[6] = "";
	off_t offset = 0;

	memcpy(self->map, "source", 6);
	EXPECT_EQ(6, sendfile(file, self->ds, &offset, 6));
	EXPECT_EQ(6, pread(file, buffer, 6, 0));
	EXPECT_EQ(0, memcmp(buffer, "source", 6));
	offset = 0;
	lseek(self->ds, self->page, SEEK_SET);
	EXPECT_EQ(6, sendfile(self->ds, file, &offset, 6));
	EXPECT_EQ(0, memcmp(self->map + self->page, "source", 6));
	offset = self->end;
	EXPECT_EQ(0, sendfile(file, self->ds, &offset, 6));
}

static bool is_unsupported(int ret)
{
	return ret == -EINVAL || ret == -EOPNOTSUPP;
}

/* rule 20 */
TEST_F(io, its_size_cannot_be_changed)
{
	const int modes[] = { FALLOC_FL_KEEP_SIZE,
			      FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			      FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE,
			      FALLOC_FL_INSERT_RANGE };
	struct stat stat;
	size_t i;

	EXPECT_TRUE(is_unsupported(result(ftruncate(self->ds, 0))));
	EXPECT_TRUE(is_unsupported(result(ftruncate(self->ds, self->end - 1))));
	EXPECT_TRUE(is_unsupported(result(ftruncate(self->ds, 1 << 30))));
	for (i = 0; i < ARRAY_LENGTH(modes); i++) {
		int ret = fallocate(self->ds, modes[i], 0, self->page);

		EXPECT_TRUE(is_unsupported(result(ret)));
	}
	ASSERT_EQ(0, fstat(self->ds, &stat));
	EXPECT_EQ(self->end, stat.st_size);
	EXPECT_TRUE(bytes_are(self->map, self->end, 'a'));
}

/* rule 20: also by its name in /proc */
TEST_F(io, its_size_cannot_be_changed_by_name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->ds);
	EXPECT_GT(0, truncate(path, 0));
	EXPECT_TRUE(bytes_are(self->map, self->end, 'a'));
}

/* rule 20 */
TEST_F(io, mappings_past_the_end_are_EINVAL)
{
	const struct {
		size_t pages;
		__s64 offset;
	} ranges[] = {
		{ PAGES + 1, 0 }, { PAGES, 1 },	    { 1, PAGES },
		{ 1, PAGES + 1 }, { 2, PAGES - 1 }, { 1, ROOT_PAGES },
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(ranges); i++)
		EXPECT_EQ(-EINVAL,
			  ds_try_map(self->ds, ranges[i].pages * self->page,
				     PROT_READ, MAP_SHARED,
				     ranges[i].offset * self->page));
	EXPECT_EQ(0, ds_try_map(self->ds, self->page, PROT_READ, MAP_SHARED,
				(PAGES - 1) * self->page));
}

/* rule 20: mmap() rounds up to whole pages */
TEST_F(io, a_length_within_the_last_page_can_be_mapped)
{
	EXPECT_EQ(0, ds_try_map(self->ds, self->end - 1, PROT_READ, MAP_SHARED,
				0));
	EXPECT_EQ(-EINVAL, ds_try_map(self->ds, self->end + 1, PROT_READ,
				      MAP_SHARED, 0));
}

/* rule 20: fsync() and msync() have nothing to write back */
TEST_F(io, syncing_works)
{
	char *map = ds_map(self->ds, self->end, READ_WRITE);

	EXPECT_EQ(0, fsync(self->ds));
	EXPECT_EQ(0, fdatasync(self->ds));
	EXPECT_EQ(0, msync(map, self->end, MS_SYNC));
}

/* rule 20: mappings show writes at once, and reads show stores */
TEST_F(io, mappings_and_writes_agree)
{
	char byte;

	self->map[77] = 'm';
	EXPECT_EQ(1, pread(self->ds, &byte, 1, 77));
	EXPECT_EQ('m', byte);
	EXPECT_EQ(1, pwrite(self->ds, "w", 1, 78));
	EXPECT_EQ('w', self->map[78]);
}

/* rule 20: two dataspaces of the same pages have positions of their own */
TEST_F(io, each_dataspace_has_its_own_position)
{
	int other = ds_alias(self->ds, 0, self->end, RIGHTS_R);
	int copy = dup(self->ds);

	EXPECT_EQ(9, lseek(self->ds, 9, SEEK_SET));
	EXPECT_EQ(0, lseek(other, 0, SEEK_CUR));
	EXPECT_EQ(9, lseek(copy, 0, SEEK_CUR));
}

TEST_HARNESS_MAIN
