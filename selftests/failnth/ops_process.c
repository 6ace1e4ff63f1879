// SPDX-License-Identifier: GPL-2.0-only
/* Other processes, and descriptors on their way to them: rules 8 and 11. */
#include "operation.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "fdpass.h"

static long run_fork(struct fixture *fixture)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	return child < 0 ? -errno : wait_for(child);
}

/* Asks for a descriptor that the table has no room for yet, so that it grows. */
static long run_dup(struct fixture *fixture)
{
	const struct rlimit all = { 1 << 20, 1 << 20 };
	static int above = 64;

	above *= 2;
	if (setrlimit(RLIMIT_NOFILE, &all))
		return -errno;
	fixture->fd = result(fcntl(fixture->alias, F_DUPFD_CLOEXEC, above));
	return fixture->fd;
}

static bool is_the_alias(struct fixture *fixture)
{
	return ds_id(fixture->fd) == ds_id(fixture->alias);
}

static bool have_sockets(struct fixture *fixture)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return false;
	fixture->fd = ends[0];
	fixture->other = ends[1];
	return true;
}

static long run_pass(struct fixture *fixture)
{
	int fd = fd_send(fixture->fd, fixture->alias);
	struct dataspace_info info;
	long ret;

	if (!fd)
		fd = fd_receive(fixture->other);
	if (fd < 0)
		return fd;
	ret = ds_info(fd, &info);
	close(fd);
	return ret;
}

const struct operation op_fork = {
	.prepare = have_map,
	.run = run_fork,
	.works = alias_is_mapped,
	.least = 3,
	.errors = { EAGAIN },
	.kernel_warns = true,
};

const struct operation op_dup = {
	.run = run_dup,
	.works = is_the_alias,
	.least = 1,
};

const struct operation op_pass = {
	.prepare = have_sockets,
	.run = run_pass,
	.least = 3,
	.errors = { ENOBUFS, EBADMSG },
};
