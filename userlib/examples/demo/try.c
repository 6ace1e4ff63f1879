// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "try.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dataspace.h>

static sigjmp_buf touch_refused;

static void on_fault(int signal)
{
	siglongjmp(touch_refused, signal);
}

/* Loads a word from the mapping, or stores @value there. */
static int touch(volatile uint64_t *at, const uint64_t *value)
{
	const struct sigaction catch = { .sa_handler = on_fault };
	struct sigaction bus;
	struct sigaction segv;
	int signal;

	sigaction(SIGBUS, &catch, &bus);
	sigaction(SIGSEGV, &catch, &segv);
	signal = sigsetjmp(touch_refused, 1);
	if (!signal && value)
		*at = *value;
	else if (!signal)
		(void)*at;
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	if (!signal)
		return OUTCOME_SUCCESS;
	return signal == SIGBUS ? OUTCOME_SIGBUS : OUTCOME_SIGSEGV;
}

int try_load(const struct part *part)
{
	return touch((volatile uint64_t *)part->map, NULL);
}

int try_store(const struct part *part)
{
	uint64_t word = 0;

	if (pread(part->ds, &word, sizeof(word), 0) < 0 && errno != ESTALE)
		return -errno;
	return touch((volatile uint64_t *)part->map, &word);
}

int try_map(const struct part *part, int prot)
{
	void *got = mmap(NULL, part->length, prot, MAP_SHARED, part->ds, 0);

	if (got == MAP_FAILED)
		return -errno;
	munmap(got, part->length);
	return OUTCOME_SUCCESS;
}

int try_protect_writable(const struct part *part)
{
	void *got;
	int outcome = OUTCOME_SUCCESS;

	got = mmap(NULL, part->length, PROT_READ, MAP_SHARED, part->ds, 0);
	if (got == MAP_FAILED)
		return -errno;
	if (mprotect(got, part->length, PROT_READ | PROT_WRITE))
		outcome = -errno;
	munmap(got, part->length);
	return outcome;
}

int try_pread(const struct part *part)
{
	uint64_t word;
	ssize_t got = pread(part->ds, &word, sizeof(word), 0);

	if (got < 0)
		return -errno;
	return got == sizeof(word) ? OUTCOME_SUCCESS : got;
}

int try_pwrite(const struct part *part)
{
	ssize_t put = pwrite(part->ds, "x", 1, 0);

	return put < 0 ? -errno : put;
}

int try_alias(const struct part *part, uint32_t rights)
{
	int ds = dataspace_alias(part->ds, 0, part->length, rights, 0);

	if (ds < 0)
		return ds;
	close(ds);
	return OUTCOME_SUCCESS;
}
