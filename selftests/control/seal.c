// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAL takes the right to write: rule 18. Here are the rules for every seal, and
 * those for one without NOW, one step after the other; seal_now.c is about NOW,
 * seal_races.c about what happens at the same time.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "access.h"
#include "common.h"
#include "control.h"
#include "fdpass.h"
#include "seal_chain.h"
#include "sigbus.h"

#define NOW DATASPACE_SEAL_NOW

static long try_read(int fd)
{
	char bytes[64];

	return result(pread(fd, bytes, sizeof(bytes), 0));
}

/* What SEAL does with NOW and without. */
FIXTURE(seal)
{
	struct chain chain;
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
	ASSERT_TRUE(chain_make(&self->chain, variant->pages));
}

FIXTURE_TEARDOWN(seal)
{
}

/* Each way to begin to write, by a descriptor that had WRITE. */
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
	struct chain *chain = &self->chain;
	int deep = ds_alias(chain->child, 0, chain->length, RIGHTS_RW);

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	expect_no_new_write(_metadata, chain->ds, chain->length);
	expect_no_new_write(_metadata, chain->child, chain->length);
	expect_no_new_write(_metadata, deep, chain->length);
	EXPECT_TRUE(chain_has(chain, 0));
}

/* rule 18: dataspaces in between may be closed */
TEST_F(seal, reaches_through_closed_ones_in_the_middle)
{
	struct chain *chain = &self->chain;
	int deep = ds_alias(chain->child, 0, chain->length, RIGHTS_RW);

	close(chain->child);
	munmap(chain->child_map, chain->length);
	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	expect_no_new_write(_metadata, deep, chain->length);
}

/* rule 18 */
TEST_F(seal, reading_goes_on)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_TRUE(chain_has(chain, 0));
	EXPECT_EQ(64, try_read(chain->ds));
	EXPECT_EQ(64, try_read(chain->child));
	EXPECT_EQ(0, pattern_wrong_fd(chain->ds, chain->pages, 0));
	EXPECT_EQ(0, pattern_wrong_fd(chain->child, chain->pages, 0));
}

/* rules 11 and 18 */
TEST_F(seal, private_mappings_can_be_written_to)
{
	struct chain *chain = &self->chain;
	char *before = mmap(NULL, chain->length, READ_WRITE, MAP_PRIVATE,
			    chain->ds, 0);
	char *after;

	ASSERT_NE(MAP_FAILED, before);
	pattern_write(before, 1, 1000);
	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_EQ(0, pattern_wrong(before, 1, 1000));
	pattern_write(before, chain->pages, 2000);
	EXPECT_EQ(0, pattern_wrong(before, chain->pages, 2000));
	after = mmap(NULL, chain->length, READ_WRITE, MAP_PRIVATE, chain->ds,
		     0);
	ASSERT_NE(MAP_FAILED, after);
	pattern_write(after, chain->pages, 3000);
	EXPECT_EQ(0, pattern_wrong(after, chain->pages, 3000));
	EXPECT_TRUE(chain_has(chain, 0));
}

/* rules 8 and 18 */
TEST_F(seal, aliases_made_later_may_only_read)
{
	struct chain *chain = &self->chain;
	int clipped, reader;

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	clipped = ds_alias_flags(chain->ds, 0, chain->length, RIGHTS_RW,
				 DATASPACE_ALIAS_CLIP);
	reader = ds_alias(chain->child, 0, chain->length, RIGHTS_R);
	EXPECT_EQ(RIGHTS_R, ds_rights(clipped));
	EXPECT_EQ(RIGHTS_R, ds_rights(reader));
	EXPECT_EQ(O_RDONLY, fcntl(clipped, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-EBADF, access_pwrite(clipped));
	EXPECT_EQ(-EACCES, ds_try_map(clipped, chain->length, READ_WRITE,
				      MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, ds_seal(reader, variant->flags));
	EXPECT_EQ(0, pattern_wrong_fd(clipped, chain->pages, 0));
}

/* rule 18: a mapping to read can't be made writable */
TEST_F(seal, mprotect_gives_no_right_back)
{
	struct chain *chain = &self->chain;
	char *view = ds_map(chain->ds, chain->length, PROT_READ);
	char *none = ds_map(chain->child, chain->length, PROT_NONE);

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_EQ(-EPERM, access_mprotect(view, chain->length));
	EXPECT_EQ(-EPERM, access_pkey_mprotect(view, chain->length));
	EXPECT_EQ(-EPERM, access_mprotect(view, page_size()));
	EXPECT_EQ(-EPERM, access_mprotect(none, chain->length));
	EXPECT_EQ(0, mprotect(none, chain->length, PROT_READ));
	EXPECT_EQ(0, pattern_wrong(none, chain->pages, 0));
	EXPECT_EQ(SIGSEGV, access_store(view));
	EXPECT_EQ(SIGSEGV, access_store(none));
}

/* rule 18: a mapping that was made read-only can't be made writable again */
TEST_F(seal, mprotect_down_and_up_again_is_EPERM)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_EQ(0, mprotect(chain->map, chain->length, PROT_READ));
	EXPECT_EQ(-EPERM, access_mprotect(chain->map, chain->length));
	EXPECT_EQ(0, mprotect(chain->child_map, page_size(), PROT_NONE));
	EXPECT_EQ(-EPERM, access_mprotect(chain->child_map, page_size()));
	EXPECT_EQ(SIGSEGV, access_store(chain->map));
	EXPECT_EQ(SIGSEGV, access_store(chain->child_map));
}

/* rule 18: nothing is sealed that is not derived */
TEST_F(seal, ancestors_and_siblings_keep_writing)
{
	struct chain *chain = &self->chain;
	int sibling = ds_alias(chain->root, 0, chain->length, RIGHTS_RW);

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	pattern_write(chain->root_map, chain->pages, 1000);
	EXPECT_TRUE(chain_has(chain, 1000));
	EXPECT_EQ(0, pattern_write_fd(chain->root, chain->pages, 2000));
	EXPECT_TRUE(chain_has(chain, 2000));
	EXPECT_EQ(0, pattern_write_fd(sibling, chain->pages, 3000));
	EXPECT_TRUE(chain_has(chain, 3000));
	EXPECT_EQ(64, access_pwrite(chain->root));
	EXPECT_LE(0, ds_alias(chain->root, 0, chain->length, RIGHTS_RW));
	EXPECT_EQ(RIGHTS_RW, ds_rights(chain->root));
	EXPECT_EQ(0, ds_state(chain->root) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_state(sibling) & DATASPACE_STATE_SEALED);
}

/* rule 18 */
TEST_F(seal, INFO_says_so)
{
	struct chain *chain = &self->chain;
	int reader = ds_alias(chain->ds, 0, chain->length, RIGHTS_R);
	__u32 before = ds_state(chain->ds);

	EXPECT_EQ(RIGHTS_RW, ds_rights(chain->ds));
	EXPECT_EQ(0, before & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_EQ(RIGHTS_R, ds_rights(chain->ds));
	EXPECT_EQ(RIGHTS_R, ds_rights(chain->child));
	EXPECT_EQ(RIGHTS_R, ds_rights(reader));
	EXPECT_EQ(before | DATASPACE_STATE_SEALED, ds_state(chain->ds));
	EXPECT_NE(0, ds_state(chain->child) & DATASPACE_STATE_SEALED);
}

/* rule 18: SEAL takes WRITE, and no other right */
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

/* rule 18: sealing again succeeds */
TEST_F(seal, sealing_again_is_fine_and_changes_nothing)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_EQ(0, ds_seal(chain->ds, 0));
	EXPECT_EQ(0, ds_seal(chain->child, variant->flags));
	expect_no_new_write(_metadata, chain->ds, chain->length);
	EXPECT_EQ(0, ds_seal(chain->root, variant->flags));
	expect_no_new_write(_metadata, chain->root, chain->length);
	EXPECT_TRUE(chain_has(chain, 0));
}

/* rule 18 */
TEST_F(seal, without_the_right_to_write_it_is_EPERM)
{
	struct chain *chain = &self->chain;
	int reader = ds_alias(chain->ds, 0, chain->length, RIGHTS_R);
	int writer = ds_alias(chain->ds, 0, chain->length, RIGHTS_RW);

	EXPECT_EQ(-EPERM, ds_seal(reader, variant->flags));
	EXPECT_EQ(0, ds_state(reader) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(64, access_pwrite(chain->ds));
	EXPECT_EQ(64, access_pwrite(writer));
}

/* rule 18: flags of later versions */
TEST_F(seal, unknown_flags_are_EOPNOTSUPP_and_change_nothing)
{
	struct chain *chain = &self->chain;
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP,
			  ds_seal(chain->ds, variant->flags | 1U << bit));
	EXPECT_EQ(RIGHTS_RW, ds_rights(chain->ds));
	EXPECT_EQ(chain->pages, pages_stored(chain->map, chain->pages));
	EXPECT_EQ(64, access_pwrite(chain->child));
}

/* rules 17 and 18: also for an alias that never had WRITE */
TEST_F(seal, a_revoked_one_is_ESTALE)
{
	struct chain *chain = &self->chain;
	int reader = ds_alias(chain->ds, 0, chain->length, RIGHTS_R);

	EXPECT_EQ(0, ds_revoke(chain->ds));
	EXPECT_EQ(-ESTALE, ds_seal(chain->child, variant->flags));
	EXPECT_EQ(-ESTALE, ds_seal(reader, variant->flags));
	EXPECT_EQ(0, ds_state(chain->child) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
}

/* rules 17 and 18: REVOKE needs no WRITE */
TEST_F(seal, a_sealed_one_can_be_revoked)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	EXPECT_EQ(0, ds_revoke(chain->ds));
	EXPECT_EQ(-ESTALE, try_read(chain->child));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_load(chain->child_map, chain->pages));
	EXPECT_EQ(0, pattern_wrong(chain->map, chain->pages, 0));
}

/* rule 18: a descriptor in a socket is sealed, too */
TEST_F(seal, a_descriptor_in_flight_arrives_sealed)
{
	struct chain *chain = &self->chain;
	int ends[2];
	int arrived;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], chain->child));
	close(chain->child);
	EXPECT_EQ(0, ds_seal(chain->ds, variant->flags));
	arrived = fd_receive(ends[1]);
	ASSERT_LE(0, arrived);
	expect_no_new_write(_metadata, arrived, chain->length);
}

/* rule 18: an alias that does not begin or end at a huge page */
TEST_F(seal, pages_outside_of_the_range_stay_writable)
{
	struct chain *chain = &self->chain;
	const size_t page = page_size();
	int part = ds_alias_pages(chain->ds, 3, 8, RIGHTS_RW);
	char *map = ds_map(part, 5 * page, READ_WRITE);

	EXPECT_EQ(5, pages_stored(map, 5));
	EXPECT_EQ(0, ds_seal(part, variant->flags));
	EXPECT_EQ(variant->flags ? 0 : 5, pages_stored(map, 5));
	EXPECT_EQ(chain->pages, pages_stored(chain->map, chain->pages));
	expect_no_new_write(_metadata, part, 5 * page);
	EXPECT_EQ(64, access_pwrite(chain->ds));
}

/* SEAL without NOW leaves mappings as they are. */
FIXTURE(plain)
{
	struct chain chain;
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
	ASSERT_TRUE(chain_make(&self->chain, variant->pages));
	ASSERT_EQ(0, ds_seal(self->chain.ds, 0));
}

FIXTURE_TEARDOWN(plain)
{
}

/* rule 18: with pages that are present or not */
TEST_F(plain, mappings_that_are_writable_stay_so)
{
	struct chain *chain = &self->chain;

	pattern_write(chain->child_map, chain->pages, 1000);
	EXPECT_TRUE(chain_has(chain, 1000));
	pattern_write(chain->map, chain->pages, 2000);
	EXPECT_TRUE(chain_has(chain, 2000));
	EXPECT_EQ(0, madvise(chain->map, chain->length, MADV_DONTNEED));
	pattern_write(chain->map, chain->pages, 3000);
	EXPECT_TRUE(chain_has(chain, 3000));
}

/* rule 18: also in parts, and at another address */
TEST_F(plain, they_stay_so_when_split_and_moved)
{
	struct chain *chain = &self->chain;
	char *to = mmap(NULL, chain->length, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *moved;

	ASSERT_EQ(0, mprotect(chain->map + 3 * page_size(), page_size(),
			      PROT_READ));
	EXPECT_EQ(3, pages_stored(chain->map, 3));
	moved = mremap(chain->map, 3 * page_size(), 3 * page_size(),
		       MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, moved);
	pattern_write(moved, 3, 1000);
	EXPECT_EQ(0, pattern_wrong(chain->root_map, 3, 1000));
}

/* rule 18: a forked child inherits the VMA as it is */
TEST_F(plain, a_child_of_the_process_can_go_on_writing)
{
	struct chain *chain = &self->chain;
	pid_t child = fork();

	if (!child) {
		pattern_write(chain->map, chain->pages, 1000);
		_exit(mprotect(chain->map, chain->length, PROT_READ) ||
		      access_mprotect(chain->map, chain->length) != -EPERM);
	}
	EXPECT_EQ(0, wait_for(child));
	EXPECT_TRUE(chain_has(chain, 1000));
}

/* rule 18: the kernel writes for a process that has such a mapping */
TEST_F(plain, the_kernel_can_write_to_them)
{
	EXPECT_EQ(64, access_read_into(self->chain.map));
	EXPECT_EQ(64, access_process_vm_writev(self->chain.child_map));
}

/* rule 18: only NOW fails if a page is pinned */
TEST_F(plain, a_pin_is_no_obstacle)
{
	struct chain *chain = &self->chain;
	int other = ds_alias(chain->root, 0, chain->length, RIGHTS_RW);
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin, chain->root_map));
	EXPECT_EQ(0, ds_seal(other, 0));
	EXPECT_EQ(-EPERM, access_pwrite(other));
	pin_close(&pin);
}

/* rule 18: a second SEAL takes what the first one has left */
TEST_F(plain, NOW_can_follow)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(chain->pages, pages_stored(chain->map, chain->pages));
	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->map, chain->pages));
	EXPECT_TRUE(chain_has(chain, 0));
}

TEST_HARNESS_MAIN
