// SPDX-License-Identifier: GPL-2.0-only
/* get_user_pages() works on mappings of a dataspace: rule 21. */
#include <kselftest_harness.h>

#include <linux/futex.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "common.h"
#include "disk.h"
#include "pages.h"
#include "uring.h"

FIXTURE(gup)
{
	size_t page;
	size_t length;
	int root;
	char *map;
	/* an alias of the same pages with only the right to read */
	int ds;
	char *view;
};

FIXTURE_VARIANT(gup)
{
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(gup, pages) {
	.pages = 16,
};

FIXTURE_VARIANT_ADD(gup, huge) {
	.pages = 1024,
};

/* clang-format on */

FIXTURE_SETUP(gup)
{
	self->page = page_size();
	self->length = variant->pages * self->page;
	self->root = ds_alloc_pages(variant->pages);
	ASSERT_LE(0, self->root);
	self->map = ds_map(self->root, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, variant->pages, 0);
	self->ds = ds_alias(self->root, 0, self->length, RIGHTS_R);
	self->view = ds_map(self->ds, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->view);
}

/* After each test all pages go back, also those that were pinned. */
FIXTURE_TEARDOWN(gup)
{
	struct pages pages;

	ASSERT_EQ(0, pages_of_map(&pages, self->view, self->length));
	munmap(self->map, self->length);
	munmap(self->view, self->length);
	close(self->root);
	close(self->ds);
	EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
	pages_forget(&pages);
}

/* rule 21 */
TEST_F(gup, vmsplice_shows_the_pages_themselves)
{
	struct iovec iov = { self->view + self->page, self->page };
	char *seen = malloc(self->page);
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(self->page, vmsplice(ends[1], &iov, 1, 0));
	pattern_write(self->map + self->page, 1, 1000);
	EXPECT_EQ(self->page, read(ends[0], seen, self->page));
	EXPECT_EQ(0, pattern_wrong(seen, 1, 1000));
	close(ends[0]);
	close(ends[1]);
	free(seen);
}

/* rule 21: from and to mappings of another process */
TEST_F(gup, process_vm_readv_and_writev_work)
{
	struct iovec here = { malloc(self->length), self->length };
	struct iovec there = { self->map, self->length };
	struct iovec view = { self->view, self->length };
	int ends[2];
	pid_t child;
	char byte;

	ASSERT_EQ(0, pipe(ends));
	child = fork();
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1));
	}
	EXPECT_EQ(self->length, process_vm_readv(child, &here, 1, &view, 1, 0));
	EXPECT_EQ(0, pattern_wrong(here.iov_base, variant->pages, 0));
	pattern_write(here.iov_base, variant->pages, 1000);
	EXPECT_EQ(self->length,
		  process_vm_writev(child, &here, 1, &there, 1, 0));
	EXPECT_EQ(0, pattern_wrong(self->view, variant->pages, 1000));
	close(ends[1]);
	EXPECT_EQ(0, wait_for(child));
	close(ends[0]);
	free(here.iov_base);
}

/* rule 21 */
TEST_F(gup, proc_mem_reads_and_writes)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char *buffer = malloc(self->page);

	EXPECT_EQ(self->page, pread(mem, buffer, self->page,
				    (uintptr_t)self->view + self->page));
	EXPECT_EQ(0, pattern_wrong(buffer, 1, 1));
	pattern_write(buffer, 1, 1000);
	EXPECT_EQ(self->page,
		  pwrite(mem, buffer, self->page, (uintptr_t)self->map));
	EXPECT_EQ(0, pattern_wrong(self->view, 1, 1000));
	close(mem);
	free(buffer);
}

static long futex(void *word, int op, int value, const struct timespec *timeout)
{
	return result(syscall(SYS_futex, word, op, value, timeout, NULL, 0));
}

/* rule 21 */
TEST_F(gup, a_futex_that_does_not_match_is_EAGAIN)
{
	*(int *)self->map = 1;
	EXPECT_EQ(-EAGAIN, futex(self->map, FUTEX_WAIT, 0, NULL));
	EXPECT_EQ(-EAGAIN, futex(self->view, FUTEX_WAIT, 0, NULL));
	EXPECT_EQ(0, futex(self->map, FUTEX_WAKE, 1, NULL));
}

/* Waits for the futex at @at of a new mapping; 0 if woken up. */
static int wait_in_child(int ds, size_t length, size_t at)
{
	const struct timespec timeout = { .tv_sec = 20 };
	char *map = ds_map(ds, length, PROT_READ);

	if (map == MAP_FAILED)
		return 2;
	return futex(map + at, FUTEX_WAIT, 0, &timeout) != 0;
}

/* rule 21: one of the processes maps the page through an alias */
TEST_F(gup, a_futex_is_shared_between_processes_and_aliases)
{
	const size_t at = self->length - self->page;
	int alias =
		ds_alias(self->root, at - self->page, 2 * self->page, RIGHTS_R);
	int *word = (int *)(self->map + at + 64);
	pid_t child;
	double end;

	ASSERT_LE(0, alias);
	child = fork();
	if (!child)
		_exit(wait_in_child(alias, 2 * self->page, self->page + 64));
	for (end = seconds() + 15; seconds() < end; usleep(10000)) {
		if (futex(word, FUTEX_WAKE, 1, NULL) == 1)
			break;
	}
	EXPECT_EQ(0, wait_for(child));
	close(alias);
}

#define TURNS 2000

static void take_turns(pthread_mutex_t *mutex, int *count)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		pthread_mutex_lock(mutex);
		(*count)++;
		pthread_mutex_unlock(mutex);
	}
}

/* rule 21 */
TEST_F(gup, a_shared_mutex_works_in_it)
{
	pthread_mutex_t *mutex = (pthread_mutex_t *)self->map;
	int *count = (int *)(self->map + 256);
	pthread_mutexattr_t shared;
	pid_t child;

	*count = 0;
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	ASSERT_EQ(0, pthread_mutex_init(mutex, &shared));
	child = fork();
	take_turns(mutex, count);
	if (!child)
		_exit(0);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(2 * TURNS, *count);
}

/* rule 21: from the read-only mapping, and to the writable one */
TEST_F(gup, direct_io_goes_out_of_it_and_into_it)
{
	int disk = disk_open();

	if (disk < 0)
		SKIP(return, "no blank disk " DISK " for direct I/O");
	EXPECT_EQ(self->length, pwrite(disk, self->view, self->length, 0));
	pattern_write(self->map, variant->pages, 1000);
	EXPECT_EQ(self->length, pread(disk, self->map, self->length, 0));
	EXPECT_EQ(0, pattern_wrong(self->view, variant->pages, 0));
	EXPECT_EQ(0, disk_close(disk, self->length));
}

/* rule 21: the buffer ends within a page */
TEST_F(gup, direct_io_of_a_part_leaves_the_rest)
{
	int disk = disk_open();

	if (disk < 0)
		SKIP(return, "no blank disk " DISK " for direct I/O");
	EXPECT_EQ(self->page, pwrite(disk, self->view, self->page, 0));
	memset(self->map, 'r', self->length);
	EXPECT_EQ(512, pread(disk, self->map + self->page + 512, 512, 0));
	EXPECT_TRUE(bytes_are(self->map, self->page + 512, 'r'));
	EXPECT_FALSE(bytes_are(self->map + self->page + 512, 512, 'r'));
	EXPECT_TRUE(bytes_are(self->map + self->page + 1024,
			      self->length - self->page - 1024, 'r'));
	EXPECT_EQ(0, disk_close(disk, self->page));
}

/* rule 21: with buffers that are not registered */
TEST_F(gup, io_uring_transfers)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	struct uring uring;

	ASSERT_EQ(0, uring_open(&uring));
	EXPECT_EQ(self->page, uring_transfer(&uring, IORING_OP_WRITE, file,
					     self->view, self->page));
	pattern_write(self->map, 1, 1000);
	EXPECT_EQ(self->page, uring_transfer(&uring, IORING_OP_READ, file,
					     self->map, self->page));
	EXPECT_EQ(0, pattern_wrong(self->view, 1, 0));
	uring_close(&uring);
	close(file);
}

/* rule 21: where the kernel registers buffers in files at all */
TEST_F(gup, io_uring_registers_its_buffers)
{
	int file = memfd_create("file", MFD_CLOEXEC);
	struct uring uring;
	int ret;

	ASSERT_EQ(0, uring_open(&uring));
	ret = uring_register(&uring, self->map, self->length);
	if (ret == -EOPNOTSUPP) {
		uring_close(&uring);
		close(file);
		SKIP(return, "this kernel registers no buffers of files");
	}
	ASSERT_EQ(0, ret);
	EXPECT_EQ(self->length, uring_transfer(&uring, IORING_OP_WRITE_FIXED,
					       file, self->map, self->length));
	pattern_write(self->map, variant->pages, 1000);
	EXPECT_EQ(self->length, uring_transfer(&uring, IORING_OP_READ_FIXED,
					       file, self->map, self->length));
	EXPECT_EQ(0, pattern_wrong(self->view, variant->pages, 0));
	EXPECT_EQ(0, uring_unregister(&uring));
	uring_close(&uring);
	close(file);
}

static int drop_all_but_registered(FIXTURE_DATA(gup) * self,
				   struct pages *pages)
{
	int ret = pages_of_map(pages, self->map, self->length);

	munmap(self->map, self->length);
	munmap(self->view, self->length);
	close(self->root);
	close(self->ds);
	return ret;
}

/* rules 14 and 21: registered buffers are pinned until they are unregistered */
TEST_F(gup, registered_buffers_go_back_after_they_are_unregistered)
{
	const size_t part = 4 * self->page;
	struct pages pages;
	struct uring uring;
	int ret;

	ASSERT_EQ(0, uring_open(&uring));
	ret = uring_register(&uring, self->map + part, part);
	if (ret == -EOPNOTSUPP) {
		uring_close(&uring);
		SKIP(return, "this kernel registers no buffers of files");
	}
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, drop_all_but_registered(self, &pages));
	EXPECT_EQ(4, pages_held_in(&pages, 4, 8));
	EXPECT_EQ(0, uring_unregister(&uring));
	uring_close(&uring);
	EXPECT_EQ(0, pages_wait(&pages, 0, SOON));
	pages_forget(&pages);
	/* for the teardown */
	self->root = ds_alloc(self->length, RIGHTS_R, 0);
	self->ds = dup(self->root);
	self->map = ds_map(self->root, self->length, PROT_READ);
	self->view = ds_map(self->ds, self->length, PROT_READ);
}

/* rule 21 */
TEST_F(gup, debuggers_peek_and_poke)
{
	pid_t child = fork();
	long seen;

	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	seen = ptrace(PTRACE_PEEKDATA, child, self->view, NULL);
	EXPECT_EQ(0, memcmp(&seen, self->map, sizeof(seen)));
	EXPECT_EQ(0, ptrace(PTRACE_POKEDATA, child, self->map, (void *)77L));
	EXPECT_EQ(77, *(long *)self->view);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TEST_HARNESS_MAIN
