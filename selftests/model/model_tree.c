// SPDX-License-Identifier: GPL-2.0-only
/*
 * Derivation as rules 13, 15, 17 and 18 have it, and what follows from it.
 *
 * A dataspace is in the tree while it is live or mapped, and not revoked. When
 * it leaves the tree, its parent becomes the parent of what is derived from it.
 * A revoked dataspace covers nothing, and nothing is derived from it.
 */
#include "model.h"

#include <string.h>

#include "common.h"

int space_new(struct world *world, int parent)
{
	int index = free_space(world);
	struct space *space = &world->spaces[index];

	memset(space, 0, sizeof(*space));
	space->there = true;
	space->alias = parent != NONE;
	space->parent = parent;
	return index;
}

void space_get(struct world *world, int index)
{
	struct space *space = &world->spaces[index];

	if (!space->refs++)
		memory_cover(world, space->memory, space->start, space->end);
}

static void leave_tree(struct world *world, int index)
{
	const int parent = world->spaces[index].parent;
	int i;

	for (i = 0; i < SPACES; i++) {
		struct space *child = &world->spaces[i];

		if (child->there && child->parent == index)
			child->parent = parent;
	}
}

static void leave_if_unused(struct world *world, int index)
{
	struct space *space = &world->spaces[index];

	if (space->refs || space->vmas)
		return;
	leave_tree(world, index);
	space->there = false;
}

void space_put(struct world *world, int index)
{
	struct space *space = &world->spaces[index];

	if (!--space->refs && !space->revoked)
		memory_uncover(world, space->memory, space->start, space->end);
	leave_if_unused(world, index);
}

__u32 space_rights(const struct space *space)
{
	return space->seal ? space->rights & ~DATASPACE_WRITE : space->rights;
}

static bool is_derived(const struct world *world, int index, int from)
{
	while (index != NONE) {
		index = world->spaces[index].parent;
		if (index == from)
			return true;
	}
	return false;
}

int space_depth(const struct world *world, int index)
{
	int depth = 0;

	for (; index != NONE; index = world->spaces[index].parent)
		depth++;
	return depth;
}

int space_aliases(const struct world *world, int index)
{
	int count = 0;
	int i;

	for (i = 0; i < SPACES; i++) {
		const struct space *space = &world->spaces[i];

		count += space->there && space->refs &&
			 is_derived(world, i, index);
	}
	return count;
}

bool space_is_last(const struct world *world, int index)
{
	int i;

	for (i = 0; i < SPACES; i++) {
		if (world->spaces[i].there && world->spaces[i].parent == index)
			return false;
	}
	return true;
}

int space_exclusive(const struct world *world, int index)
{
	const struct space *space = &world->spaces[index];
	const struct memory *memory = &world->memories[space->memory];
	int count = 0;
	int i;

	for (i = space->start; i < space->end; i++)
		count += memory->filled[i] && memory->cover[i] == 1;
	return count;
}

/* The VMAs of a mapping begin or cease to cover what is left of it. */
static void cover_mapping(struct world *world, const struct mapping *mapping,
			  int start, int end, bool on)
{
	const struct space *space = &world->spaces[mapping->space];
	int from;

	while (start < end) {
		for (from = start; start < end && mapping->there[start];)
			start++;
		if (from < start && on)
			memory_cover(world, space->memory,
				     mapping->start + from,
				     mapping->start + start);
		else if (from < start)
			memory_uncover(world, space->memory,
				       mapping->start + from,
				       mapping->start + start);
		start++;
	}
}

static void uncover_mappings(struct world *world, int index)
{
	int i, j;

	for (i = 0; i < PROCESSES; i++) {
		struct process *process = &world->processes[i];

		for (j = 0; process->there && j < MAPPINGS; j++) {
			struct mapping *mapping = &process->mappings[j];

			if (mapping->space == index)
				cover_mapping(world, mapping, 0, mapping->count,
					      false);
		}
	}
}

static void revoke_one(struct world *world, int index)
{
	struct space *space = &world->spaces[index];

	space->revoked = true;
	space->parent = NONE;
	if (space->refs)
		memory_uncover(world, space->memory, space->start, space->end);
	uncover_mappings(world, index);
}

int space_derived_vmas(const struct world *world, int index)
{
	int count = 0;
	int i;

	for (i = 0; i < SPACES; i++) {
		const struct space *space = &world->spaces[i];

		if (space->there && is_derived(world, i, index))
			count += space->vmas;
	}
	return count;
}

void space_revoke(struct world *world, int index, bool itself)
{
	bool derived[SPACES];
	int i;

	for (i = 0; i < SPACES; i++)
		derived[i] = world->spaces[i].there &&
			     is_derived(world, i, index);
	derived[index] = itself;
	for (i = 0; i < SPACES; i++) {
		if (derived[i])
			revoke_one(world, i);
	}
}

void space_seal(struct world *world, int index, int seal)
{
	int i;

	for (i = 0; i < SPACES; i++) {
		if (i == index ||
		    (world->spaces[i].there && is_derived(world, i, index)))
			world->spaces[i].seal |= seal;
	}
}

static int count_pieces(const struct mapping *mapping)
{
	int pieces = 0;
	int i;

	for (i = 0; i < mapping->count; i++)
		pieces += mapping->there[i] && (!i || !mapping->there[i - 1]);
	return pieces;
}

void mapping_begin(struct world *world, struct mapping *mapping, int space)
{
	mapping->space = space;
	memset(mapping->there, true, mapping->count);
	mapping->vmas = 1;
	mapping_copy(world, mapping);
}

/* Adds a mapping in the state that it is in. */
void mapping_copy(struct world *world, const struct mapping *mapping)
{
	struct space *space = &world->spaces[mapping->space];

	space->vmas += mapping->vmas;
	if (!space->revoked)
		cover_mapping(world, mapping, 0, mapping->count, true);
}

void mapping_cut(struct world *world, struct mapping *mapping, int start,
		 int end)
{
	struct space *space = &world->spaces[mapping->space];
	int before = mapping->vmas;

	if (!space->revoked)
		cover_mapping(world, mapping, start, end, false);
	memset(mapping->there + start, false, end - start);
	mapping->vmas = count_pieces(mapping);
	space->vmas += mapping->vmas - before;
	if (mapping->vmas)
		return;
	leave_if_unused(world, mapping->space);
	mapping->space = NONE;
}

void mapping_end(struct world *world, struct mapping *mapping)
{
	mapping_cut(world, mapping, 0, mapping->count);
}
