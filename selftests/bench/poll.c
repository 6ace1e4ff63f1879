// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time from closing the last alias to the answer of the process that polls,
 * beside the same with an eventfd that is written; and a poll that need not
 * wait.
 */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench.h"

#define ROUNDS MAX_SAMPLES

static int sockets[2];

static int poll_in(int fd, int timeout)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	return result(poll(&poll_fd, 1, timeout));
}

static int poll_at_once(const struct job *job)
{
	return poll_in(job->fd, 0);
}

static bool say(int socket)
{
	char byte = 0;

	return write(socket, &byte, 1) == 1;
}

static bool hear(int socket)
{
	char byte;

	return read(socket, &byte, 1) == 1;
}

/* The child waits each time it is told to, and answers when it was woken up. */
static void wait_and_answer(int fd, bool drain)
{
	eventfd_t value;

	while (hear(sockets[1])) {
		poll_in(fd, -1);
		if (drain)
			eventfd_read(fd, &value);
		if (!say(sockets[1]))
			break;
	}
	_exit(0);
}

static int wake_by(int fd, int alias)
{
	return result(alias < 0 ? eventfd_write(fd, 1) : close(alias));
}

/* During the sleep the child gets to where it waits. */
static long long wake_sample(const struct kind *kind, int fd)
{
	long long start;
	int alias = -1;

	if (kind == &dataspace) {
		alias = ds_alias(fd, 0, page_size(), RIGHTS_R);
		if (alias < 0)
			return alias;
	}
	if (!say(sockets[0]))
		return -EPIPE;
	usleep(1000);
	start = now();
	if (wake_by(fd, alias) || !hear(sockets[0]))
		return -EPIPE;
	return now() - start;
}

static long long wake_cost(const struct kind *kind, int fd)
{
	struct samples samples = { 0 };
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
		return -errno;
	child = fork();
	if (!child) {
		close(sockets[0]);
		wait_and_answer(fd, kind != &dataspace);
	}
	close(sockets[1]);
	while (samples.count < ROUNDS)
		samples_add(&samples, wake_sample(kind, fd));
	close(sockets[0]);
	waitpid(child, NULL, 0);
	return samples_median(&samples);
}

static int poll_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind };

	job.fd = kind->object ? kind->object(size) : kind->handle(0, size);
	if (job.fd < 0)
		return job.fd;
	costs[0] = wake_cost(kind, job.fd);
	costs[1] = repeat(poll_at_once, &job);
	close(job.fd);
	return 0;
}

const struct subject poll_subject = {
	.works = { "wake who polls", "poll that need not wait" },
	.peer = "eventfd",
	.sizes = (const size_t[]){ MIB, 0 },
	.kinds =
		(const struct kind *const[]){ &dataspace, &eventfd_kind, NULL },
	.cost = poll_cost,
};
