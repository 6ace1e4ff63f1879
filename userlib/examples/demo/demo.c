// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The demo. Every figure on its screen was measured in the run that prints it.
 */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <dataspace.h>

#include "budget.h"
#include "control.h"
#include "cost.h"
#include "expect.h"
#include "service.h"
#include "steps.h"
#include "util.h"

/* A demo that hangs is a demo that failed. */
#define TIME_LIMIT 150

/* Per dataspace, in the RM session that stood in for dataspaces so far. */
#define STAND_IN_BYTES 65536

/* The most that an alias may cost. */
#define ALIAS_BYTES_LIMIT 1024

static const struct group everybody = { 0, 1 };

static void print_title(void)
{
	struct utsname name;

	uname(&name);
	printf("RAM SERVICE: a chunk of %llu MiB, %d clients; Linux %s, pages of %ld B\n",
	       (unsigned long long)(CHUNK_BYTES >> 20), CLIENTS, name.release,
	       sysconf(_SC_PAGESIZE));
}

static void print_part(const char *holder, enum part_kind kind, int distinct,
		       const char *rights)
{
	uint64_t bytes = part_range(kind, 0).length;

	printf("  %-34s %3d x %3llu KiB %-12s %6llu pages\n", holder, CLIENTS,
	       (unsigned long long)bytes >> 10, rights,
	       (unsigned long long)bytes * distinct / sysconf(_SC_PAGESIZE));
}

static void print_holders(const struct service *service)
{
	struct dataspace_info info;
	bool contiguous;

	must(dataspace_info(service->chunk, &info, sizeof(info)),
	     "looking at the chunk");
	contiguous = info.state & DATASPACE_STATE_CONTIGUOUS;
	printf("\nWHO HOLDS WHAT\n");
	printf("  %-34s   1 x %3llu MiB %-12s %6zu pages in %zu physical run%s%s\n",
	       "the service: its chunk", (unsigned long long)info.length >> 20,
	       "read, write", service->pages.count, pages_runs(&service->pages),
	       pages_runs(&service->pages) == 1 ? "" : "s",
	       service->scattered ? " (scattered)" : "");
	print_part("each client: a private part", PRIVATE, CLIENTS,
		   "read, write");
	print_part("each client: a label", LABEL, CLIENTS, "read");
	print_part("all clients: the same board", BOARD, 1, "read by file");
	printf("  %-34s %32llu pages\n", "nobody but the service",
	       (unsigned long long)info.exclusive / sysconf(_SC_PAGESIZE));
	expect(contiguous == (pages_runs(&service->pages) == 1),
	       "what INFO says of contiguity");
	expect(contiguous || service->scattered, "contiguity");
	expect_equal(info.aliases, CLIENTS * (PARTS + 1) + 1,
		     "aliases of the chunk");
	expect_equal(info.exclusive, unassigned_bytes(),
		     "exclusive bytes of the chunk");
}

static void print_attempt(const struct attempt *attempt,
			  const struct report *reports, int index)
{
	int different = 0;
	int refused = 0;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		if (reports[i].outcomes[index] == attempt->expected)
			refused++;
		else
			different = reports[i].outcomes[index];
	}
	printf("  %-30s %-8s %2d/%d", attempt->name,
	       outcome_name(refused == CLIENTS ? attempt->expected : different),
	       refused, CLIENTS);
	expect(refused == CLIENTS, attempt->name);
}

static void print_attempts(struct service *service)
{
	struct report reports[CLIENTS];
	int index;
	int i;

	service_command(service, everybody, COMMAND_ATTEMPT, reports);
	printf("\n%-49s%s\n", "TRIED BY EACH CLIENT: ITS NEIGHBOURS' MEMORY",
	       "TRIED BY EACH CLIENT: WRITING WHAT IS READ-ONLY");
	for (i = 0; i < REACH_ATTEMPTS; i++) {
		print_attempt(&reach_attempts[i], reports, i);
		printf("  ");
		print_attempt(&write_attempts[i], reports, REACH_ATTEMPTS + i);
		printf("\n");
	}
	printf("\n%-49s%s\n", "WITHOUT THE RIGHT TO MAP: PINNING THE BOARD",
	       "WITHOUT THE RIGHT TO DERIVE: MORE OF IT");
	for (i = 0; i < PIN_ATTEMPTS; i++) {
		index = REACH_ATTEMPTS + WRITE_ATTEMPTS + i;
		print_attempt(&pin_attempts[i], reports, index);
		printf("  ");
		index += PIN_ATTEMPTS;
		print_attempt(&grow_attempts[i], reports, index);
		printf("\n");
	}
}

static void print_cost(const struct cost *page, const struct cost *chunk)
{
	printf("\nKERNEL MEMORY PER ALIAS, bytes, measured over %d aliases\n",
	       COST_ALIASES);
	printf("  %-34s %7.0f charged to its creator, %7.0f in object caches\n",
	       "alias of one page", page->charged, page->slab);
	printf("  %-34s %7.0f charged to its creator, %7.0f in object caches\n",
	       "alias of the whole chunk", chunk->charged, chunk->slab);
	printf("  %-34s %7d\n", "RM-session stand-in, per dataspace",
	       STAND_IN_BYTES);
	expect(page->charged > 0 && page->charged <= ALIAS_BYTES_LIMIT,
	       "charge for an alias of one page");
	expect(chunk->charged > 0 && chunk->charged <= ALIAS_BYTES_LIMIT,
	       "charge for an alias of the whole chunk");
}

/* With a chunk of its own, so that its traces are there before the steps. */
static void measure_cost(struct cost *page, struct cost *chunk)
{
	int ds = must(dataspace_alloc(CHUNK_BYTES, DATASPACE_RO,
				      DATASPACE_ALLOC_SCATTERED),
		      "allocating memory");

	cost_measure(ds, sysconf(_SC_PAGESIZE), page);
	cost_measure(ds, CHUNK_BYTES, chunk);
	close(ds);
}

int demo_main(void)
{
	struct report reports[CLIENTS];
	struct service service;
	struct cost page;
	struct cost chunk;

	alarm(TIME_LIMIT);
	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	print_title();
	measure_cost(&page, &chunk);
	steps_begin();
	service_open(&service);
	steps_allocated(&service);
	budgets_open();
	service_admit_clients(&service);
	expect_equal(service_command(&service, everybody, COMMAND_USE, reports),
		     0, "wrong words in first use");
	print_holders(&service);
	print_attempts(&service);
	print_budgets(&service);
	print_control(&service);
	steps_end(&service);
	budgets_close();
	print_cost(&page, &chunk);
	return expectations_met() ? EXIT_SUCCESS : EXIT_FAILURE;
}
