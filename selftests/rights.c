// SPDX-License-Identifier: GPL-2.0-only
/*
 * What cannot be done without the right to do it: rules 10 and 12. Each test
 * goes to one door; that no byte has changed is looked at after each of them.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common.h"
#include "disk.h"
#include "doors.h"

#define PATTERN 0x5a

/* The alias and its mapping may only be read; the pages around it are there. */
FIXTURE(read_only)
{
	size_t length;
	char *all;
	int root;
	int ds;
	char *map;
};

FIXTURE_VARIANT(read_only)
{
	/* how many pages the root has; the alias has all but the outer two */
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(read_only, pages) {
	.pages = 4,
};

/* 2 MiB in the middle of 6 MiB, as far as the page size is 4 KiB */
FIXTURE_VARIANT_ADD(read_only, huge) {
	.pages = 1536,
};

/* clang-format on */

FIXTURE_SETUP(read_only)
{
	const size_t page = page_size();
	const size_t total = variant->pages * page;
	const size_t margin = variant->pages > 4 ? total / 3 : page;

	self->root = ds_alloc_pages(variant->pages);
	ASSERT_LE(0, self->root);
	self->all = ds_map(self->root, total, PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->all);
	memset(self->all, PATTERN, total);
	self->length = total - 2 * margin;
	self->ds = ds_alias(self->root, margin, self->length, RIGHTS_R);
	ASSERT_LE(0, self->ds);
	self->map = ds_map(self->ds, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_TRUE(bytes_are(self->map, self->length, PATTERN));
}

FIXTURE_TEARDOWN(read_only)
{
	const size_t total = variant->pages * page_size();

	EXPECT_TRUE(bytes_are(self->map, self->length, PATTERN));
	EXPECT_TRUE(bytes_are(self->all, total, PATTERN));
	EXPECT_EQ(O_RDONLY, fcntl(self->ds, F_GETFL) & O_ACCMODE);
}

/* rule 10 */
TEST_F(read_only, write_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_write(self->ds));
}

/* rule 10 */
TEST_F(read_only, pwrite_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_pwrite(self->ds));
}

/* rule 10 */
TEST_F(read_only, writev_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_writev(self->ds));
}

/* rule 10 */
TEST_F(read_only, splice_into_it_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_splice(self->ds));
}

/* rule 10 */
TEST_F(read_only, sendfile_into_it_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_sendfile(self->ds));
}

/* rule 10 */
TEST_F(read_only, copy_file_range_into_it_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_copy_file_range(self->ds));
}

/* rule 10 */
TEST_F(read_only, io_uring_write_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_io_uring_write(self->ds));
}

/* rules 10 and 20 */
TEST_F(read_only, ftruncate_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, door_ftruncate(self->ds));
}

/* rules 10 and 20: like any other way to write to the descriptor */
TEST_F(read_only, fallocate_is_EBADF)
{
	EXPECT_EQ(-EBADF, door_fallocate(self->ds));
}

/* rule 10 */
TEST_F(read_only, shared_writable_mappings_are_EACCES)
{
	const int shared[] = { MAP_SHARED, MAP_SHARED_VALIDATE,
			       MAP_SHARED | MAP_POPULATE };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(shared); i++) {
		EXPECT_EQ(-EACCES,
			  ds_try_map(self->ds, self->length,
				     PROT_READ | PROT_WRITE, shared[i], 0));
		EXPECT_EQ(-EACCES, ds_try_map(self->ds, self->length,
					      PROT_WRITE, shared[i], 0));
	}
}

/* rule 10 */
TEST_F(read_only, mprotect_to_write_is_EACCES)
{
	EXPECT_EQ(-EACCES, door_mprotect(self->map, self->length));
	EXPECT_EQ(-EACCES, door_mprotect(self->map, page_size()));
	EXPECT_EQ(-EACCES, door_pkey_mprotect(self->map, self->length));
}

/* rule 10 */
TEST_F(read_only, mprotect_to_write_is_EACCES_in_a_child)
{
	pid_t child = fork();

	if (!child)
		_exit(door_mprotect(self->map, self->length) != -EACCES);
	EXPECT_EQ(0, wait_for(child));
}

/* rule 10 */
TEST_F(read_only, mprotect_to_none_and_back_is_not_more)
{
	ASSERT_EQ(0, mprotect(self->map, self->length, PROT_NONE));
	EXPECT_EQ(-EACCES, door_mprotect(self->map, self->length));
	ASSERT_EQ(0, mprotect(self->map, self->length, PROT_READ));
}

/* rule 10 */
TEST_F(read_only, a_store_is_SIGSEGV)
{
	EXPECT_EQ(SIGSEGV, door_store(self->map));
	EXPECT_EQ(SIGSEGV, door_store(self->map + self->length - page_size()));
}

/* rule 10 */
TEST_F(read_only, read_into_the_mapping_is_EFAULT)
{
	EXPECT_EQ(-EFAULT, door_read_into(self->map));
}

/* rule 10 */
TEST_F(read_only, direct_read_into_the_mapping_is_EFAULT)
{
	long ret = door_direct_read_into(self->map, DISK);

	if (ret == -ENOENT)
		SKIP(return, "no disk " DISK " to read from");
	EXPECT_EQ(-EFAULT, ret);
}

/* rule 10 */
TEST_F(read_only, io_uring_read_into_the_mapping_is_EFAULT)
{
	EXPECT_EQ(-EFAULT, door_io_uring_read_into(self->map));
}

/* rule 10: kernels that refuse files altogether say EOPNOTSUPP */
TEST_F(read_only, io_uring_buffers_of_the_mapping_are_refused)
{
	long ret = door_io_uring_fixed(self->map, page_size());

	EXPECT_TRUE(ret == -EFAULT || ret == -EOPNOTSUPP);
}

/* rule 10 */
TEST_F(read_only, writing_through_proc_mem_is_EIO)
{
	EXPECT_EQ(-EIO, door_proc_mem(self->map));
}

/* rule 10 */
TEST_F(read_only, poking_by_ptrace_is_EIO)
{
	EXPECT_EQ(-EIO, door_ptrace(self->map));
}

/* rule 10 */
TEST_F(read_only, process_vm_writev_is_EFAULT)
{
	EXPECT_EQ(-EFAULT, door_process_vm_writev(self->map));
}

/* rule 10 */
TEST_F(read_only, userfaultfd_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, door_userfaultfd(self->map, self->length));
}

/* rule 10 */
TEST_F(read_only, remap_file_pages_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, door_remap_file_pages(self->map, self->length));
	EXPECT_EQ(-EINVAL, door_remap_file_pages(self->map, page_size()));
}

/* rule 10 */
TEST_F(read_only, pages_given_away_by_vmsplice_are_not_taken)
{
	EXPECT_LT(0, door_vmsplice_gift(self->map, page_size()));
}

/* rule 10: advice may be refused or not, but changes nothing */
TEST_F(read_only, no_advice_changes_a_byte)
{
	int advice;

	for (advice = 0; advice <= 25; advice++) {
		madvise(self->map, self->length, advice);
		EXPECT_TRUE(bytes_are(self->map, self->length, PATTERN))
		{
			TH_LOG("advice %d", advice);
		}
		EXPECT_EQ(SIGSEGV, door_store(self->map));
	}
}

/* rule 10 */
TEST_F(read_only, advice_that_would_write_is_refused)
{
	EXPECT_EQ(-EINVAL, result(madvise(self->map, self->length,
					  MADV_POPULATE_WRITE)));
	EXPECT_EQ(-EACCES,
		  result(madvise(self->map, self->length, MADV_REMOVE)));
	EXPECT_EQ(-EINVAL, result(madvise(self->map, self->length, MADV_FREE)));
	EXPECT_EQ(-EINVAL,
		  result(madvise(self->map, self->length, MADV_WIPEONFORK)));
}

/* rule 11: mremap neither grows a mapping nor makes a second one of it */
TEST_F(read_only, mremap_does_not_get_beyond_it)
{
	const size_t page = page_size();

	EXPECT_EQ(MAP_FAILED, mremap(self->map, self->length,
				     self->length + page, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED,
		  mremap(self->map, page, self->length + page, MREMAP_MAYMOVE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(MAP_FAILED,
		  mremap(self->map, 0, self->length, MREMAP_MAYMOVE));
}

/* rule 10: a root that was made without WRITE */
TEST(a_read_only_root_stays_zero)
{
	int ds = ds_alloc(1, RIGHTS_R, 0);
	char *map = ds_map(ds, page_size(), PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-EBADF, door_pwrite(ds));
	EXPECT_EQ(-EACCES, door_mprotect(map, page_size()));
	EXPECT_EQ(SIGSEGV, door_store(map));
	EXPECT_TRUE(bytes_are(map, page_size(), 0));
}

/* rule 10: what the doors refuse is the right, they are no walls */
TEST(the_doors_open_with_the_right_to_write)
{
	const size_t page = page_size();
	int ds = ds_alloc_pages(1);
	char *map = ds_map(ds, page, PROT_READ | PROT_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_LT(0, door_pwrite(ds));
	EXPECT_LT(0, door_write(ds));
	EXPECT_LT(0, door_writev(ds));
	EXPECT_LT(0, door_splice(ds));
	EXPECT_LT(0, door_sendfile(ds));
	EXPECT_LT(0, door_read_into(map));
	EXPECT_LT(0, door_io_uring_read_into(map));
	EXPECT_LT(0, door_io_uring_write(ds));
	EXPECT_LT(0, door_proc_mem(map));
	EXPECT_LT(0, door_process_vm_writev(map));
	EXPECT_EQ(0, door_ptrace(map));
	EXPECT_EQ(0, memcmp(map, "intruder", sizeof("intruder")));
}

static long try_prot(int ds, int prot)
{
	return ds_try_map(ds, page_size(), prot, MAP_SHARED, 0);
}

static bool is_denied(long ret)
{
	return ret == -EACCES || ret == -EPERM;
}

/* rules 10 and 12: every set of rights against every protection */
TEST(mappings_are_allowed_exactly_as_far_as_the_rights_go)
{
	const __u32 rights[] = { RIGHTS_R, RIGHTS_RW, RIGHTS_RX, RIGHTS_RWX };
	size_t i;
	int prot, ds;

	for (i = 0; i < ARRAY_LENGTH(rights); i++) {
		ds = ds_alloc(1, rights[i], 0);
		ASSERT_LE(0, ds);
		for (prot = PROT_NONE; prot <= 7; prot++) {
			const bool allowed = !(prot & ~rights[i]);

			EXPECT_EQ(allowed, try_prot(ds, prot) == 0);
			EXPECT_EQ(!allowed, is_denied(try_prot(ds, prot)))
			{
				TH_LOG("rights %u, protection %d", rights[i],
				       prot);
			}
		}
		close(ds);
	}
}

/* rules 10 and 12 */
TEST(mprotect_goes_exactly_as_far_as_the_rights_go)
{
	const __u32 rights[] = { RIGHTS_R, RIGHTS_RW, RIGHTS_RX, RIGHTS_RWX };
	size_t i;
	int prot;

	for (i = 0; i < ARRAY_LENGTH(rights); i++) {
		int ds = ds_alloc(1, rights[i], 0);
		void *map = ds_map(ds, page_size(), PROT_READ);

		ASSERT_NE(MAP_FAILED, map);
		for (prot = PROT_NONE; prot <= 7; prot++) {
			long ret = result(mprotect(map, page_size(), prot));

			EXPECT_EQ(!(prot & ~rights[i]), ret == 0);
			EXPECT_EQ(!!(prot & ~rights[i]), is_denied(ret));
		}
		munmap(map, page_size());
		close(ds);
	}
}

/* rule 12 */
TEST(private_mappings_are_not_executable_without_EXEC)
{
	const int read_exec = PROT_READ | PROT_EXEC;
	const size_t page = page_size();
	int ds = ds_alloc(1, RIGHTS_RW, 0);
	void *map;

	EXPECT_TRUE(is_denied(ds_try_map(ds, page, read_exec, MAP_PRIVATE, 0)));
	map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE, ds, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_TRUE(is_denied(result(mprotect(map, page, read_exec))));
}

/* Maps to read while the personality adds EXEC; 0 if that gained nothing. */
static int map_with_personality(int ds)
{
	const size_t page = page_size();
	void *map;

	personality(READ_IMPLIES_EXEC);
	map = ds_map(ds, page, PROT_READ);
	if (map == MAP_FAILED)
		return !is_denied(-errno);
	personality(0);
	return !is_denied(result(mprotect(map, page, PROT_READ | PROT_EXEC)));
}

/* rule 12: an old personality asks for EXEC behind the program's back */
TEST(the_personality_does_not_make_mappings_executable)
{
	int ds = ds_alloc(1, RIGHTS_RW, 0);
	pid_t child = fork();

	if (!child)
		_exit(map_with_personality(ds));
	EXPECT_EQ(0, wait_for(child));
}

/* rule 12 */
TEST(the_descriptor_cannot_be_executed)
{
	char *const arguments[] = { "x", NULL };
	int ds = ds_alloc(1, RIGHTS_RWX, 0);

	EXPECT_EQ(-EACCES, result(syscall(SYS_execveat, ds, "", arguments,
					  arguments, AT_EMPTY_PATH)));
}

#ifdef __x86_64__
/* rule 12: code put in through one alias runs through another */
TEST(with_EXEC_it_runs)
{
	/* mov $42, %eax; ret */
	const char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };
	int root = ds_alloc(1, RIGHTS_RWX, 0);
	int writer = ds_alias(root, 0, page_size(), RIGHTS_RW);
	int runner = ds_alias(root, 0, page_size(), RIGHTS_RX);
	void *map = ds_map(runner, page_size(), PROT_READ | PROT_EXEC);
	int (*function)(void);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(sizeof(code), pwrite(writer, code, sizeof(code), 0));
	memcpy(&function, &map, sizeof(function));
	EXPECT_EQ(42, function());
	EXPECT_EQ(-EACCES, door_mprotect(map, page_size()));
}
#endif

TEST_HARNESS_MAIN
