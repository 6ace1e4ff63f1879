/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What is tried in order to reach a neighbour's memory, to write what one may
 * only read, to pin or to multiply what one may only read by file, to use what
 * was revoked, and to write what was sealed; and how each attempt must end.
 */
#ifndef RAM_ATTEMPTS_H
#define RAM_ATTEMPTS_H

#include <stddef.h>

/* A dataspace as a client holds it: descriptor, length, and where it is. */
struct part {
	int ds;
	size_t length;
	unsigned char *map;
};

#define REACH_ATTEMPTS 11
#define WRITE_ATTEMPTS 11
#define OWN_ATTEMPTS 5
#define SEAL_ATTEMPTS 5
#define PIN_ATTEMPTS 3
#define GROW_ATTEMPTS 3
#define ATTEMPTS \
	(REACH_ATTEMPTS + WRITE_ATTEMPTS + PIN_ATTEMPTS + GROW_ATTEMPTS)

/*
 * Outcomes are -errno, or the number of bytes that moved, or one of these for
 * attempts that move no bytes.
 */
#define OUTCOME_SUCCESS 100000
#define OUTCOME_SIGSEGV 100001
#define OUTCOME_SIGBUS 100002

struct attempt {
	const char *name;
	int (*run)(const struct part *part);
	int expected;
};

extern const struct attempt reach_attempts[REACH_ATTEMPTS];
extern const struct attempt write_attempts[WRITE_ATTEMPTS];
extern const struct attempt pin_attempts[PIN_ATTEMPTS];
extern const struct attempt grow_attempts[GROW_ATTEMPTS];
extern const struct attempt own_attempts[OWN_ATTEMPTS];
extern const struct attempt seal_attempts[SEAL_ATTEMPTS];

/* Short text of an outcome, such as "EINVAL" or "0 bytes". */
const char *outcome_name(int outcome);

#endif /* RAM_ATTEMPTS_H */
