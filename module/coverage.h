/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COVERAGE_H
#define _COVERAGE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct coverage - how many ranges cover each page of a backing
 * @root: the ends of all ranges, in order of position
 */
struct coverage {
	struct rb_root root;
};

/**
 * struct coverage_point - one end of a range
 * @rb: place in the tree
 * @key: position in pages, shifted left by one; the low bit is set for the end
 *	of a range, so that at one position ranges begin before others end
 * @sum: sum of the steps in the subtree below this point, itself included
 * @min: the lowest that the running sum of that subtree gets
 */
struct coverage_point {
	struct rb_node rb;
	unsigned long key;
	int sum;
	int min;
};

/**
 * struct coverage_range - a range that covers pages
 * @first: its start, where the number of covering ranges goes up by one
 * @last: its end, where the number goes down again
 */
struct coverage_range {
	struct coverage_point first;
	struct coverage_point last;
};

void coverage_add(struct coverage *coverage, struct coverage_range *range,
		  unsigned long start, unsigned long end);
void coverage_remove(struct coverage *coverage, struct coverage_range *range);
bool coverage_next_gap(struct coverage *coverage, int level,
		       unsigned long *start, unsigned long *end);

#endif /* _COVERAGE_H */
