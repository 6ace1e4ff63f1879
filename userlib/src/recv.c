// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Receiving a dataspace over a socket, from a peer that need not be a friend:
 * whatever comes with the message is in our descriptor table already when we
 * look at it, so that everything but the one dataspace must be closed again.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

/*
 * Room for what the caller may have switched on for his socket (credentials,
 * pidfd, security label) beside the descriptor. Of a longer message the kernel
 * drops the rest, descriptors in it too, and says so.
 */
union control_message {
	struct cmsghdr header;
	char buffer[512];
};

struct received {
	int count;
	int first;
};

static int receive_message(int socket, struct msghdr *message)
{
	int saved = errno;
	ssize_t bytes;
	int ret;

	do {
		bytes = recvmsg(socket, message, MSG_CMSG_CLOEXEC);
		ret = libdataspace_result(bytes, saved);
	} while (ret == -EINTR);
	return ret;
}

static int descriptors_in(const struct cmsghdr *header)
{
	return (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

static int descriptor_at(struct cmsghdr *header, int i)
{
	int fd;

	memcpy(&fd, CMSG_DATA(header) + i * sizeof(fd), sizeof(fd));
	return fd;
}

/* Keeps the first descriptor and closes the others. */
static void take_rights(struct cmsghdr *header, struct received *received)
{
	int i;

	for (i = 0; i < descriptors_in(header); i++) {
		if (received->count++)
			libdataspace_close(descriptor_at(header, i));
		else
			received->first = descriptor_at(header, i);
	}
}

static void take_control(struct msghdr *message, struct received *received)
{
	struct cmsghdr *header;

	for (header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		if (header->cmsg_level != SOL_SOCKET)
			continue;
		if (header->cmsg_type == SCM_RIGHTS)
			take_rights(header, received);
		else if (header->cmsg_type == SCM_PIDFD)
			libdataspace_close(descriptor_at(header, 0));
	}
}

/*
 * The kernel does not say why it dropped a descriptor. If there is no place
 * for one more now, that was it.
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

/* 0 if exactly one byte came with exactly one descriptor. */
static int check_message(int socket, int bytes, const struct msghdr *message,
			 const struct received *received)
{
	if (message->msg_flags & MSG_CTRUNC && !received->count)
		return reason_of_truncation(socket);
	if (message->msg_flags & (MSG_CTRUNC | MSG_TRUNC))
		return -EBADMSG;
	if (!bytes && !received->count)
		return -ENODATA;
	if (bytes != 1 || received->count != 1)
		return -EBADMSG;
	return 0;
}

DATASPACE_API int dataspace_recv(int socket)
{
	char byte;
	struct iovec payload = { .iov_base = &byte, .iov_len = sizeof(byte) };
	union control_message control;
	struct msghdr message = {
		.msg_iov = &payload,
		.msg_iovlen = 1,
		.msg_control = control.buffer,
		.msg_controllen = sizeof(control.buffer),
	};
	struct received received = { .count = 0, .first = -1 };
	int ret;

	ret = libdataspace_check_socket(socket);
	if (ret < 0)
		return ret;
	ret = receive_message(socket, &message);
	if (ret < 0)
		return ret;
	take_control(&message, &received);
	ret = check_message(socket, ret, &message, &received);
	if (!ret && libdataspace_check(received.first) < 0)
		ret = -EBADFD;
	if (!ret)
		return received.first;
	if (received.count)
		libdataspace_close(received.first);
	return ret;
}
