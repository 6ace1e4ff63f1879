// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that are pinned: as registered buffers of an io_uring, which is a pin
 * to write, or in a pipe, which is one to read. Where the kernel registers no
 * memory of files, all of them are in pipes.
 */
#include "model.h"

#include <string.h>

#include "common.h"

/* Pages that a ring pins at most. */
#define HOLD_PAGES 8

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
	void *map = ds_map(fd, page_size(), PROT_READ | PROT_WRITE);
	int ret = try_ring(map);

	munmap(map, page_size());
	close(fd);
	return ret != -EOPNOTSUPP;
}

static struct hold *free_hold(struct world *world)
{
	int i;

	for (i = 0; i < PINS; i++) {
		if (!world->self->holds[i].there)
			return &world->self->holds[i];
	}
	return NULL;
}

static long expected_ring(const struct space *space, const struct area *area)
{
	if (space->revoked || !area->writable || space->seal & SEALED_NOW)
		return -EFAULT;
	return 0;
}

static bool hold_by_ring(struct world *world, struct hold *hold,
			 const struct area *area, char *map)
{
	const struct space *space = &world->spaces[area->space];
	long expected = expected_ring(space, area);

	AGREE(world, 0, uring_open(&hold->ring));
	AGREE(world, expected,
	      uring_register(&hold->ring, map, hold->count * page_size()));
	if (expected)
		uring_close(&hold->ring);
	return !expected;
}

static bool hold_by_pipe(struct world *world, struct hold *hold,
			 const struct area *area, char *map)
{
	bool revoked = world->spaces[area->space].revoked;

	hold->count = 1;
	AGREE(world, revoked ? -EIO : 0, pin_page(&hold->pipe, map));
	return !revoked;
}

bool op_pin(struct world *world)
{
	struct hold *hold = free_hold(world);
	struct area *area = some_area(world);
	bool by_ring = world->rings && pick(world, 2);
	int start, end;
	char *map;

	if (!hold || !area)
		return false;
	some_run(world, area, 1 + pick(world, HOLD_PAGES), &start, &end);
	map = area->map + start * page_size();
	hold->by_ring = by_ring;
	hold->memory = world->spaces[area->space].memory;
	hold->start = area->start + start;
	hold->count = end - start;
	hold->there = by_ring ? hold_by_ring(world, hold, area, map) :
				hold_by_pipe(world, hold, area, map);
	return true;
}

void hold_release(struct hold *hold)
{
	if (hold->by_ring)
		uring_unregister(&hold->ring);
}

void hold_close(struct hold *hold)
{
	if (hold->by_ring)
		uring_close(&hold->ring);
	else
		pin_close(&hold->pipe);
}

void hold_lose(struct world *world, struct hold *hold)
{
	hold->there = false;
	memory_unpin(world, hold);
}

bool op_unpin(struct world *world)
{
	struct hold *hold = &world->self->holds[pick(world, PINS)];

	if (!hold->there)
		return false;
	hold_release(hold);
	hold_close(hold);
	hold_lose(world, hold);
	return true;
}
