// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "pool_consumer.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <dataspace.h>

#include "pool.h"
#include "pool_content.h"
#include "util.h"

/* How often one that keeps buffers looks at them. */
#define LOOK_MS 5

/* How long, in microseconds, a buffer is held at most between two looks. */
#define HOLD_US 300

struct loan {
	int ds; /* -1 where the mapping alone holds the buffer */
	void *map;
	uint64_t number;
	bool writable;
};

struct state {
	int socket;
	unsigned int keep;
	unsigned int kept;
	uint64_t last_number;
	struct loan loans[KEPT_LOANS];
	struct consumer_report report;
};

static sigjmp_buf revoked;

static void on_bus_error(int signal)
{
	siglongjmp(revoked, signal);
}

static void catch_bus_errors(void)
{
	const struct sigaction catch = { .sa_handler = on_bus_error };

	sigaction(SIGBUS, &catch, NULL);
}

/* Whether the buffer was there to be looked at. */
static bool look(struct state *state, const struct loan *loan)
{
	if (sigsetjmp(revoked, 1)) {
		state->report.cut_off++;
		return false;
	}
	state->report.wrong_words +=
		content_wrong_words(loan->map, loan->number, false);
	state->report.looks++;
	return true;
}

static void answer(struct state *state, const struct loan *loan)
{
	if (sigsetjmp(revoked, 1))
		state->report.cut_off++;
	else
		content_fill(loan->map, loan->number, true);
}

static uint64_t read_number(const void *map)
{
	return sigsetjmp(revoked, 1) ? 0 : content_number(map);
}

static bool map_loan(struct loan *loan, int ds)
{
	struct dataspace_info info;
	int prot = PROT_READ;

	must(dataspace_info(ds, &info, sizeof(info)), "looking at a loan");
	loan->ds = ds;
	loan->writable = info.rights & DATASPACE_WRITE;
	if (loan->writable)
		prot |= PROT_WRITE;
	loan->map = mmap(NULL, info.length, prot, MAP_SHARED, ds, 0);
	if (loan->map == MAP_FAILED && errno != ESTALE)
		die("mapping a loan", -errno);
	return loan->map != MAP_FAILED;
}

/* Each second one is held by nothing but its mapping. */
static void begin_use(struct state *state, struct loan *loan)
{
	loan->number = read_number(loan->map);
	if (loan->number <= state->last_number)
		state->report.out_of_order++;
	state->last_number = loan->number;
	if (state->report.loans++ % 2) {
		close(loan->ds);
		loan->ds = -1;
	}
}

static void give_back(const struct loan *loan)
{
	munmap(loan->map, BUFFER_BYTES);
	if (loan->ds >= 0)
		close(loan->ds);
}

static void use(struct state *state, struct loan *loan)
{
	begin_use(state, loan);
	if (state->kept < state->keep) {
		state->loans[state->kept++] = *loan;
		return;
	}
	if (look(state, loan)) {
		usleep(random() % HOLD_US);
		if (look(state, loan) && loan->writable)
			answer(state, loan);
	}
	give_back(loan);
}

/* Takes one loan; false when there will be no more. */
static bool take_loan(struct state *state)
{
	int ds = dataspace_recv(state->socket);
	struct loan loan;

	if (ds == -ENODATA)
		return false;
	if (map_loan(&loan, must(ds, "receiving a loan"))) {
		use(state, &loan);
	} else {
		state->report.too_late++;
		close(ds);
	}
	return true;
}

/* One that was cut off is no longer looked at. */
static void look_at_kept(struct state *state)
{
	unsigned int i;

	for (i = 0; i < state->kept; i++) {
		if (!state->loans[i].map || look(state, &state->loans[i]))
			continue;
		give_back(&state->loans[i]);
		state->loans[i].map = NULL;
	}
}

static bool loan_comes(const struct state *state)
{
	struct pollfd poll_socket = { .fd = state->socket, .events = POLLIN };
	int ready = poll(&poll_socket, 1, state->kept ? LOOK_MS : -1);

	if (ready < 0)
		die("poll", -errno);
	return ready;
}

int consumer_main(int socket, unsigned int keep)
{
	struct state state = { .socket = socket, .keep = keep };
	struct consumer_report *report = &state.report;
	bool more = true;

	catch_bus_errors();
	while (more) {
		if (loan_comes(&state))
			more = take_loan(&state);
		look_at_kept(&state);
	}
	if (send(socket, report, sizeof(*report), MSG_NOSIGNAL) < 0)
		die("sending a report", -errno);
	return EXIT_SUCCESS;
}
