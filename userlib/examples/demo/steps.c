// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "steps.h"

#include <stdio.h>
#include <unistd.h>

#include "expect.h"

static const struct group all = { 0, 1 };
static const struct group even = { 0, 2 };
static const struct group odd = { 1, 2 };

/* Objects that were freed before become free memory after a grace period. */
#define SETTLE_SECONDS 1

/* In place of wrong words: there is nobody who could look. */
#define NOBODY_LEFT UINT64_MAX

struct step {
	size_t held;
	uint64_t free;
};

static struct step last;
static uint64_t free_before;
static struct step allocated;

static uint64_t pages_in(uint64_t bytes)
{
	return bytes / sysconf(_SC_PAGESIZE);
}

uint64_t unassigned_bytes(void)
{
	return CHUNK_BYTES - CLIENTS * GRANT_BYTES - BOARD_BYTES;
}

static struct step take_step(const struct service *service)
{
	return (struct step){ pages_held(&service->pages), memory_free() };
}

static void print_row(const char *what, const char *held, const char *returned,
		      const char *wrong, uint64_t free)
{
	printf("  %-39s %8s %22s %12s %11llu\n", what, held, returned, wrong,
	       (unsigned long long)free >> 10);
}

static void print_step(const struct service *service, const char *what,
		       uint64_t expected, uint64_t wrong_words)
{
	struct step now = take_step(service);
	size_t returned = last.held - now.held;
	char held_text[32];
	char returned_text[48];
	char wrong_text[32] = "-";

	snprintf(held_text, sizeof(held_text), "%zu", now.held);
	snprintf(returned_text, sizeof(returned_text), "%zu of %llu", returned,
		 (unsigned long long)expected);
	if (wrong_words != NOBODY_LEFT) {
		snprintf(wrong_text, sizeof(wrong_text), "%llu",
			 (unsigned long long)wrong_words);
		expect_equal(wrong_words, 0, what);
	}
	print_row(what, held_text, returned_text, wrong_text, now.free);
	expect_equal(returned, expected, what);
	last = now;
}

static uint64_t command(struct service *service, struct group group,
			enum command command)
{
	struct report reports[CLIENTS];

	return service_command(service, group, command, reports);
}

void steps_begin(void)
{
	sleep(SETTLE_SECONDS);
	free_before = memory_free();
}

void steps_allocated(const struct service *service)
{
	allocated = take_step(service);
	last = allocated;
	expect_equal(allocated.held, pages_in(CHUNK_BYTES),
		     "pages held after allocation");
}

static void print_head(void)
{
	char held[32];

	printf("\n%-41s %8s %22s %12s %11s\n",
	       "THE WAY BACK, in pages of the chunk", "held",
	       "given back, expected", "wrong words", "free kB");
	print_row("before", "-", "-", "-", free_before);
	snprintf(held, sizeof(held), "%zu", allocated.held);
	print_row("chunk allocated", held, "-", "-", allocated.free);
}

/* One of those that are killed was cut off and has nothing to give back. */
static void print_clients_end(struct service *service)
{
	uint64_t own = GRANT_BYTES;
	uint64_t given_back;
	uint64_t wrong;

	service_kill(service, even);
	wrong = command(service, odd, COMMAND_VERIFY);
	given_back = pages_in((CLIENTS / 2 - 1) * own);
	print_step(service, "32 clients are killed", given_back, wrong);
	wrong = command(service, odd, COMMAND_HALVE);
	own -= PRIVATE_BYTES / 2;
	given_back = pages_in(CLIENTS / 2 * PRIVATE_BYTES / 2);
	print_step(service, "the others close, keep half mapped", given_back,
		   wrong);
	service_dismiss(service, odd);
	given_back = pages_in(CLIENTS / 2 * own + BOARD_BYTES);
	print_step(service, "the last of them exit", given_back, NOBODY_LEFT);
}

void steps_end(struct service *service)
{
	uint64_t wrong = service_wrong_words(service);

	wrong += command(service, all, COMMAND_VERIFY);
	print_head();
	print_step(service, "used, attempts refused, one cut off", 0, wrong);
	service_close_memory(service);
	wrong = command(service, all, COMMAND_VERIFY);
	print_step(service, "the service closes all it has",
		   pages_in(unassigned_bytes() + GRANT_BYTES), wrong);
	print_clients_end(service);
	expect_equal(last.held, 0, "pages held at the end");
}
