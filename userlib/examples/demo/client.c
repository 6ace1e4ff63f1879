// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A client of the RAM service. It knows nothing but what it was given: lengths
 * and rights come from the dataspaces themselves, and who it is from its label.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dataspace.h>

#include "budget.h"
#include "layout.h"
#include "protocol.h"
#include "util.h"

/* How much memory is asked for, and how often at most. */
#define REQUEST_BYTES (UINT64_C(1) << 20)
#define REQUESTS 2

struct client {
	int socket;
	int cut_off; /* what is its own is no longer */
	struct part parts[PARTS];
	unsigned int paid_count;
	void *paid_for[REQUESTS]; /* mapped, REQUEST_BYTES each */
};

static void receive_part(int socket, struct part *part)
{
	struct dataspace_info info;

	part->ds = must(dataspace_recv(socket), "receiving a dataspace");
	must(dataspace_info(part->ds, &info, sizeof(info)),
	     "looking at a dataspace");
	part->length = info.length;
}

static void map_part(struct part *part)
{
	struct dataspace_info info;
	int prot = PROT_READ;

	must(dataspace_info(part->ds, &info, sizeof(info)),
	     "looking at a dataspace");
	if (info.rights & DATASPACE_WRITE)
		prot |= PROT_WRITE;
	part->map = map_dataspace(part->ds, part->length, prot);
}

static uint64_t own_label(const struct client *client)
{
	return *(const uint64_t *)client->parts[LABEL].map;
}

static size_t wrong_in_private(const struct client *client)
{
	const struct part *part = &client->parts[PRIVATE];

	return pattern_wrong_words(part->map, part->length,
				   private_seed(own_label(client)));
}

static size_t wrong_in_label(const struct client *client)
{
	const struct part *part = &client->parts[LABEL];

	return pattern_wrong_words(part->map, part->length, own_label(client));
}

/* By file: the client can't map it. */
static void read_board(const struct client *client, struct report *report)
{
	const struct part *board = &client->parts[BOARD];
	void *copy = malloc(board->length);

	if (!copy ||
	    pread(board->ds, copy, board->length, 0) != (ssize_t)board->length)
		die("reading the board", -errno);
	report->edition = board_edition(copy);
	report->wrong_words += pattern_wrong_words(copy, board->length,
						   board_seed(report->edition));
	free(copy);
}

static size_t wrong_in_paid_for(const struct client *client)
{
	size_t wrong = 0;
	unsigned int i;

	for (i = 0; i < client->paid_count; i++)
		wrong += pattern_wrong_words(client->paid_for[i], REQUEST_BYTES,
					     private_seed(own_label(client)));
	return wrong;
}

static void verify(const struct client *client, struct report *report)
{
	read_board(client, report);
	if (!client->cut_off)
		report->wrong_words += wrong_in_private(client) +
				       wrong_in_label(client) +
				       wrong_in_paid_for(client);
}

/* New memory is zero; what is stored by mapping is read back by file. */
static size_t use_private(const struct client *client)
{
	const struct part *part = &client->parts[PRIVATE];
	uint64_t seed = private_seed(own_label(client));
	unsigned char *copy = malloc(part->length);
	size_t wrong = 0;
	size_t i;

	for (i = 0; i < part->length; i++)
		wrong += part->map[i] != 0;
	pattern_fill(part->map, part->length, seed);
	if (!copy ||
	    pread(part->ds, copy, part->length, 0) != (ssize_t)part->length)
		return wrong + 1;
	wrong += pattern_wrong_words(copy, part->length, seed);
	free(copy);
	return wrong;
}

static void use(struct client *client, struct report *report)
{
	map_part(&client->parts[PRIVATE]);
	map_part(&client->parts[LABEL]);
	report->wrong_words = use_private(client);
	verify(client, report);
}

static void attempt(const struct client *client, struct report *report)
{
	const struct part *private = &client->parts[PRIVATE];
	const struct part *label = &client->parts[LABEL];
	const struct part *board = &client->parts[BOARD];
	int32_t *outcome = report->outcomes;
	int i;

	for (i = 0; i < REACH_ATTEMPTS; i++)
		*outcome++ = reach_attempts[i].run(private);
	for (i = 0; i < WRITE_ATTEMPTS; i++)
		*outcome++ = write_attempts[i].run(label);
	for (i = 0; i < PIN_ATTEMPTS; i++)
		*outcome++ = pin_attempts[i].run(board);
	for (i = 0; i < GROW_ATTEMPTS; i++)
		*outcome++ = grow_attempts[i].run(board);
	verify(client, report);
}

/* What is received is kept by its mapping alone. */
static void ask(struct client *client, uint64_t length, struct report *report)
{
	void *map;
	int ds;

	request_send(client->socket, length);
	ds = answer_receive(client->socket);
	report->outcomes[0] = ds < 0 ? ds : OUTCOME_SUCCESS;
	if (ds >= 0) {
		map = map_dataspace(ds, REQUEST_BYTES, PROT_READ | PROT_WRITE);
		close(ds);
		pattern_fill(map, REQUEST_BYTES,
			     private_seed(own_label(client)));
		client->paid_for[client->paid_count++] = map;
	}
	verify(client, report);
}

static void give_back(struct client *client, struct report *report)
{
	verify(client, report);
	while (client->paid_count)
		munmap(client->paid_for[--client->paid_count], REQUEST_BYTES);
}

/* Who gets a signal from its own memory has lost it. */
static void use_own(struct client *client, struct report *report)
{
	const struct part *private = &client->parts[PRIVATE];
	int i;

	for (i = 0; i < OWN_ATTEMPTS; i++)
		report->outcomes[i] = own_attempts[i].run(private);
	client->cut_off = report->outcomes[0] == OUTCOME_SIGBUS;
	verify(client, report);
}

/* From here on it is only mappings that keep the client's own memory. */
static void halve(struct client *client, struct report *report)
{
	struct part *private = &client->parts[PRIVATE];

	close(private->ds);
	close(client->parts[LABEL].ds);
	private->length /= 2;
	munmap(private->map + private->length, private->length);
	verify(client, report);
}

static void obey(struct client *client, enum command command,
		 struct report *report)
{
	switch (command) {
	case COMMAND_USE:
		use(client, report);
		break;
	case COMMAND_ATTEMPT:
		attempt(client, report);
		break;
	case COMMAND_VERIFY:
		verify(client, report);
		break;
	case COMMAND_ASK:
		ask(client, REQUEST_BYTES, report);
		break;
	case COMMAND_ASK_TOO_MUCH:
		ask(client, BUDGET_BYTES, report);
		break;
	case COMMAND_RETURN:
		give_back(client, report);
		break;
	case COMMAND_OWN:
		use_own(client, report);
		break;
	case COMMAND_HALVE:
		halve(client, report);
		break;
	case COMMAND_EXIT:
		exit(EXIT_SUCCESS);
	}
}

int client_main(const char *path)
{
	struct client client = { .socket = protocol_connect(path) };
	struct report report;
	int command;
	int device;
	int kind;

	device = open("/dev/dataspace", O_RDWR | O_CLOEXEC);
	if (device < 0)
		die("/dev/dataspace", -errno);
	device_send(client.socket, device);
	close(device);
	for (kind = 0; kind < PARTS; kind++)
		receive_part(client.socket, &client.parts[kind]);
	while ((command = command_receive(client.socket)) >= 0) {
		memset(&report, 0, sizeof(report));
		obey(&client, command, &report);
		report_send(client.socket, &report);
	}
	return EXIT_FAILURE;
}
