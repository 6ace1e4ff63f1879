// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Requests for memory, which threads deal with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker.h"

struct alloc {
	struct job job;

	LIST_ENTRY(alloc) link;
	struct user *user;
	struct client *client; /* NULL once it is gone */
	uint64_t bytes; /* that the user is charged */
	struct dataspaced_request request;
	int connection; /* where the request is left that a descriptor came with */
	int root;
};

static LIST_HEAD(, alloc) allocs;
static uint64_t page;
static int device;

void alloc_init(int fd)
{
	page = sysconf(_SC_PAGESIZE);
	device = fd;
}

/* Takes the request with its descriptor, of which there must be one. */
static int receive_device(int connection)
{
	union {
		struct cmsghdr header;
		char buffer[CMSG_LEN(sizeof(int))];
	} control = {};
	struct dataspaced_request request;
	struct iovec data = { &request, sizeof(request) };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	struct stat ours, theirs;
	int ret = 0;
	int fd;

	if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	if (!CMSG_FIRSTHDR(&message) || control.header.cmsg_type != SCM_RIGHTS)
		return -EINVAL;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	if (message.msg_flags & MSG_CTRUNC)
		ret = -EINVAL;
	else if (fstat(device, &ours) || fstat(fd, &theirs))
		ret = -errno;
	else if (!S_ISCHR(theirs.st_mode) || theirs.st_rdev != ours.st_rdev)
		ret = -ENOTTY;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

static void alloc_run(struct job *job)
{
	struct alloc *alloc = (struct alloc *)job;
	const struct dataspaced_request *request = &alloc->request;
	struct dataspace_alloc args = { .length = request->length,
					.rights = request->rights |
						  DATASPACE_DERIVE };
	int from = device;

	if (request->flags & DATASPACED_SCATTERED)
		args.flags |= DATASPACE_ALLOC_SCATTERED;
	if (request->flags & DATASPACED_LAZY)
		args.flags |= DATASPACE_ALLOC_LAZY;
	if (request->flags & DATASPACED_PAY) {
		args.flags |= DATASPACE_ALLOC_CHARGE_OPENER;
		from = receive_device(alloc->connection);
		close(alloc->connection);
	}
	alloc->root = from;
	if (from >= 0)
		alloc->root = dataspace_alloc_from(from, &args, sizeof(args));
	if (from >= 0 && from != device)
		close(from);
}

static void alloc_done(struct job *job)
{
	struct alloc *alloc = (struct alloc *)job;
	struct client *client = alloc->client;
	int ret = alloc->root;

	if (client && ret >= 0) {
		ret = memory_add(client, ret, alloc->bytes, &alloc->request);
	} else {
		user_give(alloc->user, MEMORIES, alloc->bytes);
		if (ret >= 0)
			close(ret);
	}
	if (client)
		client_finish(client, ret);
	LIST_REMOVE(alloc, link);
	user_give(alloc->user, THREADS, 0);
	free(alloc);
}

/* The thread has the connection as another descriptor: the client may go. */
static int begin(struct alloc *alloc)
{
	int ret;

	if (alloc->request.flags & DATASPACED_PAY) {
		alloc->connection =
			fcntl(alloc->client->source.fd, F_DUPFD_CLOEXEC, 0);
		if (alloc->connection < 0)
			return -errno;
	}
	alloc->job.run = alloc_run;
	alloc->job.done = alloc_done;
	ret = job_start(&alloc->job);
	if (ret && alloc->connection >= 0)
		close(alloc->connection);
	return ret;
}

int alloc_start(struct client *client, const struct dataspaced_request *request)
{
	bool paid = request->flags & DATASPACED_PAY;
	struct user *user = client->user;
	struct alloc *alloc;
	uint64_t bytes;
	int ret;

	if (!request->length || (*request->name && !name_is_valid(request)))
		return -EINVAL;
	if (request->length > UINT64_MAX - page)
		return -ENOMEM;
	bytes = paid ? 0 : (request->length + page - 1) & -page;
	ret = user_take(user, MEMORIES, bytes);
	if (ret)
		return ret;
	alloc = calloc(1, sizeof(*alloc));
	ret = alloc ? user_take(user, THREADS, 0) : -ENOMEM;
	if (!ret) {
		*alloc = (struct alloc){ .user = user,
					 .client = client,
					 .bytes = bytes,
					 .request = *request,
					 .connection = -1 };
		ret = begin(alloc);
		if (!ret) {
			LIST_INSERT_HEAD(&allocs, alloc, link);
			return 0;
		}
		user_give(user, THREADS, 0);
	}
	free(alloc);
	user_give(user, MEMORIES, bytes);
	return ret;
}

void allocs_forget(const struct client *client)
{
	struct alloc *alloc;

	LIST_FOREACH(alloc, &allocs, link)
		if (alloc->client == client)
			alloc->client = NULL;
}
