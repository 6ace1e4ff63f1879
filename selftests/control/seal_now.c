// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAL with NOW also stops mappings that are writable already, unless one of the
 * pages is pinned: rule 18.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "access.h"
#include "common.h"
#include "control.h"
#include "disk.h"
#include "seal_chain.h"
#include "sigbus.h"
#include "uring.h"

#define NOW DATASPACE_SEAL_NOW

FIXTURE(now)
{
	struct chain chain;
};

FIXTURE_VARIANT(now)
{
	size_t pages;
	/*
	 * pages at the end, and whether they are in the same large folio as the
	 * first
	 */
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
	ASSERT_TRUE(chain_make(&self->chain, variant->pages));
}

/* Whatever was tried, only writers that were allowed to have written. */
FIXTURE_TEARDOWN(now)
{
	EXPECT_EQ(0, pattern_wrong(self->chain.root_map, self->chain.pages, 0));
}

/* rule 18 */
TEST_F(now, the_next_write_is_sigbus_at_its_address)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->map, chain->pages));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->child_map, chain->pages));
	EXPECT_TRUE(chain_has(chain, 0));
	EXPECT_EQ(chain->pages, pages_stored(chain->root_map, chain->pages));
}

/* rule 18: also when the page was faulted in by a load */
TEST_F(now, a_write_after_a_read_is_sigbus)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_TRUE(chain_has(chain, 0));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->map, chain->pages));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->child_map, chain->pages));
	EXPECT_TRUE(chain_has(chain, 0));
}

/* rule 18: also a mapping with no page present */
TEST_F(now, an_untouched_mapping_is_sealed_too)
{
	struct chain *chain = &self->chain;
	char *map = ds_map(chain->child, chain->length, READ_WRITE);
	char *other = ds_map(chain->child, chain->length, READ_WRITE);

	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(chain->pages, pages_sigbus_on_store(map, chain->pages));
	EXPECT_EQ(0, madvise(other, chain->length, MADV_POPULATE_READ));
	EXPECT_EQ(chain->pages, pages_sigbus_on_store(other, chain->pages));
}

/* rule 18: also when the descriptor is closed */
TEST_F(now, a_mapping_whose_descriptor_is_closed_is_sealed_too)
{
	struct chain *chain = &self->chain;

	close(chain->child);
	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->child_map, chain->pages));
}

/* rule 18: the root can be sealed as well */
TEST_F(now, sealing_the_root_seals_all)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->root, NOW));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->root_map, chain->pages));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->child_map, chain->pages));
	EXPECT_TRUE(chain_has(chain, 0));
}

static bool child_is_sealed(struct chain *chain)
{
	return pages_sigbus_on_store(chain->map, chain->pages) ==
		       chain->pages &&
	       chain_has(chain, 0);
}

/* rule 18: processes that were forked before and after SEAL */
TEST_F(now, children_of_the_process_are_sealed)
{
	struct chain *chain = &self->chain;
	int ends[2];
	pid_t before, after;
	char byte;

	ASSERT_EQ(0, pipe(ends));
	before = fork();
	if (!before) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) || !child_is_sealed(chain));
	}
	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	after = fork();
	if (!after)
		_exit(!child_is_sealed(chain));
	close(ends[1]);
	EXPECT_EQ(0, wait_for(after));
	EXPECT_EQ(0, wait_for(before));
	close(ends[0]);
}

/* rule 18: parts of a sealed VMA, and VMAs that were moved */
TEST_F(now, split_and_moved_mappings_stay_sealed)
{
	struct chain *chain = &self->chain;
	const size_t half = chain->length / 2;
	char *to =
		mmap(NULL, half, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *moved;

	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(0, pattern_wrong(chain->map, chain->pages, 0));
	moved = mremap(chain->map + half, half, half,
		       MREMAP_MAYMOVE | MREMAP_FIXED, to);
	ASSERT_EQ(to, moved);
	EXPECT_EQ(chain->pages / 2,
		  pages_sigbus_on_store(moved, chain->pages / 2));
	EXPECT_EQ(0, munmap(chain->map + page_size(), page_size()));
	EXPECT_TRUE(store_is_sigbus(chain->map));
	EXPECT_TRUE(store_is_sigbus(chain->map + 2 * page_size()));
}

/* rule 18: the mm merges two halves again, one of which has been read from */
TEST_F(now, joined_mappings_stay_sealed)
{
	struct chain *chain = &self->chain;
	const size_t half = chain->length / 2;
	const size_t pages = chain->pages;
	__u64 value;

	ASSERT_EQ(0, madvise(chain->map, half, MADV_RANDOM));
	ASSERT_EQ(0, madvise(chain->child_map + half, half, MADV_RANDOM));
	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(0, try_load(chain->map + half, &value));
	EXPECT_EQ(0, try_load(chain->child_map + half, &value));
	ASSERT_EQ(0, madvise(chain->map, half, MADV_NORMAL));
	ASSERT_EQ(0, madvise(chain->child_map + half, half, MADV_NORMAL));
	EXPECT_EQ(pages, pages_sigbus_on_store(chain->map, pages));
	EXPECT_EQ(pages, pages_sigbus_on_store(chain->child_map, pages));
}

/* rule 18: other system calls that change what a VMA allows */
TEST_F(now, mprotect_mlock_and_madvise_do_not_unseal)
{
	struct chain *chain = &self->chain;
	const size_t pages = chain->pages;

	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(0, mlock(chain->map, page_size()));
	EXPECT_EQ(0, pattern_wrong(chain->map, pages, 0));
	EXPECT_EQ(0, munlock(chain->map, page_size()));
	EXPECT_EQ(0, madvise(chain->map, chain->length, MADV_POPULATE_READ));
	EXPECT_EQ(-EFAULT, result(madvise(chain->map, chain->length,
					  MADV_POPULATE_WRITE)));
	EXPECT_EQ(0, mprotect(chain->map, chain->length, READ_WRITE));
	EXPECT_EQ(0, mprotect(chain->map, chain->length, PROT_WRITE));
	EXPECT_EQ(pages, pages_sigbus_on_store(chain->map, pages));
	EXPECT_EQ(0, mlock(chain->child_map, chain->length));
	EXPECT_EQ(pages, pages_sigbus_on_store(chain->child_map, pages));
}

/* The kernel can't write to the mapping for its process, or for another one. */
static void expect_writes_fail(struct __test_metadata *_metadata,
			       struct chain *chain, char *map)
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
	EXPECT_TRUE(chain_has(chain, 0));
}

/* rule 18: with no page present, and with all pages present */
TEST_F(now, no_other_access_can_write)
{
	struct chain *chain = &self->chain;

	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(-EFAULT, access_process_vm_writev(chain->map));
	expect_writes_fail(_metadata, chain, chain->map);
	EXPECT_TRUE(chain_has(chain, 0));
	expect_writes_fail(_metadata, chain, chain->map);
	expect_writes_fail(_metadata, chain, chain->child_map);
}

/* All that a seal takes is still there. */
static void expect_unsealed(struct __test_metadata *_metadata,
			    struct chain *chain)
{
	EXPECT_EQ(0, ds_state(chain->ds) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_state(chain->child) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(RIGHTS_RW, ds_rights(chain->ds));
	EXPECT_EQ(RIGHTS_RW, ds_rights(chain->child));
	EXPECT_EQ(chain->pages, pages_stored(chain->map, chain->pages));
	EXPECT_EQ(chain->pages, pages_stored(chain->child_map, chain->pages));
	EXPECT_EQ(0, pattern_write_fd(chain->ds, chain->pages, 0));
	EXPECT_EQ(0, pattern_write_fd(chain->child, chain->pages, 0));
	EXPECT_EQ(0, mprotect(chain->map, chain->length, PROT_READ));
	EXPECT_EQ(0, mprotect(chain->map, chain->length, READ_WRITE));
	EXPECT_TRUE(chain_has(chain, 0));
}

static void expect_sealed(struct __test_metadata *_metadata,
			  struct chain *chain)
{
	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(RIGHTS_R, ds_rights(chain->child));
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->map, chain->pages));
	EXPECT_TRUE(chain_has(chain, 0));
}

/* rule 18: EBUSY changes nothing, and after the unpin SEAL succeeds */
TEST_F(now, a_pinned_page_is_EBUSY)
{
	struct chain *chain = &self->chain;
	struct pin pin;
	int alias;

	ASSERT_EQ(0, pin_page(&pin, chain->map + 3 * page_size()));
	EXPECT_EQ(-EBUSY, ds_seal(chain->ds, NOW));
	expect_unsealed(_metadata, chain);
	EXPECT_EQ(-EBUSY, ds_seal(chain->ds, NOW));
	alias = ds_alias(chain->ds, 0, chain->length, RIGHTS_RW);
	EXPECT_LE(0, alias);
	EXPECT_EQ(0, ds_state(alias) & DATASPACE_STATE_SEALED);
	pin_close(&pin);
	expect_sealed(_metadata, chain);
	EXPECT_EQ(RIGHTS_R, ds_rights(alias));
}

struct pinner {
	pthread_t thread;
	char *page;
	unsigned int wait_us;
};

/* Pins a page after a while, and lets go of it after 60 milliseconds. */
static void *pin_for_a_moment(void *arg)
{
	struct pinner *pinner = arg;
	struct pin pin;

	usleep(pinner->wait_us);
	if (pin_page(&pin, pinner->page))
		return arg;
	usleep(60 * 1000);
	pin_close(&pin);
	return NULL;
}

/*
 * rule 18: a reference is no pin if who took it while SEAL was at work was only slow
 * to drop it
 */
TEST(a_reference_that_is_held_for_a_moment_is_waited_for)
{
	struct chain chain;
	struct pinner pinner;
	void *failed;
	int ds;

	ASSERT_TRUE(chain_make(&chain, 12));
	pinner.page = chain.root_map + 3 * page_size();
	for (pinner.wait_us = 0; pinner.wait_us < 15000;
	     pinner.wait_us += 500) {
		ds = ds_alias(chain.root, 0, chain.length, RIGHTS_RW);
		ASSERT_LE(0, ds);
		ASSERT_EQ(0, pthread_create(&pinner.thread, NULL,
					    pin_for_a_moment, &pinner));
		EXPECT_EQ(0, ds_seal(ds, NOW));
		ASSERT_EQ(0, pthread_join(pinner.thread, &failed));
		EXPECT_EQ(NULL, failed);
		close(ds);
	}
}

/* rule 18: a pin counts through whichever mapping it was made */
TEST_F(now, a_page_that_an_ancestor_has_pinned_is_EBUSY)
{
	struct chain *chain = &self->chain;
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin,
			      chain->root_map + chain->length - page_size()));
	EXPECT_EQ(-EBUSY, ds_seal(chain->ds, NOW));
	expect_unsealed(_metadata, chain);
	pin_close(&pin);
	expect_sealed(_metadata, chain);
}

/* rule 18: a seal without NOW stays when NOW fails */
TEST_F(now, EBUSY_after_a_plain_seal_leaves_that)
{
	struct chain *chain = &self->chain;
	struct pin pin;

	EXPECT_EQ(0, ds_seal(chain->ds, 0));
	ASSERT_EQ(0, pin_page(&pin, chain->map));
	EXPECT_EQ(-EBUSY, ds_seal(chain->ds, NOW));
	EXPECT_NE(0, ds_state(chain->ds) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(RIGHTS_R, ds_rights(chain->child));
	EXPECT_EQ(-EPERM, access_pwrite(chain->child));
	EXPECT_EQ(chain->pages, pages_stored(chain->map, chain->pages));
	pin_close(&pin);
	expect_sealed(_metadata, chain);
}

/* rule 18: the seal of a descendant stays when that of an ancestor fails */
TEST_F(now, EBUSY_leaves_the_seal_of_a_descendant)
{
	struct chain *chain = &self->chain;
	struct pin pin;

	EXPECT_EQ(0, ds_seal(chain->child, NOW));
	ASSERT_EQ(0, pin_page(&pin, chain->map));
	EXPECT_EQ(-EBUSY, ds_seal(chain->ds, NOW));
	EXPECT_NE(0, ds_state(chain->child) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(0, ds_state(chain->ds) & DATASPACE_STATE_SEALED);
	EXPECT_EQ(chain->pages,
		  pages_sigbus_on_store(chain->child_map, chain->pages));
	EXPECT_EQ(chain->pages, pages_stored(chain->map, chain->pages));
	pin_close(&pin);
}

/*
 * rule 18: only a pin of the range is in the way, or one in a large folio of
 * which the range begins in the middle
 */
TEST_F(now, a_pin_outside_of_the_range_is_no_obstacle)
{
	struct chain *chain = &self->chain;
	int part = ds_alias_pages(chain->ds, chain->pages - variant->last,
				  chain->pages, RIGHTS_RW);
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin, chain->map));
	EXPECT_EQ(variant->whole ? -EBUSY : 0, ds_seal(part, NOW));
	pin_close(&pin);
	EXPECT_EQ(0, ds_seal(part, NOW));
	EXPECT_EQ(-EPERM, access_pwrite(part));
	EXPECT_EQ(64, access_pwrite(chain->ds));
	pattern_write(chain->map, chain->pages, 0);
}

/* rules 18 and 21 */
TEST_F(now, a_registered_buffer_is_EBUSY)
{
	struct chain *chain = &self->chain;
	struct uring uring;
	int ret;

	ASSERT_EQ(0, uring_open(&uring));
	ret = uring_register(&uring, chain->map, chain->length);
	if (ret == -EOPNOTSUPP)
		SKIP(goto out, "this kernel registers no memory of files");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(-EBUSY, ds_seal(chain->ds, NOW));
	expect_unsealed(_metadata, chain);
	ASSERT_EQ(0, uring_unregister(&uring));
	expect_sealed(_metadata, chain);
out:
	uring_close(&uring);
}

TEST_HARNESS_MAIN
