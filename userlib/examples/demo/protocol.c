// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <dataspace.h>

#include "layout.h"
#include "util.h"

static int open_socket(const char *path, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket", -errno);
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return fd;
}

int protocol_listen(const char *path)
{
	struct sockaddr_un address;
	int fd = open_socket(path, &address);

	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		die(path, -errno);
	if (listen(fd, CLIENTS))
		die("listen", -errno);
	return fd;
}

int protocol_accept(int listener, pid_t *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept", -errno);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size))
		die("SO_PEERCRED", -errno);
	*peer = credentials.pid;
	return fd;
}

int protocol_connect(const char *path)
{
	struct sockaddr_un address;
	int fd = open_socket(path, &address);

	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die(path, -errno);
	return fd;
}

void command_send(int socket, enum command command)
{
	unsigned char byte = command;

	if (send(socket, &byte, 1, MSG_NOSIGNAL) != 1)
		die("sending a command", -errno);
}

int command_receive(int socket)
{
	unsigned char byte;
	ssize_t got = recv(socket, &byte, 1, 0);

	if (got < 0)
		return -errno;
	return got ? byte : -ENODATA;
}

/* Room for one descriptor. */
union control {
	struct cmsghdr header;
	char buffer[CMSG_SPACE(sizeof(int))];
};

void device_send(int socket, int device)
{
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	union control control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(device)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &device, sizeof(device));
	if (sendmsg(socket, &message, MSG_NOSIGNAL) != 1)
		die("sending the device", -errno);
}

int device_receive(int socket)
{
	char text;
	struct iovec byte = { .iov_base = &text, .iov_len = 1 };
	union control control;
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int device;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		die("receiving a device", -errno);
	if (!CMSG_FIRSTHDR(&message) ||
	    control.header.cmsg_type != SCM_RIGHTS ||
	    control.header.cmsg_len != CMSG_LEN(sizeof(device)))
		die("a client has sent no device", -EBADMSG);
	memcpy(&device, CMSG_DATA(&control.header), sizeof(device));
	return device;
}

void request_send(int socket, uint64_t length)
{
	if (send(socket, &length, sizeof(length), MSG_NOSIGNAL) < 0)
		die("sending a request", -errno);
}

uint64_t request_receive(int socket)
{
	uint64_t length;

	if (recv(socket, &length, sizeof(length), 0) != sizeof(length))
		die("a client has ended", -EPIPE);
	return length;
}

void answer_send(int socket, int ds)
{
	must(dataspace_send_msg(socket, &ds, sizeof(ds), &ds, ds >= 0),
	     "sending an answer");
}

int answer_receive(int socket)
{
	unsigned int n = 1;
	int error;
	int ds;

	must(dataspace_recv_msg(socket, &error, sizeof(error), &ds, &n),
	     "receiving an answer");
	return n ? ds : error;
}

void report_send(int socket, const struct report *report)
{
	if (send(socket, report, sizeof(*report), MSG_NOSIGNAL) < 0)
		die("sending a report", -errno);
}

void report_receive(int socket, struct report *report)
{
	if (recv(socket, report, sizeof(*report), 0) != sizeof(*report))
		die("a client has ended", -EPIPE);
}
