// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What is published. Each user has names of their own, so nobody can take one that
 * somebody else means to publish.
 *
 * Of each loan the broker has an alias, from which that of the client is derived,
 * until the client has let go of it or an administrator has revoked it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "broker.h"

struct loan {
	struct source source;
	struct user *user;
};

static LIST_HEAD(, name) names;

bool name_is_valid(const struct dataspaced_request *request)
{
	size_t length = strnlen(request->name, sizeof(request->name));
	size_t i;

	for (i = 0; i < length; i++)
		if ((unsigned char)request->name[i] < ' ' ||
		    strchr("/:\x7f", request->name[i]))
			return false;
	return length && length <= DATASPACED_NAME_MAX;
}

static struct name *find(uid_t uid, const struct dataspaced_request *request)
{
	struct name *name;

	LIST_FOREACH(name, &names, link)
		if (name->memory->user->uid == uid &&
		    !strcmp(name->text, request->name))
			return name;
	return NULL;
}

int name_publish(struct client *client,
		 const struct dataspaced_request *request)
{
	struct memory *memory = memory_find(client, request->id);
	struct name *name;
	int ret, ds;

	if (!memory)
		return -EBADF;
	if (!name_is_valid(request))
		return -EINVAL;
	if (find(client->user->uid, request))
		return -EEXIST;
	/* The module says what is wrong with the range and the rights. */
	ds = dataspace_alias(memory->ds, request->offset, request->length,
			     request->rights, 0);
	if (ds < 0)
		return ds;
	close(ds);
	ret = user_take(client->user, NAMES, 0);
	if (ret)
		return ret;
	name = calloc(1, sizeof(*name));
	if (!name) {
		user_give(client->user, NAMES, 0);
		return -ENOMEM;
	}
	name->memory = memory;
	name->offset = request->offset;
	name->length = request->length;
	name->rights = request->rights;
	name->flags = request->flags;
	name->uid = request->uid;
	strcpy(name->text, request->name);
	LIST_INSERT_HEAD(&names, name, link);
	return 0;
}

static void loan_ready(struct source *source, uint32_t events)
{
	struct loan *loan = (struct loan *)source;

	(void)events;
	source_forget(source);
	close(source->fd);
	user_give(loan->user, LOANS, 0);
	free(loan);
}

static int loan_make(struct user *borrower, const struct name *name,
		     uint32_t rights)
{
	char text[DATASPACE_NAME_MAX];
	struct loan *loan;
	int ours, theirs = -1;
	int ret;

	if (!rights)
		rights = name->rights;
	if (rights & ~name->rights)
		return -EPERM;
	ret = user_take(borrower, LOANS, 0);
	if (ret)
		return ret;
	loan = calloc(1, sizeof(*loan));
	ours = dataspace_alias(name->memory->ds, name->offset, name->length,
			       rights | DATASPACE_DERIVE, 0);
	theirs = dataspace_alias(ours, 0, name->length, rights, 0);
	ret = loan ? theirs : -ENOMEM;
	if (ret >= 0) {
		snprintf(text, sizeof(text), "%u:%s", borrower->uid,
			 name->text);
		dataspace_set_name(ours, text);
		dataspace_set_name(theirs, name->text);
		loan->source.fd = ours;
		loan->source.ready = loan_ready;
		loan->user = borrower;
		ret = source_watch(&loan->source, EPOLLIN);
	}
	if (ret >= 0)
		return theirs;
	if (theirs >= 0)
		close(theirs);
	if (ours >= 0)
		close(ours);
	free(loan);
	user_give(borrower, LOANS, 0);
	return ret;
}

int name_get(struct client *client, const struct dataspaced_request *request)
{
	const struct name *name =
		name_is_valid(request) ? find(request->uid, request) : NULL;
	uid_t uid = client->user->uid;

	if (!name)
		return -ENOENT;
	if (uid != request->uid && !(name->flags & DATASPACED_ANYBODY) &&
	    !(name->flags & DATASPACED_USER && name->uid == uid))
		return -EACCES;
	return loan_make(client->user, name, request->rights);
}

void names_forget(const struct memory *memory)
{
	struct name *name, *next;

	for (name = LIST_FIRST(&names); name; name = next) {
		next = LIST_NEXT(name, link);
		if (name->memory != memory)
			continue;
		LIST_REMOVE(name, link);
		user_give(memory->user, NAMES, 0);
		free(name);
	}
}
