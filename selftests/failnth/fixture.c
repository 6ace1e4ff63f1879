// SPDX-License-Identifier: GPL-2.0-only
/* Each backing holds the module, so a backing that leaks shows in its use count. */
#include "fixture.h"

#include <string.h>

#include "common.h"
#include "kmod.h"
#include "sigbus.h"

static int open_root(struct fixture *fixture)
{
	const size_t length = ROOT_PAGES * page_size();

	fixture->root = ds_alloc(length, RIGHTS_RW, 0);
	if (fixture->root < 0)
		return fixture->root;
	fixture->view = ds_map(fixture->root, length, PROT_READ);
	if (fixture->view == MAP_FAILED)
		return -errno;
	if (pattern_write_fd(fixture->root, ROOT_PAGES, 0))
		return -EIO;
	return pages_of_map(&fixture->pages, fixture->view, length);
}

int fixture_open(struct fixture *fixture)
{
	int err;

	memset(fixture, 0, sizeof(*fixture));
	fixture->fd = -1;
	fixture->other = -1;
	fixture->fds = count_fds();
	fixture->users = number_in_file(KMOD_REFCNT, "");
	fixture->device = ds_device();
	err = open_root(fixture);
	if (err)
		return err;
	fixture->alias = ds_alias_pages(fixture->root, ALIAS_FIRST, ALIAS_END,
					RIGHTS_RW);
	return fixture->alias < 0 ? fixture->alias : 0;
}

static __u64 content_of(const void *map, size_t length)
{
	const __u64 *words = map;
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < length / sizeof(*words); i++)
		sum = sum * 31 + words[i];
	return sum;
}

void fixture_snapshot(const struct fixture *fixture,
		      struct fixture_state *state)
{
	memset(state, 0, sizeof(*state));
	ds_info(fixture->root, &state->root);
	ds_info(fixture->alias, &state->alias);
	state->content = content_of(fixture->view, ROOT_PAGES * page_size());
	state->fds = count_fds();
	state->users = number_in_file(KMOD_REFCNT, "");
	state->held = pages_held(&fixture->pages) + pages_held(&fixture->own);
}

const char *fixture_difference(const struct fixture_state *a,
			       const struct fixture_state *b)
{
	if (memcmp(&a->root, &b->root, sizeof(a->root)))
		return "INFO of the root";
	if (memcmp(&a->alias, &b->alias, sizeof(a->alias)))
		return "INFO of the alias";
	if (a->content != b->content)
		return "the content";
	if (a->fds != b->fds)
		return "the number of descriptors";
	if (a->users != b->users)
		return "the users of the module";
	return a->held != b->held ? "the pages that are held" : NULL;
}

static void close_all(struct fixture *fixture)
{
	if (fixture->map)
		munmap(fixture->map, fixture->length);
	if (fixture->fd >= 0)
		close(fixture->fd);
	if (fixture->other >= 0)
		close(fixture->other);
	munmap(fixture->view, ROOT_PAGES * page_size());
	close(fixture->alias);
	close(fixture->root);
	close(fixture->device);
}

static bool is_empty(const struct fixture *fixture)
{
	return !pages_held(&fixture->pages) && !pages_held(&fixture->own) &&
	       count_fds() == fixture->fds &&
	       number_in_file(KMOD_REFCNT, "") == fixture->users;
}

bool fixture_close(struct fixture *fixture, double timeout)
{
	double end = seconds() + timeout;
	bool empty;

	close_all(fixture);
	while (!(empty = is_empty(fixture)) && seconds() < end)
		usleep(10000);
	pages_forget(&fixture->pages);
	pages_forget(&fixture->own);
	return empty;
}

size_t alias_length(void)
{
	return (ALIAS_END - ALIAS_FIRST) * page_size();
}

void *far_address(const struct fixture *fixture, unsigned int distance)
{
	return (char *)fixture->view - distance * (1ULL << 40);
}

long map_alias(struct fixture *fixture, int flags)
{
	void *map = mmap(far_address(fixture, 1), alias_length(), READ_WRITE,
			 MAP_SHARED | flags, fixture->alias, 0);

	if (map == MAP_FAILED)
		return -errno;
	fixture->map = map;
	fixture->length = alias_length();
	return 0;
}

bool alias_is_mapped(struct fixture *fixture)
{
	return !pattern_wrong(fixture->map, ALIAS_END - ALIAS_FIRST,
			      ALIAS_FIRST);
}

long store_to_alias(struct fixture *fixture)
{
	__u64 value =
		*(__u64 *)((char *)fixture->view + ALIAS_FIRST * page_size());

	return -try_store(fixture->map, value);
}

bool have_map(struct fixture *fixture)
{
	return !map_alias(fixture, 0);
}

bool have_used_map(struct fixture *fixture)
{
	return have_map(fixture) && alias_is_mapped(fixture) &&
	       !store_to_alias(fixture);
}
