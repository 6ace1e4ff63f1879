// SPDX-License-Identifier: GPL-2.0-only
/* Allocation: rules 1 to 3 and 31. */
#include "operation.h"

#include "common.h"

static long run_alloc(struct fixture *fixture, __u64 length, __u32 flags)
{
	struct dataspace_alloc arg = {
		.size = sizeof(arg),
		.flags = flags,
		.length = length,
		.rights = RIGHTS_RW,
	};

	fixture->length = length;
	fixture->fd = ds_alloc_on(fixture->device, &arg);
	return fixture->fd;
}

static long alloc_page(struct fixture *fixture)
{
	return run_alloc(fixture, page_size(), 0);
}

static long alloc_2m(struct fixture *fixture)
{
	return run_alloc(fixture, 2 << 20, 0);
}

static long alloc_3m(struct fixture *fixture)
{
	return run_alloc(fixture, 3 << 20, 0);
}

/* There is nothing smaller to make do with. */
static long alloc_page_scattered(struct fixture *fixture)
{
	return run_alloc(fixture, page_size(), DATASPACE_ALLOC_SCATTERED);
}

static long alloc_3m_scattered(struct fixture *fixture)
{
	return run_alloc(fixture, 3 << 20, DATASPACE_ALLOC_SCATTERED);
}

static long alloc_8m(struct fixture *fixture)
{
	return run_alloc(fixture, 8 << 20, 0);
}

static long alloc_page_for_the_opener(struct fixture *fixture)
{
	return run_alloc(fixture, page_size(), DATASPACE_ALLOC_CHARGE_OPENER);
}

static long alloc_3m_for_the_opener(struct fixture *fixture)
{
	return run_alloc(fixture, 3 << 20,
			 DATASPACE_ALLOC_CHARGE_OPENER |
				 DATASPACE_ALLOC_SCATTERED);
}

static bool fd_is_zero(struct fixture *fixture)
{
	fixture->map = ds_map(fixture->fd, fixture->length, PROT_READ);
	return fixture->map != MAP_FAILED &&
	       bytes_are(fixture->map, fixture->length, 0) &&
	       ds_exclusive(fixture->root) == 0 &&
	       !pages_of_map(&fixture->own, fixture->map, fixture->length);
}

static long run_open(struct fixture *fixture)
{
	fixture->fd = ds_device();
	return fixture->fd;
}

static bool is_device(struct fixture *fixture)
{
	return ioctl(fixture->fd, DATASPACE_IOC_VERSION, 0) ==
	       DATASPACE_ABI_VERSION;
}

const struct operation op_alloc_page = {
	.run = alloc_page,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_alloc_2m = {
	.run = alloc_2m,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_alloc_3m = {
	.run = alloc_3m,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_alloc_page_scattered = {
	.run = alloc_page_scattered,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_alloc_3m_scattered = {
	.run = alloc_3m_scattered,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_alloc_8m = {
	.run = alloc_8m,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_alloc_page_for_the_opener = {
	.run = alloc_page_for_the_opener,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_alloc_3m_for_the_opener = {
	.run = alloc_3m_for_the_opener,
	.works = fd_is_zero,
	.least = 5,
};

const struct operation op_open_of_the_device = {
	.run = run_open,
	.works = is_device,
	.least = 2,
};
