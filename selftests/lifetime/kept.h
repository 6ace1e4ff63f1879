/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The fixture of the programs about which pages stay; to be included after the
 * harness. A test drops what keeps pages, and reads from the flags of the
 * physical pages which of them have gone back to the kernel.
 */
#ifndef DATASPACE_KEPT_H
#define DATASPACE_KEPT_H

#include "common.h"
#include "pages.h"

/*
 * A keeper of pages is a descriptor, or a mapping whose descriptor is closed.
 */
struct keeper {
	int fd;
	void *map;
	size_t length;
};

static inline int keep(struct keeper *keeper, int fd, bool mapped)
{
	struct dataspace_info info;

	keeper->fd = fd;
	keeper->map = NULL;
	if (fd < 0 || ds_info(fd, &info))
		return -1;
	keeper->length = info.length;
	if (!mapped)
		return 0;
	keeper->map = ds_map(fd, keeper->length, PROT_READ);
	close(fd);
	return keeper->map == MAP_FAILED ? -1 : 0;
}

static inline void drop(struct keeper *keeper)
{
	if (keeper->map)
		munmap(keeper->map, keeper->length);
	else
		close(keeper->fd);
}

static inline size_t wrong_in(const struct keeper *keeper, __u64 first)
{
	const size_t pages = keeper->length / page_size();

	if (keeper->map)
		return pattern_wrong(keeper->map, pages, first);
	return pattern_wrong_fd(keeper->fd, pages, first);
}

/*
 * A root of 400 pages, or an alias of that many in the middle of a larger one,
 * allocated with the flags of the variant; @mapped: whether keepers are mappings.
 */
FIXTURE(kept)
{
	int root;
	struct pages pages;
};

FIXTURE_VARIANT(kept)
{
	__u32 flags;
	bool mapped;
	/* pages of the root before the alias */
	size_t shift;
	/* and after it */
	size_t more;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(kept, by_descriptors) {
	.flags = DATASPACE_ALLOC_SCATTERED,
};

FIXTURE_VARIANT_ADD(kept, by_mappings) {
	.flags = DATASPACE_ALLOC_SCATTERED,
	.mapped = true,
};

FIXTURE_VARIANT_ADD(kept, by_descriptors_of_contiguous_memory) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(kept, by_mappings_of_contiguous_memory) {
	.flags = 0,
	.mapped = true,
};

/* The same within, and across, large folios of 2 MiB. */
FIXTURE_VARIANT_ADD(kept, by_descriptors_of_huge_pages) {
	.flags = DATASPACE_ALLOC_SCATTERED,
	.shift = 400,
	.more = 736,
};

FIXTURE_VARIANT_ADD(kept, by_mappings_of_huge_pages) {
	.flags = DATASPACE_ALLOC_SCATTERED,
	.mapped = true,
	.shift = 400,
	.more = 736,
};

FIXTURE_VARIANT_ADD(kept, by_mappings_of_contiguous_huge_pages) {
	.flags = 0,
	.mapped = true,
	.shift = 400,
	.more = 736,
};

/* clang-format on */

FIXTURE_SETUP(kept)
{
	const size_t pages = variant->shift + 400 + variant->more;
	int all;

	if (variant->more && !variant->flags && page_size() > 4096)
		SKIP(return, "contiguous memory is not in huge pages here");
	all = ds_alloc(pages * page_size(), RIGHTS_RW, variant->flags);
	allow_many_fds();
	ASSERT_LE(0, all);
	self->root = ds_alias_pages(all, variant->shift, variant->shift + 400,
				    RIGHTS_RW);
	ASSERT_LE(0, self->root);
	ASSERT_EQ(0, pattern_write_fd(self->root, 400, 0));
	ASSERT_EQ(0, pages_of_fd(&self->pages, self->root, 400 * page_size()));
	close(all);
}

/* Every test drops all keepers. */
FIXTURE_TEARDOWN(kept)
{
	EXPECT_EQ(0, pages_held(&self->pages));
	pages_forget(&self->pages);
}

/* A mapping of the whole root, whose descriptor is closed. */
static inline char *map_and_close(FIXTURE_DATA(kept) * self)
{
	char *map = ds_map(self->root, 400 * page_size(), READ_WRITE);

	close(self->root);
	return map;
}

#endif
