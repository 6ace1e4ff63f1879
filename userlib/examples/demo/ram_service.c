// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * A RAM service as operating systems made of many servers have it: it owns one
 * chunk of memory and hands parts of it to clients that do not trust each
 * other, some to write, some only to read, and takes no part in what they do
 * with them. Memory that nobody refers to any more goes back to the kernel.
 *
 *	ram_service --demo		the service with 64 clients, as root
 *	ram_service --client SOCKET	one client, started by the service
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "demo.h"

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--demo"))
		return demo_main();
	if (argc == 3 && !strcmp(argv[1], "--client"))
		return client_main(argv[2]);
	fprintf(stderr, "usage: ram_service --demo\n");
	return EXIT_FAILURE;
}
