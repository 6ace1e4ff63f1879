// SPDX-License-Identifier: GPL-2.0-only
/* Operations on descriptors. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "pages.h"

/* The longest write, in pages. */
#define WRITE_PAGES 4
/* How often there is no room for a new root until a memory becomes old. */
#define OLD_ONE_OF 8

/* Mostly short, and sometimes longer than a huge page. */
static int random_length(struct world *world)
{
	if (pick(world, 8))
		return 1 + pick(world, 64);
	return 500 + pick(world, PAGES_MAX - 500 + 1);
}

static __u32 random_rights(struct world *world)
{
	return RIGHTS_R | (pick(world, 4) ? DATASPACE_WRITE : 0) |
	       (pick(world, 2) ? DATASPACE_EXEC : 0);
}

/* Mostly with the rights to go on with it. */
static __u32 random_rights_of_alias(struct world *world)
{
	__u32 rights = random_rights(world);

	if (!pick(world, 16))
		rights &= ~DATASPACE_MAP;
	if (!pick(world, 16))
		rights &= ~DATASPACE_DERIVE;
	if (!pick(world, 4))
		rights &= ~DATASPACE_EXPORT;
	return rights;
}

/*
 * If there is no room, one of the memories becomes old; not too soon, as it
 * takes a while until much is derived from a new root.
 */
static int free_memory(struct world *world)
{
	int i;

	for (i = 0; i < MEMORIES; i++) {
		if (world->memories[i].there && !world->memories[i].covered)
			memory_settle(world, i);
		if (!world->memories[i].there)
			return i;
	}
	if (!pick(world, OLD_ONE_OF))
		world->memories[pick(world, MEMORIES)].old = true;
	return NONE;
}

static void note_pages(struct world *world, int memory, int fd, int count,
		       bool contiguous)
{
	struct pages pages;

	CHECK_EQ(world, 0, pages_of_fd(&pages, fd, count * page_size()));
	if (world->wrong)
		return;
	CHECK_EQ(world, true,
		 !contiguous || pages_contiguous(&pages, 0, count));
	memory_init(world, memory, count, pages.pfn);
	pages_forget(&pages);
}

/* Notes a descriptor that was just made of a dataspace that the model has. */
static void note_space(struct world *world, struct handle *handle, int space,
		       int fd)
{
	handle->space = space;
	handle->fd = fd;
	world->spaces[space].id = ds_id(fd);
	space_get(world, space);
	check_info(world, handle);
}

static int new_root(struct world *world, int memory, int pages, __u32 rights,
		    bool contiguous)
{
	int index = space_new(world, NONE);
	struct space *space = &world->spaces[index];

	space->memory = memory;
	space->lazy = world->memories[memory].lazy;
	space->end = pages;
	space->rights = rights;
	space->contiguous = contiguous;
	return index;
}

bool op_alloc(struct world *world)
{
	struct handle *handle = free_handle(world);
	int memory = handle ? free_memory(world) : NONE;
	bool lazy = !pick(world, 3);
	bool scattered = !lazy && pick(world, 2);
	int pages = random_length(world);
	__u32 rights = random_rights(world);
	bool contiguous;
	int fd;

	if (memory == NONE || free_space(world) == NONE)
		return false;
	fd = ds_alloc(pages * page_size(), rights,
		      lazy	? DATASPACE_ALLOC_LAZY :
		      scattered ? DATASPACE_ALLOC_SCATTERED :
				  0);
	if (fd == -ENOMEM && !lazy && !scattered && pages > 1) {
		world->refused++;
		return false;
	}
	CHECK_EQ(world, true, fd >= 0);
	contiguous = ds_state(fd) & DATASPACE_STATE_CONTIGUOUS;
	CHECK_EQ(world, true, lazy ? !contiguous : scattered || contiguous);
	if (lazy)
		memory_init_lazy(world, memory, pages);
	else
		note_pages(world, memory, fd, pages, contiguous);
	if (!world->wrong)
		note_space(world, handle,
			   new_root(world, memory, pages, rights, contiguous),
			   fd);
	return true;
}

static long expected_alias(const struct space *source, __u32 rights,
			   __u32 flags, bool too_long)
{
	if (source->revoked)
		return -ESTALE;
	if (too_long)
		return -EINVAL;
	if (!(source->rights & DATASPACE_DERIVE))
		return -EPERM;
	if (rights & ~space_rights(source) && !(flags & DATASPACE_ALIAS_CLIP))
		return -EPERM;
	return 0;
}

static bool is_contiguous(const struct memory *memory, int start, int end)
{
	int i;

	if (memory->lazy)
		return false;
	for (i = start + 1; i < end; i++) {
		if (memory->pfn[i] != memory->pfn[i - 1] + 1)
			return false;
	}
	return true;
}

static void derive(struct world *world, const struct handle *from, int start,
		   int end, __u32 rights, int fd)
{
	const struct space *source = space_of(world, from);
	int index = space_new(world, from->space);
	struct space *space = &world->spaces[index];
	int depth = space_depth(world, index);

	space->memory = source->memory;
	space->lazy = source->lazy;
	space->start = source->start + start;
	space->end = source->start + end;
	space->contiguous = is_contiguous(&world->memories[space->memory],
					  space->start, space->end);
	space->rights = rights & space_rights(source);
	space->seal = source->seal;
	note_space(world, free_handle(world), index, fd);
	if (depth > world->deepest)
		world->deepest = depth;
}

/* The deeper one of two, so that derivation gets deep. */
static struct handle *deep_handle(struct world *world)
{
	struct handle *one = lasting_handle(world);
	struct handle *other = lasting_handle(world);

	if (!one || !other)
		return one ? one : other;
	return space_depth(world, one->space) >
			       space_depth(world, other->space) ?
		       one :
		       other;
}

bool op_alias(struct world *world)
{
	struct handle *from = deep_handle(world);
	__u32 flags = pick(world, 4) ? 0 : DATASPACE_ALIAS_CLIP;
	__u32 rights = random_rights_of_alias(world);
	int start, end, beyond, fd;
	struct space *source;
	long expected;

	if (!from || !free_handle(world) || free_space(world) == NONE)
		return false;
	source = space_of(world, from);
	pick_range(world, source->end - source->start, PAGES_MAX, &start, &end);
	beyond = source->revoked || pick(world, 32) ?
			 0 :
			 source->end - source->start - start;
	expected = expected_alias(source, rights, flags, beyond);
	fd = ds_alias_flags(from->fd, start * page_size(),
			    (end - start + beyond) * page_size(), rights,
			    flags);
	CHECK_EQ(world, expected, fd < 0 ? fd : 0);
	if (fd >= 0 && !world->wrong)
		derive(world, from, start, end, rights, fd);
	return true;
}

bool op_dup(struct world *world)
{
	struct handle *from = lasting_handle(world);
	struct handle *to = free_handle(world);
	int fd;

	if (!from || !to)
		return false;
	fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	CHECK_EQ(world, true, fd >= 0);
	to->space = from->space;
	to->fd = fd;
	space_get(world, to->space);
	return true;
}

bool op_close(struct world *world)
{
	struct handle *handle = some_handle(world);
	int space;

	if (!handle)
		return false;
	space = handle->space;
	CHECK_EQ(world, 0, result(close(handle->fd)));
	handle->space = NONE;
	space_put(world, space);
	return true;
}

/* The VFS checks the mode of the descriptor first. */
static long expected_write(const struct space *space, long bytes)
{
	if (!(space->rights & DATASPACE_WRITE))
		return -EBADF;
	if (space->revoked)
		return -ESTALE;
	return space->seal ? -EPERM : bytes;
}

static void fill(char *buffer, int pages, __u64 first)
{
	const size_t words = page_size() / sizeof(__u64);
	int i;

	for (i = 0; i < pages; i++) {
		__u64 *page = (__u64 *)(buffer + i * page_size());

		page[0] = first + i;
		page[words - 1] = first + i;
	}
}

static char *buffer(void)
{
	static char *pages;

	if (!pages)
		pages = calloc(WRITE_PAGES, page_size());
	return pages;
}

static void wrote(struct world *world, const struct space *space, int start,
		  int end)
{
	struct memory *memory = &world->memories[space->memory];
	int i;

	for (i = start; i < end; i++)
		memory->content[space->start + i] = world->version++;
}

bool op_write(struct world *world)
{
	struct handle *handle = some_handle(world);
	struct space *space;
	int start, end;
	long ret;

	if (!handle)
		return false;
	space = space_of(world, handle);
	pick_range(world, space->end - space->start, WRITE_PAGES, &start, &end);
	if (!space->revoked &&
	    !lazy_can_tell(world, handle, space->start + start,
			   space->start + end))
		return false;
	fill(buffer(), end - start, world->version);
	ret = result(pwrite(handle->fd, buffer(), (end - start) * page_size(),
			    start * page_size()));
	CHECK_EQ(world, expected_write(space, (end - start) * page_size()),
		 ret);
	if (ret < 0 || world->wrong)
		return true;
	wrote(world, space, start, end);
	lazy_touch_by_write(world, handle, space->start + start,
			    space->start + end);
	return true;
}

bool op_read(struct world *world)
{
	struct handle *handle = some_handle(world);
	struct space *space;
	__u64 words[3];
	off_t at;
	int page;
	long ret;

	if (!handle)
		return false;
	space = space_of(world, handle);
	page = pick(world, space->end - space->start);
	at = (page + 1) * page_size() - sizeof(words[1]);
	ret = result(pread(handle->fd, &words[0], sizeof(words[0]),
			   page * page_size()));
	CHECK_EQ(world, space->revoked ? -ESTALE : (long)sizeof(words[0]), ret);
	ret = result(pread(handle->fd, &words[1], 2 * sizeof(words[1]), at));
	if (space->revoked)
		return true;
	CHECK_EQ(world,
		 (page < space->end - space->start - 1 ? 2 : 1) *
			 sizeof(words[1]),
		 ret);
	page += space->start;
	CHECK_EQ(world, world->memories[space->memory].content[page], words[0]);
	CHECK_EQ(world, world->memories[space->memory].content[page], words[1]);
	return true;
}

bool op_revoke(struct world *world)
{
	struct handle *handle = some_handle(world);
	struct space *space;

	if (!handle)
		return false;
	space = space_of(world, handle);
	CHECK_EQ(world, space->revoked ? -ESTALE : 0, ds_revoke(handle->fd));
	if (!space->revoked)
		space_revoke(world, handle->space, false);
	check_info(world, handle);
	return true;
}

bool op_revoke_self(struct world *world)
{
	struct handle *handle = some_handle(world);
	struct space *space;

	if (!handle)
		return false;
	space = space_of(world, handle);
	CHECK_EQ(world, space->revoked ? -ESTALE : 0,
		 ds_revoke_flags(handle->fd, DATASPACE_REVOKE_SELF));
	if (!space->revoked)
		space_revoke(world, handle->space, true);
	check_info(world, handle);
	return true;
}

static long expected_seal(const struct space *space)
{
	if (space->revoked)
		return -ESTALE;
	return space->rights & DATASPACE_WRITE ? 0 : -EPERM;
}

bool op_seal(struct world *world)
{
	struct handle *handle = some_handle(world);
	long expected;

	if (!handle)
		return false;
	expected = expected_seal(space_of(world, handle));
	CHECK_EQ(world, expected, ds_seal(handle->fd, 0));
	if (!expected)
		space_seal(world, handle->space, SEALED);
	check_info(world, handle);
	return true;
}

static bool any_page(const struct world *world, const struct space *space,
		     bool (*is)(const struct world *world, int memory,
				int page))
{
	int i;

	for (i = space->start; i < space->end; i++) {
		if (is(world, space->memory, i))
			return true;
	}
	return false;
}

/*
 * A pin outside of the range matters in the same large folio, and none does if there
 * is nothing left to be sealed.
 */
bool op_seal_now(struct world *world)
{
	struct handle *handle = some_handle(world);
	struct space *space;
	bool pinned;
	long expected;

	if (!handle)
		return false;
	space = space_of(world, handle);
	pinned = any_page(world, space, is_pinned);
	if (!pinned && any_page(world, space, is_near_pinned))
		return false;
	expected = expected_seal(space);
	if (!expected && pinned && !(space->seal & SEALED_NOW))
		expected = -EBUSY;
	CHECK_EQ(world, expected, ds_seal(handle->fd, DATASPACE_SEAL_NOW));
	if (!expected)
		space_seal(world, handle->space, SEALED | SEALED_NOW);
	check_info(world, handle);
	return true;
}
