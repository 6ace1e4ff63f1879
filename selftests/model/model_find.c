// SPDX-License-Identifier: GPL-2.0-only
/* Finds things at random, and places where there are none yet. */
#include "model.h"

#include "common.h"

/* A linear congruential generator; what comes out is from its upper bits. */
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

struct area *some_area(struct world *world)
{
	struct area *areas = world->self->areas;
	int first = pick(world, AREAS);
	int i;

	for (i = 0; i < AREAS; i++) {
		struct area *area = &areas[(first + i) % AREAS];

		if (area->space != NONE)
			return area;
	}
	return NULL;
}

struct area *free_area(struct world *world)
{
	int i;

	for (i = 0; i < AREAS; i++) {
		if (world->self->areas[i].space == NONE)
			return &world->self->areas[i];
	}
	return NULL;
}

void some_run(struct world *world, const struct area *area, int most,
	      int *start, int *end)
{
	*start = pick(world, area->count);
	while (!area->there[*start])
		*start = (*start + 1) % area->count;
	*end = *start;
	while (*end < area->count && area->there[*end] && *end - *start < most)
		(*end)++;
}

void some_piece(struct world *world, const struct area *area, int *start,
		int *end)
{
	some_run(world, area, PAGES_MAX, start, end);
	while (*start && area->there[*start - 1])
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
