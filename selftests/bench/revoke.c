// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revoking aliases that processes hold, mapped and touched or not, beside those
 * processes unmapping and closing them one by one.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "bench.h"

#define MAX_HOLDERS 100

/* A process that holds some of the aliases. */
struct holder {
	pid_t pid;
	int socket;
};

/* The aliases that are revoked. */
struct grants {
	int root;
	size_t number;
	size_t holders;
	bool mapped;
};

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

/* Maps an alias of one page and touches it; NULL if that fails. */
static char *map_page(int alias)
{
	char *map = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
			 alias, 0);

	if (map == MAP_FAILED)
		return NULL;
	*(volatile char *)map = 1;
	return map;
}

static bool take(const struct grants *grants, size_t page, int *alias,
		 char **map)
{
	*alias = ds_alias(grants->root, page * page_size(), page_size(),
			  RIGHTS_RW);
	if (*alias < 0)
		return false;
	*map = grants->mapped ? map_page(*alias) : NULL;
	return *map || !grants->mapped;
}

static void give_back(int alias, char *map)
{
	if (map)
		munmap(map, page_size());
	close(alias);
}

/* The holder answers when it has its aliases, and when it has closed them. */
static void hold(const struct grants *grants, size_t holder, int socket)
{
	size_t number = grants->number / grants->holders;
	int *aliases = calloc(number, sizeof(*aliases));
	char **maps = calloc(number, sizeof(*maps));
	size_t i;

	for (i = 0; i < number; i++)
		if (!take(grants, holder * number + i, &aliases[i], &maps[i]))
			_exit(1);
	say(socket);
	if (!hear(socket))
		_exit(0);
	for (i = 0; i < number; i++)
		give_back(aliases[i], maps[i]);
	say(socket);
	hear(socket);
	_exit(0);
}

static int start_holder(const struct grants *grants, size_t number,
			struct holder *holder)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	holder->pid = fork();
	if (!holder->pid) {
		close(sockets[0]);
		hold(grants, number, sockets[1]);
	}
	close(sockets[1]);
	holder->socket = sockets[0];
	return hear(sockets[0]) ? 0 : -ENOMEM;
}

/* Holders that wait for a byte end by this, too. */
static void end_holder(struct holder *holder)
{
	close(holder->socket);
	kill(holder->pid, SIGKILL);
	waitpid(holder->pid, NULL, 0);
}

static int revoke_all(const struct grants *grants)
{
	struct dataspace_revoke arg = { .size = sizeof(arg) };

	return result(ioctl(grants->root, DATASPACE_IOC_REVOKE, &arg));
}

static int ask_for_them(const struct grants *grants, struct holder *holders)
{
	size_t i;

	for (i = 0; i < grants->holders; i++)
		say(holders[i].socket);
	for (i = 0; i < grants->holders; i++)
		if (!hear(holders[i].socket))
			return -EPIPE;
	return 0;
}

static long long take_back(const struct kind *kind, const struct grants *grants,
			   struct holder *holders)
{
	long long start = now();
	int ret = kind == &dataspace ? revoke_all(grants) :
				       ask_for_them(grants, holders);

	return ret ? ret : now() - start;
}

static long long revoke_sample(const struct kind *kind,
			       const struct grants *grants)
{
	struct holder holders[MAX_HOLDERS];
	long long cost = 0;
	size_t started = 0;

	while (!cost && started < grants->holders) {
		cost = start_holder(grants, started, &holders[started]);
		started++;
	}
	if (!cost)
		cost = take_back(kind, grants, holders);
	while (started)
		end_holder(&holders[--started]);
	return cost;
}

static long long cost_of_grants(const struct kind *kind, struct grants *grants)
{
	struct samples samples = { 0 };
	int wanted = grants->number < 10000 ? 5 : 1;

	while (samples.count < wanted)
		samples_add(&samples, revoke_sample(kind, grants));
	return samples_median(&samples);
}

static int costs_by_holders(const struct kind *kind, size_t number,
			    size_t holders, long long *costs)
{
	struct grants grants = { .number = number, .holders = holders };

	write_file("/proc/sys/vm/max_map_count", "1000000");
	grants.root = scattered.source(number * page_size());
	if (grants.root < 0)
		return grants.root;
	costs[0] = cost_of_grants(kind, &grants);
	grants.mapped = true;
	costs[1] = cost_of_grants(kind, &grants);
	close(grants.root);
	return 0;
}

static int revoke_cost(const struct kind *kind, size_t number, long long *costs)
{
	return costs_by_holders(kind, number, 1, costs);
}

static int revoke_many_cost(const struct kind *kind, size_t number,
			    long long *costs)
{
	if (kind == &one_by_one && number > 10000)
		return TAKES_TOO_LONG;
	return costs_by_holders(kind, number, MAX_HOLDERS, costs);
}

const struct subject revoke_subject = {
	.works = { "revoke N", "revoke N mapped" },
	.peer = "one by one",
	.sizes = (const size_t[]){ 1, 1000, 100000, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &one_by_one, NULL },
	.cost = revoke_cost,
};

const struct subject revoke_many_subject = {
	.works = { "revoke N in 100 processes",
		   "revoke N mapped in 100 proc." },
	.peer = "one by one",
	.sizes = (const size_t[]){ 1000, 100000, 0 },
	.kinds = (const struct kind *const[]){ &dataspace, &one_by_one, NULL },
	.cost = revoke_many_cost,
};
