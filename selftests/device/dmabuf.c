// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs, as their holder sees them: rules 10, 12 to 19, 23 and 24. What devices
 * do with them is in importer.c.
 */
#include <kselftest_harness.h>

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "fdpass.h"
#include "kmod.h"
#include "lazy.h"
#include "pages.h"
#include "proc.h"
#include "sigbus.h"

#define PAGES 16
/* The part that is exported. */
#define FIRST 4
#define END 8
#define COUNT (END - FIRST)

FIXTURE(dmabuf)
{
	size_t page;
	size_t length;
	int root;
	char *map;
	int ds;
	int dmabuf;
	struct pages pages;
};

FIXTURE_VARIANT(dmabuf)
{
	__u32 rights;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(dmabuf, read) {
	.rights = RIGHTS_R,
};

FIXTURE_VARIANT_ADD(dmabuf, write) {
	.rights = RIGHTS_RW,
};

/* clang-format on */

FIXTURE_SETUP(dmabuf)
{
	self->page = page_size();
	self->length = COUNT * self->page;
	self->root = ds_alloc_pages(PAGES);
	ASSERT_LE(0, self->root);
	self->map = ds_map(self->root, PAGES * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, PAGES, 0);
	ASSERT_EQ(0, pages_of_map(&self->pages, self->map, PAGES * self->page));
	self->ds = ds_alias_pages(self->root, FIRST, END, variant->rights);
	ASSERT_LE(0, self->ds);
	self->dmabuf = ds_export(self->ds, 0);
	if (self->dmabuf == -ENOTTY)
		SKIP(return, "the kernel has no dma-bufs");
	ASSERT_LE(0, self->dmabuf);
	sigbus_init();
}

/* After each test all pages go back, and nothing but the part was changed. */
FIXTURE_TEARDOWN(dmabuf)
{
	EXPECT_EQ(0, pattern_wrong(self->map, FIRST, 0));
	EXPECT_EQ(0, pattern_wrong(self->map + END * self->page, PAGES - END,
				   END));
	munmap(self->map, PAGES * self->page);
	close(self->dmabuf);
	close(self->ds);
	close(self->root);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	pages_forget(&self->pages);
}

static bool can_write(const FIXTURE_VARIANT(dmabuf) * variant)
{
	return variant->rights & DATASPACE_WRITE;
}

/* rule 23 */
TEST_F(dmabuf, is_of_exactly_the_range_and_the_right)
{
	const int mode = can_write(variant) ? O_RDWR : O_RDONLY;
	char *map = ds_map(self->dmabuf, self->length, PROT_READ);

	EXPECT_EQ(self->length, lseek(self->dmabuf, 0, SEEK_END));
	EXPECT_EQ(mode, fcntl(self->dmabuf, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->dmabuf, F_GETFD));
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, COUNT, FIRST));
	EXPECT_EQ(-EINVAL, ds_try_map(self->dmabuf, self->length + self->page,
				      PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, ds_try_map(self->dmabuf, self->page, PROT_READ,
				      MAP_SHARED, self->length));
	munmap(map, self->length);
}

/* rules 12 and 23 */
TEST_F(dmabuf, is_mapped_with_the_rights_of_the_dataspace)
{
	const int writable = can_write(variant) ? 0 : -EACCES;
	char *map = ds_map(self->dmabuf, self->length, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(writable, ds_try_map(self->dmabuf, self->length, READ_WRITE,
				       MAP_SHARED, 0));
	EXPECT_EQ(writable, result(mprotect(map, self->length, READ_WRITE)));
	EXPECT_EQ(can_write(variant) ? 0 : SIGSEGV, try_store(map, 0));
	EXPECT_EQ(can_write(variant) ? 1 : 0,
		  pattern_wrong(self->map + FIRST * self->page, COUNT, FIRST));
	EXPECT_NE(0, mprotect(map, self->length, PROT_READ | PROT_EXEC));
	munmap(map, self->length);
}

/* rule 11 */
TEST_F(dmabuf, is_copied_by_private_mappings)
{
	char *map = mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE,
			 self->dmabuf, 0);

	ASSERT_NE(MAP_FAILED, map);
	memset(map, 'p', self->length);
	EXPECT_EQ(0, pattern_wrong(self->map, PAGES, 0));
	munmap(map, self->length);
}

/* rule 8 */
TEST_F(dmabuf, gains_no_right)
{
	char path[64];
	int other = fd_round_trip(self->dmabuf);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->dmabuf);
	EXPECT_EQ(-ENXIO, result(open(path, O_RDWR)));
	fchmod(self->dmabuf, 0777);
	EXPECT_EQ(can_write(variant) ? 0 : -EACCES,
		  ds_try_map(other, self->length, READ_WRITE, MAP_SHARED, 0));
	close(other);
}

/* rule 23 */
TEST_F(dmabuf, is_synchronised_by_the_right)
{
	const int ret = can_write(variant) ? 0 : -EACCES;

	EXPECT_EQ(0, dmabuf_sync(self->dmabuf, DMA_BUF_SYNC_READ));
	EXPECT_EQ(0, dmabuf_sync(self->dmabuf,
				 DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END));
	EXPECT_EQ(ret, dmabuf_sync(self->dmabuf, DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(ret, dmabuf_sync(self->dmabuf, DMA_BUF_SYNC_RW));
	EXPECT_EQ(ret, dmabuf_sync(self->dmabuf,
				   DMA_BUF_SYNC_RW | DMA_BUF_SYNC_END));
}

/* rules 13, 14, 19 and 23 */
TEST_F(dmabuf, keeps_the_dataspace_alive)
{
	const __u64 id = ds_id(self->ds);
	char line[256], name[64];
	char *map;

	close(self->ds);
	munmap(self->map, PAGES * self->page);
	EXPECT_FALSE(ds_ready(self->root));
	map = ds_map(self->dmabuf, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, pattern_wrong(map, COUNT, FIRST));
	/* rule 24 */
	EXPECT_EQ(0, maps_line(map, line, sizeof(line)));
	snprintf(name, sizeof(name), "/dataspace:%llu (deleted)", id);
	EXPECT_NE(NULL, strstr(line, name));
	munmap(map, self->length);
	EXPECT_FALSE(ds_ready(self->root));
	close(self->dmabuf);
	EXPECT_TRUE(ds_ready(self->root));
	self->ds = -1;
	self->dmabuf = -1;
	self->map = ds_map(self->root, PAGES * self->page, READ_WRITE);
}

/* rules 14 and 15 */
TEST_F(dmabuf, counts_for_what_would_go_back)
{
	munmap(self->map, PAGES * self->page);
	close(self->root);
	EXPECT_EQ(COUNT, pages_wait(&self->pages, COUNT, SOON));
	EXPECT_EQ(0, ds_exclusive(self->ds));
	close(self->dmabuf);
	self->dmabuf = -1;
	EXPECT_EQ(self->length, ds_exclusive(self->ds));
	self->dmabuf = ds_export(self->ds, 0);
	close(self->ds);
	EXPECT_EQ(COUNT, pages_held_in(&self->pages, FIRST, END));
	close(self->dmabuf);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	/* for the teardown */
	self->root = -1;
	self->ds = -1;
	self->dmabuf = -1;
	self->map = mmap(NULL, PAGES * self->page, READ_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pattern_write(self->map, PAGES, 0);
}

/* rule 16 */
TEST_F(dmabuf, holds_the_module)
{
	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	munmap(self->map, PAGES * self->page);
	close(self->ds);
	close(self->root);
	self->ds = -1;
	self->root = -1;
	EXPECT_EQ(-EAGAIN, kmod_unload());
	close(self->dmabuf);
	self->dmabuf = -1;
	EXPECT_EQ(0, kmod_unload());
	EXPECT_EQ(0, kmod_load(""));
	self->map = mmap(NULL, PAGES * self->page, READ_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pattern_write(self->map, PAGES, 0);
}

/* rules 17 and 23 */
TEST_F(dmabuf, is_reached_by_REVOKE)
{
	char *map = ds_map(self->dmabuf, self->length, PROT_READ);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(COUNT, pages_sigbus_on_load(map, COUNT));
	EXPECT_EQ(-ESTALE, ds_try_map(self->dmabuf, self->length, PROT_READ,
				      MAP_SHARED, 0));
	EXPECT_EQ(-ESTALE, dmabuf_sync(self->dmabuf, DMA_BUF_SYNC_READ));
	EXPECT_EQ(-ESTALE, ds_export(self->ds, 0));
	EXPECT_TRUE(ds_ready(self->root));
	munmap(map, self->length);
}

/* rules 17 and 23: of a dataspace whose only holder is the dma-buf */
TEST_F(dmabuf, is_reached_by_REVOKE_when_all_is_closed)
{
	close(self->ds);
	self->ds = -1;
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-ESTALE, ds_try_map(self->dmabuf, self->length, PROT_READ,
				      MAP_SHARED, 0));
	EXPECT_TRUE(ds_ready(self->root));
}

/* rules 18 and 23 */
TEST_F(dmabuf, is_reached_by_SEAL)
{
	const int ret = can_write(variant) ? -EPERM : -EACCES;
	int later;

	ASSERT_EQ(0, ds_seal(self->root, 0));
	EXPECT_EQ(ret, ds_try_map(self->dmabuf, self->length, READ_WRITE,
				  MAP_SHARED, 0));
	EXPECT_EQ(0, ds_try_map(self->dmabuf, self->length, PROT_READ,
				MAP_SHARED, 0));
	EXPECT_EQ(-EACCES, dmabuf_sync(self->dmabuf, DMA_BUF_SYNC_WRITE));
	EXPECT_EQ(0, dmabuf_sync(self->dmabuf, DMA_BUF_SYNC_READ));
	later = ds_export(self->ds, 0);
	EXPECT_EQ(O_RDONLY, fcntl(later, F_GETFL) & O_ACCMODE);
	EXPECT_EQ(-EACCES,
		  ds_try_map(later, self->length, READ_WRITE, MAP_SHARED, 0));
	close(later);
}

/* rules 18 and 23 */
TEST_F(dmabuf, is_reached_by_SEAL_NOW)
{
	char *map;

	if (!can_write(variant))
		SKIP(return, "nothing can be written");
	map = ds_map(self->dmabuf, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, try_store(map, 0));
	ASSERT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(COUNT, pages_sigbus_on_store(map, COUNT));
	EXPECT_EQ(1, pattern_wrong(map, COUNT, FIRST));
	munmap(map, self->length);
}

/* rule 23: without MAP it is for devices only */
TEST_F(dmabuf, is_not_mapped_without_MAP)
{
	const __u32 rights = variant->rights & ~DATASPACE_MAP;
	int ds = ds_alias_pages(self->root, FIRST, END, rights);
	int dmabuf = ds_export(ds, 0);

	ASSERT_LE(0, dmabuf);
	EXPECT_EQ(-EACCES,
		  ds_try_map(dmabuf, self->length, PROT_READ, MAP_SHARED, 0));
	close(dmabuf);
	close(ds);
}

/* rule 23: nothing changes if there is no descriptor for it */
TEST_F(dmabuf, is_refused_if_the_table_is_full)
{
	struct rlimit before, limit;
	const int fds = count_fds();
	int last = dup(self->root);

	close(last);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = last;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, ds_export(self->ds, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	EXPECT_EQ(fds, count_fds());
	close(self->dmabuf);
	close(self->ds);
	EXPECT_TRUE(ds_ready(self->root));
	self->dmabuf = -1;
	self->ds = -1;
}

/* rules 23 and 30: nothing changes, nothing appears */
TEST(a_dma_buf_of_lazy_memory_fills_nothing_if_the_table_is_full)
{
	int ds = lazy_alloc(MEG);
	struct rlimit before, limit;
	int last = dup(ds);

	close(last);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = last;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, ds_export(ds, 0));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	EXPECT_EQ(0, ds_resident(ds));
	close(ds);
}

/* rule 30: a device can't fault, so all of it is there first */
TEST(a_dma_buf_of_lazy_memory_fills_the_range)
{
	int root = lazy_alloc(4 * MEG);
	int ds = ds_alias(root, MEG, MEG, RIGHTS_RW);
	int dmabuf = ds_export(ds, 0);

	if (dmabuf == -ENOTTY)
		SKIP(return, "the kernel has no dma-bufs");
	ASSERT_LE(0, dmabuf);
	EXPECT_EQ(MEG, ds_resident(ds));
	EXPECT_EQ(MEG, ds_resident(root));
	close(dmabuf);
	close(ds);
	close(root);
}

/* rule 30: and if it can't be there, nothing is exported */
TEST(a_dma_buf_of_lazy_memory_beyond_what_there_is_is_ENOMEM)
{
	const __u64 length = memory_of_the_machine();
	int ds = lazy_alloc(length / MEG * MEG);
	int fds = count_fds();
	int ret;

	ASSERT_LE(0, ds);
	ret = ds_export(ds, 0);
	if (ret == -ENOTTY)
		SKIP(return, "the kernel has no dma-bufs");
	EXPECT_EQ(-ENOMEM, ret);
	EXPECT_EQ(fds, count_fds());
	EXPECT_EQ(0, ds_resident(ds));
	close(ds);
}

static bool fdinfo_has(int fd, const char *text)
{
	char path[64], info[4096];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return proc_read(path, info, sizeof(info)) > 0 && strstr(info, text);
}

/* rule 24: a dma-buf has the name that its dataspace had at that time */
TEST_F(dmabuf, has_the_name_of_the_dataspace)
{
	struct dataspace_name arg = { .size = sizeof(arg), .name = "frames" };
	int named;

	EXPECT_FALSE(fdinfo_has(self->dmabuf, "\nname:"));
	ASSERT_EQ(0, ioctl(self->ds, DATASPACE_IOC_SET_NAME, &arg));
	named = ds_export(self->ds, 0);
	ASSERT_LE(0, named);
	EXPECT_TRUE(fdinfo_has(named, "\nname:\tframes\n"));
	EXPECT_FALSE(fdinfo_has(self->dmabuf, "\nname:"));
	EXPECT_EQ(0, ioctl(named, DMA_BUF_SET_NAME_B, "other"));
	EXPECT_TRUE(fdinfo_has(named, "\nname:\tother\n"));
	EXPECT_TRUE(fdinfo_has(self->ds, "\ndataspace-name:\tframes\n"));
	close(named);
}

TEST_HARNESS_MAIN
