// SPDX-License-Identifier: GPL-2.0-only
/*
 * What devices can do with dma-bufs: rules 10, 14 to 18 and 23. The devices are
 * those of the module in selftests/importer.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "failpoint.h"
#include "kmod.h"
#include "pages.h"
#include "proc.h"

#define PAGES 64
/* The part that is exported. */
#define FIRST 16
#define END 48
#define COUNT (END - FIRST)

FIXTURE(importer)
{
	size_t page;
	size_t length;
	int root;
	char *map;
	/* aliases of the part, and their dma-bufs */
	int read;
	int write;
	int read_buf;
	int write_buf;
	struct pages pages;
};

FIXTURE_SETUP(importer)
{
	int ret = importer_load();

	if (ret == -ENOENT)
		SKIP(return, "there is no importer");
	ASSERT_EQ(0, ret);
	self->page = page_size();
	self->length = COUNT * self->page;
	self->root = ds_alloc_pages(PAGES);
	ASSERT_LE(0, self->root);
	self->map = ds_map(self->root, PAGES * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, PAGES, 0);
	ASSERT_EQ(0, pages_of_map(&self->pages, self->map, PAGES * self->page));
	self->read = ds_alias_pages(self->root, FIRST, END, RIGHTS_R);
	self->write = ds_alias_pages(self->root, FIRST, END, RIGHTS_RW);
	self->read_buf = ds_export(self->read, 0);
	self->write_buf = ds_export(self->write, 0);
	ASSERT_LE(0, self->read_buf);
	ASSERT_LE(0, self->write_buf);
}

static void close_all(FIXTURE_DATA(importer) * self)
{
	munmap(self->map, PAGES * self->page);
	close(self->read_buf);
	close(self->write_buf);
	close(self->read);
	close(self->write);
	close(self->root);
	self->map = MAP_FAILED;
	self->read_buf = -1;
	self->write_buf = -1;
	self->read = -1;
	self->write = -1;
	self->root = -1;
}

/* After each test all pages go back, and the importer goes. */
FIXTURE_TEARDOWN(importer)
{
	if (self->map != MAP_FAILED) {
		EXPECT_EQ(0, pattern_wrong(self->map, FIRST, 0));
		EXPECT_EQ(0, pattern_wrong(self->map + END * self->page,
					   PAGES - END, END));
		close_all(self);
	}
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	pages_forget(&self->pages);
	EXPECT_EQ(0, importer_unload());
}

/* How many pages of the part differ from the pattern. */
static size_t changed(FIXTURE_DATA(importer) * self)
{
	return pattern_wrong(self->map + FIRST * self->page, COUNT, FIRST);
}

/* rule 23 */
TEST_F(importer, has_one_segment_of_what_is_contiguous)
{
	int fd = import(self->write_buf, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(1, ioctl(fd, IMPORTER_SEGMENTS));
	EXPECT_EQ(self->length, ioctl(fd, IMPORTER_LONGEST));
	close(fd);
}

/* rule 23 */
TEST_F(importer, has_segments_as_the_device_takes_them)
{
	int fd = import(self->write_buf, IMPORTER_SHORT);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(64 << 10, ioctl(fd, IMPORTER_LONGEST));
	EXPECT_EQ((self->length + (64 << 10) - 1) / (64 << 10),
		  ioctl(fd, IMPORTER_SEGMENTS));
	close(fd);
}

/* rule 23 */
TEST_F(importer, sees_exactly_the_range)
{
	int fd = import(self->write_buf, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	ASSERT_EQ(0, import_write(fd, self->length - 64, 'd'));
	EXPECT_TRUE(bytes_are(self->map + END * self->page - 64, 64, 'd'));
	EXPECT_EQ(1, changed(self));
	memset(self->map + FIRST * self->page, 'm', 64);
	EXPECT_EQ('m', import_read(fd, 0));
	close(fd);
}

/* rules 10 and 23 */
TEST_F(importer, maps_what_is_to_be_read_to_the_device_only)
{
	int fd = import(self->read_buf, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(-EACCES, import_map(fd, FROM_DEVICE));
	EXPECT_EQ(0, import_map(fd, TO_DEVICE));
	EXPECT_EQ(0, dmabuf_sync(self->read_buf, DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, dmabuf_sync(self->read_buf,
				 DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END));
	EXPECT_EQ(0, changed(self));
	close(fd);
}

/* rule 23: also where the importer's own file may be written to */
TEST_F(importer, maps_into_no_process_what_must_not_be_written)
{
	int fd = import(self->read_buf, 0);
	char *map;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES,
		  ds_try_map(fd, self->length, READ_WRITE, MAP_SHARED, 0));
	map = ds_map(fd, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, COUNT, FIRST));
	EXPECT_EQ(-EACCES, result(mprotect(map, self->length, READ_WRITE)));
	munmap(map, self->length);
	close(fd);
}

/* rules 17 and 23 */
TEST_F(importer, maps_into_a_process_as_the_dataspace_would)
{
	int fd = import(self->write_buf, 0);
	char *map = ds_map(fd, self->length, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, COUNT, FIRST));
	EXPECT_EQ(-EINVAL, ds_try_map(fd, self->length + self->page, PROT_READ,
				      MAP_SHARED, 0));
	map[0] = 'w';
	EXPECT_EQ(1, changed(self));
	munmap(map, self->length);
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-ESTALE,
		  ds_try_map(fd, self->length, PROT_READ, MAP_SHARED, 0));
	close(fd);
}

/* rule 23: neither of what may only be read, nor where all must be cut off */
TEST_F(importer, gets_no_mapping_into_the_kernel)
{
	int revocable = ds_export(self->write, DATASPACE_EXPORT_REVOCABLE);
	int log = log_open();
	int fd = import(self->read_buf, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, result(ioctl(fd, IMPORTER_VMAP)));
	close(fd);
	fd = import(revocable, IMPORTER_TOLD);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, result(ioctl(fd, IMPORTER_VMAP)));
	close(fd);
	close(revocable);
	EXPECT_FALSE(log_has(log, "WARNING"));
	close(log);
}

/*
 * rules 15, 18 and 23; kernels before 7.3 map it for the device, too, when that is
 * attached, unless the importer can be told
 */
TEST_F(importer, maps_into_the_kernel_what_may_be_written_to)
{
	int fd = import(self->write_buf, IMPORTER_TOLD);
	__u64 devices;

	ASSERT_LE(0, fd);
	devices = ds_devices(self->root);
	ASSERT_EQ(0, result(ioctl(fd, IMPORTER_VMAP)));
	EXPECT_EQ(devices + 1, ds_devices(self->root));
	EXPECT_EQ(0, import_write(fd, self->length - IMPORT_BYTES, 'k'));
	EXPECT_EQ('k', self->map[END * self->page - 1]);
	EXPECT_EQ(1, changed(self));
	memset(self->map + FIRST * self->page, 'u', IMPORT_BYTES);
	EXPECT_EQ('u', import_read(fd, 0));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(0, result(ioctl(fd, IMPORTER_VUNMAP)));
	EXPECT_EQ(devices, ds_devices(self->root));
	close(fd);
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

/* rules 15 and 17: it stays when the dataspace is revoked, and is counted */
TEST_F(importer, keeps_and_counts_a_mapping_into_the_kernel)
{
	int fd = import(self->write_buf, IMPORTER_TOLD);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, result(ioctl(fd, IMPORTER_VMAP)));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_LE(1, ds_devices(self->root));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(0, import_write(fd, 0, 'k'));
	EXPECT_EQ('k', self->map[FIRST * self->page]);
	close(fd);
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

/* Whether a mapping into the kernel leads nowhere, and counts for nothing. */
static bool kernel_gets_nothing(int fd, int root)
{
	const __u64 devices = ds_devices(root);

	return !result(ioctl(fd, IMPORTER_VMAP)) &&
	       ds_devices(root) == devices && import_read(fd, 0) == 0 &&
	       !import_write(fd, page_size(), 'k') &&
	       import_read(fd, page_size()) == 'k' &&
	       !result(ioctl(fd, IMPORTER_VUNMAP));
}

/* rules 18 and 23: where the dma-buf was made before, without a line in the log */
TEST_F(importer, maps_nothing_into_the_kernel_that_was_sealed)
{
	int log = log_open();
	int fd = import(self->write_buf, IMPORTER_TOLD);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ds_seal(self->root, 0));
	EXPECT_TRUE(kernel_gets_nothing(fd, self->root));
	EXPECT_EQ(0, changed(self));
	close(fd);
	EXPECT_FALSE(log_has(log, "WARNING"));
	close(log);
}

/* rules 17 and 23: the same */
TEST_F(importer, maps_nothing_into_the_kernel_that_was_revoked)
{
	int log = log_open();
	int fd = import(self->write_buf, IMPORTER_TOLD);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_TRUE(kernel_gets_nothing(fd, self->root));
	EXPECT_EQ(0, changed(self));
	close(fd);
	EXPECT_FALSE(log_has(log, "WARNING"));
	close(log);
}

/* rules 18 and 23 */
TEST_F(importer, maps_what_was_sealed_to_the_device_only)
{
	int dmabuf, fd;

	ASSERT_EQ(0, ds_seal(self->root, 0));
	dmabuf = ds_export(self->write, 0);
	fd = import(dmabuf, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EACCES, import_map(fd, FROM_DEVICE));
	EXPECT_EQ(-EACCES, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(0, import_map(fd, TO_DEVICE));
	close(fd);
	close(dmabuf);
	/* this was made before; kernels before 7.3 map it both ways at once */
	fd = import(self->write_buf, 0);
	EXPECT_EQ(-EACCES, fd < 0 ? fd : import_map(fd, FROM_DEVICE));
	close(fd);
}

/* rule 18 */
TEST_F(importer, is_in_the_way_of_SEAL_NOW_while_it_maps)
{
	int fd = import(self->read_buf, 0);

	ASSERT_EQ(0, import_map(fd, TO_DEVICE));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(0, import_unmap(fd));
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
	close(fd);
}

/* rule 15 */
TEST_F(importer, counts_for_all_that_have_pages_of_it)
{
	int before = ds_alias_pages(self->root, 0, FIRST, RIGHTS_R);
	int behind = ds_alias_pages(self->root, END, PAGES, RIGHTS_R);
	int first = ds_alias_pages(self->root, 0, FIRST + 1, RIGHTS_R);
	int last = ds_alias_pages(self->root, END - 1, PAGES, RIGHTS_R);
	int fd = import(self->read_buf, 0);

	ASSERT_EQ(0, import_map(fd, TO_DEVICE));
	EXPECT_EQ(1, ds_devices(self->root));
	EXPECT_EQ(1, ds_devices(self->read));
	EXPECT_EQ(1, ds_devices(self->write));
	EXPECT_EQ(0, ds_devices(before));
	EXPECT_EQ(0, ds_devices(behind));
	EXPECT_EQ(1, ds_devices(first));
	EXPECT_EQ(1, ds_devices(last));
	EXPECT_EQ(0, import_unmap(fd));
	EXPECT_EQ(0, ds_devices(self->root));
	close(fd);
	close(before);
	close(behind);
	close(first);
	close(last);
}

/* rules 15, 17 and 23: who does not want to know goes on, and counts */
TEST_F(importer, keeps_what_it_had_when_it_is_not_told)
{
	int fd = import(self->read_buf, 0);

	ASSERT_EQ(0, import_map(fd, TO_DEVICE));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(1, ds_devices(self->root));
	EXPECT_EQ(0, ds_devices(self->read));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(0, import_unmap(fd));
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(-ESTALE, import_map(fd, TO_DEVICE));
	close(fd);
	EXPECT_EQ(-ESTALE, import(self->read_buf, 0));
	EXPECT_EQ(-ESTALE, import(self->write_buf, IMPORTER_TOLD));
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

/* rules 17 and 23 */
TEST_F(importer, is_told_of_REVOKE_once)
{
	int fd = import(self->write_buf, IMPORTER_TOLD);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(0, import_told(fd));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(1, import_told(fd));
	EXPECT_EQ(0, import_unmap(fd));
	EXPECT_EQ(-ESTALE, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(-ESTALE, import_map(fd, TO_DEVICE));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(1, import_told(fd));
	close(fd);
}

/* rules 14, 16 and 23 */
TEST_F(importer, keeps_pages_and_module_until_it_lets_go)
{
	int fd = import(self->read_buf, 0);

	ASSERT_EQ(0, import_map(fd, TO_DEVICE));
	memset(self->map + FIRST * self->page, 'k', 64);
	close_all(self);
	EXPECT_LE(COUNT, pages_wait(&self->pages, COUNT, SOON));
	EXPECT_EQ(COUNT, pages_held_in(&self->pages, FIRST, END));
	EXPECT_EQ(-EAGAIN, kmod_unload());
	EXPECT_EQ('k', import_read(fd, 0));
	close(fd);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
}

/* rules 14 and 17: pages that were revoked, too */
TEST_F(importer, keeps_pages_that_were_revoked_until_it_lets_go)
{
	int fd = import(self->read_buf, 0);

	ASSERT_EQ(0, import_map(fd, TO_DEVICE));
	ASSERT_EQ(0, ds_revoke(self->root));
	close_all(self);
	EXPECT_LE(COUNT, pages_wait(&self->pages, COUNT, SOON));
	EXPECT_EQ(COUNT, pages_held_in(&self->pages, FIRST, END));
	EXPECT_EQ(0, import_unmap(fd));
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	close(fd);
}

/* Seconds that REVOKE takes, which must succeed. */
static double revoke_seconds(int ds)
{
	const double begun = seconds();

	return ds_revoke(ds) ? -1 : seconds() - begun;
}

/* rules 17 and 23: it is given a second for what it has queued, and no more */
TEST_F(importer, is_waited_for_a_second_if_it_never_ends)
{
	int fd = import(self->write_buf, IMPORTER_TOLD);
	double took;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	ASSERT_EQ(0, ioctl(fd, IMPORTER_QUEUE));
	took = revoke_seconds(self->root);
	TH_LOG("REVOKE %.0f ms", took * 1e3);
	EXPECT_LT(0.9, took);
	EXPECT_GT(STUCK, took);
	EXPECT_EQ(1, import_told(fd));
	EXPECT_TRUE(ds_ready(self->root));
	EXPECT_EQ(-ESTALE, import(self->read_buf, 0));
	close(fd);
}

/* Does something with @fd a moment later; a process to wait for. */
static pid_t soon(int fd, unsigned int request)
{
	pid_t child = fork();

	if (child)
		return child;
	usleep(300000);
	_exit(ioctl(fd, request) != 0);
}

/* rules 17 and 23 */
TEST_F(importer, is_waited_for_until_what_it_has_queued_is_done)
{
	int fd = import(self->write_buf, IMPORTER_TOLD);
	pid_t child;
	double took;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, IMPORTER_QUEUE));
	child = soon(fd, IMPORTER_SIGNAL);
	took = revoke_seconds(self->root);
	EXPECT_LT(0.2, took);
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(-ENOENT, result(ioctl(fd, IMPORTER_SIGNAL)));
	close(fd);
}

/* rules 14 and 17: who closes it meanwhile need not wait so long */
TEST_F(importer, ends_what_it_has_queued_by_closing_it)
{
	int fd = import(self->read_buf, 0);
	pid_t child;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, IMPORTER_QUEUE));
	child = soon(fd, IMPORTER_DETACH);
	EXPECT_LE(0, revoke_seconds(self->root));
	EXPECT_EQ(0, wait_for(child));
	EXPECT_TRUE(ds_ready(self->root));
	close(fd);
}

static void *revoke_in_thread(void *ds)
{
	return (void *)(long)ds_revoke((long)ds);
}

/* rules 14 and 17: also if nobody has the dma-buf any more after that */
TEST_F(importer, ends_what_it_has_queued_by_closing_the_dmabuf)
{
	int dmabuf = ds_export(self->write, 0);
	int fd = import(dmabuf, 0);
	pthread_t revoker;
	void *ret;
	double took;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, IMPORTER_QUEUE));
	close(dmabuf);
	ASSERT_EQ(0, pthread_create(&revoker, NULL, revoke_in_thread,
				    (void *)(long)self->root));
	usleep(300000);
	took = seconds();
	close(fd);
	took = seconds() - took;
	pthread_join(revoker, &ret);
	EXPECT_EQ(NULL, ret);
	EXPECT_GT(SOON, took);
	EXPECT_TRUE(ds_ready(self->root));
}

/* Holds the reservation lock of a dma-buf until it is killed; it does when this returns. */
static pid_t hold(int fd)
{
	pid_t child = fork();

	if (child) {
		usleep(200000);
		return child;
	}
	_exit(ioctl(fd, IMPORTER_HOLD, 60000) != 0);
}

/* rule 17: that can be killed, and comes to its end when the lock is there */
TEST_F(importer, holds_up_who_revokes_from_it_by_its_lock)
{
	int fd = import(self->write_buf, IMPORTER_TOLD);
	pid_t holder, revoker;
	int status;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	holder = hold(fd);
	revoker = fork();
	if (!revoker)
		_exit(ds_revoke(self->root) != 0);
	usleep(500000);
	EXPECT_EQ(0, waitpid(revoker, &status, WNOHANG));
	kill(revoker, SIGKILL);
	EXPECT_EQ(SIGKILL, wait_for(revoker));
	EXPECT_EQ(-ESTALE, ds_try_map(self->write, self->length, PROT_READ,
				      MAP_SHARED, 0));
	kill(holder, SIGKILL);
	EXPECT_EQ(SIGKILL, wait_for(holder));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(1, import_told(fd));
	close(fd);
}

#define HOLDERS 300

static void *hold_in_thread(void *fd)
{
	ioctl((long)fd, IMPORTER_HOLD, 60000);
	return NULL;
}

/* As many dma-bufs of @ds, each with an importer that does not let go of its lock. */
static int hold_many(int ds, int ready)
{
	pthread_attr_t small;
	pthread_t thread;
	int i;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (i = 0; i < HOLDERS; i++) {
		const int dmabuf = ds_export(ds, 0);
		const long fd = import(dmabuf, 0);

		close(dmabuf);
		if (fd < 0 ||
		    pthread_create(&thread, &small, hold_in_thread, (void *)fd))
			return 1;
	}
	sleep(1);
	write(ready, "", 1);
	pause();
	return 0;
}

/* Seconds that it takes to revoke a page that a device has been given. */
static double revoke_other(void)
{
	int root = ds_alloc_pages(1);
	int ds = ds_alias_pages(root, 0, 1, RIGHTS_RW);
	int dmabuf = ds_export(ds, 0);
	int fd = import(dmabuf, 0);
	double took = import_map(fd, TO_DEVICE) ? -1 : revoke_seconds(root);

	close(fd);
	close(dmabuf);
	close(ds);
	close(root);
	return took;
}

/* rule 25: neither who revokes something else, nor who closes a part of the same */
TEST_F(importer, holds_up_nobody_else_by_its_locks)
{
	const double alone = revoke_other();
	double begun, took;
	pid_t holder, revoker;
	int ready[2];
	char byte;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, allow_fds(2 * HOLDERS));
	holder = fork();
	if (!holder)
		_exit(hold_many(self->read, ready[1]));
	close(ready[1]);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	revoker = fork();
	if (!revoker)
		_exit(ds_revoke(self->root) != 0);
	usleep(300000);
	took = revoke_other();
	begun = seconds();
	close(ds_alias_pages(self->root, 0, 1, RIGHTS_R));
	begun = seconds() - begun;
	printf("# REVOKE %.1f ms, beside %d locks %.1f ms, alias+close %.1f ms\n",
	       alone * 1e3, HOLDERS, took * 1e3, begun * 1e3);
	EXPECT_LT(0, took);
	EXPECT_GT(10 * alone + 1, took);
	EXPECT_GT(0.5, begun);
	kill(holder, SIGKILL);
	EXPECT_EQ(SIGKILL, wait_for(holder));
	EXPECT_EQ(0, wait_for(revoker));
	close(ready[0]);
}

/* rules 14 and 16: nobody detaches, as a driver that forgets it would */
TEST_F(importer, may_stay_attached_to_what_all_have_closed)
{
	int one = import(self->read_buf, 0);
	int other = import(self->write_buf, IMPORTER_TOLD);

	ASSERT_LE(0, one);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, ds_revoke(self->root));
	close_all(self);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	EXPECT_EQ(-EAGAIN, kmod_unload());
	EXPECT_EQ(-ESTALE, import_map(one, TO_DEVICE));
	EXPECT_EQ(-ESTALE, import_map(other, TO_DEVICE));
	close(one);
	EXPECT_EQ(-EAGAIN, kmod_unload());
	close(other);
	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	EXPECT_EQ(0, kmod_unload_soon());
	EXPECT_EQ(0, kmod_load(""));
}

/* rule 23: a driver that makes mistakes harms nobody else */
TEST_F(importer, may_unmap_what_is_not_mapped)
{
	int fd = import(self->read_buf, 0);

	ASSERT_EQ(0, import_map(fd, TO_DEVICE));
	EXPECT_EQ(0, ioctl(fd, IMPORTER_UNMAP_WRONG));
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
	close(fd);
}

/* rule 23 */
TEST_F(importer, must_be_told_if_that_is_asked_for)
{
	int dmabuf = ds_export(self->write, DATASPACE_EXPORT_REVOCABLE);
	int fd;

	ASSERT_LE(0, dmabuf);
	EXPECT_EQ(-EOPNOTSUPP, import(dmabuf, 0));
	fd = import(dmabuf, IMPORTER_TOLD);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(1, import_told(fd));
	close(fd);
	close(dmabuf);
}

/* Attaches, maps and detaches until the dma-buf is revoked. */
static int use_until_revoked(int dmabuf, __u32 flags)
{
	int fd, ret;

	do {
		fd = import(dmabuf, flags);
		ret = fd < 0 ? fd : import_map(fd, BOTH_WAYS);
		close(fd);
	} while (!ret);
	return ret;
}

static void revoke_while_in_use(struct __test_metadata *_metadata, int root,
				__u32 flags, int wait)
{
	int grant = ds_alias_pages(root, FIRST, END, RIGHTS_RW);
	int ds = ds_alias_pages(grant, 0, COUNT, RIGHTS_RW);
	int dmabuf = ds_export(ds, 0);
	pid_t child = fork();

	ASSERT_LE(0, child);
	if (!child)
		_exit(use_until_revoked(dmabuf, flags) != -ESTALE);
	close(ds);
	close(dmabuf);
	usleep(wait);
	EXPECT_EQ(0, ds_revoke(grant));
	EXPECT_TRUE(ds_ready(grant));
	EXPECT_EQ(0, wait_for(child));
	EXPECT_EQ(0, ds_devices(grant));
	close(grant);
}

/* rules 17 and 23 */
TEST_F(importer, may_be_at_work_when_REVOKE_comes)
{
	int round;

	for (round = 0; round < 20; round++) {
		const int wait = 500 * round;

		revoke_while_in_use(_metadata, self->root, 0, wait);
		revoke_while_in_use(_metadata, self->root, IMPORTER_TOLD, wait);
		revoke_while_in_use(_metadata, self->root,
				    IMPORTER_EDU | IMPORTER_TOLD, wait);
	}
}

/* A device that accesses memory by itself, behind an IOMMU. */
static int import_edu(int dmabuf)
{
	return import(dmabuf, IMPORTER_EDU);
}

/* rule 23: its addresses have 28 bits, that is 256 MiB; then nothing has changed */
TEST_F(importer, of_more_than_its_addresses_allow_is_ENOMEM)
{
	int ds = ds_alloc(64 * MEG, RIGHTS_R, DATASPACE_ALLOC_SCATTERED);
	int dmabuf = ds_export(ds, 0);
	int count = 0;
	int fds[5];
	int ret, i;

	ASSERT_LE(0, dmabuf);
	for (i = 0; i < ARRAY_LENGTH(fds); i++)
		fds[i] = import_edu(dmabuf);
	if (fds[0] == -ENODEV)
		SKIP(return, "there is no such device");
	do {
		ret = import_map(fds[count], TO_DEVICE);
	} while (!ret && ++count < ARRAY_LENGTH(fds));
	EXPECT_EQ(-ENOMEM, ret);
	ASSERT_LT(0, count);
	EXPECT_EQ(count, ds_devices(ds));
	EXPECT_EQ(0, import_unmap(fds[0]));
	/* the kernel gives addresses back when it flushes the TLB of the IOMMU */
	for (i = 0; i < 1000 && ret == -ENOMEM; i++) {
		usleep(1000);
		ret = import_map(fds[count], TO_DEVICE);
	}
	EXPECT_EQ(0, ret);
	for (i = 0; i < ARRAY_LENGTH(fds); i++)
		close(fds[i]);
	EXPECT_EQ(0, ds_devices(ds));
	close(dmabuf);
	close(ds);
}

/* rules 21 and 23 */
TEST_F(importer, accesses_memory_by_itself)
{
	int fd = import_edu(self->write_buf);

	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	ASSERT_EQ(0, import_write(fd, self->page, 'e'));
	EXPECT_TRUE(bytes_are(self->map + (FIRST + 1) * self->page, 64, 'e'));
	EXPECT_EQ(1, changed(self));
	EXPECT_EQ('e', import_read(fd, self->page));
	close(fd);
}

/* The IOMMU reports it by an interrupt. */
static bool log_has_soon(int log, const char *text)
{
	int tries;

	for (tries = 0; tries < 50; tries++) {
		if (log_has(log, text))
			return true;
		usleep(100000);
	}
	return false;
}

/*
 * rules 10 and 23: the device is told to write all the same. The emulated IOMMU
 * reports nothing for a page that it has looked up for reading before.
 */
TEST_F(importer, is_kept_from_writing_by_the_IOMMU)
{
	int log = log_open();
	int fd = import_edu(self->read_buf);

	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, TO_DEVICE));
	EXPECT_EQ(0, import_write(fd, self->page, 'e'));
	EXPECT_EQ(0, changed(self));
	memset(self->map + (FIRST + 1) * self->page, 'm', 64);
	EXPECT_EQ('m', import_read(fd, self->page));
	EXPECT_EQ(0, import_write(fd, self->page, 'e'));
	EXPECT_TRUE(bytes_are(self->map + (FIRST + 1) * self->page, 64, 'm'));
	EXPECT_TRUE(log_has_soon(log, "PTE Write access is not set"));
	close(fd);
	close(log);
}

/* rules 17 and 23 */
TEST_F(importer, is_cut_off_by_the_IOMMU)
{
	int fd = import_edu(self->write_buf);

	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	ASSERT_EQ(1, ds_devices(self->root));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, import_write(fd, self->page, 'e'));
	EXPECT_EQ(0, changed(self));
	memset(self->map + (FIRST + 2) * self->page, 's', 64);
	EXPECT_NE('s', import_read(fd, 2 * self->page));
	EXPECT_EQ(0, import_unmap(fd));
	close(fd);
}

/*
 * All bits are set of most of the memory that is free, if the kernel leaves it so, or of
 * what a large machine will use next.
 */
static bool fill_free_memory(void)
{
	size_t most = free_memory() / 4 * 3;
	size_t length = most < 1024 * MEG ? most : 1024 * MEG;
	char *map = mmap(NULL, length, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (map == MAP_FAILED)
		return false;
	memset(map, 0xff, length);
	return !munmap(map, length);
}

/* How many devices get at a new root when it was revoked. */
static int devices_after_revoke(int root)
{
	int ds = ds_alias_pages(root, 0, 1, RIGHTS_RW);
	int dmabuf = ds_export(ds, 0);
	int fd = import_edu(dmabuf);
	int devices = -1;

	if (fd >= 0 && !import_map(fd, BOTH_WAYS) && ds_devices(root) == 1 &&
	    !ds_revoke(root))
		devices = ds_devices(root);
	close(fd);
	close(dmabuf);
	close(ds);
	return devices;
}

/*
 * rules 17 and 23: whatever was in the memory of the kernel's own records before; there
 * are so many roots that most have new memory
 */
TEST_F(importer, is_cut_off_if_all_free_memory_has_been_used_before)
{
	int fd = import_edu(self->write_buf);
	int roots[512];
	size_t i;

	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	close(fd);
	ASSERT_EQ(0, allow_fds(ARRAY_LENGTH(roots)));
	ASSERT_TRUE(fill_free_memory());
	for (i = 0; i < ARRAY_LENGTH(roots); i++) {
		roots[i] = ds_alloc_pages(1);
		ASSERT_LE(0, roots[i]);
		ASSERT_EQ(0, devices_after_revoke(roots[i]));
	}
	for (i = 0; i < ARRAY_LENGTH(roots); i++)
		close(roots[i]);
}

/* rule 23 */
TEST_F(importer, may_be_cut_off_instead_of_told)
{
	int dmabuf = ds_export(self->write, DATASPACE_EXPORT_REVOCABLE);
	int fd = import_edu(dmabuf);

	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, import_write(fd, self->page, 'e'));
	EXPECT_EQ(0, changed(self));
	close(fd);
	close(dmabuf);
}

/* What the IOMMU maps by pages of 2 MiB for "edu". */
FIXTURE(large)
{
	size_t length;
	size_t pages;
	int root;
	int ds;
	int dmabuf;
	char *map;
};

FIXTURE_SETUP(large)
{
	int ret = importer_load();

	if (ret == -ENOENT)
		SKIP(return, "there is no importer");
	ASSERT_EQ(0, ret);
	self->length = 4 * MEG;
	self->pages = self->length / page_size();
	self->root = ds_alloc(self->length, RIGHTS_RW, 0);
	self->ds = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	self->dmabuf = ds_export(self->ds, 0);
	self->map = ds_map(self->root, self->length, READ_WRITE);
	ASSERT_LE(0, self->dmabuf);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, self->pages, 0);
}

FIXTURE_TEARDOWN(large)
{
	munmap(self->map, self->length);
	close(self->dmabuf);
	close(self->ds);
	close(self->root);
	EXPECT_EQ(0, importer_unload());
}

/* rules 17 and 23: also if it is given to the device in segments that end within them */
TEST_F(large, is_cut_off_whatever_the_segments_are)
{
	int fd = import(self->dmabuf, IMPORTER_EDU | IMPORTER_SHORT);

	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	EXPECT_EQ(60 << 10, ioctl(fd, IMPORTER_LONGEST));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
	EXPECT_EQ(0, import_write(fd, 0, 'e'));
	EXPECT_EQ(0, import_write(fd, 2 * MEG, 'e'));
	EXPECT_EQ(0, import_write(fd, 2 * MEG + (64 << 10), 'e'));
	EXPECT_EQ(0, import_write(fd, self->length - page_size(), 'e'));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
	EXPECT_EQ(0, import_unmap(fd));
	close(fd);
}

/*
 * rules 17 and 23: between two segments the kernel has mapped what follows the first
 * one in memory
 */
TEST_F(large, is_cut_off_from_what_lies_between_segments)
{
	const size_t segment = 60 << 10;
	const size_t last = segment - page_size();
	int fd = import(self->dmabuf, IMPORTER_EDU | IMPORTER_SHORT);

	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	memset(self->map + segment, 's', 64);
	ASSERT_EQ('s', import_read_behind(fd, last, page_size()));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_NE('s', import_read_behind(fd, last, page_size()));
	EXPECT_EQ(0, import_unmap(fd));
	close(fd);
}

/*
 * rules 17 and 23: it takes memory to make each page of the range lead to the same
 * one, but REVOKE does not fail
 */
TEST_F(large, is_cut_off_though_the_kernel_is_out_of_memory)
{
	long long level;
	int fd;

	if (!failpoint_possible())
		SKIP(return, "no failures in this kernel");
	fd = import_edu(self->dmabuf);
	if (fd == -ENODEV)
		SKIP(return, "there is no such device");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, import_map(fd, BOTH_WAYS));
	level = failpoint_hush();
	EXPECT_EQ(0, failpoint_starve_kernel(true));
	EXPECT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, failpoint_starve_kernel(false));
	failpoint_speak(level);
	EXPECT_EQ(0, ds_devices(self->root));
	EXPECT_EQ(0, import_write(fd, page_size(), 'e'));
	EXPECT_EQ('e', import_read(fd, self->length - page_size()));
	EXPECT_EQ(0, pattern_wrong(self->map, self->pages, 0));
	EXPECT_EQ(0, import_unmap(fd));
	close(fd);
}

TEST_HARNESS_MAIN
