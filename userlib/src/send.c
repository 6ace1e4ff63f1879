// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sending dataspaces over a socket. A stream socket carries no descriptor
 * without data, hence the byte of dataspace_send(); its value means nothing.
 */
#include <string.h>
#include <sys/socket.h>

#include "internal.h"

union rights_message {
	struct cmsghdr header;
	char buffer[CMSG_SPACE(DATASPACE_MSG_MAX * sizeof(int))];
};

static int check_all(const int *ds, unsigned int n)
{
	unsigned int i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = libdataspace_check(ds[i]);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void attach(struct msghdr *message, union rights_message *control,
		   const int *ds, unsigned int n)
{
	size_t bytes = n * sizeof(*ds);
	struct cmsghdr *header;

	memset(control, 0, CMSG_SPACE(bytes));
	message->msg_control = control->buffer;
	message->msg_controllen = CMSG_SPACE(bytes);
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(bytes);
	memcpy(CMSG_DATA(header), ds, bytes);
}

static ssize_t send_message(int socket, const struct msghdr *message)
{
	int saved = errno;
	ssize_t ret;

	do {
		ret = sendmsg(socket, message, MSG_NOSIGNAL);
		ret = libdataspace_result(ret, saved);
	} while (ret == -EINTR);
	return ret;
}

DATASPACE_API ssize_t dataspace_send_msg(int socket, const void *data,
					 size_t bytes, const int *ds,
					 unsigned int n)
{
	struct iovec payload = { .iov_base = (void *)data, .iov_len = bytes };
	struct msghdr message = { .msg_iov = &payload, .msg_iovlen = 1 };
	union rights_message control;
	int ret;

	if (socket < 0)
		return socket;
	if (n > DATASPACE_MSG_MAX)
		return -EINVAL;
	if (n && !ds)
		return -EFAULT;
	ret = check_all(ds, n);
	if (ret < 0)
		return ret;
	ret = libdataspace_check_socket(socket);
	if (ret < 0)
		return ret;
	if (!bytes)
		return -EINVAL;
	if (n)
		attach(&message, &control, ds, n);
	return send_message(socket, &message);
}

DATASPACE_API int dataspace_send(int socket, int ds)
{
	ssize_t sent = dataspace_send_msg(socket, "", 1, &ds, 1);

	return sent < 0 ? sent : 0;
}
