// SPDX-License-Identifier: GPL-2.0-only
/* Files that a program may mistake for a dataspace. */
#include "other_fds.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include "common.h"

static int open_path(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int open_pipe(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	close(ends[1]);
	return ends[0];
}

static int open_signalfd(void)
{
	sigset_t none;

	sigemptyset(&none);
	return signalfd(-1, &none, SFD_CLOEXEC);
}

static int open_kind(int kind)
{
	switch (kind) {
	case 0:
		return open_path("/");
	case 1:
		return open_path("/proc/self/maps");
	case 2:
		return open_path("/dev/zero");
	case 3:
		return open_path(DEVICE);
	case 4:
		return memfd_create("other", MFD_CLOEXEC);
	case 5:
		return open_pipe();
	case 6:
		return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case 7:
		return eventfd(0, EFD_CLOEXEC);
	case 8:
		return epoll_create1(EPOLL_CLOEXEC);
	case 9:
		return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	case 10:
		return syscall(SYS_pidfd_open, getpid(), 0);
	default:
		return open_signalfd();
	}
}

int other_fd_open(int kind)
{
	return result(open_kind(kind));
}
