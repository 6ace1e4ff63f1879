// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma-bufs of dataspaces where devices are given bounce buffers: rules 10 and 23.
 * What is copied back from those must not change what may only be read. This is
 * for kernels that were booted with swiotlb=force.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "dmabuf.h"
#include "proc.h"

#define PAGES 16

FIXTURE(bounce)
{
	size_t page;
	int root;
	char *map;
	int dmabuf;
	int import;
};

FIXTURE_VARIANT(bounce)
{
	__u32 rights;
	enum direction direction;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(bounce, read) {
	.rights = RIGHTS_R,
	.direction = TO_DEVICE,
};

FIXTURE_VARIANT_ADD(bounce, write) {
	.rights = RIGHTS_RW,
	.direction = FROM_DEVICE,
};

FIXTURE_VARIANT_ADD(bounce, both) {
	.rights = RIGHTS_RW,
	.direction = BOTH_WAYS,
};

/* clang-format on */

FIXTURE_SETUP(bounce)
{
	char line[4096] = "";
	int ds, ret;

	proc_read("/proc/cmdline", line, sizeof(line));
	if (!strstr(line, "swiotlb=force"))
		SKIP(return, "the kernel was not booted with swiotlb=force");
	ret = importer_load();
	if (ret == -ENOENT)
		SKIP(return, "there is no importer");
	ASSERT_EQ(0, ret);
	self->page = page_size();
	self->root = ds_alloc_pages(PAGES);
	self->map = ds_map(self->root, PAGES * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, PAGES, 0);
	ds = ds_alias_pages(self->root, 0, PAGES, variant->rights);
	self->dmabuf = ds_export(ds, 0);
	ASSERT_LE(0, self->dmabuf);
	self->import = import(self->dmabuf, 0);
	ASSERT_LE(0, self->import);
	ASSERT_EQ(0, import_map(self->import, variant->direction));
	close(ds);
}

FIXTURE_TEARDOWN(bounce)
{
	close(self->import);
	close(self->dmabuf);
	munmap(self->map, PAGES * self->page);
	close(self->root);
	EXPECT_EQ(0, importer_unload());
}

/* How many pages are not what they were. */
static size_t changed(FIXTURE_DATA(bounce) * self)
{
	return pattern_wrong(self->map, PAGES, 0);
}

/* rules 10 and 23: what the device has written is seen if it may write */
TEST_F(bounce, is_copied_back_only_to_what_may_be_written_to)
{
	const size_t seen = variant->direction == TO_DEVICE ? 0 : 1;

	/* the device has a copy, so nothing has changed yet */
	ASSERT_EQ(0, import_write(self->import, self->page, 'b'));
	ASSERT_EQ(0, changed(self));
	EXPECT_EQ(0, dmabuf_sync(self->dmabuf, DMA_BUF_SYNC_READ));
	EXPECT_EQ(seen, changed(self));
	EXPECT_EQ(0, import_unmap(self->import));
	close(self->import);
	self->import = -1;
	EXPECT_EQ(seen, changed(self));
}

/* rules 10 and 23: whatever direction is asked for */
TEST_F(bounce, is_not_copied_back_by_any_sync)
{
	static const __u64 directions[] = {
		DMA_BUF_SYNC_READ,
		DMA_BUF_SYNC_WRITE,
		DMA_BUF_SYNC_RW,
	};
	int i;

	if (variant->direction != TO_DEVICE)
		SKIP(return, "it may be written to");
	for (i = 0; i < ARRAY_LENGTH(directions); i++) {
		const int want = directions[i] == DMA_BUF_SYNC_READ ? 0 :
								      -EACCES;

		ASSERT_EQ(0, import_write(self->import, self->page, 'b'));
		EXPECT_EQ(want, dmabuf_sync(self->dmabuf, directions[i]));
		EXPECT_EQ(0, changed(self));
		EXPECT_EQ(want, dmabuf_sync(self->dmabuf,
					    directions[i] | DMA_BUF_SYNC_END));
		EXPECT_EQ(0, changed(self));
	}
	EXPECT_EQ(0, import_unmap(self->import));
	EXPECT_EQ(0, changed(self));
}

TEST_HARNESS_MAIN
