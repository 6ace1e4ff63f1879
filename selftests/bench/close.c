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

static long long cost_of_root(int root, int first, size_t number)
{
	long long start = now();

	close(root);
	start = now() - start;
	live_close(first, number);
	return start;
}

static long long cost_of_aliases(int root, int first, size_t number)
{
	long long start;

	close(root);
	start = now();
	live_close(first, number);
	return now() - start;
}

static long long close_sample(const struct kind *kind, size_t pages,
			      const struct kind *pattern, size_t number)
{
	size_t size = pages * page_size();
	int root = scattered.source(size);
	int first;

	if (root < 0)
		return root;
	first = live_open(pattern, root, size, number);
	if (first < 0) {
		close(root);
		return first;
	}
	return kind == &one_by_one ? cost_of_aliases(root, first, number) :
				     cost_of_root(root, first, number);
}

static long long median_of_close(const struct kind *kind, size_t pages,
				 const struct kind *pattern, size_t number)
{
	struct samples samples = { 0 };
	int wanted = number < 10000 ? MAX_SAMPLES : 1;

	while (samples.count < wanted)
		samples_add(&samples,
			    close_sample(kind, pages, pattern, number));
	return samples_median(&samples);
}

static int close_cost(const struct kind *kind, size_t number, long long *costs)
{
	costs[0] = median_of_close(kind, 2 * number, &every_second, number);
	costs[1] = median_of_close(kind, number, &disjoint, number);
	return 0;
}

const struct subject close_subject = {
	.works = { "close the root of N (N pieces)",
		   "close the root of N (none)" },
	.peer = "one by one",
	.sizes = (const size_t[]){ 1000, 100000, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &one_by_one, NULL },
	.cost = close_cost,
};
