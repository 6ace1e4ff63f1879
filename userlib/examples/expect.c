// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "expect.h"

#include <stdio.h>

static unsigned int held_count;
static unsigned int failed_count;

bool expect(bool held, const char *what)
{
	if (held) {
		held_count++;
		return true;
	}
	failed_count++;
	fprintf(stderr, "NOT AS EXPECTED: %s\n", what);
	return false;
}

bool expect_equal(uint64_t found, uint64_t expected, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "%s: %llu, not %llu", what,
		 (unsigned long long)found, (unsigned long long)expected);
	return expect(found == expected, text);
}

unsigned int expectations_held(void)
{
	return held_count;
}

unsigned int expectations_failed(void)
{
	return failed_count;
}
