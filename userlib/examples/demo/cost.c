// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What an alias costs the kernel. A process in a memory cgroup of its own makes
 * many aliases; what the group is charged for kernel memory grows only by them,
 * as the descriptor table has its size before. So many are made that the pages
 * that each processor keeps charged in advance do not show.
 */
#include "cost.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dataspace.h>

#include "cgroup.h"
#include "pages.h"
#include "util.h"

#define CGROUP "ram-service-cost"

/* The kernel brings its statistics up to date every two seconds. */
#define FLUSH_SECONDS 3

static void enter_cgroup(void)
{
	cgroup_share_memory("");
	cgroup_make(CGROUP);
	cgroup_join(CGROUP);
}

static void take_account(struct cost *account)
{
	sleep(FLUSH_SECONDS);
	account->charged = cgroup_number(CGROUP, "memory.stat", "kernel");
	account->slab = memory_account("Slab");
}

static void make_room_for_descriptors(void)
{
	rlim_t room = COST_ALIASES + 64;
	struct rlimit limit = { room, room };
	int fd;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE", -errno);
	fd = fcntl(STDIN_FILENO, F_DUPFD, room - 1);
	if (fd < 0)
		die("growing the descriptor table", -errno);
	close(fd);
}

static void make_aliases(int ds, uint64_t length)
{
	uint64_t places;
	struct dataspace_info info;
	int i;

	must(dataspace_info(ds, &info, sizeof(info)), "looking at the chunk");
	places = info.length / length;
	for (i = 0; i < COST_ALIASES; i++)
		must(dataspace_alias(ds, i % places * length, length,
				     DATASPACE_RO, 0),
		     "making many aliases");
}

static void measure_here(int ds, uint64_t length, struct cost *cost)
{
	struct cost before;

	enter_cgroup();
	make_room_for_descriptors();
	take_account(&before);
	make_aliases(ds, length);
	take_account(cost);
	cost->charged = (cost->charged - before.charged) / COST_ALIASES;
	cost->slab = (cost->slab - before.slab) / COST_ALIASES;
}

void cost_measure(int ds, uint64_t length, struct cost *cost)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		die("pipe", -errno);
	child = fork();
	if (child < 0)
		die("fork", -errno);
	if (!child) {
		measure_here(ds, length, cost);
		_exit(write(ends[1], cost, sizeof(*cost)) != sizeof(*cost));
	}
	close(ends[1]);
	if (read(ends[0], cost, sizeof(*cost)) != sizeof(*cost))
		die("measuring the cost of an alias", -EIO);
	close(ends[0]);
	waitpid(child, NULL, 0);
	cgroup_remove(CGROUP);
}
