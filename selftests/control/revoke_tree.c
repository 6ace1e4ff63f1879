// SPDX-License-Identifier: GPL-2.0-only
/*
 * A large random tree of aliases, some of them closed, some mapped. REVOKE of a
 * random node revokes exactly its descendants: rule 17.
 *
 * The seed is printed; SEED=<number> in the environment repeats a run, and
 * ALIASES=<number> sets another size.
 */
#include <kselftest_harness.h>

#include <sys/resource.h>

#include "common.h"
#include "control.h"
#include "sigbus.h"

#define ALIASES 100000
/* Debug options make each object several times as large. */
#define ALIASES_DEBUG 20000
#define ROOT_PAGES 64
#define TIMEOUT 850

/* Nodes with a smaller number than this are near the root. */
#define NEAR 20

/* One in so many is mapped; one in so many is closed. */
#define MAPPED 200
#define CLOSED 8

struct node {
	int parent;
	int fd;
	size_t pages;
	char *map;
	bool closed;
	bool revoked;
	/* live descendants */
	__u32 below;
};

FIXTURE(tree)
{
	/* the first one is the root, and each comes after its parent */
	struct node *nodes;
	size_t count;
	unsigned int seed;
};

static size_t pick(FIXTURE_DATA(tree) * self, size_t below)
{
	return rand_r(&self->seed) % below;
}

FIXTURE_SETUP(tree)
{
	const char *given = getenv("ALIASES");

	sigbus_init();
	self->seed = random_seed();
	self->count = is_debug_kernel() ? ALIASES_DEBUG : ALIASES;
	if (given)
		self->count = strtoul(given, NULL, 0);
	self->count++;
	self->nodes = calloc(self->count, sizeof(*self->nodes));
	ASSERT_NE(NULL, self->nodes);
	ASSERT_EQ(0, allow_fds(self->count));
	self->nodes[0].parent = -1;
	self->nodes[0].pages = ROOT_PAGES;
	self->nodes[0].fd = ds_alloc_pages(ROOT_PAGES);
	ASSERT_LE(0, self->nodes[0].fd);
	ASSERT_EQ(0, pattern_write_fd(self->nodes[0].fd, ROOT_PAGES, 0));
}

FIXTURE_TEARDOWN(tree)
{
	size_t i;

	for (i = 0; i < self->count; i++) {
		if (!self->nodes[i].closed)
			close(self->nodes[i].fd);
	}
	free(self->nodes);
}

/*
 * Two of three aliases are as long as their parent, so that the tree gets deep.
 */
static size_t pick_length(FIXTURE_DATA(tree) * self, size_t pages)
{
	return pick(self, 3) ? pages : 1 + pick(self, pages);
}

static int add_node(FIXTURE_DATA(tree) * self, size_t i)
{
	struct node *node = &self->nodes[i];
	struct node *parent;
	size_t first;

	do {
		node->parent = pick(self, i);
		parent = &self->nodes[node->parent];
	} while (parent->closed);
	node->pages = pick_length(self, parent->pages);
	first = pick(self, parent->pages - node->pages + 1);
	node->fd = ds_alias_pages(parent->fd, first, first + node->pages,
				  RIGHTS_R);
	if (node->fd < 0)
		return node->fd;
	if (!pick(self, MAPPED))
		node->map = ds_map(node->fd, page_size(), PROT_READ);
	return node->map == MAP_FAILED ? -errno : 0;
}

/* Closes some nodes, also inner ones, but not the root. */
static void close_some(FIXTURE_DATA(tree) * self, size_t begin, size_t end)
{
	size_t i;

	for (i = begin; i < end; i++) {
		struct node *node = &self->nodes[i];

		if (node->closed || pick(self, CLOSED))
			continue;
		close(node->fd);
		node->closed = true;
	}
}

static int grow(FIXTURE_DATA(tree) * self)
{
	size_t half = self->count / 2;
	size_t i;
	int ret;

	for (i = 1; i < self->count; i++) {
		ret = add_node(self, i);
		if (ret)
			return ret;
		if (i == half)
			close_some(self, 1, half);
	}
	close_some(self, half, self->count);
	return 0;
}

/* Counts from the test's own records what INFO has to tell. */
static void count_below(FIXTURE_DATA(tree) * self)
{
	size_t i;

	for (i = 0; i < self->count; i++)
		self->nodes[i].below = 0;
	for (i = self->count - 1; i > 0; i--) {
		const struct node *node = &self->nodes[i];

		if (node->revoked)
			continue;
		self->nodes[node->parent].below += node->below + !node->closed;
	}
}

static size_t mark_below(FIXTURE_DATA(tree) * self, size_t top)
{
	size_t marked = 0;
	size_t i;

	for (i = top + 1; i < self->count; i++) {
		struct node *node = &self->nodes[i];

		if (node->revoked)
			continue;
		node->revoked = (size_t)node->parent == top ||
				self->nodes[node->parent].revoked;
		marked += node->revoked;
	}
	return marked;
}

static bool info_is_right(const struct node *node)
{
	struct dataspace_info info;

	if (ds_info(node->fd, &info))
		return false;
	return !!(info.state & DATASPACE_STATE_REVOKED) == node->revoked &&
	       info.aliases == (node->revoked ? 0 : node->below);
}

static bool pread_is_right(const struct node *node)
{
	char byte;
	long ret = result(pread(node->fd, &byte, 1, 0));

	return ret == (node->revoked ? -ESTALE : 1);
}

static bool map_is_right(const struct node *node)
{
	__u64 value;

	if (node->revoked)
		return load_is_sigbus(node->map);
	return !try_load(node->map, &value) && value;
}

/* How many nodes are not in the state that they should be in. */
static size_t wrong_nodes(FIXTURE_DATA(tree) * self)
{
	size_t wrong = 0;
	size_t i;

	count_below(self);
	for (i = 0; i < self->count; i++) {
		const struct node *node = &self->nodes[i];

		wrong += node->map && !map_is_right(node);
		if (node->closed)
			continue;
		wrong += !info_is_right(node) || !pread_is_right(node);
	}
	return wrong;
}

/* A node among the first ones that is open and not revoked. */
static size_t pick_node(FIXTURE_DATA(tree) * self, size_t below)
{
	size_t i;

	do {
		i = pick(self, below);
	} while (self->nodes[i].closed || self->nodes[i].revoked);
	return i;
}

static void revoke_one(struct __test_metadata *_metadata,
		       FIXTURE_DATA(tree) * self, size_t i)
{
	double start = seconds();
	size_t marked;

	ASSERT_EQ(0, ds_revoke(self->nodes[i].fd));
	start = seconds() - start;
	marked = mark_below(self, i);
	printf("# node %zu: %zu derived, revoked in %.3f s\n", i, marked,
	       start);
	ASSERT_EQ(0, wrong_nodes(self));
}

/* rule 17: of any node, of one near the root, and of the root */
TEST_F_TIMEOUT(tree, exactly_what_is_below_a_node_dies, TIMEOUT)
{
	double start = seconds();

	ASSERT_EQ(0, grow(self));
	printf("# %zu aliases made in %.1f s\n", self->count - 1,
	       seconds() - start);
	ASSERT_EQ(0, wrong_nodes(self));
	revoke_one(_metadata, self, pick_node(self, self->count));
	revoke_one(_metadata, self, pick_node(self, 1 + self->count / 100));
	revoke_one(_metadata, self, pick_node(self, NEAR));
	revoke_one(_metadata, self, 0);
	EXPECT_EQ(0, pattern_wrong_fd(self->nodes[0].fd, ROOT_PAGES, 0));
	EXPECT_EQ(ROOT_PAGES * page_size(), ds_exclusive(self->nodes[0].fd));
}

TEST_HARNESS_MAIN
