/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Counting what the demo found against what it had to find.
 */
#ifndef RAM_EXPECT_H
#define RAM_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

void expect(bool held, const char *what);
void expect_equal(uint64_t found, uint64_t expected, const char *what);

/* Prints how many held and what did not; returns whether all did. */
bool expectations_met(void);

#endif /* RAM_EXPECT_H */
