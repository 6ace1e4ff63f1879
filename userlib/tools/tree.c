// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is derived from what, which the kernel tells root.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "holders.h"
#include "tool.h"

static int compare_ids(const void *first, const void *second)
{
	const struct holder *a = first, *b = second;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* Those that have the id of @known, and are in the order of ids, get its place. */
static void place(struct holders *holders, const struct holder *known)
{
	const struct holder *end = holders->all + holders->count;
	struct holder *holder = bsearch(known, holders->all, holders->count,
					sizeof(*known), compare_ids);

	if (!holder)
		return;
	while (holder > holders->all && holder[-1].id == known->id)
		holder--;
	for (; holder < end && holder->id == known->id; holder++) {
		holder->place = known->place;
		holder->depth = known->depth;
	}
}

/* Each line is a dataspace, and stands below that which it is derived from. */
void place_holders(struct holders *holders)
{
	FILE *file = fopen("/sys/kernel/debug/dataspace/tree", "re");
	struct holder known = { .place = 1 };
	char line[512];

	if (!file)
		return;
	if (holders->count)
		qsort(holders->all, holders->count, sizeof(known), compare_ids);
	for (; fgets(line, sizeof(line), file); known.place++)
		if (sscanf(line, " id=%" SCNu64 " depth=%u", &known.id,
			   &known.depth) == 2)
			place(holders, &known);
	fclose(file);
	sort_holders(holders);
}
