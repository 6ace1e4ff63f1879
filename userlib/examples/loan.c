// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Lends a page to another process, and has it back as soon as that process lets
 * go of it, or after a second, whatever that process does.
 *
 *	loan SECONDS		how long the borrower keeps it
 */
#include <dataspace.h>
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void borrow(int socket, unsigned int seconds)
{
	int ds = dataspace_recv(socket);
	char byte;

	sleep(seconds);
	if (pread(ds, &byte, 1, 0) != 1)
		err(EXIT_FAILURE, "borrower");
}

int main(int argc, char **argv)
{
	long page = sysconf(_SC_PAGESIZE);
	struct pollfd grant = { .events = POLLIN };
	int ends[2];
	int pool, loan, ret;

	if (argc != 2)
		errx(EXIT_FAILURE, "usage: loan SECONDS");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		err(EXIT_FAILURE, "socketpair");
	switch (fork()) {
	case -1:
		err(EXIT_FAILURE, "fork");
	case 0:
		/* Else it would wait for itself if nothing is sent. */
		close(ends[0]);
		borrow(ends[1], atoi(argv[1]));
		exit(EXIT_SUCCESS);
	}
	/* The grant stays here: what is derived from it can be revoked. */
	pool = dataspace_alloc(16 * page, DATASPACE_RW, 0);
	grant.fd = dataspace_alias(pool, page, page, DATASPACE_RO, 0);
	loan = dataspace_alias(grant.fd, 0, page, DATASPACE_READ, 0);
	ret = dataspace_send(ends[0], loan);
	if (ret < 0)
		errx(EXIT_FAILURE, "not lent: %s", strerror(-ret));
	close(loan);
	/* POLLIN means that nobody is left. All but 1 means: not yet. */
	if (poll(&grant, 1, 1000) == 1) {
		printf("the page came back\n");
	} else {
		ret = dataspace_revoke(grant.fd, 0);
		printf("the page was revoked: %s\n", strerror(-ret));
	}
	close(grant.fd);
	wait(NULL);
	return ret < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
