// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "control.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include <dataspace.h>

#include "expect.h"
#include "util.h"

/* Is one of those that are killed later (steps.c). */
#define CUT_OFF (CLIENTS - 2)

/* After SEAL, and after SEAL_NOW. */
#define SEALS 2

static const struct group everybody = { 0, 1 };

/* How many clients see the edition that was stored last. */
static int count_readers(struct service *service)
{
	struct report reports[CLIENTS];
	int readers = 0;
	int i;

	service_command(service, everybody, COMMAND_VERIFY, reports);
	for (i = 0; i < CLIENTS; i++)
		readers += !reports[i].wrong_words &&
			   reports[i].edition == service->edition;
	return readers;
}

static void try_sealed(const struct service *service, int *outcomes)
{
	int i;

	for (i = 0; i < SEAL_ATTEMPTS; i++)
		outcomes[i] = seal_attempts[i].run(&service->board);
}

struct sealing {
	int outcomes[SEALS][SEAL_ATTEMPTS];
	int readers[SEALS];
};

/* What is mapped writable stays so until the second seal. */
static void seal_board(struct service *service, struct sealing *sealing)
{
	must(dataspace_seal(service->board.ds, 0), "SEAL");
	try_sealed(service, sealing->outcomes[0]);
	service_publish(service, service->edition + 1);
	sealing->readers[0] = count_readers(service);
	must(dataspace_seal(service->board.ds, DATASPACE_SEAL_NOW), "SEAL_NOW");
	try_sealed(service, sealing->outcomes[1]);
	sealing->readers[1] = count_readers(service);
}

static bool is_given_back(int grant)
{
	struct pollfd poll_grant = { .fd = grant, .events = POLLIN };

	return poll(&poll_grant, 1, 0) == 1 && poll_grant.revents == POLLIN;
}

static void cut_off(struct service *service, struct report *reports)
{
	int grant = service->grants[CUT_OFF];
	uint64_t wrong;

	expect(!is_given_back(grant), "poll before REVOKE");
	must(dataspace_revoke(grant, 0), "REVOKE");
	expect(is_given_back(grant), "poll after REVOKE");
	wrong = service_command(service, everybody, COMMAND_OWN, reports);
	expect_equal(wrong, 0, "wrong words after REVOKE");
}

static void print_revoked(const struct report *reports, int attempt)
{
	int outcome = reports[CUT_OFF].outcomes[attempt];
	int succeeded = 0;
	int i;

	for (i = 0; i < CLIENTS; i++)
		succeeded += i != CUT_OFF &&
			     reports[i].outcomes[attempt] == OUTCOME_SUCCESS;
	printf("  %-26s %-8s %2d/%d succeed", own_attempts[attempt].name,
	       outcome_name(outcome), succeeded, CLIENTS - 1);
	expect(outcome == own_attempts[attempt].expected,
	       own_attempts[attempt].name);
	expect_equal(succeeded, CLIENTS - 1, "neighbours of the revoked");
}

/* That a seal came takes nothing from the mapping that was there before. */
static void print_sealed(const struct sealing *sealing, int attempt)
{
	int first = sealing->outcomes[0][attempt];
	int second = sealing->outcomes[1][attempt];
	int expected = seal_attempts[attempt].expected;

	printf("  %-26s %-10s %s\n", seal_attempts[attempt].name,
	       outcome_name(first), outcome_name(second));
	expect(first == (expected == OUTCOME_SIGBUS ? OUTCOME_SUCCESS :
						      expected),
	       "writing after SEAL");
	expect(second == expected, "writing after SEAL_NOW");
}

static void print_last_row(const struct report *reports,
			   const struct sealing *sealing)
{
	unsigned long long wrong = 0;
	int i;

	for (i = 0; i < CLIENTS; i++)
		wrong += i == CUT_OFF ? 0 : reports[i].wrong_words;
	printf("  %-26s %-8s %-13llu", "wrong words found", "-", wrong);
	printf("  %-26s %2d/%-7d %2d/%d\n", "read what was stored last",
	       sealing->readers[0], CLIENTS, sealing->readers[1], CLIENTS);
	for (i = 0; i < SEALS; i++)
		expect_equal(sealing->readers[i], CLIENTS,
			     "readers of the board");
}

void print_control(struct service *service)
{
	struct report reports[CLIENTS];
	struct sealing sealing;
	int i;

	seal_board(service, &sealing);
	cut_off(service, reports);
	printf("\n%-28s %-8s %-15s%-27s %-10s %s\n",
	       "CUT OFF: A CLIENT, BY REVOKE", "ITSELF", "NEIGHBOURS",
	       "SEALED: THE BOARD", "AFTER SEAL", "SEAL_NOW");
	for (i = 0; i < OWN_ATTEMPTS; i++) {
		print_revoked(reports, i);
		print_sealed(&sealing, i);
	}
	print_last_row(reports, &sealing);
}
