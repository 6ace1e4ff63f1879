/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINEAGE_H
#define _LINEAGE_H

#include <linux/rbtree.h>
#include <linux/types.h>

/**
 * struct lineage - which dataspaces of a backing are derived from which
 * @root: the marks of all members, in order
 */
struct lineage {
	struct rb_root root;
};

/**
 * struct lineage_count - what is summed up over members
 * @live: live dataspaces
 * @mappings: live mappings
 * @revoked: dataspaces that were revoked and may still be in use
 * @punching: calls that are just taking pages out of a dataspace
 */
struct lineage_count {
	u32 live;
	u32 mappings;
	u32 revoked;
	u32 punching;
};

/**
 * struct lineage_mark - where a member and its descendants start or end
 * @rb: place in the order
 * @starts: number of members that start in the subtree below this mark, itself
 *	included
 * @sum: sum over those members
 * @is_start: whether a member starts here
 * @is_stale: whether @starts and @sum have to be computed
 */
struct lineage_mark {
	struct rb_node rb;
	u32 starts;
	struct lineage_count sum;
	bool is_start;
	bool is_stale;
};

/**
 * struct lineage_member - a dataspace's place in the lineage
 * @start: the mark before all of its descendants
 * @end: the mark after all of its descendants
 * @count: what the member itself adds to the sums
 */
struct lineage_member {
	struct lineage_mark start;
	struct lineage_mark end;
	struct lineage_count count;
};

/**
 * struct lineage_cursor - how far somebody has come who goes through all members
 * @next: the mark that comes next, or NULL at the end
 * @depth: how many members have started but not ended
 */
struct lineage_cursor {
	struct lineage_mark *next;
	u32 depth;
};

void lineage_add(struct lineage *lineage, struct lineage_member *member,
		 struct lineage_member *parent);
struct lineage_member *lineage_remove(struct lineage *lineage,
				      struct lineage_member *member);
struct lineage_member *lineage_remove_deferred(struct lineage *lineage,
					       struct lineage_member *member);
void lineage_settle(struct lineage *lineage);
void lineage_update_sums(struct lineage_member *member);
void lineage_update_sums_deferred(struct lineage_member *member);
struct lineage_count lineage_count(const struct lineage_member *member);
bool lineage_has_descendants(const struct lineage_member *member);
bool lineage_contains(const struct lineage_member *ancestor,
		      const struct lineage_member *member);
bool lineage_is_before(const struct lineage_member *member,
		       const struct lineage_member *other);
u32 lineage_count_behind(const struct lineage_member *root,
			 const struct lineage_member *member);
struct lineage_member *lineage_successor(struct lineage_member *member);
struct lineage_member *lineage_next(const struct lineage_member *root,
				    struct lineage_member *member);
void lineage_cursor_begin(struct lineage_cursor *cursor,
			  const struct lineage *lineage);
struct lineage_member *
lineage_cursor_member(const struct lineage_cursor *cursor);
void lineage_cursor_step(struct lineage_cursor *cursor);
void lineage_cursor_forget(struct lineage_cursor *cursor,
			   const struct lineage_member *member);

#endif /* _LINEAGE_H */
