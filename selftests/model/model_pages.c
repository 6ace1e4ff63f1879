// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of pages: which of them are covered, and whether the kernel agrees.
 *
 * A page that nothing covers must have gone back. But a dataspace of another
 * world may use it again when it is checked. So all worlds share a table with
 * the owner of each physical page, and update it as soon as they know. A page
 * that is held and has no owner has not gone back, or its new owner is about to
 * enter the table. A new page that still has another owner after a while was
 * allocated twice.
 *
 * If a page is pinned, it and other pages of its large folio may stay as long,
 * and a little longer. They are late, and may have a new owner at any time.
 */
#include "model.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "pages.h"

/* How many pages of a memory are checked after an operation. */
#define LOOKS 10

#define OWNER_LATE 0x8000

static __u16 owner_of(const struct world *world, int memory)
{
	return world->index * MEMORIES + memory + 1;
}

static bool pass_on(__u16 *owner, __u16 from, __u16 to)
{
	return __atomic_compare_exchange_n(owner, &from, to, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool try_claim(__u16 *owner, __u16 to)
{
	__u16 from = __atomic_load_n(owner, __ATOMIC_SEQ_CST);

	return (!from || from & OWNER_LATE) && pass_on(owner, from, to);
}

static bool claim(__u16 *owner, __u16 to)
{
	double end = seconds() + STUCK;

	while (!try_claim(owner, to)) {
		if (seconds() > end)
			return false;
		usleep(1000);
	}
	return true;
}

/* Also if that is not looked at here. */
static bool is_gone(const struct world *world, __u64 pfn)
{
	return world->flags_fd < 0 || !page_flags_held(world->flags_fd, pfn) ||
	       __atomic_load_n(&world->owner[pfn], __ATOMIC_SEQ_CST);
}

static bool wait_until_gone(struct world *world, __u64 pfn, double timeout)
{
	double end = seconds() + timeout;

	while (!is_gone(world, pfn)) {
		if (seconds() > end)
			return false;
		usleep(1000);
	}
	return true;
}

void memory_init(struct world *world, int index, int pages, const __u64 *pfn)
{
	struct memory *memory = &world->memories[index];
	int i;

	memset(memory, 0, sizeof(*memory));
	memory->there = true;
	memory->pages = pages;
	for (i = 0; i < pages; i++) {
		memory->filled[i] = FILLED;
		memory_see(world, index, i, pfn[i]);
	}
}

void memory_init_lazy(struct world *world, int index, int pages)
{
	struct memory *memory = &world->memories[index];

	memset(memory, 0, sizeof(*memory));
	memory->there = true;
	memory->lazy = true;
	memory->pages = pages;
}

void memory_see(struct world *world, int index, int page, __u64 pfn)
{
	world->memories[index].pfn[page] = pfn;
	CHECK_EQ(world, true,
		 claim(&world->owner[pfn], owner_of(world, index)));
}

static bool overlaps(const struct pinned *pinned, int memory, int start,
		     int end)
{
	return pinned->there && pinned->memory == memory &&
	       pinned->start < end && pinned->start + pinned->count > start;
}

static bool any_pin_overlaps(const struct world *world, int memory, int start,
			     int end)
{
	int i, j;

	for (i = 0; i < PROCESSES; i++) {
		const struct process *process = &world->processes[i];

		for (j = 0; process->there && j < PINS; j++) {
			if (overlaps(&process->pins[j], memory, start, end))
				return true;
		}
	}
	return false;
}

bool is_pinned(const struct world *world, int memory, int page)
{
	return any_pin_overlaps(world, memory, page, page + 1);
}

bool is_near_pinned(const struct world *world, int memory, int page)
{
	int start = page - page % world->folio_pages;

	return any_pin_overlaps(world, memory, start,
				start + world->folio_pages);
}

static void touch(struct memory *memory, int start, int end)
{
	if (memory->from == memory->to) {
		memory->from = start;
		memory->to = end;
	}
	if (start < memory->from)
		memory->from = start;
	if (end > memory->to)
		memory->to = end;
}

void memory_cover(struct world *world, int index, int start, int end)
{
	struct memory *memory = &world->memories[index];
	int i;

	for (i = start; i < end; i++)
		memory->covered += !memory->cover[i]++;
}

static void make_late(struct world *world, int index, int page)
{
	struct memory *memory = &world->memories[index];
	const __u16 owner = owner_of(world, index);

	memory->late[page] = true;
	pass_on(&world->owner[memory->pfn[page]], owner, owner | OWNER_LATE);
}

static void lose(struct world *world, int index, int page)
{
	struct memory *memory = &world->memories[index];

	memory->covered--;
	if (is_pinned(world, index, page))
		return;
	if (is_near_pinned(world, index, page))
		make_late(world, index, page);
	else
		pass_on(&world->owner[memory->pfn[page]],
			owner_of(world, index), 0);
}

void memory_uncover(struct world *world, int index, int start, int end)
{
	struct memory *memory = &world->memories[index];
	int i;

	for (i = start; i < end; i++) {
		if (!--memory->cover[i])
			lose(world, index, i);
	}
	touch(memory, start, end);
}

/* Pages that only the pin has kept go back now. */
void memory_unpin(struct world *world, const struct pinned *pinned)
{
	struct memory *memory = &world->memories[pinned->memory];
	int i;

	for (i = pinned->start; i < pinned->start + pinned->count; i++) {
		if (!memory->cover[i] && !is_pinned(world, pinned->memory, i))
			make_late(world, pinned->memory, i);
	}
	touch(memory, pinned->start, pinned->start + pinned->count);
}

static void settle_page(struct world *world, int index, int page)
{
	struct memory *memory = &world->memories[index];
	const __u64 pfn = memory->pfn[page];

	memory->late[page] = false;
	if (pass_on(&world->owner[pfn], owner_of(world, index) | OWNER_LATE, 0))
		CHECK_EQ(world, true, wait_until_gone(world, pfn, STUCK));
}

void memory_settle(struct world *world, int index)
{
	struct memory *memory = &world->memories[index];
	int i;

	for (i = 0; i < memory->pages; i++) {
		if (memory->late[i] && !is_near_pinned(world, index, i))
			settle_page(world, index, i);
	}
	if (!memory->covered &&
	    !any_pin_overlaps(world, index, 0, memory->pages))
		memory->there = false;
}

/* Others may only wait for a page when all are known not to be this world's. */
void memory_punch(struct world *world, int index, int start, int end)
{
	struct memory *memory = &world->memories[index];
	int i;

	for (i = start; i < end; i++) {
		if (!memory->filled[i])
			pass_on(&world->owner[memory->pfn[i]],
				owner_of(world, index), 0);
	}
	for (i = start; i < end; i++) {
		if (memory->filled[i] || !memory->pfn[i])
			continue;
		CHECK_EQ(world, true,
			 wait_until_gone(world, memory->pfn[i], STUCK));
		memory->pfn[i] = 0;
	}
}

static void look_at_page(struct world *world, int index, int page)
{
	struct memory *memory = &world->memories[index];
	const __u64 pfn = memory->pfn[page];

	if (!pfn || world->flags_fd < 0)
		return;
	world->looks++;
	if (memory->cover[page] || is_pinned(world, index, page)) {
		CHECK_EQ(world, true, page_flags_held(world->flags_fd, pfn));
	} else if (!memory->late[page] && !is_gone(world, pfn)) {
		CHECK_EQ(world, true, wait_until_gone(world, pfn, STUCK));
		world->waited += !world->owner[pfn];
	}
}

static bool is_edge(const struct memory *memory, int page)
{
	bool covered = memory->cover[page];

	return !page || page == memory->pages - 1 ||
	       covered != !!memory->cover[page - 1] ||
	       covered != !!memory->cover[page + 1];
}

/*
 * Pages at edges are checked, as something may have been cut there by mistake.
 */
static void look(struct world *world, int index, int from, int to)
{
	const struct memory *memory = &world->memories[index];
	int left = LOOKS;
	int i;

	look_at_page(world, index, from + pick(world, to - from));
	if (from)
		look_at_page(world, index, from - 1);
	if (to < memory->pages)
		look_at_page(world, index, to);
	for (i = from; left && i < to; i++) {
		if (i == from || i == to - 1 || is_edge(memory, i)) {
			look_at_page(world, index, i);
			left--;
		}
	}
}

static bool has_late(const struct memory *memory)
{
	return memchr(memory->late, true, memory->pages);
}

void memories_look(struct world *world)
{
	int i;

	for (i = 0; i < MEMORIES; i++) {
		struct memory *memory = &world->memories[i];

		if (!memory->there || memory->from == memory->to)
			continue;
		look(world, i, memory->from, memory->to);
		memory->from = 0;
		memory->to = 0;
		if (!memory->covered && !has_late(memory) &&
		    !any_pin_overlaps(world, i, 0, memory->pages))
			memory->there = false;
	}
}

/* Gives up the pages for other worlds, if this one ends early. */
void memory_abandon(struct world *world, int index)
{
	struct memory *memory = &world->memories[index];
	const __u16 owner = owner_of(world, index);
	int i;

	for (i = 0; i < memory->pages; i++) {
		pass_on(&world->owner[memory->pfn[i]], owner, 0);
		pass_on(&world->owner[memory->pfn[i]], owner | OWNER_LATE, 0);
	}
}

void memory_look_at_all(struct world *world, int index)
{
	int i;

	for (i = 0; i < world->memories[index].pages; i++)
		look_at_page(world, index, i);
}
