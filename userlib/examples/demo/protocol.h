/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the service and a client say to each other after the dataspaces were
 * handed over: the service sends a command, the client does it and reports.
 * One message each, on a socket that keeps messages apart. A client that is to ask
 * for memory sends how much it wants in between, and the service answers.
 */
#ifndef RAM_PROTOCOL_H
#define RAM_PROTOCOL_H

#include <stdint.h>
#include <sys/types.h>

#include "attempts.h"

enum command {
	COMMAND_USE, /* map all parts, fill the private one */
	COMMAND_ATTEMPT, /* try everything that must be refused */
	COMMAND_VERIFY, /* is everything still as it should be? */
	COMMAND_ASK, /* ask for memory on one's own account */
	COMMAND_ASK_TOO_MUCH, /* for more than one can pay for */
	COMMAND_RETURN, /* give back what came of that */
	COMMAND_OWN, /* use what is one's own in all the ways */
	COMMAND_HALVE, /* close what is one's own, unmap half of the private part */
	COMMAND_EXIT,
};

struct report {
	uint64_t wrong_words;
	uint64_t edition; /* of the board */
	int32_t outcomes[ATTEMPTS];
};

int protocol_listen(const char *path);
int protocol_accept(int listener, pid_t *peer);
int protocol_connect(const char *path);

void command_send(int socket, enum command command);
/* -ENODATA when the service has hung up. */
int command_receive(int socket);
/* The client's descriptor of the device, which is not a dataspace. */
void device_send(int socket, int device);
int device_receive(int socket);

void request_send(int socket, uint64_t length);
uint64_t request_receive(int socket);
/* A dataspace, or -errno. */
void answer_send(int socket, int ds);
int answer_receive(int socket);

void report_send(int socket, const struct report *report);
void report_receive(int socket, struct report *report);

#endif /* RAM_PROTOCOL_H */
