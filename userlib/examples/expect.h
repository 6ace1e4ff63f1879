/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Counting what the demo found against what it had to find.
 */
#ifndef RAM_EXPECT_H
#define RAM_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

/* Each returns whether it held, and notes @what if it did not. */
bool expect(bool held, const char *what);
bool expect_equal(uint64_t found, uint64_t expected, const char *what);

unsigned int expectations_held(void);
unsigned int expectations_failed(void);

#endif /* RAM_EXPECT_H */
