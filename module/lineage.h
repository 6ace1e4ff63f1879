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
 * @sum: sum of the weights in the subtree below this mark, itself included
 * @weight: 1 at the beginning of a member that counts, else 0
 * @enter: whether a member begins here
 */
struct lineage_mark {
	struct rb_node rb;
	u32 sum;
	u8 weight;
	bool enter;
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
struct lineage_member *lineage_remove(struct lineage *lineage,
				      struct lineage_member *member);
void lineage_discount(struct lineage_member *member);
u32 lineage_count(const struct lineage_member *member);
bool lineage_is_last(const struct lineage_member *member);
struct lineage_member *lineage_next(const struct lineage_member *root,
				    const struct lineage_member *member);

#endif /* _LINEAGE_H */
