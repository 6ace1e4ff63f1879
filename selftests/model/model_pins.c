// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned pages: as registered buffers of io_uring, which is a pin to write, or
 * in a pipe, which is one to read. Where the kernel registers no buffers in
 * files, all of them are in pipes.
 */
#include "model.h"

#include <string.h>

#include "common.h"

/* The most pages that one ring pins. */
#define RING_PAGES 8

static int try_ring(void *map)
{
	struct uring ring;
	int ret = uring_open(&ring);

	if (ret)
		return ret;
	ret = uring_register(&ring, map, page_size());
	uring_close(&ring);
	return ret;
}

bool rings_work(void)
{
	int fd = ds_alloc_pages(1);
	void *map = ds_map(fd, page_size(), READ_WRITE);
	int ret = try_ring(map);

	munmap(map, page_size());
	close(fd);
	return ret != -EOPNOTSUPP;
}

static struct pinned *free_pin(struct world *world)
{
	int i;

	for (i = 0; i < PINS; i++) {
		if (!world->self->pins[i].there)
			return &world->self->pins[i];
	}
	return NULL;
}

static long expected_ring(const struct space *space,
			  const struct mapping *mapping)
{
	if (space->revoked || !mapping->writable || space->seal & SEALED_NOW)
		return -EFAULT;
	return 0;
}

static bool pin_by_ring(struct world *world, struct pinned *pinned,
			const struct mapping *mapping, char *map)
{
	const struct space *space = &world->spaces[mapping->space];
	long expected = expected_ring(space, mapping);

	CHECK_EQ(world, 0, uring_open(&pinned->ring));
	CHECK_EQ(world, expected,
		 uring_register(&pinned->ring, map,
				pinned->count * page_size()));
	if (expected)
		uring_close(&pinned->ring);
	return !expected;
}

static bool pin_by_pipe(struct world *world, struct pinned *pinned,
			const struct mapping *mapping, char *map)
{
	bool revoked = world->spaces[mapping->space].revoked;

	pinned->count = 1;
	CHECK_EQ(world, revoked ? -EIO : 0, pin_page(&pinned->pipe, map));
	return !revoked;
}

bool op_pin(struct world *world)
{
	struct pinned *pinned = free_pin(world);
	struct mapping *mapping = some_mapping(world);
	bool by_ring = world->rings && pick(world, 2);
	int start, end;
	char *map;
	int i;

	if (!pinned || !mapping)
		return false;
	some_run(world, mapping, 1 + pick(world, RING_PAGES), &start, &end);
	map = mapping->map + start * page_size();
	pinned->by_ring = by_ring;
	pinned->memory = world->spaces[mapping->space].memory;
	pinned->start = mapping->start + start;
	pinned->count = end - start;
	pinned->there = by_ring ? pin_by_ring(world, pinned, mapping, map) :
				  pin_by_pipe(world, pinned, mapping, map);
	for (i = 0; pinned->there && i < pinned->count; i++)
		touch_page(world, mapping, start + i);
	return true;
}

void pinned_release(struct pinned *pinned)
{
	if (pinned->by_ring)
		uring_unregister(&pinned->ring);
}

void pinned_close(struct pinned *pinned)
{
	if (pinned->by_ring)
		uring_close(&pinned->ring);
	else
		pin_close(&pinned->pipe);
}

void pinned_lose(struct world *world, struct pinned *pinned)
{
	pinned->there = false;
	memory_unpin(world, pinned);
}

bool op_unpin(struct world *world)
{
	struct pinned *pinned = &world->self->pins[pick(world, PINS)];

	if (!pinned->there)
		return false;
	pinned_release(pinned);
	pinned_close(pinned);
	pinned_lose(world, pinned);
	return true;
}
