// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "expect.h"

#include <stdio.h>

#define NOTES 16
#define NOTE_LENGTH 100

static unsigned int held_count;
static unsigned int failed_count;
static char notes[NOTES][NOTE_LENGTH];

void expect(bool held, const char *what)
{
	if (held) {
		held_count++;
		return;
	}
	if (failed_count < NOTES)
		snprintf(notes[failed_count], NOTE_LENGTH, "%s", what);
	failed_count++;
}

void expect_equal(uint64_t found, uint64_t expected, const char *what)
{
	char text[NOTE_LENGTH];

	snprintf(text, sizeof(text), "%s: %llu, not %llu", what,
		 (unsigned long long)found, (unsigned long long)expected);
	expect(found == expected, text);
}

bool expectations_met(void)
{
	unsigned int i;

	printf("\n%u of %u expectations held\n", held_count,
	       held_count + failed_count);
	for (i = 0; i < failed_count && i < NOTES; i++)
		printf("NOT AS EXPECTED: %s\n", notes[i]);
	return !failed_count;
}
