/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * The RAM service: one chunk of memory, and clients that hold parts of it.
 */
#ifndef RAM_SERVICE_H
#define RAM_SERVICE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "layout.h"
#include "pages.h"
#include "protocol.h"

struct session {
	int socket;
	pid_t pid;
	int budget; /* the client's descriptor of the device */
	uint64_t paid_for; /* bytes that were allocated on it */
};

struct service {
	int chunk;
	int scattered;
	int grants[CLIENTS]; /* what all that a client owns is derived from */
	struct part board; /* what all clients' boards are derived from */
	uint64_t edition;
	struct pages pages;
	struct session sessions[CLIENTS];
};

/* The clients @first, @first + @step, ... */
struct group {
	unsigned int first;
	unsigned int step;
};

/*
 * Allocates the chunk, writes labels and board, notes the pages, and stays with
 * the board mapped writable.
 */
void service_open(struct service *service);

/* Stores another edition of the board through the service's mapping. */
void service_publish(struct service *service, uint64_t edition);

/* Ends the service's own hold on the memory. */
void service_close_memory(struct service *service);

/* Starts the clients and gives each of them its parts. */
void service_admit_clients(struct service *service);

/*
 * Has each client of a group do @command. Fills in @reports, one for each
 * client; returns the number of words that a client found to be wrong.
 */
uint64_t service_command(struct service *service, struct group group,
			 enum command command, struct report *reports);

/* Ends the clients of a group, by their own doing or by SIGKILL. */
void service_dismiss(struct service *service, struct group group);
void service_kill(struct service *service, struct group group);

/* How many words of the chunk are not what they must be, all clients' parts. */
uint64_t service_wrong_words(const struct service *service);

#endif /* RAM_SERVICE_H */
