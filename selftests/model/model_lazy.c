// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lazy memory: which pages are there.
 *
 * The kernel may fill all of a large folio at once, or a page alone if it is short
 * of memory. So that this makes no difference, and so that all physical pages are
 * known that a world has, whoever touches the first page of a block touches all of
 * it, if all of it is within its reach.
 */
#include "model.h"

#include "common.h"
#include "lazy.h"
#include "pages.h"
#include "sigbus.h"

static bool any_filled(const struct memory *memory, int start, int end)
{
	for (; start < end; start++) {
		if (memory->filled[start])
			return true;
	}
	return false;
}

static bool all_filled(const struct memory *memory, int start, int end)
{
	for (; start < end; start++) {
		if (!memory->filled[start])
			return false;
	}
	return true;
}

void lazy_touch(struct world *world, int index, int page, int from, int to,
		const char *map)
{
	struct memory *memory = &world->memories[index];
	int start = page - page % world->folio_pages;
	int end = start + world->folio_pages;

	if (memory->filled[page])
		return;
	if (start < from || end > to || any_filled(memory, start, end)) {
		start = page;
		end = page + 1;
	}
	for (; start < end; start++) {
		const char *at = map + (start - from) * page_size();
		__u64 value = 0;

		CHECK_EQ(world, 0, try_load(at, &value));
		CHECK_EQ(world, memory->content[start], value);
		memory->filled[start] = FILLED;
		check_frame(world, index, start, at);
		if (world->wrong)
			return;
	}
}

/* Pages of a space are touched by a descriptor, as far as [@from, @to) reaches. */
static void touch_by_fd(struct world *world, const struct handle *handle,
			int start, int end, int from, int to)
{
	const struct space *space = space_of(world, handle);
	const size_t length = (to - from) * page_size();
	char *map;
	int i;

	if (all_filled(&world->memories[space->memory], start, end))
		return;
	map = mmap(NULL, length, PROT_READ, MAP_SHARED, handle->fd,
		   (from - space->start) * page_size());
	CHECK_EQ(world, true, map != MAP_FAILED);
	for (i = start; i < end && !world->wrong; i++)
		lazy_touch(world, space->memory, i, from, to, map);
	munmap(map, length);
}

void lazy_touch_by_write(struct world *world, const struct handle *handle,
			 int start, int end)
{
	const struct space *space = space_of(world, handle);

	touch_by_fd(world, handle, start, end, space->start, space->end);
}

/* Without MAP nobody could tell which pages have appeared. */
bool lazy_can_tell(const struct world *world, const struct handle *handle,
		   int start, int end)
{
	const struct space *space = &world->spaces[handle->space];

	return space->rights & DATASPACE_MAP ||
	       all_filled(&world->memories[space->memory], start, end);
}

int lazy_resident(const struct world *world, const struct space *space)
{
	int count = 0;
	int i;

	for (i = space->start; i < space->end; i++)
		count += !!world->memories[space->memory].filled[i];
	return count;
}

/* What is MAYBE there is looked up. */
static void check_pages(struct world *world, struct memory *memory, int start,
			int end, __u8 seen)
{
	for (; start < end; start++) {
		if (memory->filled[start] == MAYBE)
			memory->filled[start] = seen;
		CHECK_EQ(world, seen, memory->filled[start]);
	}
}

void check_holes(struct world *world, const struct handle *handle)
{
	const struct space *space = space_of(world, handle);
	struct memory *memory = &world->memories[space->memory];
	const off_t end = (space->end - space->start) * page_size();
	off_t hole = 0;

	while (hole < end && !world->wrong) {
		off_t data = lseek(handle->fd, hole, SEEK_DATA);

		if (data < 0)
			data = end;
		check_pages(world, memory, space->start + hole / page_size(),
			    space->start + data / page_size(), HOLE);
		hole = lseek(handle->fd, data, SEEK_HOLE);
		if (hole < 0)
			hole = end;
		check_pages(world, memory, space->start + data / page_size(),
			    space->start + hole / page_size(), FILLED);
	}
}

static long expected_punch(const struct space *space)
{
	if (!(space->rights & DATASPACE_WRITE))
		return -EBADF;
	if (!space->lazy)
		return -EOPNOTSUPP;
	if (space->revoked)
		return -ESTALE;
	return space->seal ? -EPERM : 0;
}

/* What is near a pinned page may stay, zeroed. */
static void punched(struct world *world, const struct handle *handle, int start,
		    int end)
{
	const int index = space_of(world, handle)->memory;
	struct memory *memory = &world->memories[index];
	int i;

	for (i = start; i < end; i++) {
		memory->content[i] = 0;
		if (memory->filled[i])
			memory->filled[i] = MAYBE;
	}
	check_holes(world, handle);
	for (i = start; i < end; i++)
		world->waited += memory->filled[i] &&
				 !is_near_pinned(world, index, i);
	memory_punch(world, index, start, end);
}

bool op_punch(struct world *world)
{
	struct handle *handle = some_handle(world);
	struct space *space;
	int start, end;
	long expected;

	if (!handle)
		return false;
	space = space_of(world, handle);
	pick_range(world, space->end - space->start, PAGES_MAX, &start, &end);
	expected = expected_punch(space);
	CHECK_EQ(world, expected,
		 ds_punch(handle->fd, start * page_size(),
			  (end - start) * page_size()));
	if (!expected && !world->wrong)
		punched(world, handle, space->start + start,
			space->start + end);
	return true;
}

static long expected_fill(const struct space *space)
{
	if (!(space->rights & DATASPACE_WRITE))
		return -EBADF;
	return space->revoked ? -ESTALE : 0;
}

bool op_fill(struct world *world)
{
	struct handle *handle = some_handle(world);
	struct space *space;
	int start, end;
	long expected;

	if (!handle)
		return false;
	space = space_of(world, handle);
	pick_range(world, space->end - space->start, PAGES_MAX, &start, &end);
	expected = expected_fill(space);
	if (!expected && !lazy_can_tell(world, handle, space->start + start,
					space->start + end))
		return false;
	CHECK_EQ(world, expected,
		 ds_fill(handle->fd, start * page_size(),
			 (end - start) * page_size()));
	if (!expected && !world->wrong)
		touch_by_fd(world, handle, space->start + start,
			    space->start + end, space->start + start,
			    space->start + end);
	return true;
}
