// SPDX-License-Identifier: GPL-2.0-only
/* The clock, medians, and the number of repetitions. */
#include <stdlib.h>
#include <time.h>

#include "bench.h"

/* A sample takes about this long, unless one repetition takes longer. */
#define SAMPLE_NS 1000000
#define MAX_GOES 200

long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void samples_add(struct samples *samples, long long value)
{
	samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
	const long long *x = a;
	const long long *y = b;

	return (*x > *y) - (*x < *y);
}

long long samples_median(struct samples *samples)
{
	qsort(samples->values, samples->count, sizeof(samples->values[0]),
	      compare);
	return samples->values[samples->count / 2];
}

static long long sample(int (*go)(const struct job *job), const struct job *job,
			int goes)
{
	long long start = now();
	int ret;
	int i;

	for (i = 0; i < goes; i++) {
		ret = go(job);
		if (ret < 0)
			return ret;
	}
	return (now() - start) / goes;
}

static int goes_in_a_sample(long long cost)
{
	if (cost >= SAMPLE_NS)
		return 1;
	return cost * MAX_GOES < SAMPLE_NS ? MAX_GOES : SAMPLE_NS / cost;
}

/*
 * The cost of one repetition, or -errno. The first one, which warms up, does
 * not count.
 */
long long repeat(int (*go)(const struct job *job), const struct job *job)
{
	struct samples samples = { 0 };
	long long cost = sample(go, job, 1);
	long long end = now() + ENOUGH_NS;
	int goes;

	if (cost < 0)
		return cost;
	goes = goes_in_a_sample(cost);
	do {
		cost = sample(go, job, goes);
		if (cost < 0)
			return cost;
		samples_add(&samples, cost);
	} while (samples.count < MAX_SAMPLES && now() < end);
	return samples_median(&samples);
}
