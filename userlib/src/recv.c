// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Receiving dataspaces over a socket, from a peer that need not be a friend:
 * whatever comes with a message is in our descriptor table already when we look
 * at it. So everything is collected first, and closed again unless all of it is
 * what was asked for.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

/* For what the caller may have switched on for the socket: credentials, ... */
#define OTHER_CONTROL 512

/* Room for all that one message can bring, whatever the caller has room for. */
union control_message {
	struct cmsghdr header;
	char buffer[CMSG_SPACE(DATASPACE_MSG_MAX * sizeof(int)) + OTHER_CONTROL];
};

/* The descriptors of a message, of which there is room for no more. */
struct received {
	unsigned int count;
	int fds[sizeof(union control_message) / sizeof(int)];
};

static ssize_t receive_message(int socket, struct msghdr *message)
{
	int saved = errno;
	ssize_t ret;

	do {
		ret = recvmsg(socket, message, MSG_CMSG_CLOEXEC);
		ret = libdataspace_result(ret, saved);
	} while (ret == -EINTR);
	return ret;
}

static void collect(struct msghdr *message, struct received *received)
{
	struct cmsghdr *header;
	size_t bytes;
	int pidfd;

	for (header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET)
			continue;
		if (header->cmsg_type == SCM_RIGHTS) {
			bytes = header->cmsg_len - CMSG_LEN(0);
			memcpy(received->fds + received->count,
			       CMSG_DATA(header), bytes);
			received->count += bytes / sizeof(int);
		} else if (header->cmsg_type == SCM_PIDFD) {
			memcpy(&pidfd, CMSG_DATA(header), sizeof(pidfd));
			libdataspace_close(pidfd);
		}
	}
}

/*
 * The kernel does not say why it dropped descriptors. If there is no place for
 * one more now, that was it.
 */
static int reason_of_truncation(int socket)
{
	int saved = errno;
	int fd;

	fd = libdataspace_result(fcntl(socket, F_DUPFD_CLOEXEC, 0), saved);
	if (fd < 0)
		return fd;
	libdataspace_close(fd);
	return -EBADMSG;
}

static int check_message(int socket, ssize_t bytes,
			 const struct msghdr *message,
			 const struct received *received, unsigned int room)
{
	unsigned int i;

	if (message->msg_flags & MSG_CTRUNC)
		return reason_of_truncation(socket);
	if (!bytes && !received->count)
		return -ENODATA;
	if (!bytes)
		return -EBADMSG;
	if (message->msg_flags & MSG_TRUNC || received->count > room)
		return -EMSGSIZE;
	for (i = 0; i < received->count; i++)
		if (libdataspace_check(received->fds[i]) < 0)
			return -EBADFD;
	return 0;
}

DATASPACE_API ssize_t dataspace_recv_msg(int socket, void *data, size_t bytes,
					 int *ds, unsigned int *n)
{
	struct iovec payload = { .iov_base = data, .iov_len = bytes };
	union control_message control;
	struct msghdr message = {
		.msg_iov = &payload,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};
	struct received received = { .count = 0 };
	unsigned int i;
	ssize_t got;
	int ret;

	ret = libdataspace_check_socket(socket);
	if (ret < 0)
		return ret;
	if (!bytes)
		return -EINVAL;
	if (!n || (*n && !ds))
		return -EFAULT;
	got = receive_message(socket, &message);
	if (got < 0)
		return got;
	collect(&message, &received);
	ret = check_message(socket, got, &message, &received, *n);
	if (ret < 0) {
		for (i = 0; i < received.count; i++)
			libdataspace_close(received.fds[i]);
		return ret;
	}
	if (received.count)
		memcpy(ds, received.fds, received.count * sizeof(*ds));
	*n = received.count;
	return got;
}

DATASPACE_API int dataspace_recv(int socket)
{
	unsigned int n = 1;
	ssize_t got;
	char byte;
	int ds;

	got = dataspace_recv_msg(socket, &byte, sizeof(byte), &ds, &n);
	if (got < 0)
		return got;
	return n ? ds : -EBADMSG;
}
