// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Memory that was allocated for clients. It is there for as long as the client is
 * connected and has not released it, or anybody has any of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "broker.h"

static LIST_HEAD(, memory) memories;

/* No client has any of it, or an administrator has revoked it. */
static void memory_ready(struct source *source, uint32_t events)
{
	struct memory *memory = (struct memory *)source;

	(void)events;
	memory_release(memory);
	LIST_REMOVE(memory, link);
	source_forget(source);
	close(source->fd);
	user_give(memory->user, MEMORIES, memory->bytes);
	free(memory);
}

/* The alias of all of the root that the client is to get, with names for both. */
static int lend(int root, uid_t uid, const struct dataspaced_request *request)
{
	char text[DATASPACE_NAME_MAX];
	struct dataspace_info info;
	int ds, ret;

	snprintf(text, sizeof(text), "%u:%s", uid, request->name);
	ret = dataspace_set_name(root, text);
	if (ret >= 0)
		ret = dataspace_info(root, &info, sizeof(info));
	if (ret < 0)
		return ret;
	ds = dataspace_alias(root, 0, info.length, request->rights, 0);
	if (ds >= 0)
		dataspace_set_name(ds, request->name);
	return ds;
}

int memory_add(struct client *client, int root, uint64_t bytes,
	       const struct dataspaced_request *request)
{
	struct memory *memory = calloc(1, sizeof(*memory));
	struct dataspace_info info = { .id = 0 };
	int ds = -ENOMEM;
	int ret;

	if (memory)
		ds = lend(root, client->user->uid, request);
	ret = ds;
	if (ds >= 0)
		ret = dataspace_info(ds, &info, sizeof(info));
	if (ret >= 0) {
		memory->source.fd = root;
		memory->source.ready = memory_ready;
		ret = source_watch(&memory->source, EPOLLIN);
	}
	if (ret < 0) {
		if (ds >= 0)
			close(ds);
		close(root);
		user_give(client->user, MEMORIES, bytes);
		free(memory);
		return ret;
	}
	memory->user = client->user;
	memory->client = client;
	memory->ds = ds;
	memory->id = info.id;
	memory->bytes = bytes;
	LIST_INSERT_HEAD(&memories, memory, link);
	return ds;
}

struct memory *memory_find(const struct client *client, uint64_t id)
{
	struct memory *memory;

	LIST_FOREACH(memory, &memories, link)
		if (memory->client == client && memory->id == id)
			return memory;
	return NULL;
}

/* memory_ready() is called when it is in nobody's hands. */
void memory_release(struct memory *memory)
{
	if (!memory->client)
		return;
	names_forget(memory);
	close(memory->ds);
	memory->ds = -1;
	memory->client = NULL;
}

void memories_release(const struct client *client)
{
	struct memory *memory;

	LIST_FOREACH(memory, &memories, link)
		if (memory->client == client)
			memory_release(memory);
}
