// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Receives a dataspace from serve.c, looks at what it is, and reads it.
 *
 *	use SOCKET
 */
#include <dataspace.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct dataspace_info info;
	const char *memory;
	int ds;
	int ret;

	if (argc != 2)
		errx(EXIT_FAILURE, "usage: use SOCKET");
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
	if (connect(server, (struct sockaddr *)&address, sizeof(address)))
		err(EXIT_FAILURE, "%s", argv[1]);
	ds = dataspace_recv(server);
	/* The server has chosen the length and the rights: look at them. */
	ret = dataspace_info(ds, &info, sizeof(info));
	if (ret < 0)
		errx(EXIT_FAILURE, "received: %s", strerror(-ret));
	if (!(info.rights & DATASPACE_MAP))
		errx(EXIT_FAILURE, "received what cannot be mapped");
	/* A touch raises SIGBUS if the server has revoked the memory. */
	memory = mmap(NULL, info.length, PROT_READ, MAP_SHARED, ds, 0);
	if (memory == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	printf("%llu bytes, %s: %.*s\n", (unsigned long long)info.length,
	       info.rights & DATASPACE_WRITE ? "writable" : "read-only",
	       (int)info.length, memory);
	return EXIT_SUCCESS;
}
