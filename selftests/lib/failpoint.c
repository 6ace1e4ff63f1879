// SPDX-License-Identifier: GPL-2.0-only
/*
 * fail-nth tells how many more calls may succeed before one fails, and 0 once
 * it has. Copies from and to user memory can fail, too, also those of reading
 * and writing fail-nth itself: then the failure has come too late for the
 * operation.
 */
#include "failpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

#define FAIL_NTH "/proc/thread-self/fail-nth"

static int file = -1;

bool failpoint_possible(void)
{
	return !access(FAIL_NTH, R_OK | W_OK);
}

static int file_write(unsigned int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(file, text, length, 0) == length ? 0 : -errno;
}

int failpoint_arm(unsigned int nth)
{
	if (file < 0)
		file = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	return file < 0 ? -errno : file_write(nth);
}

bool failpoint_disarm(void)
{
	char text[16] = "";
	ssize_t got = pread(file, text, sizeof(text) - 1, 0);
	bool hit = got > 0 && !strtoul(text, NULL, 10);

	while (file_write(0))
		;
	return hit;
}

/* At 4 the console shows errors, but no warnings. */
#define LEVEL_FILE "/proc/sys/kernel/printk"
#define LEVEL_ERRORS 4

long long failpoint_hush(void)
{
	long long level = number_in_file(LEVEL_FILE, "");

	number_to_file(LEVEL_FILE, LEVEL_ERRORS);
	return level;
}

void failpoint_speak(long long level)
{
	number_to_file(LEVEL_FILE, level);
}
