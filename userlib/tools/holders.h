/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Who holds which dataspace, as /proc tells.
 */
#ifndef DATASPACE_HOLDERS_H
#define DATASPACE_HOLDERS_H

#include <stddef.h>
#include <stdint.h>

/* A descriptor of a dataspace in a process, or what a process maps of it. */
struct holder {
	uint64_t root; /* inode of the root, the same for all of its memory */
	uint64_t id;
	uint64_t length; /* 0 if only a mapping is known */
	uint64_t mapped; /* bytes, if this is about mappings */
	uint64_t place; /* in the tree of all, from 1 on, 0 if that is not known */
	unsigned int depth; /* there */
	int pid;
	int fd; /* -1 if this is about mappings */
	char command[64];
	char rights[64];
	char state[64];
	char name[64];
};

struct holders {
	struct holder *all;
	size_t count;
	size_t room;
};

/* All that this process may see, in the order of root, place, id, pid and fd. */
void find_holders(struct holders *holders);
void sort_holders(struct holders *holders);

/* tree.c: finds their places, if the kernel tells, and sorts them again. */
void place_holders(struct holders *holders);

#endif /* DATASPACE_HOLDERS_H */
