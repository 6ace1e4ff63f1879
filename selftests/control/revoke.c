// SPDX-License-Identifier: GPL-2.0-only
/*
 * REVOKE ends the life of all that is derived: rule 17. Here one step follows
 * the other; revoke_races.c is about what happens at the same time,
 * revoke_tree.c about many aliases.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include "common.h"
#include "control.h"
#include "access.h"
#include "fdpass.h"
#include "pages.h"
#include "sigbus.h"
#include "uring.h"

/* REVOKE is called on the root, and revokes the alias. */
FIXTURE(revoke)
{
	size_t pages;
	size_t length;
	int root;
	char *own;
	int ds;
	char *map;
};

FIXTURE_VARIANT(revoke)
{
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(revoke, pages) {
	.pages = 16,
};

FIXTURE_VARIANT_ADD(revoke, huge) {
	.pages = 1024,
};

/* clang-format on */

FIXTURE_SETUP(revoke)
{
	sigbus_init();
	self->pages = variant->pages;
	self->length = variant->pages * page_size();
	self->root = ds_alloc_pages(self->pages);
	ASSERT_LE(0, self->root);
	self->own = ds_map(self->root, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->own);
	pattern_write(self->own, self->pages, 0);
	self->ds = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	ASSERT_LE(0, self->ds);
	self->map = ds_map(self->ds, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, pattern_wrong(self->map, self->pages, 0));
}

/* The root keeps its contents. */
FIXTURE_TEARDOWN(revoke)
{
	if (self->own)
		EXPECT_EQ(0, pattern_wrong(self->own, self->pages, 0));
}

/* Unmaps the root, for tests that count the pages that are left. */
static void *unmap_own(FIXTURE_DATA(revoke) * self)
{
	void *own = self->own;

	munmap(own, self->length);
	self->own = NULL;
	return own;
}

/* rule 17 */
TEST_F(revoke, each_page_of_a_mapping_is_sigbus_at_its_address)
{
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
	EXPECT_EQ(self->pages, pages_sigbus_on_store(self->map, self->pages));
}

/* rule 17 */
TEST_F(revoke, a_mapping_that_was_only_read_is_sigbus_for_writing)
{
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_sigbus_on_store(self->map, self->pages));
}

/* rule 17 */
TEST_F(revoke, a_mapping_that_was_never_touched_is_sigbus)
{
	char *map = ds_map(self->ds, self->length, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(map, self->pages));
	EXPECT_EQ(self->pages, pages_sigbus_on_store(map, self->pages));
}

/* rule 17 */
TEST_F(revoke, a_mapping_to_read_and_a_private_one_are_sigbus)
{
	int view = ds_alias(self->ds, 0, self->length, RIGHTS_R);
	char *map = ds_map(view, self->length, PROT_READ);
	char *copy = mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE, view, 0);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_NE(MAP_FAILED, copy);
	EXPECT_EQ(0, pattern_wrong(map, self->pages, 0));
	EXPECT_EQ(0, pattern_wrong(copy, self->pages, 0));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(map, self->pages));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(copy, self->pages));
	EXPECT_EQ(self->pages, pages_sigbus_on_store(copy, self->pages));
}

/* rule 17: private copies do not belong to the dataspace */
TEST_F(revoke, private_copies_survive)
{
	const size_t half = self->pages / 2;
	char *copy =
		mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE, self->ds, 0);

	ASSERT_NE(MAP_FAILED, copy);
	pattern_write(copy, half, 1000);
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, pattern_wrong(copy, half, 1000));
	pattern_write(copy, half, 2000);
	EXPECT_EQ(0, pattern_wrong(copy, half, 2000));
	EXPECT_EQ(half, pages_sigbus_on_load(copy + half * page_size(), half));
}

/* rule 17: an alias that does not begin or end at a huge page */
TEST_F(revoke, a_mapping_of_a_part_is_sigbus)
{
	const size_t page = page_size();
	int part = ds_alias_pages(self->ds, 3, self->pages - 3, RIGHTS_RW);
	char *map = mmap(NULL, 5 * page, READ_WRITE, MAP_SHARED, part, page);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, 5, 4));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(5, pages_sigbus_on_load(map, 5));
	EXPECT_EQ(5, pages_sigbus_on_store(map, 5));
}

/*
 * A process that uses the alias, and is told over a socket that it was revoked.
 */
struct user {
	pid_t pid;
	int socket;
};

static int wait_for_word(int socket)
{
	char byte;

	return read(socket, &byte, 1) == 1 ? 0 : -1;
}

static int say_word(int socket)
{
	return write(socket, "", 1) == 1 ? 0 : -1;
}

/* The number of the line that found something else than SIGBUS, or 0. */
static int use_until_told(char *map, size_t pages, int socket)
{
	if (map == MAP_FAILED || pattern_wrong(map, pages, 0))
		return __LINE__;
	if (say_word(socket) || wait_for_word(socket))
		return __LINE__;
	if (pages_sigbus_on_load(map, pages) != pages ||
	    pages_sigbus_on_store(map, pages) != pages)
		return __LINE__;
	return 0;
}

static int user_of_received(int socket, size_t pages)
{
	const size_t length = pages * page_size();
	int ds = fd_receive(socket);
	char *map = ds_map(ds, length, READ_WRITE);
	int line = use_until_told(map, pages, socket);

	if (line)
		return line;
	return ds_try_map(ds, length, PROT_READ, MAP_SHARED, 0) == -ESTALE ?
		       0 :
		       __LINE__;
}

/*
 * Forks a user, which inherits a mapping, or gets the alias over a socket and
 * closes all else.
 */
static int user_start(struct user *user, FIXTURE_DATA(revoke) * self,
		      bool inherits)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -errno;
	user->socket = ends[0];
	user->pid = fork();
	if (user->pid)
		return close(ends[1]);
	close(ends[0]);
	close(self->root);
	close(self->ds);
	unmap_own(self);
	if (inherits)
		_exit(!!use_until_told(self->map, self->pages, ends[1]));
	munmap(self->map, self->length);
	_exit(!!user_of_received(ends[1], self->pages));
}

/* 0 if the user found only SIGBUS. */
static int user_end(struct user *user)
{
	int status = say_word(user->socket) ? -1 : wait_for(user->pid);

	close(user->socket);
	return status;
}

/* rule 17: in every process */
TEST_F(revoke, a_mapping_that_a_child_inherited_is_sigbus)
{
	struct user user;

	ASSERT_EQ(0, user_start(&user, self, true));
	ASSERT_EQ(0, wait_for_word(user.socket));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, user_end(&user));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
}

/* rule 17: in every process */
TEST_F(revoke, what_a_process_received_is_dead_there)
{
	struct user user;

	ASSERT_EQ(0, user_start(&user, self, false));
	ASSERT_EQ(0, fd_send(user.socket, self->ds));
	close(self->ds);
	ASSERT_EQ(0, wait_for_word(user.socket));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, user_end(&user));
}

/* rule 17: another process can revoke */
TEST_F(revoke, works_from_another_process)
{
	pid_t child = fork();

	if (!child)
		_exit(ds_revoke(self->root) ? 1 : 0);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
}

/* rule 17: REVOKE needs no WRITE */
TEST_F(revoke, works_for_a_holder_who_may_only_read)
{
	int reader = ds_alias(self->root, 0, self->length, RIGHTS_R);
	int grant = ds_alias(reader, 0, self->length, RIGHTS_R);
	char *map = ds_map(grant, self->length, PROT_READ);

	EXPECT_EQ(0, pattern_wrong(map, self->pages, 0));
	EXPECT_EQ(0, ds_revoke(reader));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(map, self->pages));
	EXPECT_EQ(0, pattern_wrong_fd(reader, self->pages, 0));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
}

static long try_read(int fd)
{
	char bytes[64];

	return result(read(fd, bytes, sizeof(bytes)));
}

static long try_pread(int fd)
{
	char bytes[64];

	return result(pread(fd, bytes, sizeof(bytes), 0));
}

static long try_pread_at_end(int fd)
{
	char byte;

	return result(pread(fd, &byte, 1, 1LL << 40));
}

static long try_io_uring_read(int fd)
{
	struct uring uring;
	char bytes[64];
	long ret = uring_open(&uring);

	if (ret)
		return ret;
	ret = uring_transfer(&uring, IORING_OP_READ, fd, bytes, sizeof(bytes));
	uring_close(&uring);
	return ret;
}

static long try_lseek_set(int fd)
{
	return result(lseek(fd, 0, SEEK_SET));
}

static long try_lseek_end(int fd)
{
	return result(lseek(fd, 0, SEEK_END));
}

static long try_mmap_read(int fd)
{
	return ds_try_map(fd, page_size(), PROT_READ, MAP_SHARED, 0);
}

static long try_mmap_write(int fd)
{
	return ds_try_map(fd, page_size(), READ_WRITE, MAP_SHARED, 0);
}

static long try_mmap_private(int fd)
{
	return ds_try_map(fd, page_size(), READ_WRITE, MAP_PRIVATE, 0);
}

static long try_mmap_populate(int fd)
{
	return ds_try_map(fd, page_size(), PROT_READ, MAP_SHARED | MAP_POPULATE,
			  0);
}

static long try_alias(int fd)
{
	return ds_alias_pages(fd, 0, 1, RIGHTS_R);
}

static long try_alias_clip(int fd)
{
	return ds_alias_flags(fd, 0, page_size(), RIGHTS_RWX,
			      DATASPACE_ALIAS_CLIP);
}

static long try_revoke(int fd)
{
	return ds_revoke(fd);
}

static long try_seal(int fd)
{
	return ds_seal(fd, 0);
}

static long try_seal_now(int fd)
{
	return ds_seal(fd, DATASPACE_SEAL_NOW);
}

static long try_splice_from(int fd)
{
	off_t offset = 0;
	int ends[2];
	long ret;

	if (pipe(ends))
		return -errno;
	ret = result(splice(fd, &offset, ends[1], NULL, 64, 0));
	close(ends[0]);
	close(ends[1]);
	return ret;
}

static long try_sendfile_from(int fd)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	off_t offset = 0;
	long ret = result(sendfile(file, fd, &offset, 64));

	close(file);
	return ret;
}

/* clang-format off */
static const struct {
	const char *name;
	long (*try)(int fd);
} operations[] = {
	{ "read", try_read },
	{ "pread", try_pread },
	{ "pread past the end", try_pread_at_end },
	{ "io_uring read", try_io_uring_read },
	{ "splice from", try_splice_from },
	{ "sendfile from", try_sendfile_from },
	{ "write", access_write },
	{ "pwrite", access_pwrite },
	{ "writev", access_writev },
	{ "io_uring write", access_io_uring_write },
	{ "splice to", access_splice },
	{ "sendfile to", access_sendfile },
	{ "lseek to the start", try_lseek_set },
	{ "lseek to the end", try_lseek_end },
	{ "mmap to read", try_mmap_read },
	{ "mmap to write", try_mmap_write },
	{ "mmap private", try_mmap_private },
	{ "mmap populated", try_mmap_populate },
	{ "ALIAS", try_alias },
	{ "ALIAS with CLIP", try_alias_clip },
	{ "REVOKE", try_revoke },
	{ "SEAL", try_seal },
	{ "SEAL now", try_seal_now },
};

/* clang-format on */

/* rule 17 */
TEST_F(revoke, every_operation_is_ESTALE)
{
	const int fds = count_fds();
	size_t i;

	EXPECT_EQ(0, ds_revoke(self->root));
	for (i = 0; i < ARRAY_LENGTH(operations); i++) {
		EXPECT_EQ(-ESTALE, operations[i].try(self->ds))
		{
			TH_LOG("%s", operations[i].name);
		}
	}
	EXPECT_EQ(fds, count_fds());
}

/* rule 17: all descriptors of the same open file are revoked */
TEST_F(revoke, a_duplicate_is_as_dead)
{
	int copy = dup(self->ds);
	int sent = fd_round_trip(self->ds);

	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-ESTALE, try_pread(copy));
	EXPECT_EQ(-ESTALE, try_pread(sent));
}

/* rule 17 */
TEST_F(revoke, INFO_says_so_and_close_works)
{
	struct dataspace_info before, after;

	ASSERT_EQ(0, ds_info(self->ds, &before));
	EXPECT_EQ(0, before.state & DATASPACE_STATE_REVOKED);
	EXPECT_EQ(0, ds_revoke(self->root));
	ASSERT_EQ(0, ds_info(self->ds, &after));
	EXPECT_EQ(before.state | DATASPACE_STATE_REVOKED, after.state);
	EXPECT_EQ(before.id, after.id);
	EXPECT_EQ(before.length, after.length);
	EXPECT_EQ(before.granule, after.granule);
	EXPECT_EQ(0, after.exclusive);
	EXPECT_EQ(0, after.aliases);
	EXPECT_EQ(0, after.mappings);
	EXPECT_EQ(0, close(self->ds));
}

/* rule 17: INFO counts nothing that is revoked */
TEST_F(revoke, the_revoked_no_longer_count)
{
	struct dataspace_info info;

	unmap_own(self);
	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(1, info.aliases);
	EXPECT_EQ(0, info.exclusive);
	EXPECT_EQ(0, ds_revoke(self->root));
	ASSERT_EQ(0, ds_info(self->root, &info));
	EXPECT_EQ(0, info.aliases);
	EXPECT_EQ(self->length, info.exclusive);
	EXPECT_EQ(0, info.state & DATASPACE_STATE_REVOKED);
	EXPECT_EQ(0, pattern_wrong_fd(self->root, self->pages, 0));
}

/* rule 17: dataspaces in between may be closed */
TEST_F(revoke, reaches_through_closed_ones_in_the_middle)
{
	int middle = ds_alias(self->ds, 0, self->length, RIGHTS_RW);
	int inner = ds_alias(middle, 0, self->length, RIGHTS_R);
	int last = ds_alias(inner, 0, self->length, RIGHTS_R);

	ASSERT_LE(0, last);
	close(self->ds);
	close(middle);
	close(inner);
	EXPECT_EQ(0, pattern_wrong_fd(last, self->pages, 0));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-ESTALE, try_pread(last));
}

/* rule 17: a mapping whose descriptor is closed is revoked, too */
TEST_F(revoke, reaches_a_grandchild_that_is_mapped_but_closed)
{
	int child = ds_alias(self->ds, 0, self->length, RIGHTS_RW);
	char *map = ds_map(child, self->length, READ_WRITE);

	ASSERT_EQ(0, pattern_wrong(map, self->pages, 0));
	close(child);
	close(self->ds);
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(map, self->pages));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
}

/* rule 17: nothing is revoked that is not derived */
TEST_F(revoke, source_siblings_and_ancestors_stay_as_they_are)
{
	int child = ds_alias(self->ds, 0, self->length, RIGHTS_RW);
	int sibling = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	int nephew = ds_alias(sibling, 0, self->length, RIGHTS_R);
	char *map = ds_map(sibling, self->length, READ_WRITE);

	ASSERT_EQ(0, pattern_wrong(map, self->pages, 0));
	EXPECT_EQ(0, ds_revoke(self->ds));
	EXPECT_EQ(-ESTALE, try_pread(child));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
	EXPECT_EQ(0, pattern_wrong(map, self->pages, 0));
	EXPECT_EQ(0, pattern_wrong_fd(self->ds, self->pages, 0));
	EXPECT_EQ(0, pattern_wrong_fd(nephew, self->pages, 0));
	EXPECT_EQ(0, pattern_write_fd(self->ds, self->pages, 0));
	EXPECT_EQ(0, pattern_write_fd(sibling, self->pages, 0));
	EXPECT_EQ(0, ds_state(self->ds) & DATASPACE_STATE_REVOKED);
	EXPECT_EQ(0, ds_state(self->root) & DATASPACE_STATE_REVOKED);
}

/* rule 17: an alias for each grant lets one alone be revoked */
TEST_F(revoke, one_grant_alone_can_be_revoked)
{
	int other = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	int mine = ds_alias(self->ds, 0, self->length, RIGHTS_R);
	int theirs = ds_alias(other, 0, self->length, RIGHTS_R);

	EXPECT_EQ(0, ds_revoke(other));
	EXPECT_EQ(-ESTALE, try_pread(theirs));
	EXPECT_EQ(0, pattern_wrong_fd(mine, self->pages, 0));
}

/* rule 17 */
TEST_F(revoke, afterwards_it_can_be_aliased_again)
{
	int round, again;

	for (round = 0; round < 10; round++) {
		EXPECT_EQ(0, ds_revoke(self->root));
		EXPECT_EQ(-ESTALE, try_pread(self->ds));
		again = ds_alias(self->root, 0, self->length, RIGHTS_RW);
		ASSERT_LE(0, again);
		EXPECT_EQ(0, pattern_write_fd(again, self->pages, 0));
		close(self->ds);
		self->ds = again;
	}
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
}

/* rule 17 */
TEST_F(revoke, revoking_nothing_is_success)
{
	int leaf = ds_alias(self->ds, 0, self->length, RIGHTS_R);

	EXPECT_EQ(0, ds_revoke(leaf));
	EXPECT_EQ(0, ds_revoke(leaf));
	EXPECT_EQ(0, pattern_wrong_fd(leaf, self->pages, 0));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, ds_revoke(self->root));
}

/* rule 17: a flag of a later version */
TEST_F(revoke, unknown_flags_are_EOPNOTSUPP_and_change_nothing)
{
	unsigned int bit;

	for (bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EOPNOTSUPP, ds_revoke_flags(self->root, 1U << bit));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
	EXPECT_EQ(0, pattern_wrong_fd(self->ds, self->pages, 0));
}

/* rule 17: a descriptor in a socket is revoked, too */
TEST_F(revoke, a_descriptor_in_flight_arrives_dead)
{
	int ends[2];
	int arrived;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], self->ds));
	close(self->ds);
	EXPECT_EQ(0, ds_revoke(self->root));
	arrived = fd_receive(ends[1]);
	ASSERT_LE(0, arrived);
	EXPECT_NE(0, ds_state(arrived) & DATASPACE_STATE_REVOKED);
	EXPECT_EQ(-ESTALE, try_pread(arrived));
	EXPECT_EQ(-ESTALE, try_mmap_read(arrived));
}

/*
 * rule 17: the VMAs of a revoked mapping stay, and can be changed by the
 * process
 */
TEST_F(revoke, revoked_mappings_can_be_moved_protected_inherited_and_unmapped)
{
	const size_t half = self->pages / 2;
	char *second = self->map + half * page_size();
	char *moved;
	pid_t child;

	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, mprotect(second, self->length / 2, PROT_READ));
	EXPECT_EQ(0, mprotect(second, self->length / 2, PROT_NONE));
	EXPECT_EQ(0, mprotect(second, self->length / 2, READ_WRITE));
	EXPECT_EQ(half, pages_sigbus_on_store(second, half));
	moved = mremap(second, self->length / 2, self->length / 2,
		       MREMAP_MAYMOVE | MREMAP_FIXED, unmap_own(self));
	ASSERT_NE(MAP_FAILED, moved);
	EXPECT_EQ(half, pages_sigbus_on_load(moved, half));
	child = fork();
	if (!child)
		_exit(pages_sigbus_on_load(moved, half) != half ||
		      pages_sigbus_on_load(self->map, half) != half ||
		      munmap(moved, self->length / 2));
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, munmap(moved, self->length / 2));
	EXPECT_EQ(0, munmap(self->map, self->length / 2));
	EXPECT_EQ(0, pattern_wrong_fd(self->root, self->pages, 0));
}

/* rule 17 */
TEST_F(revoke, what_would_fault_in_a_revoked_mapping_fails)
{
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-EFAULT,
		  result(madvise(self->map, self->length, MADV_POPULATE_READ)));
	EXPECT_EQ(-EFAULT, result(madvise(self->map, self->length,
					  MADV_POPULATE_WRITE)));
	EXPECT_EQ(-ENOMEM, result(mlock(self->map, self->length)));
	EXPECT_EQ(0, result(madvise(self->map, self->length, MADV_WILLNEED)));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
}

/* rule 17: mlock() does not keep a mapping from being revoked */
TEST_F(revoke, a_locked_mapping_is_sigbus)
{
	ASSERT_EQ(0, mlock(self->map, self->length));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
	EXPECT_EQ(0, munlock(self->map, self->length));
}

/* rule 17: the kernel does not access a revoked mapping for the process */
TEST_F(revoke, the_kernel_reaches_no_page_by_a_revoked_mapping)
{
	int file = memfd_create("target", MFD_CLOEXEC);

	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-EFAULT, access_read_into(self->map));
	EXPECT_EQ(-EFAULT, access_process_vm_writev(self->map));
	EXPECT_EQ(-EIO, access_proc_mem(self->map));
	EXPECT_EQ(-EIO, access_ptrace(self->map));
	EXPECT_EQ(-EFAULT, result(pwrite(file, self->map, 64, 0)));
	EXPECT_EQ(-EFAULT, access_vmsplice_gift(self->map, page_size()));
	EXPECT_EQ(-EFAULT, access_io_uring_read_into(self->map));
}

/* rule 17: pages that the source covers stay */
TEST_F(revoke, the_source_keeps_its_pages)
{
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, self->own, self->length));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_held(&pages));
	pages_forget(&pages);
}

/* rules 14 and 17: a revoked dataspace or mapping covers no page */
TEST_F(revoke, pages_go_back_though_dead_aliases_and_mappings_are_left)
{
	struct pages pages;
	struct user user;

	ASSERT_EQ(0, pages_of_map(&pages, self->own, self->length));
	ASSERT_EQ(0, user_start(&user, self, true));
	ASSERT_EQ(0, wait_for_word(user.socket));
	EXPECT_EQ(0, ds_revoke(self->root));
	close(self->root);
	EXPECT_EQ(self->pages, pages_held(&pages));
	unmap_own(self);
	EXPECT_EQ(0, pages_held(&pages));
	EXPECT_EQ(0, user_end(&user));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
	EXPECT_EQ(-ESTALE, try_pread(self->ds));
	pages_forget(&pages);
}

/* rules 14 and 17: pages that a live sibling covers stay, all others go back */
TEST_F(revoke, pages_that_a_live_sibling_covers_stay)
{
	int sibling = ds_alias_pages(self->root, 3, 8, RIGHTS_RW);
	int child = ds_alias(self->ds, 0, self->length, RIGHTS_R);
	char *map = ds_map(child, self->length, PROT_READ);
	struct pages pages;

	ASSERT_EQ(0, pattern_wrong(map, self->pages, 0));
	ASSERT_EQ(0, pages_of_map(&pages, self->own, self->length));
	unmap_own(self);
	EXPECT_EQ(0, ds_revoke(self->ds));
	close(self->root);
	EXPECT_EQ(self->pages, pages_held(&pages));
	EXPECT_EQ(0, munmap(self->map, self->length));
	close(self->ds);
	EXPECT_EQ(self->pages, pages_sigbus_on_load(map, self->pages));
	EXPECT_EQ(5, pages_held(&pages));
	EXPECT_EQ(5, pages_held_in(&pages, 3, 8));
	EXPECT_EQ(0, pattern_wrong_fd(sibling, 5, 3));
	close(sibling);
	EXPECT_EQ(0, pages_held(&pages));
	pages_forget(&pages);
}

/*
 * rules 14 and 17: a pinned page keeps its contents, and goes back after the
 * unpin
 */
TEST_F(revoke, a_pinned_page_stays_with_its_pin_and_goes_back_after_it)
{
	char *seen = malloc(page_size());
	struct pages pages;
	struct pin pin;

	ASSERT_EQ(0, pages_of_map(&pages, self->own, self->length));
	ASSERT_EQ(0, pin_page(&pin, self->map + 3 * page_size()));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(self->pages, pages_sigbus_on_load(self->map, self->pages));
	unmap_own(self);
	close(self->root);
	EXPECT_LE(1, pages_held_in(&pages, 3, 4));
	EXPECT_EQ(page_size(), read(pin.ends[0], seen, page_size()));
	EXPECT_EQ(0, pattern_wrong(seen, 1, 3));
	pin_close(&pin);
	EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
	pages_forget(&pages);
	free(seen);
}

/* Where the alias number @i of @count is, if they go up, down, or neither. */
static unsigned long place_of(int order, unsigned long i, unsigned long count)
{
	if (order == 0)
		return i;
	return order == 1 ? count - 1 - i : i * 7 % count;
}

/* rule 17: of many that go up in the dataspace, or down, or neither */
TEST(many_are_revoked_in_whatever_order_they_are)
{
	enum { COUNT = 200 };
	int aliases[COUNT];
	int order, root;
	unsigned long i;
	char byte;

	for (order = 0; order < 3; order++) {
		root = ds_alloc_pages(COUNT);
		ASSERT_LE(0, root);
		for (i = 0; i < COUNT; i++) {
			unsigned long at = place_of(order, i, COUNT);

			aliases[i] = ds_alias_pages(root, at, at + 1, RIGHTS_R);
			ASSERT_LE(0, aliases[i]);
		}
		EXPECT_EQ(0, ds_revoke(root));
		EXPECT_EQ(COUNT * page_size(), ds_exclusive(root));
		for (i = 0; i < COUNT; i++) {
			EXPECT_EQ(-ESTALE,
				  result(pread(aliases[i], &byte, 1, 0)));
			close(aliases[i]);
		}
		close(root);
	}
}

TEST_HARNESS_MAIN
