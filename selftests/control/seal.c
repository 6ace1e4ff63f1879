// SPDX-License-Identifier: GPL-2.0-only
/*
 * The right to write is taken away: rule 18. Here one thing happens after the
 * other; seal_races.c is about what happens at the same time.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "access.h"
#include "common.h"
#include "control.h"
#include "disk.h"
#include "fdpass.h"
#include "sigbus.h"
#include "uring.h"

#define NOW DATASPACE_SEAL_NOW

/*
 * A root, an alias of it that is sealed, and one that is derived from that; all
 * of the same pages, and mapped to read and write.
 */
struct line {
	size_t pages;
	size_t length;
	int root;
	char *root_map;
	int ds;
	char *map;
	int child;
	char *child_map;
};

static bool line_make(struct line *line, size_t pages)
{
	sigbus_init();
	line->pages = pages;
	line->length = pages * page_size();
	line->root = ds_alloc_pages(pages);
	line->ds = ds_alias(line->root, 0, line->length, RIGHTS_RW);
	line->child = ds_alias(line->ds, 0, line->length, RIGHTS_RW);
	line->root_map = ds_map(line->root, line->length, READ_WRITE);
	line->map = ds_map(line->ds, line->length, READ_WRITE);
	line->child_map = ds_map(line->child, line->length, READ_WRITE);
	if (line->root_map == MAP_FAILED || line->map == MAP_FAILED ||
	    line->child_map == MAP_FAILED)
		return false;
	pattern_write(line->child_map, pages, 0);
	return !pattern_wrong(line->map, pages, 0) &&
	       !pattern_wrong(line->root_map, pages, 0);
}

/* Nothing but what is allowed to has written. */
static bool line_is(const struct line *line, __u64 first)
{
	return !pattern_wrong(line->root_map, line->pages, first) &&
	       !pattern_wrong(line->map, line->pages, first) &&
	       !pattern_wrong(line->child_map, line->pages, first);
}

/* Of how many pages a store at their beginning raises no signal. */
static size_t pages_stored(char *map, size_t pages)
{
	size_t stored = 0;
	__u64 value;
	size_t i;

	for (i = 0; i < pages; i++)
		stored += !try_load(map + i * page_size(), &value) &&
			  !try_store(map + i * page_size(), value);
	return stored;
}

static long try_read(int fd)
{
	char bytes[64];

	return result(pread(fd, bytes, sizeof(bytes), 0));
}

/* What a seal of either kind does. */
FIXTURE(seal)
{
	struct line line;
};

FIXTURE_VARIANT(seal)
{
	size_t pages;
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(seal, pages) {
	.pages = 16,
	.flags = 0,
};

FIXTURE_VARIANT_ADD(seal, huge) {
	.pages = 1024,
	.flags = 0,
};

FIXTURE_VARIANT_ADD(seal, pages_now) {
	.pages = 16,
	.flags = NOW,
};

FIXTURE_VARIANT_ADD(seal, huge_now) {
	.pages = 1024,
	.flags = NOW,
};

/* clang-format on */

FIXTURE_SETUP(seal)
{
	ASSERT_TRUE(line_make(&self->line, variant->pages));
}

FIXTURE_TEARDOWN(seal)
{
}

/* Every way to begin to write, by a descriptor that could before. */
static void expect_no_new_write(struct __test_metadata *_metadata, int fd,
				size_t length)
{
	EXPECT_EQ(-EPERM, ds_try_map(fd, length, READ_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, ds_try_map(fd, length, PROT_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, access_write(fd));
	EXPECT_EQ(-EPERM, access_pwrite(fd));
	EXPECT_EQ(-EPERM, access_writev(fd));
	EXPECT_EQ(-EPERM, access_splice(fd));
	EXPECT_EQ(-EPERM, access_sendfile(fd));
	EXPECT_EQ(-EPERM, access_io_uring_write(fd));
	EXPECT_EQ(-EPERM, ds_alias(fd, 0, length, RIGHTS_RW));
}

/* rule 18 */
TEST_F(seal, nobody_can_begin_to_write)
{
	struct line *line = &self->line;
	int deep = ds_alias(line->child, 0, line->length, RIGHTS_RW);

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	expect_no_new_write(_metadata, line->ds, line->length);
	expect_no_new_write(_metadata, line->child, line->length);
	expect_no_new_write(_metadata, deep, line->length);
	EXPECT_TRUE(line_is(line, 0));
}

/* rule 18: the one in the middle may be gone */
TEST_F(seal, reaches_through_closed_ones_in_the_middle)
{
	struct line *line = &self->line;
	int deep = ds_alias(line->child, 0, line->length, RIGHTS_RW);

	close(line->child);
	munmap(line->child_map, line->length);
	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	expect_no_new_write(_metadata, deep, line->length);
}

/* rule 18 */
TEST_F(seal, reading_goes_on)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_TRUE(line_is(line, 0));
	EXPECT_EQ(64, try_read(line->ds));
	EXPECT_EQ(64, try_read(line->child));
	EXPECT_EQ(0, pattern_wrong_fd(line->ds, line->pages, 0));
	EXPECT_EQ(0, pattern_wrong_fd(line->child, line->pages, 0));
}

/* rules 11 and 18 */
TEST_F(seal, private_mappings_can_be_written_to)
{
	struct line *line = &self->line;
	char *before =
		mmap(NULL, line->length, READ_WRITE, MAP_PRIVATE, line->ds, 0);
	char *after;

	ASSERT_NE(MAP_FAILED, before);
	pattern_write(before, 1, 1000);
	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_EQ(0, pattern_wrong(before, 1, 1000));
	pattern_write(before, line->pages, 2000);
	EXPECT_EQ(0, pattern_wrong(before, line->pages, 2000));
	after = mmap(NULL, line->length, READ_WRITE, MAP_PRIVATE, line->ds, 0);
	ASSERT_NE(MAP_FAILED, after);
	pattern_write(after, line->pages, 3000);
	EXPECT_EQ(0, pattern_wrong(after, line->pages, 3000));
	EXPECT_TRUE(line_is(line, 0));
}

/* rules 8 and 18 */
TEST_F(seal, aliases_made_later_may_only_read)
{
	struct line *line = &self->line;
	int clipped, reader;

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	clipped = ds_alias_flags(line->ds, 0, line->length, RIGHTS_RW,
				 DATASPACE_ALIAS_CLIP);
	reader = ds_alias(line->child, 0, line->length, RIGHTS_R);
	EXPECT_EQ(RIGHTS_R, ds_rights(clipped));
	EXPECT_EQ(RIGHTS_R, ds_rights(reader));
	EXPECT_EQ(O_RDONLY, fcntl(clipped, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-EBADF, access_pwrite(clipped));
	EXPECT_EQ(-EACCES,
		  ds_try_map(clipped, line->length, READ_WRITE, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, ds_seal(reader, variant->flags));
	EXPECT_EQ(0, pattern_wrong_fd(clipped, line->pages, 0));
}

/* rule 18: what was mapped to be read can't be written to later */
TEST_F(seal, mprotect_gives_no_right_back)
{
	struct line *line = &self->line;
	char *view = ds_map(line->ds, line->length, PROT_READ);
	char *none = ds_map(line->child, line->length, PROT_NONE);

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_EQ(-EPERM, access_mprotect(view, line->length));
	EXPECT_EQ(-EPERM, access_pkey_mprotect(view, line->length));
	EXPECT_EQ(-EPERM, access_mprotect(view, page_size()));
	EXPECT_EQ(-EPERM, access_mprotect(none, line->length));
	EXPECT_EQ(0, mprotect(none, line->length, PROT_READ));
	EXPECT_EQ(0, pattern_wrong(none, line->pages, 0));
	EXPECT_EQ(SIGSEGV, access_store(view));
	EXPECT_EQ(SIGSEGV, access_store(none));
}

/* rule 18: nor does a mapping get back what it once gave up */
TEST_F(seal, mprotect_down_and_up_again_is_EPERM)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_EQ(0, mprotect(line->map, line->length, PROT_READ));
	EXPECT_EQ(-EPERM, access_mprotect(line->map, line->length));
	EXPECT_EQ(0, mprotect(line->child_map, page_size(), PROT_NONE));
	EXPECT_EQ(-EPERM, access_mprotect(line->child_map, page_size()));
	EXPECT_EQ(SIGSEGV, access_store(line->map));
	EXPECT_EQ(SIGSEGV, access_store(line->child_map));
}

/* rule 18: X and everything derived from it, and nothing else */
TEST_F(seal, ancestors_and_siblings_keep_writing)
{
	struct line *line = &self->line;
	int sibling = ds_alias(line->root, 0, line->length, RIGHTS_RW);

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	pattern_write(line->root_map, line->pages, 1000);
	EXPECT_TRUE(line_is(line, 1000));
	EXPECT_EQ(0, pattern_write_fd(line->root, line->pages, 2000));
	EXPECT_TRUE(line_is(line, 2000));
	EXPECT_EQ(0, pattern_write_fd(sibling, line->pages, 3000));
	EXPECT_TRUE(line_is(line, 3000));
	EXPECT_EQ(64, access_pwrite(line->root));
	EXPECT_LE(0, ds_alias(line->root, 0, line->length, RIGHTS_RW));
	EXPECT_EQ(RIGHTS_RW, ds_rights(line->root));
	EXPECT_EQ(0, ds_state(line->root) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_state(sibling) & DATASPACE_STATE_SEALED);
}

/* rule 18 */
TEST_F(seal, INFO_says_so)
{
	struct line *line = &self->line;
	int reader = ds_alias(line->ds, 0, line->length, RIGHTS_R);
	__u32 before = ds_state(line->ds);

	EXPECT_EQ(RIGHTS_RW, ds_rights(line->ds));
	EXPECT_EQ(0, before & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_EQ(RIGHTS_R, ds_rights(line->ds));
	EXPECT_EQ(RIGHTS_R, ds_rights(line->child));
	EXPECT_EQ(RIGHTS_R, ds_rights(reader));
	EXPECT_EQ(before | DATASPACE_STATE_SEALED, ds_state(line->ds));
	EXPECT_NE(0, ds_state(line->child) & DATASPACE_STATE_SEALED);
}

/* rule 18: the right to execute is not the one that is taken */
TEST_F(seal, executing_goes_on)
{
	int root = ds_alloc(page_size(), RIGHTS_RWX, 0);

	EXPECT_EQ(0, ds_seal(root, variant->flags));
	EXPECT_EQ(RIGHTS_RX, ds_rights(root));
	EXPECT_EQ(0, ds_try_map(root, page_size(), PROT_READ | PROT_EXEC,
				MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, ds_try_map(root, page_size(), READ_WRITE | PROT_EXEC,
				     MAP_SHARED, 0));
	close(root);
}

/* rule 18: there is no unseal, but it may be done again */
TEST_F(seal, sealing_again_is_fine_and_changes_nothing)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_EQ(0, ds_seal(line->ds, 0));
	EXPECT_EQ(0, ds_seal(line->child, variant->flags));
	expect_no_new_write(_metadata, line->ds, line->length);
	EXPECT_EQ(0, ds_seal(line->root, variant->flags));
	expect_no_new_write(_metadata, line->root, line->length);
	EXPECT_TRUE(line_is(line, 0));
}

/* rule 18 */
TEST_F(seal, without_the_right_to_write_it_is_EPERM)
{
	struct line *line = &self->line;
	int reader = ds_alias(line->ds, 0, line->length, RIGHTS_R);
	int writer = ds_alias(line->ds, 0, line->length, RIGHTS_RW);

	EXPECT_EQ(-EPERM, ds_seal(reader, variant->flags));
	EXPECT_EQ(0, ds_state(reader) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(64, access_pwrite(line->ds));
	EXPECT_EQ(64, access_pwrite(writer));
}

/* rule 18: a flag of a later version */
TEST_F(seal, unknown_flags_are_EINVAL_and_change_nothing)
{
	struct line *line = &self->line;
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EINVAL,
			  ds_seal(line->ds, variant->flags | 1U << bit));
	EXPECT_EQ(RIGHTS_RW, ds_rights(line->ds));
	EXPECT_EQ(line->pages, pages_stored(line->map, line->pages));
	EXPECT_EQ(64, access_pwrite(line->child));
}

/* rules 17 and 18: also for one that never had the right */
TEST_F(seal, a_revoked_one_is_ESTALE)
{
	struct line *line = &self->line;
	int reader = ds_alias(line->ds, 0, line->length, RIGHTS_R);

	EXPECT_EQ(0, ds_revoke(line->ds));
	EXPECT_EQ(-ESTALE, ds_seal(line->child, variant->flags));
	EXPECT_EQ(-ESTALE, ds_seal(reader, variant->flags));
	EXPECT_EQ(0, ds_state(line->child) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
}

/* rules 17 and 18: revoking takes no right to write, so none can be missing */
TEST_F(seal, a_sealed_one_can_be_revoked)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	EXPECT_EQ(0, ds_revoke(line->ds));
	EXPECT_EQ(-ESTALE, try_read(line->child));
	EXPECT_EQ(line->pages,
		  pages_sigbus_on_load(line->child_map, line->pages));
	EXPECT_EQ(0, pattern_wrong(line->map, line->pages, 0));
}

/* rule 18: a recipient cannot sleep through it */
TEST_F(seal, a_descriptor_in_flight_arrives_sealed)
{
	struct line *line = &self->line;
	int ends[2];
	int arrived;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], line->child));
	close(line->child);
	EXPECT_EQ(0, ds_seal(line->ds, variant->flags));
	arrived = fd_receive(ends[1]);
	ASSERT_LE(0, arrived);
	expect_no_new_write(_metadata, arrived, line->length);
}

/* rule 18: a seal of a part, off the edges of a huge page */
TEST_F(seal, pages_outside_of_the_range_stay_writable)
{
	struct line *line = &self->line;
	const size_t page = page_size();
	int part = ds_alias_pages(line->ds, 3, 8, RIGHTS_RW);
	char *map = ds_map(part, 5 * page, READ_WRITE);

	EXPECT_EQ(5, pages_stored(map, 5));
	EXPECT_EQ(0, ds_seal(part, variant->flags));
	EXPECT_EQ(variant->flags ? 0 : 5, pages_stored(map, 5));
	EXPECT_EQ(line->pages, pages_stored(line->map, line->pages));
	expect_no_new_write(_metadata, part, 5 * page);
	EXPECT_EQ(64, access_pwrite(line->ds));
}

/* What only a plain seal does: it leaves what is mapped as it is. */
FIXTURE(plain)
{
	struct line line;
};

FIXTURE_VARIANT(plain)
{
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(plain, pages) {
	.pages = 16,
};

FIXTURE_VARIANT_ADD(plain, huge) {
	.pages = 1024,
};

/* clang-format on */

FIXTURE_SETUP(plain)
{
	ASSERT_TRUE(line_make(&self->line, variant->pages));
	ASSERT_EQ(0, ds_seal(self->line.ds, 0));
}

FIXTURE_TEARDOWN(plain)
{
}

/* rule 18: touched or not */
TEST_F(plain, mappings_that_are_writable_stay_so)
{
	struct line *line = &self->line;

	pattern_write(line->child_map, line->pages, 1000);
	EXPECT_TRUE(line_is(line, 1000));
	pattern_write(line->map, line->pages, 2000);
	EXPECT_TRUE(line_is(line, 2000));
	EXPECT_EQ(0, madvise(line->map, line->length, MADV_DONTNEED));
	pattern_write(line->map, line->pages, 3000);
	EXPECT_TRUE(line_is(line, 3000));
}

/* rule 18: in parts, and elsewhere */
TEST_F(plain, they_stay_so_when_split_and_moved)
{
	struct line *line = &self->line;
	char *to = mmap(NULL, line->length, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *moved;

	ASSERT_EQ(0, mprotect(line->map + 3 * page_size(), page_size(),
			      PROT_READ));
	EXPECT_EQ(3, pages_stored(line->map, 3));
	moved = mremap(line->map, 3 * page_size(), 3 * page_size(),
		       MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, moved);
	pattern_write(moved, 3, 1000);
	EXPECT_EQ(0, pattern_wrong(line->root_map, 3, 1000));
}

/* rule 18: the area is inherited as it is */
TEST_F(plain, a_child_of_the_process_can_go_on_writing)
{
	struct line *line = &self->line;
	pid_t child = fork();

	if (!child) {
		pattern_write(line->map, line->pages, 1000);
		_exit(mprotect(line->map, line->length, PROT_READ) ||
		      access_mprotect(line->map, line->length) != -EPERM);
	}
	EXPECT_EQ(0, wait_for(child));
	EXPECT_TRUE(line_is(line, 1000));
}

/* rule 18: by the kernel, for the holder of such a mapping */
TEST_F(plain, the_kernel_can_write_to_them)
{
	EXPECT_EQ(64, access_read_into(self->line.map));
	EXPECT_EQ(64, access_process_vm_writev(self->line.child_map));
}

/* rule 18: a pin is only in the way of what NOW does */
TEST_F(plain, a_pin_is_no_obstacle)
{
	struct line *line = &self->line;
	int other = ds_alias(line->root, 0, line->length, RIGHTS_RW);
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin, line->root_map));
	EXPECT_EQ(0, ds_seal(other, 0));
	EXPECT_EQ(-EPERM, access_pwrite(other));
	pin_close(&pin);
}

/* rule 18: what a plain seal has left is taken by the second one */
TEST_F(plain, NOW_can_follow)
{
	struct line *line = &self->line;

	EXPECT_EQ(line->pages, pages_stored(line->map, line->pages));
	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(line->pages, pages_sigbus_on_store(line->map, line->pages));
	EXPECT_TRUE(line_is(line, 0));
}

/* What only a seal with NOW does. */
FIXTURE(now)
{
	struct line line;
};

FIXTURE_VARIANT(now)
{
	size_t pages;
	/* some at the end, and whether core has them in the first large page */
	size_t last;
	bool whole;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(now, pages) {
	.pages = 12,
	.last = 4,
};

FIXTURE_VARIANT_ADD(now, whole) {
	.pages = 16,
	.last = 4,
	.whole = true,
};

FIXTURE_VARIANT_ADD(now, huge) {
	.pages = 1024,
	.last = 512,
};

/* clang-format on */

FIXTURE_SETUP(now)
{
	ASSERT_TRUE(line_make(&self->line, variant->pages));
}

/* Whatever was tried: only who was allowed to has written. */
FIXTURE_TEARDOWN(now)
{
	EXPECT_EQ(0, pattern_wrong(self->line.root_map, self->line.pages, 0));
}

/* rule 18 */
TEST_F(now, the_next_write_is_sigbus_at_its_address)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(line->pages, pages_sigbus_on_store(line->map, line->pages));
	EXPECT_EQ(line->pages,
		  pages_sigbus_on_store(line->child_map, line->pages));
	EXPECT_TRUE(line_is(line, 0));
	EXPECT_EQ(line->pages, pages_stored(line->root_map, line->pages));
}

/* rule 18: having been read from makes no difference */
TEST_F(now, a_write_after_a_read_is_sigbus)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_TRUE(line_is(line, 0));
	EXPECT_EQ(line->pages, pages_sigbus_on_store(line->map, line->pages));
	EXPECT_EQ(line->pages,
		  pages_sigbus_on_store(line->child_map, line->pages));
	EXPECT_TRUE(line_is(line, 0));
}

/* rule 18: a mapping of which nothing had been touched */
TEST_F(now, an_untouched_mapping_is_sealed_too)
{
	struct line *line = &self->line;
	char *map = ds_map(line->child, line->length, READ_WRITE);
	char *other = ds_map(line->child, line->length, READ_WRITE);

	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(line->pages, pages_sigbus_on_store(map, line->pages));
	EXPECT_EQ(0, madvise(other, line->length, MADV_POPULATE_READ));
	EXPECT_EQ(line->pages, pages_sigbus_on_store(other, line->pages));
}

/* rule 18: the descriptor is not what the right hangs on */
TEST_F(now, a_mapping_whose_descriptor_is_closed_is_sealed_too)
{
	struct line *line = &self->line;

	close(line->child);
	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(line->pages,
		  pages_sigbus_on_store(line->child_map, line->pages));
}

/* rule 18: the root has no one above who may go on */
TEST_F(now, sealing_the_root_seals_all)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->root, NOW));
	EXPECT_EQ(line->pages,
		  pages_sigbus_on_store(line->root_map, line->pages));
	EXPECT_EQ(line->pages,
		  pages_sigbus_on_store(line->child_map, line->pages));
	EXPECT_TRUE(line_is(line, 0));
}

static bool child_is_sealed(struct line *line)
{
	return pages_sigbus_on_store(line->map, line->pages) == line->pages &&
	       line_is(line, 0);
}

/* rule 18: a process that was forked before, and one after */
TEST_F(now, children_of_the_process_are_sealed)
{
	struct line *line = &self->line;
	int ends[2];
	pid_t before, after;
	char byte;

	ASSERT_EQ(0, pipe(ends));
	before = fork();
	if (!before) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) || !child_is_sealed(line));
	}
	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	after = fork();
	if (!after)
		_exit(!child_is_sealed(line));
	close(ends[1]);
	EXPECT_EQ(0, wait_for(after));
	EXPECT_EQ(0, wait_for(before));
	close(ends[0]);
}

/* rule 18: an area that has been sealed stays so in pieces and elsewhere */
TEST_F(now, split_and_moved_mappings_stay_sealed)
{
	struct line *line = &self->line;
	const size_t half = line->length / 2;
	char *to =
		mmap(NULL, half, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *moved;

	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(0, pattern_wrong(line->map, line->pages, 0));
	moved = mremap(line->map + half, half, half,
		       MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, moved);
	EXPECT_EQ(line->pages / 2,
		  pages_sigbus_on_store(moved, line->pages / 2));
	EXPECT_EQ(0, munmap(line->map + page_size(), page_size()));
	EXPECT_TRUE(store_is_sigbus(line->map));
	EXPECT_TRUE(store_is_sigbus(line->map + 2 * page_size()));
}

/* rule 18: two halves, of which one has been read from, become one again */
TEST_F(now, joined_mappings_stay_sealed)
{
	struct line *line = &self->line;
	const size_t half = line->length / 2;
	const size_t pages = line->pages;
	__u64 value;

	ASSERT_EQ(0, madvise(line->map, half, MADV_RANDOM));
	ASSERT_EQ(0, madvise(line->child_map + half, half, MADV_RANDOM));
	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(0, try_load(line->map + half, &value));
	EXPECT_EQ(0, try_load(line->child_map + half, &value));
	ASSERT_EQ(0, madvise(line->map, half, MADV_NORMAL));
	ASSERT_EQ(0, madvise(line->child_map + half, half, MADV_NORMAL));
	EXPECT_EQ(pages, pages_sigbus_on_store(line->map, pages));
	EXPECT_EQ(pages, pages_sigbus_on_store(line->child_map, pages));
}

/* rule 18: other calls that set up what a page may be used for */
TEST_F(now, mprotect_mlock_and_madvise_do_not_unseal)
{
	struct line *line = &self->line;
	const size_t pages = line->pages;

	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(0, mlock(line->map, page_size()));
	EXPECT_EQ(0, pattern_wrong(line->map, pages, 0));
	EXPECT_EQ(0, munlock(line->map, page_size()));
	EXPECT_EQ(0, madvise(line->map, line->length, MADV_POPULATE_READ));
	EXPECT_EQ(-EFAULT, result(madvise(line->map, line->length,
					  MADV_POPULATE_WRITE)));
	EXPECT_EQ(0, mprotect(line->map, line->length, READ_WRITE));
	EXPECT_EQ(0, mprotect(line->map, line->length, PROT_WRITE));
	EXPECT_EQ(pages, pages_sigbus_on_store(line->map, pages));
	EXPECT_EQ(0, mlock(line->child_map, line->length));
	EXPECT_EQ(pages, pages_sigbus_on_store(line->child_map, pages));
}

/* What the kernel can do for a holder of the mapping, or to one. */
static void expect_writes_fail(struct __test_metadata *_metadata,
			       struct line *line, char *map)
{
	EXPECT_EQ(SIGBUS, access_store(map));
	EXPECT_EQ(-EFAULT, access_read_into(map));
	EXPECT_EQ(-EFAULT, access_process_vm_writev(map));
	EXPECT_EQ(-EIO, access_proc_mem(map));
	EXPECT_EQ(-EIO, access_ptrace(map));
	EXPECT_EQ(-EFAULT, access_io_uring_read_into(map));
	EXPECT_GT(0, access_io_uring_fixed(map, page_size()));
	EXPECT_EQ(-EFAULT, access_direct_read_into(map, DISK));
	EXPECT_EQ(0, access_vmsplice_gift(map, page_size()));
	EXPECT_TRUE(line_is(line, 0));
}

/* rule 18: with its pages absent, then with them present */
TEST_F(now, no_other_access_can_write)
{
	struct line *line = &self->line;

	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(-EFAULT, access_process_vm_writev(line->map));
	expect_writes_fail(_metadata, line, line->map);
	EXPECT_TRUE(line_is(line, 0));
	expect_writes_fail(_metadata, line, line->map);
	expect_writes_fail(_metadata, line, line->child_map);
}

/* Everything that a seal takes away is there. */
static void expect_unsealed(struct __test_metadata *_metadata,
			    struct line *line)
{
	EXPECT_EQ(0, ds_state(line->ds) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_state(line->child) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(RIGHTS_RW, ds_rights(line->ds));
	EXPECT_EQ(RIGHTS_RW, ds_rights(line->child));
	EXPECT_EQ(line->pages, pages_stored(line->map, line->pages));
	EXPECT_EQ(line->pages, pages_stored(line->child_map, line->pages));
	EXPECT_EQ(0, pattern_write_fd(line->ds, line->pages, 0));
	EXPECT_EQ(0, pattern_write_fd(line->child, line->pages, 0));
	EXPECT_EQ(0, mprotect(line->map, line->length, PROT_READ));
	EXPECT_EQ(0, mprotect(line->map, line->length, READ_WRITE));
	EXPECT_TRUE(line_is(line, 0));
}

static void expect_sealed(struct __test_metadata *_metadata, struct line *line)
{
	EXPECT_EQ(0, ds_seal(line->ds, NOW));
	EXPECT_EQ(RIGHTS_R, ds_rights(line->child));
	EXPECT_EQ(line->pages, pages_sigbus_on_store(line->map, line->pages));
	EXPECT_TRUE(line_is(line, 0));
}

/* rule 18: nothing has changed, and it works after the unpin */
TEST_F(now, a_pinned_page_is_EBUSY)
{
	struct line *line = &self->line;
	struct pin pin;
	int alias;

	ASSERT_EQ(0, pin_page(&pin, line->map + 3 * page_size()));
	EXPECT_EQ(-EBUSY, ds_seal(line->ds, NOW));
	expect_unsealed(_metadata, line);
	EXPECT_EQ(-EBUSY, ds_seal(line->ds, NOW));
	alias = ds_alias(line->ds, 0, line->length, RIGHTS_RW);
	EXPECT_LE(0, alias);
	EXPECT_EQ(0, ds_state(alias) & DATASPACE_STATE_SEALED);
	pin_close(&pin);
	expect_sealed(_metadata, line);
	EXPECT_EQ(RIGHTS_R, ds_rights(alias));
}

/* rule 18: whoever pinned it, by whatever mapping */
TEST_F(now, a_page_that_an_ancestor_has_pinned_is_EBUSY)
{
	struct line *line = &self->line;
	struct pin pin;

	ASSERT_EQ(0,
		  pin_page(&pin, line->root_map + line->length - page_size()));
	EXPECT_EQ(-EBUSY, ds_seal(line->ds, NOW));
	expect_unsealed(_metadata, line);
	pin_close(&pin);
	expect_sealed(_metadata, line);
}

/* rule 18: it was sealed before, and stays so; only NOW has failed */
TEST_F(now, EBUSY_after_a_plain_seal_leaves_that)
{
	struct line *line = &self->line;
	struct pin pin;

	EXPECT_EQ(0, ds_seal(line->ds, 0));
	ASSERT_EQ(0, pin_page(&pin, line->map));
	EXPECT_EQ(-EBUSY, ds_seal(line->ds, NOW));
	EXPECT_NE(0, ds_state(line->ds) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(RIGHTS_R, ds_rights(line->child));
	EXPECT_EQ(-EPERM, access_pwrite(line->child));
	EXPECT_EQ(line->pages, pages_stored(line->map, line->pages));
	pin_close(&pin);
	expect_sealed(_metadata, line);
}

/* rule 18: a descendant that was sealed stays so when the ancestor is not */
TEST_F(now, EBUSY_leaves_the_seal_of_a_descendant)
{
	struct line *line = &self->line;
	struct pin pin;

	EXPECT_EQ(0, ds_seal(line->child, NOW));
	ASSERT_EQ(0, pin_page(&pin, line->map));
	EXPECT_EQ(-EBUSY, ds_seal(line->ds, NOW));
	EXPECT_NE(0, ds_state(line->child) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_state(line->ds) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(line->pages,
		  pages_sigbus_on_store(line->child_map, line->pages));
	EXPECT_EQ(line->pages, pages_stored(line->map, line->pages));
	pin_close(&pin);
}

/* rule 18: one of its pages; or, where it begins within one, of the large page */
TEST_F(now, a_pin_outside_of_the_range_is_no_obstacle)
{
	struct line *line = &self->line;
	int part = ds_alias_pages(line->ds, line->pages - variant->last,
				  line->pages, RIGHTS_RW);
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin, line->map));
	EXPECT_EQ(variant->whole ? -EBUSY : 0, ds_seal(part, NOW));
	pin_close(&pin);
	EXPECT_EQ(0, ds_seal(part, NOW));
	EXPECT_EQ(-EPERM, access_pwrite(part));
	EXPECT_EQ(64, access_pwrite(line->ds));
	pattern_write(line->map, line->pages, 0);
}

/* rules 18 and 21 */
TEST_F(now, a_registered_buffer_is_EBUSY)
{
	struct line *line = &self->line;
	struct uring uring;
	int ret;

	ASSERT_EQ(0, uring_open(&uring));
	ret = uring_register(&uring, line->map, line->length);
	if (ret == -EOPNOTSUPP)
		SKIP(goto out, "this kernel registers no memory of files");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-EBUSY, ds_seal(line->ds, NOW));
	expect_unsealed(_metadata, line);
	ASSERT_EQ(0, uring_unregister(&uring));
	expect_sealed(_metadata, line);
out:
	uring_close(&uring);
}

TEST_HARNESS_MAIN
