// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Allocates memory and gives one page of it to everybody who connects, to be
 * read only. See use.c for the other side.
 *
 *	serve SOCKET
 */
#include <dataspace.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static const char text[] = "This is the second of sixteen pages.";
	long page = sysconf(_SC_PAGESIZE);
	int all = dataspace_alloc(16 * page, DATASPACE_RW, 0);
	/* A client can map and read it. Without DERIVE it can make no alias. */
	int part = dataspace_alias(all, page, page,
				   DATASPACE_READ | DATASPACE_MAP, 0);
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int client;
	int ret;

	if (argc != 2)
		errx(EXIT_FAILURE, "usage: serve SOCKET");
	if (part < 0)
		errx(EXIT_FAILURE, "no memory: %s", strerror(-part));
	if (pwrite(all, text, sizeof(text), page) != sizeof(text))
		err(EXIT_FAILURE, "pwrite");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 1))
		err(EXIT_FAILURE, "%s", argv[1]);
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		ret = dataspace_send(client, part);
		if (ret < 0)
			warnx("a client got nothing: %s", strerror(-ret));
		close(client);
	}
	err(EXIT_FAILURE, "accept");
}
