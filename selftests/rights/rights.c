// SPDX-License-Identifier: GPL-2.0-only
/*
 * What rights a dataspace has, and what they allow: rules 10 and 12. That no
 * access gets around them is shown by access.c.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "common.h"
#include "access.h"

/* rule 10: a root that was made without WRITE */
TEST(a_read_only_root_stays_zero)
{
	int ds = ds_alloc(1, RIGHTS_R, 0);
	char *map = ds_map(ds, page_size(), PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(-EBADF, access_pwrite(ds));
	EXPECT_EQ(-EACCES, access_mprotect(map, page_size()));
	EXPECT_EQ(SIGSEGV, access_store(map));
	EXPECT_TRUE(bytes_are(map, page_size(), 0));
}

/* rule 10: the same accesses work with WRITE, so the right is what they lack */
TEST(every_access_works_with_WRITE)
{
	const size_t page = page_size();
	int ds = ds_alloc_pages(1);
	char *map = ds_map(ds, page, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_LT(0, access_pwrite(ds));
	EXPECT_LT(0, access_write(ds));
	EXPECT_LT(0, access_writev(ds));
	EXPECT_LT(0, access_aio_write(ds));
	EXPECT_LT(0, access_dup(ds));
	EXPECT_LT(0, access_splice(ds));
	EXPECT_LT(0, access_sendfile(ds));
	EXPECT_LT(0, access_read_into(map));
	EXPECT_LT(0, access_readv_into(map));
	EXPECT_LT(0, access_receive_into(map));
	EXPECT_LT(0, access_vmsplice_into(map));
	EXPECT_LT(0, access_aio_read_into(map));
	EXPECT_LT(0, access_io_uring_read_into(map));
	EXPECT_LT(0, access_io_uring_write(ds));
	EXPECT_LT(0, access_proc_mem(map));
	EXPECT_LT(0, access_process_vm_writev(map));
	EXPECT_EQ(0, access_ptrace(map));
	EXPECT_EQ(0, access_store(map));
	EXPECT_EQ(0, access_mprotect(map, page));
	EXPECT_EQ(0, access_map_shared(ds));
	EXPECT_EQ(0, memcmp(map, "payload", sizeof("payload")));
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
	map = mmap(NULL, page, READ_WRITE, MAP_PRIVATE, ds, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_TRUE(is_denied(result(mprotect(map, page, read_exec))));
}

/* Maps to read with a personality that adds EXEC; 0 if that gained nothing. */
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

/* rule 12: READ_IMPLIES_EXEC adds EXEC to what the program asks for */
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

#if defined(__x86_64__)
/* mov $42, %eax; ret */
static const unsigned char code_42[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
static const unsigned char code_43[] = { 0xb8, 43, 0, 0, 0, 0xc3 };
#elif defined(__aarch64__)
/* mov w0, #42; ret */
static const __u32 code_42[] = { 0x52800000 | 42 << 5, 0xd65f03c0 };
static const __u32 code_43[] = { 0x52800000 | 43 << 5, 0xd65f03c0 };
#else
#define NO_CODE
#endif

#ifndef NO_CODE
static int call(void *map)
{
	int (*function)(void);

	memcpy(&function, &map, sizeof(function));
	return function();
}

/* rule 12: code put in through one alias runs through another */
TEST(with_EXEC_it_runs)
{
	int root = ds_alloc(1, RIGHTS_RWX, 0);
	int writer = ds_alias(root, 0, page_size(), RIGHTS_RW);
	int runner = ds_alias(root, 0, page_size(), RIGHTS_RX);
	void *map;

	EXPECT_EQ(sizeof(code_42),
		  result(pwrite(writer, code_42, sizeof(code_42), 0)));
	map = ds_map(runner, page_size(), PROT_READ | PROT_EXEC);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(42, call(map));
	EXPECT_EQ(-EACCES, access_mprotect(map, page_size()));
}

/* rules 12 and 20: code that was written in place of other code runs */
TEST(what_is_mapped_after_a_write_runs_as_written)
{
	const size_t length = huge_size();
	int root = ds_alloc(length, RIGHTS_RWX, 0);
	off_t at = length - page_size();
	char *map = ds_map(root, length, PROT_READ | PROT_EXEC);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(sizeof(code_42),
		  result(pwrite(root, code_42, sizeof(code_42), at)));
	EXPECT_EQ(42, call(map + at));
	EXPECT_EQ(0, munmap(map, length));
	EXPECT_EQ(sizeof(code_43),
		  result(pwrite(root, code_43, sizeof(code_43), at)));
	map = ds_map(root, length, PROT_READ | PROT_EXEC);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(43, call(map + at));
}
#endif

TEST_HARNESS_MAIN
