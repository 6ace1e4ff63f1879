// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sends a descriptor over a socket to another process, which maps it, touches a
 * byte, unmaps, closes and answers.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "fdpass.h"
#include "bench.h"

static int sockets[2];

static int look_at(int fd, size_t size)
{
	char *map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	*(volatile char *)map;
	return result(munmap(map, size));
}

static void receive_all(int socket, size_t size)
{
	int fd;

	while ((fd = fd_receive(socket)) >= 0) {
		signed char answer = look_at(fd, size);

		close(fd);
		if (write(socket, &answer, 1) != 1)
			break;
	}
	_exit(0);
}

static int send_and_wait(const struct job *job)
{
	signed char answer;
	int ret = fd_send(sockets[0], job->fd);

	if (ret)
		return ret;
	return read(sockets[0], &answer, 1) == 1 ? answer : -EPIPE;
}

static long long cost_with_receiver(const struct job *job)
{
	pid_t child;
	long long cost;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sockets))
		return -errno;
	child = fork();
	if (!child) {
		close(sockets[0]);
		close(job->fd);
		receive_all(sockets[1], job->size);
	}
	close(sockets[1]);
	cost = child < 0 ? -errno : repeat(send_and_wait, job);
	close(sockets[0]);
	waitpid(child, NULL, 0);
	return cost;
}

static int send_cost(const struct kind *kind, size_t size, long long *costs)
{
	struct job job = { .kind = kind, .size = size };

	job.fd = new_object(kind, size);
	if (job.fd < 0)
		return job.fd;
	costs[0] = cost_with_receiver(&job);
	close(job.fd);
	return 0;
}

const struct subject send_subject = {
	.works = { "send+map at the other end" },
	.peer = "memfd",
	.sizes = (const size_t[]){ 4 * KIB, 2 * MIB, 64 * MIB, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &memfd, &memfd_ro,
					       &hugetlb, &shmem_thp, &udmabuf,
					       &dma_heap, NULL },
	.cost = send_cost,
};
