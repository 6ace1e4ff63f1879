// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "steps.h"

#include <stdio.h>
#include <unistd.h>

#include "expect.h"

static const struct group even = { 0, 2 };
static const struct group odd = { 1, 2 };

struct step {
	size_t held;
	uint64_t free;
};

static struct step last;
static struct step allocated;
static uint64_t free_before;

static uint64_t pages_in(uint64_t bytes)
{
	return bytes / sysconf(_SC_PAGESIZE);
}

uint64_t unassigned_bytes(void)
{
	return CHUNK_BYTES - CLIENTS * (PRIVATE_BYTES + LABEL_BYTES) -
	       BOARD_BYTES;
}

static struct step take_step(const struct service *service)
{
	return (struct step){ pages_held(&service->pages), memory_free() };
}

static void print_head(void)
{
	printf("\n%-43s %10s %10s %10s %10s\n",
	       "THE WAY BACK, in pages of the chunk", "held", "given back",
	       "expected", "MemFree kB");
	printf("  %-41s %10d %10s %10s %10llu\n", "before", 0, "", "",
	       (unsigned long long)free_before >> 10);
	printf("  %-41s %10zu %10s %10s %10llu\n", "chunk allocated",
	       allocated.held, "", "",
	       (unsigned long long)allocated.free >> 10);
}

static void print_step(const struct service *service, const char *what,
		       uint64_t expected)
{
	struct step now = take_step(service);

	printf("  %-41s %10zu %10zu %10llu %10llu\n", what, now.held,
	       last.held - now.held, (unsigned long long)expected,
	       (unsigned long long)now.free >> 10);
	expect_equal(last.held - now.held, expected, what);
	last = now;
}

static void verify(struct service *service, struct group group,
		   enum command command, const char *what)
{
	struct report reports[CLIENTS];

	expect_equal(service_command(service, group, command, reports), 0,
		     what);
}

void steps_begin(void)
{
	free_before = memory_free();
}

void steps_allocated(const struct service *service)
{
	allocated = take_step(service);
	last = allocated;
	expect_equal(allocated.held, pages_in(CHUNK_BYTES),
		     "pages held after allocation");
}

void steps_end(struct service *service)
{
	uint64_t own = PRIVATE_BYTES + LABEL_BYTES;

	print_head();
	print_step(service, "all handed out, used, attempts refused", 0);
	service_close_chunk(service);
	print_step(service, "service closes its chunk",
		   pages_in(unassigned_bytes()));
	verify(service, (struct group){ 0, 1 }, COMMAND_VERIFY,
	       "wrong words after the chunk was closed");
	service_kill(service, even);
	print_step(service, "32 clients are killed",
		   pages_in(CLIENTS / 2 * own));
	verify(service, odd, COMMAND_HALVE,
	       "wrong words in halves that are only mapped");
	print_step(service, "the others close all, keep half mapped",
		   pages_in(CLIENTS / 2 * PRIVATE_BYTES / 2));
	service_dismiss(service, odd);
	print_step(service, "the last of them exit",
		   pages_in(CLIENTS / 2 * (own - PRIVATE_BYTES / 2) +
			    BOARD_BYTES));
	expect_equal(last.held, 0, "pages held at the end");
}
