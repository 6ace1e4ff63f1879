// SPDX-License-Identifier: GPL-2.0-only
/* Operations on mappings. */
#include "model.h"

#include <signal.h>
#include <string.h>

#include "common.h"
#include "sigbus.h"

/* The most pages that one operation stores to. */
#define STORE_PAGES 8

/* Bits of an entry of pagemap. */
#define PAGEMAP_PRESENT 0x8000000000000000ULL
#define PAGEMAP_FRAME 0x007fffffffffffffULL

static char *page_of(const struct mapping *mapping, int page)
{
	return mapping->map + page * page_size();
}

static char *last_word_of(const struct mapping *mapping, int page)
{
	return page_of(mapping, page + 1) - sizeof(__u64);
}

static bool frame_of(const struct world *world, const char *at, __u64 *frame)
{
	off_t place = (uintptr_t)at / page_size() * sizeof(*frame);

	if (pread(world->self->pagemap, frame, sizeof(*frame), place) !=
	    sizeof(*frame))
		return false;
	*frame &= PAGEMAP_PRESENT | PAGEMAP_FRAME;
	return *frame & PAGEMAP_PRESENT;
}

/* Migration of other pages may unmap a page for a moment. */
void check_frame(struct world *world, int index, int page, const char *at)
{
	struct memory *memory = &world->memories[index];
	double end = seconds() + STUCK;
	__u64 frame = 0;
	__u64 value;

	while (!frame_of(world, at, &frame) && seconds() < end)
		try_load(at, &value);
	CHECK_EQ(world, PAGEMAP_PRESENT, frame & PAGEMAP_PRESENT);
	frame &= PAGEMAP_FRAME;
	if (!memory->pfn[page] && !world->wrong)
		memory_see(world, index, page, frame);
	CHECK_EQ(world, memory->pfn[page], frame);
}

void touch_page(struct world *world, const struct mapping *mapping, int page)
{
	int start = page;
	int end = page;

	while (start && mapping->there[start - 1])
		start--;
	while (end < mapping->count && mapping->there[end])
		end++;
	lazy_touch(world, world->spaces[mapping->space].memory,
		   mapping->start + page, mapping->start + start,
		   mapping->start + end, page_of(mapping, start));
}

void check_load(struct world *world, const struct mapping *mapping)
{
	const struct space *space = &world->spaces[mapping->space];
	const struct memory *memory = &world->memories[space->memory];
	const int expected = space->revoked ? SIGBUS : 0;
	__u64 words[2] = {};
	int start, end;

	some_run(world, mapping, 1, &start, &end);
	CHECK_EQ(world, expected, try_load(page_of(mapping, start), &words[0]));
	CHECK_EQ(world, expected,
		 try_load(last_word_of(mapping, start), &words[1]));
	if (space->revoked || world->wrong)
		return;
	touch_page(world, mapping, start);
	CHECK_EQ(world, memory->content[mapping->start + start], words[0]);
	CHECK_EQ(world, memory->content[mapping->start + start], words[1]);
	check_frame(world, space->memory, mapping->start + start,
		    page_of(mapping, start));
}

/* The VFS checks the mode of the descriptor first. */
static long expected_map(const struct space *space, int prot)
{
	if (prot & PROT_WRITE && !(space->rights & DATASPACE_WRITE))
		return -EACCES;
	if (space->revoked)
		return -ESTALE;
	if (!(space->rights & DATASPACE_MAP))
		return -EACCES;
	if (prot & PROT_WRITE && space->seal)
		return -EPERM;
	if (prot & PROT_EXEC && !(space->rights & DATASPACE_EXEC))
		return -EACCES;
	return 0;
}

static int random_prot(struct world *world)
{
	int prot = PROT_READ;

	if (pick(world, 3))
		prot |= PROT_WRITE;
	if (!pick(world, 8))
		prot |= PROT_EXEC;
	return prot;
}

bool op_map(struct world *world)
{
	struct handle *handle = lasting_handle(world);
	struct mapping *mapping = free_mapping(world);
	int flags = pick(world, 4) ? MAP_SHARED : MAP_SHARED | MAP_POPULATE;
	int prot = random_prot(world);
	struct space *space;
	int start, end;
	void *map;

	if (!handle || !mapping)
		return false;
	space = space_of(world, handle);
	pick_range(world, space->end - space->start, PAGES_MAX, &start, &end);
	map = mmap(NULL, (end - start) * page_size(), prot, flags, handle->fd,
		   start * page_size());
	CHECK_EQ(world, expected_map(space, prot),
		 map == MAP_FAILED ? -errno : 0);
	if (map == MAP_FAILED)
		return true;
	mapping->map = map;
	mapping->start = space->start + start;
	mapping->count = end - start;
	mapping->writable = prot & PROT_WRITE;
	mapping_begin(world, mapping, handle->space);
	for (; flags & MAP_POPULATE && start < end && !world->wrong; start++)
		touch_page(world, mapping,
			   space->start + start - mapping->start);
	return true;
}

static int overmap(char *from, size_t length)
{
	void *map = mmap(from, length, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	return map == from ? result(munmap(map, length)) : -errno;
}

/* Unmaps only pages that are there: elsewhere may be another mapping by now. */
static int unmap_run(struct world *world, const struct mapping *mapping,
		     int start, int end)
{
	const size_t page = page_size();
	bool tail = end == mapping->count || !mapping->there[end];
	bool head = !start || !mapping->there[start - 1];
	char *from = page_of(mapping, start);

	switch (pick(world, 4)) {
	case 0:
		return overmap(from, (end - start) * page);
	case 1:
		if (!tail || head)
			break;
		from -= page;
		return mremap(from, (end - start + 1) * page, page, 0) == from ?
			       0 :
			       -errno;
	default:
		break;
	}
	return result(munmap(from, (end - start) * page));
}

bool op_unmap(struct world *world)
{
	struct mapping *mapping = some_mapping(world);
	int start, end;

	if (!mapping)
		return false;
	if (pick(world, 2))
		some_run(world, mapping, 1 + pick(world, 16), &start, &end);
	else
		some_piece(world, mapping, &start, &end);
	CHECK_EQ(world, 0, unmap_run(world, mapping, start, end));
	mapping_cut(world, mapping, start, end);
	return true;
}

/* Moves a mapping that is one VMA to the place of another mapping. */
bool op_move(struct world *world)
{
	struct mapping *mapping = some_mapping(world);
	int start, end;
	size_t length;
	char *from;
	char *to;

	if (!mapping || mapping->vmas != 1)
		return false;
	some_piece(world, mapping, &start, &end);
	length = (end - start) * page_size();
	from = page_of(mapping, start);
	to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(world, (intptr_t)to,
		 (intptr_t)mremap(from, length, length,
				  MREMAP_MAYMOVE | MREMAP_FIXED, to));
	mapping->map += to - from;
	return true;
}

/* WRITE of the descriptor counts that the memory was mapped with. */
static long expected_protect(const struct space *space,
			     const struct mapping *mapping, bool writable)
{
	if (!writable)
		return 0;
	if (!(space->rights & DATASPACE_WRITE))
		return -EACCES;
	return space->seal && !mapping->writable ? -EPERM : 0;
}

bool op_protect(struct world *world)
{
	struct mapping *mapping = some_mapping(world);
	bool writable = pick(world, 2);
	int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	struct space *space;
	int start, end;
	long ret;

	if (!mapping || mapping->vmas != 1)
		return false;
	space = &world->spaces[mapping->space];
	if (space->revoked)
		return false;
	some_piece(world, mapping, &start, &end);
	ret = result(mprotect(page_of(mapping, start),
			      (end - start) * page_size(), prot));
	CHECK_EQ(world, expected_protect(space, mapping, writable), ret);
	if (!ret)
		mapping->writable = writable;
	return true;
}

static int expected_store(const struct space *space,
			  const struct mapping *mapping)
{
	if (!mapping->writable)
		return SIGSEGV;
	return space->revoked || space->seal & SEALED_NOW ? SIGBUS : 0;
}

static void store(struct world *world, const struct mapping *mapping, int page)
{
	const struct space *space = &world->spaces[mapping->space];
	struct memory *memory = &world->memories[space->memory];

	memory->content[mapping->start + page] = world->version++;
	CHECK_EQ(world, 0,
		 try_store(page_of(mapping, page),
			   memory->content[mapping->start + page]));
	CHECK_EQ(world, 0,
		 try_store(last_word_of(mapping, page),
			   memory->content[mapping->start + page]));
	touch_page(world, mapping, page);
}

bool op_store(struct world *world)
{
	struct mapping *mapping = some_mapping(world);
	int start, end, expected;

	if (!mapping)
		return false;
	some_run(world, mapping, STORE_PAGES, &start, &end);
	expected = expected_store(&world->spaces[mapping->space], mapping);
	if (expected) {
		CHECK_EQ(world, expected,
			 try_store(page_of(mapping, start), 0));
		return true;
	}
	for (; start < end; start++)
		store(world, mapping, start);
	return true;
}

/* None of this changes what anybody sees. */
bool op_advise(struct world *world)
{
	static const int advices[] = { MADV_DONTNEED, MADV_COLD, MADV_PAGEOUT,
				       MADV_WILLNEED };
	struct mapping *mapping = some_mapping(world);
	int advice = advices[pick(world, ARRAY_LENGTH(advices))];
	int start, end;

	if (!mapping)
		return false;
	some_run(world, mapping, PAGES_MAX, &start, &end);
	CHECK_EQ(world, 0,
		 result(madvise(page_of(mapping, start),
				(end - start) * page_size(), advice)));
	return true;
}
