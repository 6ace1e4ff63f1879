// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
