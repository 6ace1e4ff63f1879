/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A chain of dataspaces for seal.c and seal_now.c: a root, an alias of it that is
 * sealed, and one that is derived from that. All are of the same pages, and
 * mapped to read and write.
 */
#ifndef DATASPACE_SEAL_CHAIN_H
#define DATASPACE_SEAL_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

struct chain {
	size_t pages;
	size_t length;
	int root;
	char *root_map;
	int ds;
	char *map;
	int child;
	char *child_map;
};

/* Also writes pattern 0, which begins with number 0. */
bool chain_make(struct chain *chain, size_t pages);
/* Whether all three mappings show the pattern that begins with @first. */
bool chain_has(const struct chain *chain, __u64 first);

/* Of how many pages a store at their beginning raises no signal. */
size_t pages_stored(char *map, size_t pages);

#endif
