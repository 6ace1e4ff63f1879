// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "pool_content.h"

#include <stddef.h>

#include "pool.h"

#define WORDS (BUFFER_BYTES / sizeof(uint64_t))

static uint64_t word_at(uint64_t number, size_t place, bool answer)
{
	uint64_t word = number << 32 | place;

	return answer ? ~word : word;
}

void content_fill(void *buffer, uint64_t number, bool answer)
{
	volatile uint64_t *words = buffer;
	size_t i;

	for (i = 0; i < WORDS; i++)
		words[i] = word_at(number, i, answer);
}

uint64_t content_wrong_words(const void *buffer, uint64_t number, bool answer)
{
	const volatile uint64_t *words = buffer;
	uint64_t wrong = 0;
	size_t i;

	for (i = 0; i < WORDS; i++)
		wrong += words[i] != word_at(number, i, answer);
	return wrong;
}

uint64_t content_number(const void *buffer)
{
	return *(const volatile uint64_t *)buffer >> 32;
}
