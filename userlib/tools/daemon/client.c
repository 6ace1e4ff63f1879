// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Connections, of which any may be that of an enemy.
 *
 * Nothing is kept here of what a client has sent or is to get: a request is left in
 * the socket until the answers to those before have been read but one, and until a
 * thread is done with the one before. So a client that does not read costs as much
 * as one that does.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker.h"

static void client_free(struct client *client)
{
	if (client->user)
		user_give(client->user, client->counted_as, 0);
	free(client);
}

/*
 * Dataspaces in answers that are not read count as on their way, of which this
 * process may have so many. So a client that has shut down its socket, and keeps
 * it, stays one.
 */
static bool has_answers(const struct client *client)
{
	int bytes = 0;

	return client->counted_as == CLIENTS &&
	       !ioctl(client->source.fd, SIOCOUTQ, &bytes) && bytes;
}

/*
 * Drops what the client has sent, up to a message that descriptors came with: to
 * drop that can be their last close. Every message has the credentials of its
 * sender with it, so that an empty one is not taken for the end.
 */
static bool has_descriptors(const struct client *client)
{
	char control[CMSG_SPACE(sizeof(struct ucred))];
	int fd = client->source.fd, yes = 1;
	struct msghdr message;

	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes));
	do {
		message = (struct msghdr){ .msg_control = control,
					   .msg_controllen = sizeof(control) };
		if (recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT) < 0 ||
		    !message.msg_controllen)
			return false;
	} while (!(message.msg_flags & MSG_CTRUNC) &&
		 recv(fd, &(char){ 0 }, 1, MSG_DONTWAIT) >= 0);
	return true;
}

static struct client *client_of(struct job *closing)
{
	return (void *)((char *)closing - offsetof(struct client, closing));
}

static void closing_run(struct job *job)
{
	const struct client *client = client_of(job);

	while (has_answers(client))
		sleep(1);
	close(client->source.fd);
}

static void closing_done(struct job *job)
{
	client_free(client_of(job));
}

/*
 * If there can be no thread to close it the connection stays open, and counts if
 * there is a user to count it for.
 */
static void client_close(struct client *client)
{
	shutdown(client->source.fd, SHUT_RDWR);
	if (!has_descriptors(client) && !has_answers(client)) {
		close(client->source.fd);
		client_free(client);
		return;
	}
	client->closing.run = closing_run;
	client->closing.done = closing_done;
	if (client->user)
		job_start(&client->closing);
	else
		free(client);
}

static void client_leave(struct client *client)
{
	source_forget(&client->source);
	allocs_forget(client);
	memories_release(client);
	client_close(client);
}

static int send_reply(int fd, int ret)
{
	struct dataspaced_reply reply = { .error = ret < 0 ? ret : 0 };
	struct dataspace_info info;

	if (ret > 0 && !dataspace_info(ret, &info, sizeof(info)))
		reply.id = info.id;
	return dataspace_send_msg(fd, &reply, sizeof(reply), &ret, ret > 0);
}

/* There was room for an answer, so the client is gone or will never read. */
static void answer(struct client *client, int ret)
{
	if (send_reply(client->source.fd, ret) < 0)
		shutdown(client->source.fd, SHUT_RDWR);
}

void client_finish(struct client *client, int ret)
{
	answer(client, ret);
	source_change(&client->source, EPOLLIN);
}

static uint32_t flags_of(uint32_t op)
{
	switch (op) {
	case DATASPACED_ALLOC:
		return DATASPACED_SCATTERED | DATASPACED_LAZY | DATASPACED_PAY;
	case DATASPACED_PUBLISH:
		return DATASPACED_ANYBODY | DATASPACED_USER;
	default:
		return 0;
	}
}

static int release(struct client *client,
		   const struct dataspaced_request *request)
{
	struct memory *memory = memory_find(client, request->id);

	if (!memory)
		return -EBADF;
	memory_release(memory);
	return 0;
}

static void serve(struct client *client,
		  const struct dataspaced_request *request)
{
	bool known = !(request->flags & ~flags_of(request->op));
	int ret = -EOPNOTSUPP;

	switch (known ? request->op : 0) {
	case DATASPACED_ALLOC:
		ret = alloc_start(client, request);
		if (!ret) {
			source_change(&client->source, 0);
			return;
		}
		break;
	case DATASPACED_PUBLISH:
		ret = name_publish(client, request);
		break;
	case DATASPACED_GET:
		ret = name_get(client, request);
		break;
	case DATASPACED_RELEASE:
		ret = release(client, request);
		break;
	}
	answer(client, ret);
	if (ret > 0)
		close(ret);
}

/*
 * A message that descriptors came with is only looked at here: to take it from the
 * socket, without room for them, can be their last close, and that can last as long
 * as the client wants, as with a TCP socket that lingers.
 */
static void read_request(struct client *client)
{
	struct dataspaced_request request = {};
	struct iovec data = { &request, sizeof(request) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	bool attached, paid;
	ssize_t bytes;

	bytes = recvmsg(client->source.fd, &message, MSG_PEEK | MSG_TRUNC);
	if (bytes < 0 && errno == EAGAIN)
		return;
	attached = message.msg_flags & MSG_CTRUNC;
	paid = bytes == sizeof(request) && request.op == DATASPACED_ALLOC &&
	       request.flags & DATASPACED_PAY;
	if (bytes <= 0 || (attached && !paid)) {
		client_leave(client);
		return;
	}
	if (!attached)
		recv(client->source.fd, &(char){ 0 }, 1, 0);
	if (bytes < (ssize_t)sizeof(request) || (paid && !attached))
		answer(client, -EINVAL);
	else if (bytes > (ssize_t)sizeof(request))
		answer(client, -E2BIG);
	else
		serve(client, &request);
}

static void client_ready(struct source *source, uint32_t events)
{
	struct client *client = (struct client *)source;
	struct pollfd room = { .fd = source->fd, .events = POLLOUT };

	if (events & (EPOLLHUP | EPOLLERR))
		client_leave(client);
	else if (!(events & EPOLLIN))
		source_change(source, EPOLLIN);
	else if (poll(&room, 1, 0) && room.revents & POLLOUT)
		read_request(client);
	else
		source_change(source, EPOLLOUT);
}

/* A connection that is one too many is told so. */
void client_add(int fd)
{
	struct client *client = calloc(1, sizeof(*client));
	int least = 1; /* the kernel makes it as small as it can be */
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (!client || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof(least))) {
		close(fd);
		free(client);
		return;
	}
	client->source.fd = fd;
	client->source.ready = client_ready;
	client->counted_as = CLIENTS;
	client->user = user_enter(peer.uid, CLIENTS);
	if (client->user && !source_watch(&client->source, EPOLLIN))
		return;
	send_reply(fd, -EDQUOT);
	if (!client->user) {
		client->counted_as = THREADS;
		client->user = user_enter(peer.uid, THREADS);
	}
	client_close(client);
}
