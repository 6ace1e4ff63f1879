// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors over sockets and by pidfd_getfd(2). */
#include "fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

static void message_init(struct msghdr *message, struct iovec *data,
			 union control *control)
{
	memset(message, 0, sizeof(*message));
	memset(control, 0, sizeof(*control));
	message->msg_iov = data;
	message->msg_iovlen = 1;
	message->msg_control = control;
	message->msg_controllen = sizeof(*control);
}

int fd_send(int socket, int fd)
{
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message;
	union control control;
	struct cmsghdr *header;

	message_init(&message, &data, &control);
	header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

int fd_receive(int socket)
{
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message;
	union control control;
	struct cmsghdr *header;
	ssize_t got;
	int fd;

	message_init(&message, &data, &control);
	got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	if (got != 1)
		return got < 0 ? -errno : -EPIPE;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_type != SCM_RIGHTS)
		return -EBADMSG;
	memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

int fd_round_trip(int fd)
{
	int ends[2];
	int ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	ret = fd_send(ends[0], fd);
	if (!ret)
		ret = fd_receive(ends[1]);
	close(ends[0]);
	close(ends[1]);
	return ret;
}

int fd_of_process(pid_t pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int ret;

	if (pidfd < 0)
		return -errno;
	ret = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (ret < 0)
		ret = -errno;
	close(pidfd);
	return ret;
}
