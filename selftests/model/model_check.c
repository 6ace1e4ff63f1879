// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares what the kernel says with the model. After each operation a few
 * things of the running process are checked; from time to time all of them are.
 */
#include "model.h"

#include <stdio.h>

#include "common.h"
#include "sigbus.h"

/* How many pages of each mapping are read when all is checked. */
#define LOADS 16

void check_eq(struct world *world, const char *file, int line, const char *what,
	      long long expected, long long seen)
{
	if (expected == seen || world->wrong)
		return;
	world->wrong = true;
	fprintf(stderr,
		"# seed %u, step %ld, %s by thread %d of process %d: %s:%d: %s is %lld, not %lld\n",
		world->seed, world->step, world->operation,
		world->actor->thread, world->actor->process, file, line, what,
		seen, expected);
}

static __u32 expected_state(const struct space *space)
{
	__u32 state = 0;

	if (space->contiguous)
		state |= DATASPACE_STATE_CONTIGUOUS;
	if (space->seal)
		state |= DATASPACE_STATE_SEALED;
	if (space->revoked)
		state |= DATASPACE_STATE_REVOKED;
	if (space->alias)
		state |= DATASPACE_STATE_ALIAS;
	return state;
}

static void check_counts(struct world *world, const struct handle *handle,
			 const struct dataspace_info *info)
{
	const bool revoked = space_of(world, handle)->revoked;
	const int space = handle->space;

	CHECK_EQ(world,
		 revoked ? 0 : space_exclusive(world, space) * page_size(),
		 info->exclusive);
	CHECK_EQ(world,
		 revoked ? 0 :
			   lazy_resident(world, space_of(world, handle)) *
				   page_size(),
		 info->resident);
	CHECK_EQ(world, revoked ? 0 : space_aliases(world, space),
		 info->aliases);
	CHECK_EQ(world, revoked ? 0 : world->spaces[space].vmas,
		 info->mappings);
	CHECK_EQ(world, revoked ? 0 : space_derived_vmas(world, space),
		 info->derived_mappings);
}

void check_info(struct world *world, const struct handle *handle)
{
	const struct space *space = space_of(world, handle);
	struct dataspace_info info;

	CHECK_EQ(world, 0, ds_info(handle->fd, &info));
	CHECK_EQ(world, (space->end - space->start) * page_size(), info.length);
	CHECK_EQ(world, space->id, info.id);
	CHECK_EQ(world, space_rights(space), info.rights);
	CHECK_EQ(world, expected_state(space), info.state);
	check_counts(world, handle, &info);
}

static void check_poll(struct world *world, const struct handle *handle)
{
	const struct space *space = space_of(world, handle);
	bool ready = space->revoked || space_is_last(world, handle->space);

	CHECK_EQ(world, ready, ds_ready(handle->fd));
}

static void check_length(struct world *world, const struct handle *handle)
{
	const struct space *space = space_of(world, handle);
	long length = (space->end - space->start) * page_size();

	CHECK_EQ(world, space->revoked ? -ESTALE : length,
		 result(lseek(handle->fd, 0, SEEK_END)));
}

void check_something(struct world *world)
{
	const struct handle *handle = some_handle(world);
	const struct mapping *mapping = some_mapping(world);

	if (handle)
		check_info(world, handle);
	if (handle && !pick(world, 4))
		check_poll(world, handle);
	if (handle && !pick(world, 16))
		check_length(world, handle);
	if (handle && !pick(world, 8) && !space_of(world, handle)->revoked)
		check_holes(world, handle);
	if (mapping)
		check_load(world, mapping);
}

static void check_handles(struct world *world)
{
	int i;

	for (i = 0; i < HANDLES; i++) {
		const struct handle *handle = &world->self->handles[i];

		if (handle->space == NONE)
			continue;
		check_info(world, handle);
		check_poll(world, handle);
		check_length(world, handle);
		if (!space_of(world, handle)->revoked)
			check_holes(world, handle);
	}
}

static void check_mappings(struct world *world)
{
	int i, j;

	for (i = 0; i < MAPPINGS; i++) {
		const struct mapping *mapping = &world->self->mappings[i];

		for (j = 0; mapping->space != NONE && j < LOADS; j++)
			check_load(world, mapping);
	}
}

void check_everything(struct world *world)
{
	int i;

	check_handles(world);
	check_mappings(world);
	for (i = 0; i < MEMORIES; i++) {
		if (world->memories[i].there)
			memory_settle(world, i);
		if (world->memories[i].there)
			memory_look_at_all(world, i);
	}
}
