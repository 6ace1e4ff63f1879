/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A few dataspaces that an operation is tried on, and a look at them that is
 * the same as before if nothing has changed.
 */
#ifndef DATASPACE_FIXTURE_H
#define DATASPACE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/dataspace.h>
#include <linux/types.h>

#include "pages.h"

/* One page of 2 MiB where there are such, and what the alias shows of it. */
#define ROOT_PAGES 512
#define ALIAS_FIRST 256
#define ALIAS_END 384

/*
 * @root: a contiguous root, tagged, with @alias derived from it
 * @view: a mapping of @root
 * @fd, @other: descriptors that the operation needs or makes, or -1
 * @map: a mapping that it needs or makes, of @length bytes, or NULL
 * @pages, @own: of @root, and of a root that the operation has for itself
 */
struct fixture {
	int device;
	int root;
	int alias;
	void *view;
	int fd;
	int other;
	void *map;
	size_t length;
	struct pages pages;
	struct pages own;
	int fds;
	long long users;
};

struct fixture_state {
	struct dataspace_info root;
	struct dataspace_info alias;
	__u64 content;
	__u64 fds;
	__u64 users;
	__u64 held;
};

/* 0 or -errno. */
int fixture_open(struct fixture *fixture);
void fixture_snapshot(const struct fixture *fixture,
		      struct fixture_state *state);
/* The first thing that is another, or NULL. */
const char *fixture_difference(const struct fixture_state *a,
			       const struct fixture_state *b);
/* Whether all that there was has gone within @timeout seconds. */
bool fixture_close(struct fixture *fixture, double timeout);

#endif
