// SPDX-License-Identifier: GPL-2.0-only
/* Mapping: rules 11, 20 and 22. */
#include "operation.h"

#include "common.h"
#include "sigbus.h"

static long run_map(struct fixture *fixture)
{
	return map_alias(fixture, 0);
}

static long run_map_populate(struct fixture *fixture)
{
	return map_alias(fixture, MAP_POPULATE);
}

static bool had_map(struct fixture *fixture)
{
	return !pattern_wrong_fd(fixture->alias, ALIAS_END - ALIAS_FIRST,
				 ALIAS_FIRST);
}

static long run_load(struct fixture *fixture)
{
	__u64 value;

	return -try_load(fixture->map, &value);
}

static bool map_several_large_folios(struct fixture *fixture)
{
	fixture->length = 3 * huge_size();
	fixture->fd = ds_alloc(fixture->length, RIGHTS_RW, 0);
	if (fixture->fd < 0)
		return false;
	fixture->map = mmap(far_address(fixture, 1), fixture->length, PROT_READ,
			    MAP_SHARED, fixture->fd, 0);
	return fixture->map != MAP_FAILED;
}

static bool map_is_zero(struct fixture *fixture)
{
	return bytes_are(fixture->map, fixture->length, 0) &&
	       !pages_of_map(&fixture->own, fixture->map, fixture->length);
}

static bool map_private(struct fixture *fixture)
{
	fixture->length = alias_length();
	fixture->map = mmap(NULL, fixture->length, READ_WRITE, MAP_PRIVATE,
			    fixture->alias, 0);
	return fixture->map != MAP_FAILED && alias_is_mapped(fixture);
}

static long run_private_store(struct fixture *fixture)
{
	return -try_store(fixture->map, 1);
}

static bool copy_is_private(struct fixture *fixture)
{
	return *(__u64 *)fixture->map == 1 &&
	       !pattern_wrong(fixture->view, ROOT_PAGES, 0);
}

static long run_mremap(struct fixture *fixture)
{
	void *moved = mremap(fixture->map, fixture->length, fixture->length,
			     MREMAP_MAYMOVE | MREMAP_FIXED,
			     far_address(fixture, 2));

	if (moved == MAP_FAILED)
		return -errno;
	fixture->map = moved;
	return 0;
}

const struct operation op_first_mmap = {
	.run = run_map,
	.works = alias_is_mapped,
	.least = 3,
};

const struct operation op_second_mmap = {
	.prepare = had_map,
	.run = run_map,
	.works = alias_is_mapped,
	.least = 1,
};

const struct operation op_mmap_populate = {
	.run = run_map_populate,
	.works = alias_is_mapped,
	.least = 3,
};

const struct operation op_first_load = {
	.prepare = have_map,
	.run = run_load,
	.works = alias_is_mapped,
	.least = 1,
};

const struct operation op_first_store = {
	.prepare = have_map,
	.run = store_to_alias,
	.works = alias_is_mapped,
	.least = 1,
};

const struct operation op_first_load_of_several_large_folios = {
	.prepare = map_several_large_folios,
	.run = run_load,
	.works = map_is_zero,
	.least = 1,
};

const struct operation op_first_private_store = {
	.prepare = map_private,
	.run = run_private_store,
	.works = copy_is_private,
	.least = 1,
};

const struct operation op_mremap = {
	.prepare = have_used_map,
	.run = run_mremap,
	.works = alias_is_mapped,
	.least = 2,
};
