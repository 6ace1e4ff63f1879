// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What a command works on.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tool.h"

static int parse_number(const char *text, char **end)
{
	long value;

	errno = 0;
	value = strtol(text, end, 10);
	if (*end == text || errno || value < 0 || value > INT32_MAX)
		usage("'%s' is not FD or PID/FD", text);
	return value;
}

/* A copy of a descriptor of another process: that needs the right to trace it. */
static int take_from(int pid, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	int copy;

	if (pidfd < 0)
		err(STATUS_FAILED, "process %d", pid);
	copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (copy < 0)
		err(STATUS_FAILED, "descriptor %d of process %d", fd, pid);
	close(pidfd);
	return copy;
}

int open_target(const char *text)
{
	struct dataspace_info info;
	int number;
	char *end;
	int ret;
	int fd;

	number = parse_number(text, &end);
	fd = number;
	if (*end == '/')
		fd = take_from(number, parse_number(end + 1, &end));
	if (*end)
		usage("'%s' is not FD or PID/FD", text);
	ret = dataspace_info(fd, &info, sizeof(info));
	if (ret < 0)
		errx(STATUS_FAILED, "%s: %s", text, dataspace_explain(ret));
	return fd;
}

int next_option(int argc, char **argv, const char *short_options,
		const struct option *options)
{
	int option = getopt_long(argc, argv, short_options, options, NULL);

	if (option == '?')
		usage("see how '%s' is called", argv[0]);
	return option;
}

const char *only_argument(int argc, char **argv)
{
	if (optind != argc - 1)
		usage("'%s' takes one argument", argv[0]);
	return argv[optind];
}
