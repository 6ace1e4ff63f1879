// SPDX-License-Identifier: GPL-2.0-only
/*
 * fail-nth tells how many more calls may succeed before one fails, and 0 once
 * it has. Copies from and to user memory can fail, too, also those of reading
 * and writing fail-nth itself: then the failure has come too late for the
 * operation.
 */
#include "failpoint.h"

#include <dirent.h>
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

#define FAIL_PAGES "/sys/kernel/debug/fail_page_alloc/"

/* Threads of the kernel have no memory of their own, so that statm is all 0. */
static bool is_of_the_kernel(const char *process)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/statm", process);
	return number_in_file(path, "") == 0;
}

/* New threads of the kernel inherit it from one of those that there are. */
static int mark_threads_of_the_kernel(bool mark)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[300];

	if (!proc)
		return -errno;
	while ((entry = readdir(proc))) {
		if (!is_of_the_kernel(entry->d_name))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/make-it-fail",
			 entry->d_name);
		number_to_file(path, mark);
	}
	closedir(proc);
	return 0;
}

int failpoint_starve_kernel(bool starve)
{
	int ret = 0;

	if (starve)
		ret = mark_threads_of_the_kernel(true)			      ?:
			      number_to_file(FAIL_PAGES "task-filter", 1)     ?:
			      number_to_file(FAIL_PAGES "ignore-gfp-wait", 0) ?:
			      number_to_file(FAIL_PAGES "min-order", 0)	      ?:
			      number_to_file(FAIL_PAGES "verbose", 0)	      ?:
			      number_to_file(FAIL_PAGES "times", -1);
	ret = ret ?: number_to_file(FAIL_PAGES "probability", starve ? 100 : 0);
	return starve ? ret : ret ?: mark_threads_of_the_kernel(false);
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
