// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sending a dataspace over a socket. A stream socket carries no descriptor
 * without data, hence the one byte; its value means nothing.
 */
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

union rights_message {
	struct cmsghdr header;
	char buffer[CMSG_SPACE(sizeof(int))];
};

static void attach_descriptor(struct msghdr *message,
			      union rights_message *control, int fd)
{
	struct cmsghdr *header;

	memset(control, 0, sizeof(*control));
	message->msg_control = control->buffer;
	message->msg_controllen = sizeof(control->buffer);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

static int send_message(int socket, const struct msghdr *message)
{
	int saved = errno;
	ssize_t bytes;
	int ret;

	do {
		bytes = sendmsg(socket, message, MSG_NOSIGNAL);
		ret = libdataspace_result(bytes, saved);
	} while (ret == -EINTR);
	return ret < 0 ? ret : 0;
}

DATASPACE_API int dataspace_send(int socket, int ds)
{
	char byte = 0;
	struct iovec payload = { .iov_base = &byte, .iov_len = sizeof(byte) };
	struct msghdr message = { .msg_iov = &payload, .msg_iovlen = 1 };
	union rights_message control;
	int ret;

	ret = libdataspace_check_socket(socket);
	if (ret < 0)
		return ret;
	attach_descriptor(&message, &control, ds);
	return send_message(socket, &message);
}
