// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random steps against a model: sets of pages, each with the number of those
 * that cover it. After every step the module has to agree with the model on
 * which pages are held and which went back, on contents and rights, and on
 * what INFO says: rules 1, 5, 7, 8, 13, 14 and 15.
 *
 * The seed is printed; a run is repeated with SEED=<number> and, for another
 * length, STEPS=<number> in the environment.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "pages.h"

#define STEPS 10000
#define ROOTS 8
#define SPACES 96
#define AREAS 96
#define TIMEOUT 800

/* The memory of one root, for as long as anything covers a page of it. */
struct memory {
	struct pages pages;
	int *cover;
	__u64 *content;
	size_t covered;
};

/* One dataspace of all that ever were; who is derived from whom. */
struct node {
	int parent;
	bool live;
};

/* An open dataspace: pages [start, end) of a memory. */
struct space {
	struct memory *memory;
	size_t start, end;
	__u32 rights;
	int fd;
	int node;
};

/* What is left of a mapping: there[i] says whether page start + i is. */
struct area {
	struct memory *memory;
	size_t start, count;
	bool *there;
	char *map;
	bool writable;
	int node;
};

struct model {
	struct memory memories[ROOTS];
	struct space spaces[SPACES];
	struct area areas[AREAS];
	struct node *nodes;
	int nr_nodes;
	unsigned int seed;
	__u64 version;
	/* line of the first difference */
	int wrong;
};

static void differs(struct model *model, bool condition, int line)
{
	if (condition && !model->wrong)
		model->wrong = line;
}

#define DIFFERS(model, condition) differs(model, condition, __LINE__)

static size_t pick(struct model *model, size_t below)
{
	return rand_r(&model->seed) % below;
}

/* Pages that nothing covers any more must be free at this moment. */
static void forget_if_empty(struct memory *memory)
{
	if (memory->covered)
		return;
	pages_forget(&memory->pages);
	free(memory->cover);
	free(memory->content);
	memory->cover = NULL;
}

static void cover(struct memory *memory, size_t start, size_t end)
{
	size_t i;

	for (i = start; i < end; i++)
		memory->covered += !memory->cover[i]++;
}

/* Whether the pages that lost their last cover, and only those, went back. */
static void uncover(struct model *model, struct memory *memory, size_t start,
		    size_t end)
{
	bool *held = calloc(end - start, sizeof(*held));
	size_t i;

	pages_look(&memory->pages, start, end, held);
	for (i = start; i < end; i++) {
		memory->covered -= !--memory->cover[i];
		DIFFERS(model, held[i - start] != !!memory->cover[i]);
	}
	free(held);
}

static size_t held_of_covered(const struct memory *memory)
{
	bool *held = calloc(memory->pages.count, sizeof(*held));
	size_t count = 0;
	size_t i;

	pages_look(&memory->pages, 0, memory->pages.count, held);
	for (i = 0; i < memory->pages.count; i++)
		count += memory->cover[i] && held[i];
	free(held);
	return count;
}

static struct space *free_space(struct model *model)
{
	size_t i;

	for (i = 0; i < SPACES; i++) {
		if (!model->spaces[i].memory)
			return &model->spaces[i];
	}
	return NULL;
}

static struct area *free_area(struct model *model)
{
	size_t i;

	for (i = 0; i < AREAS; i++) {
		if (!model->areas[i].memory)
			return &model->areas[i];
	}
	return NULL;
}

static struct memory *free_memory(struct model *model)
{
	size_t i;

	for (i = 0; i < ROOTS; i++) {
		if (!model->memories[i].cover)
			return &model->memories[i];
	}
	return NULL;
}

/* Any open dataspace, from a random place on. */
static struct space *some_space(struct model *model)
{
	size_t first = pick(model, SPACES);
	size_t i;

	for (i = 0; i < SPACES; i++) {
		struct space *space = &model->spaces[(first + i) % SPACES];

		if (space->memory)
			return space;
	}
	return NULL;
}

static struct area *some_area(struct model *model)
{
	size_t first = pick(model, AREAS);
	size_t i;

	for (i = 0; i < AREAS; i++) {
		struct area *area = &model->areas[(first + i) % AREAS];

		if (area->memory)
			return area;
	}
	return NULL;
}

static int new_node(struct model *model, int parent)
{
	model->nodes[model->nr_nodes] = (struct node){ parent, true };
	return model->nr_nodes++;
}

static void random_range(struct model *model, size_t count, size_t *start,
			 size_t *end)
{
	size_t one = pick(model, count);
	size_t other = pick(model, count);

	*start = one < other ? one : other;
	*end = (one < other ? other : one) + 1;
}

static __u32 random_rights(struct model *model)
{
	return DATASPACE_READ | pick(model, 8);
}

/* Mostly small ones; some are longer than a huge page. */
static size_t random_length(struct model *model)
{
	return pick(model, 6) ? 1 + pick(model, 64) : 500 + pick(model, 700);
}

static void memory_init(struct model *model, struct memory *memory,
			struct space *space)
{
	size_t i;

	memory->cover = calloc(space->end, sizeof(*memory->cover));
	memory->content = calloc(space->end, sizeof(*memory->content));
	for (i = 0; i < space->end; i++)
		memory->content[i] = UINT64_MAX;
	memory->covered = 0;
	space->memory = memory;
	cover(memory, 0, space->end);
	DIFFERS(model, pages_of_fd(&memory->pages, space->fd,
				   space->end * page_size()));
}

static void step_alloc(struct model *model)
{
	struct memory *memory = free_memory(model);
	struct space *space = free_space(model);
	__u32 flags = pick(model, 2) ? DATASPACE_ALLOC_SCATTERED : 0;

	if (!memory || !space)
		return;
	space->start = 0;
	space->end = random_length(model);
	space->rights = random_rights(model);
	space->fd = ds_alloc(space->end * page_size(), space->rights, flags);
	DIFFERS(model, space->fd < 0);
	if (space->fd < 0)
		return;
	space->node = new_node(model, -1);
	memory_init(model, memory, space);
	DIFFERS(model, pages_held(&memory->pages) != space->end);
}

static void step_alias(struct model *model)
{
	struct space *source = some_space(model);
	struct space *space = free_space(model);
	__u32 rights = random_rights(model);
	size_t start, end;
	int fd;

	if (!source || !space)
		return;
	random_range(model, source->end - source->start, &start, &end);
	fd = ds_alias_pages(source->fd, start, end, rights);
	if (rights & ~source->rights) {
		DIFFERS(model, fd != -EPERM);
		return;
	}
	DIFFERS(model, fd < 0);
	if (fd < 0)
		return;
	space->memory = source->memory;
	space->start = source->start + start;
	space->end = source->start + end;
	space->rights = rights;
	space->fd = fd;
	space->node = new_node(model, source->node);
	cover(space->memory, space->start, space->end);
}

static void step_close(struct model *model)
{
	struct space *space = some_space(model);
	struct memory *memory;

	if (!space)
		return;
	memory = space->memory;
	close(space->fd);
	model->nodes[space->node].live = false;
	space->memory = NULL;
	uncover(model, memory, space->start, space->end);
	forget_if_empty(memory);
}

static void step_map(struct model *model)
{
	struct space *space = some_space(model);
	struct area *area = free_area(model);
	size_t start, end, page = page_size();
	int prot;

	if (!space || !area)
		return;
	random_range(model, space->end - space->start, &start, &end);
	area->writable = space->rights & DATASPACE_WRITE && pick(model, 2);
	prot = PROT_READ | (area->writable ? PROT_WRITE : 0);
	area->map = mmap(NULL, (end - start) * page, prot, MAP_SHARED,
			 space->fd, start * page);
	DIFFERS(model, area->map == MAP_FAILED);
	if (area->map == MAP_FAILED)
		return;
	area->memory = space->memory;
	area->start = space->start + start;
	area->count = end - start;
	area->there = malloc(area->count);
	memset(area->there, true, area->count);
	area->node = space->node;
	cover(area->memory, area->start, area->start + area->count);
}

/* Runs of pages that are there: each is a mapping of its own. */
static size_t pieces_of(const struct area *area)
{
	size_t pieces = 0;
	size_t i;

	for (i = 0; i < area->count; i++)
		pieces += area->there[i] && (!i || !area->there[i - 1]);
	return pieces;
}

/* Unmaps the next piece of [start, end): elsewhere others may be by now. */
static size_t unmap_piece(struct model *model, struct area *area, size_t start,
			  size_t end)
{
	const size_t page = page_size();
	size_t i = start;

	while (i < end && area->there[i])
		area->there[i++] = false;
	if (i == start)
		return start + 1;
	munmap(area->map + start * page, (i - start) * page);
	uncover(model, area->memory, area->start + start, area->start + i);
	return i;
}

static void unmap(struct model *model, struct area *area, size_t start,
		  size_t end)
{
	struct memory *memory = area->memory;

	while (start < end)
		start = unmap_piece(model, area, start, end);
	if (pieces_of(area))
		return;
	free(area->there);
	area->memory = NULL;
	forget_if_empty(memory);
}

static void step_unmap(struct model *model)
{
	struct area *area = some_area(model);
	size_t start, end;

	if (!area)
		return;
	start = 0;
	end = area->count;
	if (pick(model, 3))
		random_range(model, area->count, &start, &end);
	unmap(model, area, start, end);
}

static void step_write(struct model *model)
{
	struct space *space = some_space(model);
	size_t start, end, i;

	if (!space)
		return;
	random_range(model, space->end - space->start, &start, &end);
	if (!(space->rights & DATASPACE_WRITE)) {
		DIFFERS(model, tags_write_fd(space->fd, 1, 0) != -EACCES);
		return;
	}
	model->version += 1 << 16;
	DIFFERS(model, tags_write_fd(space->fd, end - start, model->version));
	for (i = 0; i < end - start; i++)
		space->memory->content[space->start + i] = model->version + i;
}

static void step_store(struct model *model)
{
	struct area *area = some_area(model);
	size_t i;

	if (!area || !area->writable)
		return;
	model->version += 1 << 16;
	for (i = 0; i < area->count; i++) {
		if (!area->there[i])
			continue;
		tags_write(area->map + i * page_size(), 1, model->version + i);
		area->memory->content[area->start + i] = model->version + i;
	}
}

static bool page_is_right(const struct memory *memory, size_t page,
			  const char *map)
{
	if (memory->content[page] == UINT64_MAX)
		return bytes_are(map, page_size(), 0);
	return !tags_wrong(map, 1, memory->content[page]);
}

static void check_space_content(struct model *model, struct space *space)
{
	const size_t count = space->end - space->start;
	char *map = ds_map(space->fd, count * page_size(), PROT_READ);
	size_t i;

	DIFFERS(model, map == MAP_FAILED);
	for (i = 0; map != MAP_FAILED && i < count; i++)
		DIFFERS(model, !page_is_right(space->memory, space->start + i,
					      map + i * page_size()));
	munmap(map, count * page_size());
}

static void check_area_content(struct model *model, struct area *area)
{
	size_t i;

	for (i = 0; i < area->count; i++) {
		if (area->there[i])
			DIFFERS(model,
				!page_is_right(area->memory, area->start + i,
					       area->map + i * page_size()));
	}
}

static bool is_derived(const struct model *model, int node, int from)
{
	while (node >= 0) {
		node = model->nodes[node].parent;
		if (node == from)
			return true;
	}
	return false;
}

static size_t count_aliases(const struct model *model, int node)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < SPACES; i++) {
		const struct space *space = &model->spaces[i];

		count += space->memory && is_derived(model, space->node, node);
	}
	return count;
}

static size_t count_mappings(const struct model *model, int node)
{
	size_t count = 0;
	size_t i;

	for (i = 0; i < AREAS; i++) {
		const struct area *area = &model->areas[i];

		if (area->memory && area->node == node)
			count += pieces_of(area);
	}
	return count;
}

static size_t count_exclusive(const struct space *space)
{
	size_t count = 0;
	size_t i;

	for (i = space->start; i < space->end; i++)
		count += space->memory->cover[i] == 1;
	return count;
}

static void agree(struct model *model, const char *what, __u64 expected,
		  __u64 seen)
{
	if (model->wrong || expected == seen)
		return;
	fprintf(stderr, "# %s: expected %llu, is %llu\n", what, expected, seen);
	model->wrong = __LINE__;
}

static void check_info(struct model *model, struct space *space)
{
	const size_t page = page_size();
	struct dataspace_info info;

	DIFFERS(model, ds_info(space->fd, &info));
	agree(model, "length", (space->end - space->start) * page, info.length);
	agree(model, "rights", space->rights, info.rights);
	agree(model, "exclusive", count_exclusive(space) * page,
	      info.exclusive);
	agree(model, "aliases", count_aliases(model, space->node),
	      info.aliases);
	agree(model, "mappings", count_mappings(model, space->node),
	      info.mappings);
}

static void check_something(struct model *model)
{
	struct space *space = some_space(model);
	struct area *area = some_area(model);

	if (space)
		check_info(model, space);
	if (space && !pick(model, 8))
		check_space_content(model, space);
	if (area && !pick(model, 8))
		check_area_content(model, area);
}

static void check_everything(struct model *model)
{
	size_t i;

	for (i = 0; i < SPACES; i++) {
		if (model->spaces[i].memory) {
			check_info(model, &model->spaces[i]);
			check_space_content(model, &model->spaces[i]);
		}
	}
	for (i = 0; i < AREAS; i++) {
		if (model->areas[i].memory)
			check_area_content(model, &model->areas[i]);
	}
	for (i = 0; i < ROOTS; i++) {
		const struct memory *memory = &model->memories[i];

		if (memory->cover)
			DIFFERS(model,
				held_of_covered(memory) != memory->covered);
	}
}

static void (*const steps[])(struct model *model) = {
	step_alloc, step_alias, step_alias, step_alias, step_close, step_close,
	step_map,   step_map,	step_unmap, step_unmap, step_write, step_store,
};

static void run(struct model *model, long count)
{
	long i;

	for (i = 0; i < count && !model->wrong; i++) {
		size_t which = pick(model, ARRAY_LENGTH(steps));

		steps[which](model);
		check_something(model);
		if (i % 500 == 0)
			check_everything(model);
		if (model->wrong)
			fprintf(stderr, "# step %ld, kind %zu, line %d\n", i,
				which, model->wrong);
	}
}

static void end(struct model *model)
{
	size_t i;

	while (some_space(model))
		step_close(model);
	for (i = 0; i < AREAS; i++) {
		struct area *area = &model->areas[i];

		if (area->memory)
			unmap(model, area, 0, area->count);
	}
}

FIXTURE(model)
{
	struct model *model;
	long held;
	int fds;
};

FIXTURE_SETUP(model)
{
	self->held = pages_held_by_anyone();
	self->fds = count_fds();
	self->model = calloc(1, sizeof(*self->model));
	ASSERT_NE(NULL, self->model);
	self->model->seed = random_seed();
}

FIXTURE_TEARDOWN(model)
{
	EXPECT_EQ(self->held, pages_held_by_anyone());
	EXPECT_EQ(self->fds, count_fds());
}

TEST_F_TIMEOUT(model, agrees_after_every_random_step, TIMEOUT)
{
	const char *given = getenv("STEPS");
	long count = given ? atol(given) : STEPS;

	self->model->nodes = calloc(count, sizeof(*self->model->nodes));
	run(self->model, count);
	EXPECT_EQ(0, self->model->wrong);
	end(self->model);
	EXPECT_EQ(0, self->model->wrong);
}

TEST_HARNESS_MAIN
