// SPDX-License-Identifier: GPL-2.0-only
/* Finds something at random, or an entry that is unused. */
#include "model.h"

#include "common.h"

/* A linear congruential generator; the result is made of the upper bits. */
int pick(struct world *world, int below)
{
	world->random = world->random * 6364136223846793005ULL + 1;
	return (world->random >> 33) % below;
}

void pick_range(struct world *world, int count, int most, int *start, int *end)
{
	int length = 1 + pick(world, count < most ? count : most);

	*start = pick(world, count - length + 1);
	*end = *start + length;
}

struct space *space_of(struct world *world, const struct handle *handle)
{
	return &world->spaces[handle->space];
}

static bool is_old(const struct world *world, int space)
{
	return world->memories[world->spaces[space].memory].old;
}

struct handle *some_handle(struct world *world)
{
	struct handle *handles = world->self->handles;
	int first = pick(world, HANDLES);
	int i;

	for (i = 0; i < HANDLES; i++) {
		struct handle *handle = &handles[(first + i) % HANDLES];

		if (handle->space != NONE)
			return handle;
	}
	return NULL;
}

struct handle *lasting_handle(struct world *world)
{
	struct handle *handle = some_handle(world);

	return handle && !is_old(world, handle->space) ? handle : NULL;
}

struct handle *free_handle(struct world *world)
{
	int i;

	for (i = 0; i < HANDLES; i++) {
		if (world->self->handles[i].space == NONE)
			return &world->self->handles[i];
	}
	return NULL;
}

struct mapping *some_mapping(struct world *world)
{
	struct mapping *mappings = world->self->mappings;
	int first = pick(world, MAPPINGS);
	int i;

	for (i = 0; i < MAPPINGS; i++) {
		struct mapping *mapping = &mappings[(first + i) % MAPPINGS];

		if (mapping->space != NONE)
			return mapping;
	}
	return NULL;
}

struct mapping *free_mapping(struct world *world)
{
	int i;

	for (i = 0; i < MAPPINGS; i++) {
		if (world->self->mappings[i].space == NONE)
			return &world->self->mappings[i];
	}
	return NULL;
}

void some_run(struct world *world, const struct mapping *mapping, int most,
	      int *start, int *end)
{
	*start = pick(world, mapping->count);
	while (!mapping->there[*start])
		*start = (*start + 1) % mapping->count;
	*end = *start;
	while (*end < mapping->count && mapping->there[*end] &&
	       *end - *start < most)
		(*end)++;
}

void some_piece(struct world *world, const struct mapping *mapping, int *start,
		int *end)
{
	some_run(world, mapping, PAGES_MAX, start, end);
	while (*start && mapping->there[*start - 1])
		(*start)--;
}

int free_space(const struct world *world)
{
	int i;

	for (i = 0; i < SPACES; i++) {
		if (!world->spaces[i].there)
			return i;
	}
	return NONE;
}
