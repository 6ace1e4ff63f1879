/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINEAGE_H
#define _LINEAGE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct lineage - who is derived from whom, among all dataspaces of a backing
 * @root: the marks of all members, in order
 */
struct lineage {
	struct rb_root root;
};

/**
 * struct lineage_mark - where a member or its descendants begin or end
 * @rb: place in the order
 * @weight: 1 at the beginning of a member that counts, else 0
 * @sum: sum of the weights in the subtree below this mark, itself included
 */
struct lineage_mark {
	struct rb_node rb;
	u32 weight;
	u32 sum;
};

/**
 * struct lineage_member - a dataspace's place in the lineage
 * @enter: the mark before all of its descendants
 * @leave: the mark after all of its descendants
 */
struct lineage_member {
	struct lineage_mark enter;
	struct lineage_mark leave;
};

void lineage_add(struct lineage *lineage, struct lineage_member *member,
		 struct lineage_member *parent);
void lineage_remove(struct lineage *lineage, struct lineage_member *member);
void lineage_discount(struct lineage_member *member);
u32 lineage_count(struct lineage_member *member);

#endif /* _LINEAGE_H */
