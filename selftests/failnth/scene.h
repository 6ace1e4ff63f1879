/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A few dataspaces that an operation is tried on, and a look at them that is
 * the same as before if nothing has changed.
 */
#ifndef DATASPACE_SCENE_H
#define DATASPACE_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/dataspace.h>
#include <linux/types.h>

#include "pages.h"

/* One page of 2 MiB where there are such, and what the alias shows of it. */
#define SCENE_PAGES 512
#define SCENE_FIRST 256
#define SCENE_END 384

/*
 * @root: a contiguous root, tagged, with @alias derived from it
 * @view: a mapping of @root
 * @fd, @other: descriptors that the operation needs or makes, or -1
 * @map: a mapping that it needs or makes, of @length bytes, or NULL
 * @pages, @own: of @root, and of a root that the operation has for itself
 */
struct scene {
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

struct scene_state {
	struct dataspace_info root;
	struct dataspace_info alias;
	__u64 content;
	__u64 fds;
	__u64 users;
	__u64 held;
};

/* 0 or -errno. */
int scene_open(struct scene *scene);
void scene_look(const struct scene *scene, struct scene_state *state);
/* The first thing that is another, or NULL. */
const char *scene_difference(const struct scene_state *a,
			     const struct scene_state *b);
/* Whether all that there was has gone within @timeout seconds. */
bool scene_close(struct scene *scene, double timeout);

#endif
