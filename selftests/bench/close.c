// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closing the root of many aliases that do not overlap, at once, beside closing
 * those one by one when the root is gone. Either every page has an alias, so
 * that the root gives back nothing, or every second one, so that as many pieces
 * go with the root as with the aliases.
 */
#include <unistd.h>

#include "bench.h"

static int disjoint_part(int source, size_t size, size_t number)
{
	return ds_alias(source, number * page_size(), page_size(), RIGHTS_RW);
}

static int every_second_part(int source, size_t size, size_t number)
{
	return disjoint_part(source, size, 2 * number);
}

static const struct kind disjoint = { .part = disjoint_part };
static const struct kind every_second = { .part = every_second_part };

/* The costs of closing the root, and then its aliases. */
struct close_costs {
	struct samples root;
	struct samples aliases;
};

static int close_sample(const struct kind *pattern, size_t pages, size_t number,
			struct close_costs *costs)
{
	size_t size = pages * page_size();
	int root = scattered.source(size);
	long long start;
	int first;

	if (root < 0)
		return root;
	first = live_open(pattern, root, size, number);
	start = now();
	close(root);
	if (first < 0)
		return first;
	samples_add(&costs->root, now() - start);
	start = now();
	live_close(first, number);
	samples_add(&costs->aliases, now() - start);
	return 0;
}

static int close_samples(const struct kind *pattern, size_t pages,
			 size_t number, struct close_costs *costs)
{
	long long end = now() + ENOUGH_NS;
	int ret;

	do {
		ret = close_sample(pattern, pages, number, costs);
	} while (!ret && costs->root.count < MAX_SAMPLES && now() < end);
	return ret;
}

/* Finds the figures for the root, and after them those for the aliases. */
static int close_cost(const struct kind *kind, size_t number, long long *costs)
{
	static struct close_costs pieces, none;
	int ret;

	if (kind == &one_by_one) {
		costs[0] = samples_median(&pieces.aliases);
		costs[1] = samples_median(&none.aliases);
		return pieces.aliases.count ? 0 : NO_SUCH_WORK;
	}
	pieces = (struct close_costs){ 0 };
	none = (struct close_costs){ 0 };
	ret = close_samples(&every_second, 2 * number, number, &pieces);
	if (!ret)
		ret = close_samples(&disjoint, number, number, &none);
	costs[0] = samples_median(&pieces.root);
	costs[1] = samples_median(&none.root);
	return ret;
}

const struct subject close_subject = {
	.works = { "close the root of N (N pieces)",
		   "close the root of N (none)" },
	.peer = "one by one",
	.sizes = (const size_t[]){ 1000, 100000, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &one_by_one, NULL },
	.cost = close_cost,
};
