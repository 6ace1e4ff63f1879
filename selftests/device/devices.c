// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that access memory by themselves, and pin it for that: rules 10, 14,
 * 16, 17, 18 and 21. Memory is given to each in all ways that the kernel has.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "control.h"
#include "kmod.h"
#include "pages.h"
#include "rdma.h"
#include "sigbus.h"
#include "vfio.h"

/* The pages of the dataspace that the device is given. */
#define FIRST 4
#define END 8
#define COUNT (END - FIRST)

/* Where a PCI device sees those pages, and a buffer of the test. */
#define THERE 0x100000
#define OURS 0x200000

static struct device device;

static long vfio_open(void)
{
	return device_open(&device, false);
}

static long iommufd_open(void)
{
	return device_open(&device, true);
}

static long vfio_take(void *map, size_t length, int prot)
{
	return device_map(&device, THERE, map, length, prot);
}

static long vfio_release(size_t length)
{
	return device_unmap(&device, THERE, length);
}

static void vfio_close(void)
{
	device_close(&device);
}

static struct rdma rdma;

static long rdma_start(void)
{
	const long ret = rdma_open(&rdma);

	return ret == NO_RDMA ? NO_DEVICE : ret;
}

static long rdma_take(void *map, size_t length, int prot)
{
	return rdma_register(&rdma, map, length, prot);
}

static long rdma_release(size_t length)
{
	return rdma_unregister(&rdma);
}

static void rdma_end(void)
{
	rdma_close(&rdma);
}

FIXTURE(device)
{
	size_t page;
	size_t length;
	int root;
	char *map;
	/* an alias of the same pages with only the right to read */
	int ds;
	char *view;
	/* the pages that the device is given */
	char *part;
	size_t part_length;
	struct pages pages;
};

/*
 * @open: makes the device ready; 0, NO_DEVICE or -errno
 * @take: gives memory to the device
 * @release: makes the device give it back
 */
struct kind {
	long (*open)(void);
	long (*take)(void *map, size_t length, int prot);
	long (*release)(size_t length);
	void (*close)(void);
};

static const struct kind vfio_kind = {
	.open = vfio_open,
	.take = vfio_take,
	.release = vfio_release,
	.close = vfio_close,
};

static const struct kind iommufd_kind = {
	.open = iommufd_open,
	.take = vfio_take,
	.release = vfio_release,
	.close = vfio_close,
};

static const struct kind rdma_kind = {
	.open = rdma_start,
	.take = rdma_take,
	.release = rdma_release,
	.close = rdma_end,
};

FIXTURE_VARIANT(device)
{
	const struct kind *kind;
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(device, vfio) {
	.kind = &vfio_kind,
	.pages = 16,
};

FIXTURE_VARIANT_ADD(device, vfio_huge) {
	.kind = &vfio_kind,
	.pages = 1024,
};

FIXTURE_VARIANT_ADD(device, iommufd) {
	.kind = &iommufd_kind,
	.pages = 16,
};

FIXTURE_VARIANT_ADD(device, rdma) {
	.kind = &rdma_kind,
	.pages = 16,
};

FIXTURE_VARIANT_ADD(device, rdma_huge) {
	.kind = &rdma_kind,
	.pages = 1024,
};

/* clang-format on */

FIXTURE_SETUP(device)
{
	const long ret = variant->kind->open();

	if (ret == NO_DEVICE)
		SKIP(return, "no such device, or not of this kernel");
	ASSERT_EQ(0, ret);
	self->page = page_size();
	self->length = variant->pages * self->page;
	self->root = ds_alloc_pages(variant->pages);
	self->map = ds_map(self->root, self->length, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, variant->pages, 0);
	self->ds = ds_alias(self->root, 0, self->length, RIGHTS_R);
	self->view = ds_map(self->ds, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->view);
	self->part = self->map + FIRST * self->page;
	self->part_length = COUNT * self->page;
	ASSERT_EQ(0, pages_of_map(&self->pages, self->view, self->length));
}

static void drop_all(FIXTURE_DATA(device) * self)
{
	munmap(self->map, self->length);
	munmap(self->view, self->length);
	close(self->root);
	close(self->ds);
	self->root = -1;
	self->ds = -1;
}

/* After each test all pages go back. */
FIXTURE_TEARDOWN(device)
{
	drop_all(self);
	variant->kind->close();
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	pages_forget(&self->pages);
}

/* rules 10 and 21 */
TEST_F(device, is_refused_what_may_not_be_written_to)
{
	char *view = self->view + FIRST * self->page;

	EXPECT_EQ(-EFAULT,
		  variant->kind->take(view, self->part_length, READ_WRITE));
	EXPECT_EQ(0, pattern_wrong(self->view, variant->pages, 0));
}

/* rules 10 and 21 */
TEST_F(device, takes_what_may_only_be_read_to_read_it)
{
	char *view = self->view + FIRST * self->page;
	const long ret =
		variant->kind->take(view, self->part_length, PROT_READ);

	if (ret == -EFAULT && variant->kind->take == rdma_take)
		SKIP(return, "this kernel gives RDMA only what can be written");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, variant->kind->release(self->part_length));
}

/* rule 14: the pinned pages stay, and at most the 2 MiB around them */
TEST_F(device, keeps_its_pages_until_it_lets_go)
{
	ASSERT_EQ(0, variant->kind->take(self->part, self->part_length,
					 READ_WRITE));
	drop_all(self);
	EXPECT_EQ(COUNT, pages_held_in(&self->pages, FIRST, END));
	if (variant->pages > 512)
		EXPECT_EQ(0, pages_held_in(&self->pages, 512, variant->pages));
	EXPECT_EQ(0, variant->kind->release(self->part_length));
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
}

/* rule 14: also when the device is closed */
TEST_F(device, lets_go_when_it_is_closed)
{
	ASSERT_EQ(0, variant->kind->take(self->part, self->part_length,
					 READ_WRITE));
	drop_all(self);
	EXPECT_EQ(COUNT, pages_held_in(&self->pages, FIRST, END));
	variant->kind->close();
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	ASSERT_EQ(0, variant->kind->open());
}

/* rule 16: pages that a device has pinned hold the module, until it lets go */
TEST_F(device, keeps_its_pages_and_the_module)
{
	int tries;

	if (!kmod_can_load())
		SKIP(return, "the module can't be loaded again here");
	ASSERT_EQ(0, variant->kind->take(self->part, self->part_length,
					 READ_WRITE));
	drop_all(self);
	EXPECT_EQ(-EAGAIN, kmod_unload());
	EXPECT_EQ(COUNT, pages_held_in(&self->pages, FIRST, END));
	EXPECT_EQ(0, variant->kind->release(self->part_length));
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	for (tries = 0; tries < 50 && kmod_unload(); tries++)
		usleep(100000);
	ASSERT_GT(50, tries);
	EXPECT_EQ(0, kmod_load(""));
}

/* rule 18: EBUSY changes nothing, and SEAL succeeds after the release */
TEST_F(device, is_in_the_way_of_a_seal_of_now)
{
	ASSERT_EQ(0, variant->kind->take(self->part, self->part_length,
					 READ_WRITE));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(RIGHTS_RW, ds_rights(self->root));
	self->map[0] = 'w';
	EXPECT_EQ(0, variant->kind->release(self->part_length));
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
	sigbus_init();
	EXPECT_TRUE(store_is_sigbus(self->map));
}

/* rules 14 and 17: only the device keeps the pages */
TEST_F(device, keeps_its_pages_when_they_are_revoked)
{
	int alias = ds_alias(self->root, 0, self->length, RIGHTS_RW);
	char *map = ds_map(alias, self->length, READ_WRITE);
	char *part = map + FIRST * self->page;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, variant->kind->take(part, self->part_length, READ_WRITE));
	ASSERT_EQ(0, ds_revoke(self->root));
	sigbus_init();
	EXPECT_EQ(variant->pages, pages_sigbus_on_load(map, variant->pages));
	munmap(self->map, self->length);
	close(self->root);
	EXPECT_EQ(COUNT, pages_held_in(&self->pages, FIRST, END));
	EXPECT_EQ(0, variant->kind->release(self->part_length));
	EXPECT_EQ(0, pages_wait(&self->pages, 0, SOON));
	munmap(map, self->length);
	close(alias);
}

/* Devices that copy memory when they are told to. */
FIXTURE(copying)
{
	size_t page;
	int root;
	char *map;
	int ds;
	char *view;
	char *ours;
};

FIXTURE_VARIANT(copying)
{
	bool iommufd;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(copying, vfio) {
	.iommufd = false,
};

FIXTURE_VARIANT_ADD(copying, iommufd) {
	.iommufd = true,
};

/* clang-format on */

FIXTURE_SETUP(copying)
{
	const long ret = device_open(&device, variant->iommufd);

	if (ret == NO_DEVICE)
		SKIP(return, "no such device, or not of this kernel");
	ASSERT_EQ(0, ret);
	self->page = page_size();
	self->root = ds_alloc_pages(COUNT);
	self->map = ds_map(self->root, COUNT * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, COUNT, 0);
	self->ds = ds_alias(self->root, 0, COUNT * self->page, RIGHTS_R);
	self->view = ds_map(self->ds, COUNT * self->page, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->view);
	self->ours = mmap(NULL, self->page, READ_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(self->ours, 'o', self->page);
	ASSERT_EQ(0, device_map(&device, OURS, self->ours, self->page,
				READ_WRITE));
}

FIXTURE_TEARDOWN(copying)
{
	device_close(&device);
}

/* rule 21: from and to the second page that the device was given */
TEST_F(copying, reads_and_writes_memory)
{
	const __u64 there = THERE + self->page;
	char *second = self->map + self->page;

	ASSERT_EQ(0, device_map(&device, THERE, self->map, COUNT * self->page,
				READ_WRITE));
	ASSERT_EQ(0, device_copy(&device, there, OURS, DEVICE_COPY_MAX));
	EXPECT_TRUE(bytes_are(second, DEVICE_COPY_MAX, 'o'));
	EXPECT_EQ(1, pattern_wrong(self->view, COUNT, 0));
	memset(second, 'm', DEVICE_COPY_MAX);
	EXPECT_EQ(0, device_copy(&device, OURS, there, DEVICE_COPY_MAX));
	EXPECT_TRUE(bytes_are(self->ours, DEVICE_COPY_MAX, 'm'));
}

/* rules 10 and 21 */
TEST_F(copying, writes_nothing_that_it_was_given_to_read)
{
	ASSERT_EQ(0, device_map(&device, THERE, self->view, COUNT * self->page,
				PROT_READ));
	ASSERT_EQ(0, device_copy(&device, THERE, OURS, DEVICE_COPY_MAX));
	EXPECT_EQ(0, pattern_wrong(self->view, COUNT, 0));
	EXPECT_EQ(0, device_copy(&device, OURS, THERE, DEVICE_COPY_MAX));
	EXPECT_EQ(0, memcmp(self->ours, self->view, DEVICE_COPY_MAX));
}

/*
 * rules 14 and 17: pages that were pinned before are the device's until it is
 * done
 */
TEST_F(copying, goes_on_in_what_is_revoked)
{
	int alias = ds_alias(self->root, 0, COUNT * self->page, RIGHTS_RW);
	char *map = ds_map(alias, COUNT * self->page, READ_WRITE);

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, device_map(&device, THERE, map, COUNT * self->page,
				READ_WRITE));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(0, device_copy(&device, THERE, OURS, DEVICE_COPY_MAX));
	EXPECT_TRUE(bytes_are(self->map, DEVICE_COPY_MAX, 'o'));
}

TEST_HARNESS_MAIN
