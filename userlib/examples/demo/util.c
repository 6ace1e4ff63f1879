// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void die(const char *what, int error)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(-error));
	exit(EXIT_FAILURE);
}

int must(int value, const char *what)
{
	if (value < 0)
		die(what, value);
	return value;
}

void *map_dataspace(int ds, size_t length, int prot)
{
	void *memory = mmap(NULL, length, prot, MAP_SHARED, ds, 0);

	if (memory == MAP_FAILED)
		die("mmap of a dataspace", -errno);
	return memory;
}

void pattern_fill(void *memory, size_t bytes, uint64_t seed)
{
	uint64_t *words = memory;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		words[i] = seed + i;
}

size_t pattern_wrong_words(const void *memory, size_t bytes, uint64_t seed)
{
	const uint64_t *words = memory;
	size_t wrong = 0;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		wrong += words[i] != seed + i;
	return wrong;
}

uint64_t label_seed(unsigned int client)
{
	return (uint64_t)(client + 1) << 32;
}

uint64_t board_seed(uint64_t edition)
{
	return UINT64_C(1) << 62 | edition << 32;
}

uint64_t board_edition(const void *board)
{
	return (*(const uint64_t *)board & ~board_seed(0)) >> 32;
}

uint64_t private_seed(uint64_t label)
{
	return label | UINT64_C(1) << 63;
}
