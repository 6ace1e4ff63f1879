// SPDX-License-Identifier: GPL-2.0-only
/* The kernel counts in the first word and writes the places after it. */
#include "kcov.h"

#include <linux/kcov.h>

#include "common.h"

#define KCOV_FILE "/sys/kernel/debug/kcov"
#define KCOV_WORDS 131072

static __u64 *words;

/*
 * If there are more places than the table has room for, no place is new any
 * more.
 */
bool places_add(struct places *places, __u64 place)
{
	size_t i = place * 0x9e3779b97f4a7c15ULL >> 50;

	while (places->at[i] && places->at[i] != place)
		i = (i + 1) % PLACES_MAX;
	if (places->at[i] || places->count == PLACES_MAX - 1)
		return false;
	places->at[i] = place;
	places->count++;
	return true;
}

int kcov_start(void)
{
	int file = open(KCOV_FILE, O_RDWR | O_CLOEXEC);

	if (file < 0)
		return -errno;
	if (ioctl(file, KCOV_INIT_TRACE, KCOV_WORDS))
		return -errno;
	words = mmap(NULL, KCOV_WORDS * sizeof(*words), READ_WRITE, MAP_SHARED,
		     file, 0);
	if (words == MAP_FAILED)
		return -errno;
	return result(ioctl(file, KCOV_ENABLE, KCOV_TRACE_PC));
}

void kcov_reset(void)
{
	__atomic_store_n(words, 0, __ATOMIC_RELAXED);
}

size_t kcov_passed(const __u64 **passed)
{
	*passed = words + 1;
	return __atomic_load_n(words, __ATOMIC_RELAXED);
}
