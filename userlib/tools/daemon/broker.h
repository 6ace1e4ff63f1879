/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of dataspaced share.
 *
 * Of each memory the broker has the root. It gives an alias of that to who asked
 * for it, and keeps a descriptor of that alias for as long as more can be lent of
 * it: a loan is an alias of that alias, which the broker keeps, and an alias of the
 * loan goes to the borrower. So poll(2) tells who has lent when all has come back,
 * tells the broker when a loan and when a memory has no holder any more, and each
 * of these can be revoked by itself.
 *
 * Functions return 0, or a descriptor, which is never 0, or -errno.
 */
#ifndef DATASPACED_BROKER_H
#define DATASPACED_BROKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include <dataspace.h>
#include <dataspaced.h>

/* loop.c: descriptors that are waited for. */
struct source {
	int fd;
	void (*ready)(struct source *source, uint32_t events);
};

int source_watch(struct source *source, uint32_t events);
void source_change(struct source *source, uint32_t events);
/* Before it is closed: who revokes it has a copy of the descriptor, too. */
void source_forget(struct source *source);
void loop_init(void);
/* Returns when the process is told to end. */
void loop_run(void);

/* job.c: what can last, which is done by threads. */
struct job {
	void (*run)(struct job *job); /* in a thread */
	void (*done)(struct job *job); /* in the loop, after that */
};

void jobs_init(void);
/* -EAGAIN if no thread can be made. */
int job_start(struct job *job);

/* user.c: how much each user has. */
enum thing { CLIENTS, MEMORIES, NAMES, LOANS, THREADS, THINGS };

struct user {
	LIST_ENTRY(user) link;
	uid_t uid;
	uint64_t bytes;
	unsigned int counts[THINGS];
};

struct limits {
	uint64_t bytes; /* of one user */
	uint64_t total; /* bytes of all users */
	unsigned int number; /* of each thing, of one user */
};

extern struct limits limits;

void users_init(void);
/* NULL if that would be too much. */
struct user *user_enter(uid_t uid, enum thing thing);
/* -EDQUOT if that would be too much. */
int user_take(struct user *user, enum thing thing, uint64_t bytes);
/* A user who has nothing left is forgotten. */
void user_give(struct user *user, enum thing thing, uint64_t bytes);

/* client.c: connections. */
struct client {
	struct source source;
	struct job closing;
	struct user *user;
	enum thing counted_as;
};

/* Takes @fd. */
void client_add(int fd);
/* Answers to what alloc_start() was called for. */
void client_finish(struct client *client, int ret);

/* alloc.c: requests for memory. */
void alloc_init(int device);
/* 0: the client will be answered by client_finish(). */
int alloc_start(struct client *client,
		const struct dataspaced_request *request);
void allocs_forget(const struct client *client);

/* memory.c: what is allocated. */
struct memory {
	struct source source; /* the root */

	LIST_ENTRY(memory) link;
	struct user *user;
	struct client *client; /* NULL once it is released */
	int ds; /* what the client has got, -1 once it is released */
	uint64_t id; /* of that */
	uint64_t bytes; /* that the user is charged */
};

/*
 * Takes @root, for which the user is charged. The descriptor is the memory's, and
 * is what the client is to get.
 */
int memory_add(struct client *client, int root, uint64_t bytes,
	       const struct dataspaced_request *request);
struct memory *memory_find(const struct client *client, uint64_t id);
void memory_release(struct memory *memory);
void memories_release(const struct client *client);

/* name.c: what is published, and what others have got of that. */
struct name {
	LIST_ENTRY(name) link;
	struct memory *memory;
	uint64_t offset;
	uint64_t length;
	uint32_t rights;
	uint32_t flags;
	uid_t uid; /* who may ask, with DATASPACED_USER */
	char text[DATASPACED_NAME_MAX + 1];
};

bool name_is_valid(const struct dataspaced_request *request);
int name_publish(struct client *client,
		 const struct dataspaced_request *request);
/* A descriptor for the client, which the caller closes. */
int name_get(struct client *client, const struct dataspaced_request *request);
void names_forget(const struct memory *memory);

#endif /* DATASPACED_BROKER_H */
