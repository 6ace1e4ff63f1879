// SPDX-License-Identifier: GPL-2.0-only
/* Pages that go back to the kernel: rules 13 and 14. */
#include "operation.h"

#include <signal.h>

#include "common.h"
#include "sigbus.h"

/* The pages that an alias keeps, or that munmap() and mprotect() are about. */
#define KEPT_FIRST 100
#define KEPT_END 300
#define KEPT (KEPT_END - KEPT_FIRST)

static bool have_own_root(struct fixture *fixture)
{
	const size_t length = ROOT_PAGES * page_size();

	fixture->fd = ds_alloc(length, RIGHTS_RW, 0);
	return fixture->fd >= 0 &&
	       !pattern_write_fd(fixture->fd, ROOT_PAGES, 0) &&
	       !pages_of_fd(&fixture->own, fixture->fd, length);
}

static bool have_kept_alias(struct fixture *fixture)
{
	if (!have_own_root(fixture))
		return false;
	fixture->other =
		ds_alias_pages(fixture->fd, KEPT_FIRST, KEPT_END, RIGHTS_R);
	return fixture->other >= 0;
}

static long run_close(struct fixture *fixture)
{
	int fd = fixture->fd;

	fixture->fd = -1;
	return result(close(fd));
}

static bool all_is_gone(struct fixture *fixture)
{
	return !pages_wait(&fixture->own, 0, SOON);
}

static bool rest_is_kept(struct fixture *fixture)
{
	return pages_wait(&fixture->own, KEPT, SOON) == KEPT &&
	       pages_held_in(&fixture->own, KEPT_FIRST, KEPT_END) == KEPT &&
	       !pattern_wrong_fd(fixture->other, KEPT, KEPT_FIRST);
}

static bool have_only_mapping(struct fixture *fixture)
{
	if (!have_own_root(fixture))
		return false;
	fixture->length = ROOT_PAGES * page_size();
	fixture->map = ds_map(fixture->fd, fixture->length, PROT_READ);
	return fixture->map != MAP_FAILED && !run_close(fixture) &&
	       !pattern_wrong(fixture->map, ROOT_PAGES, 0);
}

static long run_munmap(struct fixture *fixture)
{
	return result(munmap((char *)fixture->map + KEPT_FIRST * page_size(),
			     KEPT * page_size()));
}

static bool middle_is_gone(struct fixture *fixture)
{
	const size_t rest = ROOT_PAGES - KEPT;
	const char *behind = (char *)fixture->map + KEPT_END * page_size();

	return pages_wait(&fixture->own, rest, SOON) == rest &&
	       !pages_held_in(&fixture->own, KEPT_FIRST, KEPT_END) &&
	       !pattern_wrong(fixture->map, KEPT_FIRST, 0) &&
	       !pattern_wrong(behind, ROOT_PAGES - KEPT_END, KEPT_END);
}

/* Splits the VMA, which the mm leaves split if it fails later. */
static long run_mprotect(struct fixture *fixture)
{
	return result(mprotect((char *)fixture->map + KEPT_FIRST * page_size(),
			       KEPT * page_size(), PROT_NONE));
}

static bool middle_is_protected(struct fixture *fixture)
{
	char *middle = (char *)fixture->map + KEPT_FIRST * page_size();
	__u64 value;

	return try_load(middle, &value) == SIGSEGV &&
	       !pattern_wrong(fixture->map, KEPT_FIRST, 0) &&
	       !pattern_wrong(middle + KEPT * page_size(),
			      ROOT_PAGES - KEPT_END, KEPT_END);
}

const struct operation op_munmap_of_a_part = {
	.prepare = have_only_mapping,
	.run = run_munmap,
	.works = middle_is_gone,
	.least = 1,
};

const struct operation op_close_of_a_part = {
	.prepare = have_kept_alias,
	.run = run_close,
	.works = rest_is_kept,
	.least = 1,
};

const struct operation op_close_of_all = {
	.prepare = have_own_root,
	.run = run_close,
	.works = all_is_gone,
};

const struct operation op_mprotect_of_a_part = {
	.prepare = have_only_mapping,
	.run = run_mprotect,
	.works = middle_is_protected,
	.least = 2,
};
