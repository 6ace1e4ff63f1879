// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * dataspaced: gives memory to programs, and parts of it to others by name.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../tool.h"
#include "broker.h"

/* How long to leave connections waiting if the system has no descriptor. */
#define SHORTAGE_US 10000

static void listener_ready(struct source *listener, uint32_t events)
{
	int fd =
		accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	if (fd >= 0)
		client_add(fd);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		usleep(SHORTAGE_US);
}

/* sd_listen_fds(3): the socket that a service manager has made, or -1. */
static int inherited_socket(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	int listens = 0, type = 0;
	socklen_t size = sizeof(int);

	if (!pid || !count || atoi(pid) != getpid())
		return -1;
	if (atoi(count) != 1)
		errx(EXIT_FAILURE, "LISTEN_FDS is %s, not 1", count);
	getsockopt(FIRST_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
	getsockopt(FIRST_FD, SOL_SOCKET, SO_TYPE, &type, &size);
	if (!listens || type != SOCK_SEQPACKET)
		errx(EXIT_FAILURE, "not a listening SOCK_SEQPACKET socket");
	return FIRST_FD;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(EXIT_FAILURE, "socket");
	if (!*path || strlen(path) >= sizeof(address.sun_path))
		usage("'%s' is not a path for a socket", path);
	strcpy(address.sun_path, path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, SOMAXCONN))
		err(EXIT_FAILURE, "%s", path);
	return fd;
}

/* So that no descriptor of ours is 0, or standard error. */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < FIRST_FD);
	close(fd);
}

static int help(void)
{
	printf("Usage: dataspaced [-s SOCKET] [-b SIZE] [-t SIZE] [-n NUMBER]\n\n"
	       "  -s, --socket SOCKET  listen at that path, not at %s\n"
	       "  -b, --bytes SIZE     how much each user may have, 256M\n"
	       "  -t, --total SIZE     how much all may have together, 1G\n"
	       "  -n, --number NUMBER  of connections, memories, names, loans and threads of each user, 64\n",
	       DATASPACED_SOCKET);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "bytes", required_argument, NULL, 'b' },
		{ "help", no_argument, NULL, 'h' },
		{ "number", required_argument, NULL, 'n' },
		{ "socket", required_argument, NULL, 's' },
		{ "total", required_argument, NULL, 't' },
		{}
	};
	const char *path = getenv(DATASPACED_VARIABLE) ?: DATASPACED_SOCKET;
	struct source listener = { .ready = listener_ready };
	int inherited, device, option;

	while ((option = getopt_long(argc, argv, "b:hn:s:t:", options, NULL)) >=
	       0) {
		switch (option) {
		case 'b':
			limits.bytes = parse_size(optarg);
			break;
		case 'h':
			return help();
		case 'n':
			limits.number = parse_size(optarg);
			break;
		case 's':
			path = optarg;
			break;
		case 't':
			limits.total = parse_size(optarg);
			break;
		default:
			usage("see how it is called");
		}
	}
	if (optind != argc)
		usage("'%s' is not an option", argv[optind]);
	inherited = inherited_socket();
	open_standard_descriptors();
	device = open("/dev/dataspace", O_RDWR | O_CLOEXEC);
	if (device < 0)
		err(STATUS_NO_DEVICE, "/dev/dataspace");
	users_init();
	alloc_init(device);
	loop_init();
	jobs_init();
	listener.fd = inherited >= 0 ? inherited : listen_at(path);
	fcntl(listener.fd, F_SETFL, O_NONBLOCK);
	if (source_watch(&listener, EPOLLIN))
		err(EXIT_FAILURE, "epoll_ctl");
	loop_run();
	if (inherited < 0)
		unlink(path);
	return EXIT_SUCCESS;
}
