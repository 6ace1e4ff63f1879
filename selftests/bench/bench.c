// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measures what dataspaces cost beside their peers, and prints a line for each
 * figure, or for why there is none:
 *
 *	figure,<work>,<size>,<kind>,<nanoseconds or bytes>
 *	none,<work>,<size>,<kind>,<reason>
 *	end,<nanoseconds since boot>
 *	peer,<work>,<size>,<kinds that the ratio may refer to>
 *
 * Usage: bench [WORD...]    only works whose name contains one of the words
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"

#define SETTLE_SECONDS 30

static const struct subject *const subjects[] = {
	&handle_subject,   &alloc_subject,	&map_subject,
	&fork_subject,	   &io_subject,		&send_subject,
	&poll_subject,	   &memory_subject,	&scale_subject,
	&close_subject,	   &revoke_subject,	&revoke_many_subject,
	&million_subject,  &ready_subject,	&lazy_all_subject,
	&lazy_few_subject, &lazy_punch_subject, &export_subject,
	&device_subject,
};

static void report(const char *work, size_t size, const struct kind *kind,
		   long long cost)
{
	if (cost >= 0)
		printf("figure,%s,%zu,%s,%lld\n", work, size, kind->name, cost);
	else if (cost == NO_SUCH_WORK)
		printf("none,%s,%zu,%s,has no such thing\n", work, size,
		       kind->name);
	else if (cost == TAKES_TOO_LONG)
		printf("none,%s,%zu,%s,takes too long\n", work, size,
		       kind->name);
	else
		printf("none,%s,%zu,%s,%s\n", work, size, kind->name,
		       strerror(-cost));
}

static void measure(const struct subject *subject, const struct kind *kind,
		    size_t size)
{
	long long costs[MAX_WORKS];
	int ret;
	int i;

	if (kind->enter)
		kind->enter();
	ret = subject->cost(kind, size, costs);
	if (kind->leave)
		kind->leave();
	for (i = 0; i < MAX_WORKS && subject->works[i]; i++)
		report(subject->works[i], size, kind, ret ? ret : costs[i]);
}

static void measure_size(const struct subject *subject, size_t size)
{
	int i;

	for (i = 0; i < MAX_WORKS && subject->works[i]; i++)
		printf("peer,%s,%zu,%s\n", subject->works[i], size,
		       subject->peer);
	for (i = 0; subject->kinds[i]; i++)
		measure(subject, subject->kinds[i], size);
}

static bool is_wanted(const struct subject *subject, char **words)
{
	int i;

	if (!*words)
		return true;
	for (; *words; words++)
		for (i = 0; i < MAX_WORKS && subject->works[i]; i++)
			if (strstr(subject->works[i], *words))
				return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct rlimit limit = { 1 << 20, 1 << 20 };
	size_t i, j;

	setrlimit(RLIMIT_NOFILE, &limit);
	setvbuf(stdout, NULL, _IOLBF, 0);
	sleep(SETTLE_SECONDS);
	for (i = 0; i < ARRAY_LENGTH(subjects); i++) {
		if (!is_wanted(subjects[i], argv + 1))
			continue;
		for (j = 0; subjects[i]->sizes[j]; j++)
			measure_size(subjects[i], subjects[i]->sizes[j]);
	}
	printf("end,%lld\n", now());
	return 0;
}
