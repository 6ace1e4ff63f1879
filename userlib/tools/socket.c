// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Handing dataspaces to other programs, by the path of a socket, and to systemd.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tool.h"

/* As many as run_program() passes on. */
#define MAX_SENT 64

int socket_at(const char *path, int type, struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(STATUS_FAILED, "socket");
	if (!*path || strlen(path) >= sizeof(address->sun_path))
		errx(STATUS_FAILED, "%s: not a path for a socket", path);
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, path);
	return fd;
}

int command_send(int argc, char **argv)
{
	static const struct option options[] = { {} };
	struct sockaddr_un address;
	int ds[MAX_SENT];
	unsigned int n = 0;
	ssize_t ret;
	int fd;

	next_option(argc, argv, "+", options);
	if (argc - optind < 2 || argc - optind > 1 + MAX_SENT)
		usage("send 1 to %d dataspaces, where?", MAX_SENT);
	fd = socket_at(argv[optind], SOCK_SEQPACKET, &address);
	while (optind + 1 + (int)n < argc) {
		ds[n] = open_target(argv[optind + 1 + n]);
		n++;
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(STATUS_FAILED, "%s", argv[optind]);
	ret = dataspace_send_msg(fd, "", 1, ds, n);
	if (ret < 0)
		errx(STATUS_FAILED, "not sent: %s", dataspace_explain(ret));
	return EXIT_SUCCESS;
}

/* Waits for one message of one peer. */
static unsigned int receive(const char *path, int *ds)
{
	struct sockaddr_un address;
	int listener = socket_at(path, SOCK_SEQPACKET, &address);
	unsigned int n = MAX_SENT;
	ssize_t ret;
	char byte;
	int peer;

	if (bind(listener, (struct sockaddr *)&address, sizeof(address)))
		err(STATUS_FAILED, "%s", path);
	if (listen(listener, 1))
		err(STATUS_FAILED, "%s", path);
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	unlink(path);
	if (peer < 0)
		err(STATUS_FAILED, "%s", path);
	ret = dataspace_recv_msg(peer, &byte, 1, ds, &n);
	if (ret < 0)
		errx(STATUS_FAILED, "not received: %s", dataspace_explain(ret));
	close(peer);
	close(listener);
	return n;
}

int command_recv(int argc, char **argv)
{
	static const struct option options[] = { {} };
	const char *names[MAX_SENT];
	int ds[MAX_SENT];
	unsigned int i, n;
	const char *path;

	next_option(argc, argv, "+", options);
	if (optind == argc)
		usage("receive where?");
	path = argv[optind++];
	if (optind < argc && !strcmp(argv[optind], "--"))
		optind++;
	if (optind == argc)
		usage("which program?");
	n = receive(path, ds);
	for (i = 0; i < n; i++)
		names[i] = "dataspace";
	run_program(argv + optind, ds, names, n);
}

/* sd_notify(3): a service's manager keeps a descriptor for its next start. */
int command_store(int argc, char **argv)
{
	static const struct option options[] = {
		{ "name", required_argument, NULL, 'n' }, {}
	};
	const char *path = getenv("NOTIFY_SOCKET");
	const char *name = "dataspace";
	struct sockaddr_un address;
	char text[320];
	socklen_t size;
	ssize_t ret;
	int ds, fd;

	while (next_option(argc, argv, "+n:", options) >= 0)
		name = optarg;
	ds = open_target(only_argument(argc, argv));
	if (!path)
		errx(STATUS_FAILED,
		     "NOTIFY_SOCKET is not set: is this a service of systemd?");
	if (strlen(name) > 255 || strpbrk(name, ":\n"))
		usage("'%s' is no name for a descriptor", name);
	fd = socket_at(path, SOCK_DGRAM, &address);
	size = offsetof(struct sockaddr_un, sun_path) + strlen(path);
	if (*path == '@')
		address.sun_path[0] = 0;
	if (connect(fd, (struct sockaddr *)&address, size))
		err(STATUS_FAILED, "%s", path);
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s", name);
	ret = dataspace_send_msg(fd, text, strlen(text), &ds, 1);
	if (ret < 0)
		errx(STATUS_FAILED, "not stored: %s", dataspace_explain(ret));
	return EXIT_SUCCESS;
}
