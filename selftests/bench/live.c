// SPDX-License-Identifier: GPL-2.0-only
/* Many handles that are open at the same time. */
#define _GNU_SOURCE

#include "bench.h"

static int one_handle(const struct kind *kind, int source, size_t size,
		      size_t number)
{
	if (kind->part)
		return kind->part(source, size, number);
	return kind->handle(source, size);
}

#define FEW 256

/* Occupies the free numbers below the highest descriptor. */
static size_t fill_holes(int *fillers)
{
	size_t count = 0;
	int highest = 0;
	int fd;

	for (fd = 0; fd < FEW; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			highest = fd;
	while ((fd = dup(0)) >= 0 && fd < highest)
		fillers[count++] = fd;
	close(fd);
	return count;
}

static int open_in_a_row(const struct kind *kind, int source, size_t size,
			 size_t number)
{
	int first = one_handle(kind, source, size, 0);
	int last = first;
	size_t i;

	for (i = 1; last >= 0 && i < number; i++)
		last = one_handle(kind, source, size, i);
	if (last >= 0 && last != first + (int)number - 1)
		last = -EBADF;
	if (first >= 0 && last < 0)
		live_close(first, i);
	return last < 0 ? last : first;
}

/*
 * Opens @number handles with descriptors in a row. Returns the first one or
 * -errno.
 */
int live_open(const struct kind *kind, int source, size_t size, size_t number)
{
	int fillers[FEW];
	size_t count = fill_holes(fillers);
	int first;

	first = open_in_a_row(kind, source, size, number);
	while (count)
		close(fillers[--count]);
	return first;
}

void live_close(int first, size_t number)
{
	close_range(first, first + number - 1, 0);
}
