/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _RANGE_TREE_H
#define _RANGE_TREE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct range_tree - how many ranges cover each page of a backing
 * @root: the ends of all ranges, in order of position
 */
struct range_tree {
	struct rb_root root;
};

/**
 * struct range_point - one end of a range
 * @rb: place in the tree
 * @key: position in pages, shifted left by one; the low bit is set for the end
 *	of a range, so that at one position ranges begin before others end
 * @sum: sum of the steps in the subtree below this point, itself included
 * @min: the lowest that the running sum of that subtree gets, or a mark that @sum
 *	and this have to be computed
 */
struct range_point {
	struct rb_node rb;
	unsigned long key;
	int sum;
	int min;
};

/**
 * struct range_tree_entry - a range that covers pages
 * @start: its first page, where the number of covering ranges goes up by one
 * @end: the page after its last one, where the number goes down again
 */
struct range_tree_entry {
	struct range_point start;
	struct range_point end;
};

void range_tree_add(struct range_tree *tree, struct range_tree_entry *entry,
		    unsigned long start, unsigned long end);
void range_tree_remove(struct range_tree *tree, struct range_tree_entry *entry);
void range_tree_remove_deferred(struct range_tree *tree,
				struct range_tree_entry *entry);
void range_tree_settle(struct range_tree *tree);
int range_tree_count(struct range_tree *tree, unsigned long page);
bool range_tree_next_gap(struct range_tree *tree, int level,
			 unsigned long *start, unsigned long *end);

static inline unsigned long
range_tree_entry_start(const struct range_tree_entry *entry)
{
	return entry->start.key >> 1;
}

static inline unsigned long
range_tree_entry_end(const struct range_tree_entry *entry)
{
	return entry->end.key >> 1;
}

#endif /* _RANGE_TREE_H */
