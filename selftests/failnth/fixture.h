/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A few dataspaces that an operation is tried on, and a snapshot of their state,
 * which is the same before and after an operation that has changed nothing.
 */
#ifndef DATASPACE_FIXTURE_H
#define DATASPACE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/dataspace.h>
#include <linux/types.h>

#include "pages.h"

/* The root is 2 MiB where pages are 4 KiB; the alias is a part of it. */
#define ROOT_PAGES 512
#define ALIAS_FIRST 256
#define ALIAS_END 384

/*
 * @root: a contiguous root with a pattern in it, and @alias derived from it
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
/* What differs first, or NULL. */
const char *fixture_difference(const struct fixture_state *a,
			       const struct fixture_state *b);
/* Whether no page, descriptor or backing is left after @timeout seconds. */
bool fixture_close(struct fixture *fixture, double timeout);

size_t alias_length(void);
/*
 * An address far from all others, where the page tables for a mapping do not
 * exist yet, whatever else is mapped; another one for each @distance.
 */
void *far_address(const struct fixture *fixture, unsigned int distance);
/* Maps the alias there; 0 or -errno. */
long map_alias(struct fixture *fixture, int flags);
bool alias_is_mapped(struct fixture *fixture);
/* Writes the word that is there already; 0, or the negated signal. */
long store_to_alias(struct fixture *fixture);

/* For @prepare of an operation: the alias is mapped, and has been accessed. */
bool have_map(struct fixture *fixture);
bool have_used_map(struct fixture *fixture);

#endif
