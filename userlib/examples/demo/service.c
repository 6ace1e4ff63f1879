// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dataspace.h>

#include "budget.h"
#include "util.h"

static void write_labels(unsigned char *chunk)
{
	struct range label;
	unsigned int i;

	for (i = 0; i < CLIENTS; i++) {
		label = part_range(LABEL, i);
		pattern_fill(chunk + label.offset, label.length, label_seed(i));
	}
}

static int make_alias(int source, struct range range, uint32_t rights)
{
	return must(dataspace_alias(source, range.offset, range.length, rights,
				    0),
		    "making an alias");
}

void service_publish(struct service *service, uint64_t edition)
{
	pattern_fill(service->board.map, service->board.length,
		     board_seed(edition));
	service->edition = edition;
}

static void make_board(struct service *service)
{
	struct range range = part_range(BOARD, 0);
	struct part *board = &service->board;

	board->ds = make_alias(service->chunk, range, DATASPACE_RW);
	board->length = range.length;
	board->map =
		map_dataspace(board->ds, board->length, PROT_READ | PROT_WRITE);
	service_publish(service, 1);
}

static void make_grants(struct service *service)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		service->grants[i] = make_alias(service->chunk, grant_range(i),
						DATASPACE_RW);
}

void service_open(struct service *service)
{
	unsigned char *memory;

	service->scattered = 0;
	service->chunk = dataspace_alloc(CHUNK_BYTES, DATASPACE_RW, 0);
	if (service->chunk == -ENOMEM) {
		service->scattered = 1;
		service->chunk = dataspace_alloc(CHUNK_BYTES, DATASPACE_RW,
						 DATASPACE_ALLOC_SCATTERED);
	}
	must(service->chunk, "allocating the chunk");
	memory = map_dataspace(service->chunk, CHUNK_BYTES,
			       PROT_READ | PROT_WRITE);
	write_labels(memory);
	pages_note(&service->pages, memory, CHUNK_BYTES);
	munmap(memory, CHUNK_BYTES);
	make_board(service);
	make_grants(service);
}

void service_close_memory(struct service *service)
{
	unsigned int i;

	munmap(service->board.map, service->board.length);
	close(service->board.ds);
	for (i = 0; i < CLIENTS; i++)
		close(service->grants[i]);
	close(service->chunk);
}

/* An alias that a client is to own: of the grant, or of the board. */
static int make_part(const struct service *service, enum part_kind kind,
		     unsigned int client)
{
	struct range range = part_range(kind, client);
	static const uint32_t rights[PARTS] = {
		[PRIVATE] = DATASPACE_RW,
		[LABEL] = DATASPACE_RO,
		[BOARD] = DATASPACE_READ,
	};

	if (kind == BOARD) {
		range.offset = 0;
		return make_alias(service->board.ds, range, rights[kind]);
	}
	range.offset -= grant_range(client).offset;
	return make_alias(service->grants[client], range, rights[kind]);
}

static void give(const struct service *service, int socket, enum part_kind kind,
		 unsigned int client)
{
	int ds = make_part(service, kind, client);

	must(dataspace_send(socket, ds), "sending a dataspace");
	close(ds);
}

static void start_client(const char *path)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork", -errno);
	if (pid)
		return;
	budget_enter();
	execl("/proc/self/exe", "ram_service", "--client", path, NULL);
	_exit(127);
}

static void admit(struct service *service, int listener, unsigned int client)
{
	struct session *session = &service->sessions[client];
	int kind;

	session->socket = protocol_accept(listener, &session->pid);
	session->budget = device_receive(session->socket);
	session->paid_for = 0;
	for (kind = 0; kind < PARTS; kind++)
		give(service, session->socket, kind, client);
}

void service_admit_clients(struct service *service)
{
	char path[64];
	int listener;
	int i;

	snprintf(path, sizeof(path), "/tmp/ram-service-%d.socket",
		 (int)getpid());
	listener = protocol_listen(path);
	for (i = 0; i < CLIENTS; i++)
		start_client(path);
	for (i = 0; i < CLIENTS; i++)
		admit(service, listener, i);
	close(listener);
	unlink(path);
}

uint64_t service_command(struct service *service, struct group group,
			 enum command command, struct report *reports)
{
	uint64_t wrong = 0;
	unsigned int i;

	for (i = group.first; i < CLIENTS; i += group.step)
		command_send(service->sessions[i].socket, command);
	for (i = group.first; i < CLIENTS; i += group.step) {
		report_receive(service->sessions[i].socket, &reports[i]);
		wrong += reports[i].wrong_words;
	}
	return wrong;
}

static void bury(struct session *session)
{
	close(session->socket);
	close(session->budget);
	if (waitpid(session->pid, NULL, 0) != session->pid)
		die("waiting for a client", -errno);
	budget_remove(session->pid);
}

void service_dismiss(struct service *service, struct group group)
{
	unsigned int i;

	for (i = group.first; i < CLIENTS; i += group.step) {
		command_send(service->sessions[i].socket, COMMAND_EXIT);
		bury(&service->sessions[i]);
	}
}

void service_kill(struct service *service, struct group group)
{
	unsigned int i;

	for (i = group.first; i < CLIENTS; i += group.step) {
		kill(service->sessions[i].pid, SIGKILL);
		bury(&service->sessions[i]);
	}
}

uint64_t service_wrong_words(const struct service *service)
{
	const unsigned char *chunk;
	struct range range = part_range(BOARD, 0);
	uint64_t wrong;
	unsigned int i;

	chunk = map_dataspace(service->chunk, CHUNK_BYTES, PROT_READ);
	wrong = pattern_wrong_words(chunk + range.offset, range.length,
				    board_seed(service->edition));
	for (i = 0; i < CLIENTS; i++) {
		range = part_range(LABEL, i);
		wrong += pattern_wrong_words(chunk + range.offset, range.length,
					     label_seed(i));
		range = part_range(PRIVATE, i);
		wrong += pattern_wrong_words(chunk + range.offset, range.length,
					     private_seed(label_seed(i)));
	}
	munmap((void *)chunk, CHUNK_BYTES);
	return wrong;
}
