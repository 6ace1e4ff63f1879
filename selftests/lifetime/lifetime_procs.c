// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes and sockets keep pages until they end: rules 14 and 15.
 */
#include <kselftest_harness.h>

#include <signal.h>
#include <sys/socket.h>

#include "fdpass.h"
#include "kept.h"

/* A child that runs until it is told to exit, or is killed. */
struct child {
	pid_t pid;
	int pipe[2];
};

static int child_start(struct child *child)
{
	char byte;

	if (pipe(child->pipe))
		return -1;
	child->pid = fork();
	if (!child->pid) {
		close(child->pipe[1]);
		if (read(child->pipe[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(child->pipe[0]);
	return child->pid < 0;
}

static int child_stop(struct child *child, int signal)
{
	if (signal)
		kill(child->pid, signal);
	close(child->pipe[1]);
	return wait_for(child->pid);
}

/* rule 14: mappings of the child count as well */
TEST_F(kept, until_the_child_exits_too)
{
	const size_t page = page_size();
	char *map = map_and_close(self);
	struct child child;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, child_start(&child));
	munmap(map + 100 * page, 300 * page);
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(0, child_stop(&child, 0));
	EXPECT_EQ(100, pages_held(&self->pages));
	munmap(map, 100 * page);
}

/* rule 14 */
TEST_F(kept, until_the_child_is_killed)
{
	char *map = map_and_close(self);
	struct child child;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, child_start(&child));
	munmap(map, 400 * page_size());
	EXPECT_EQ(400, pages_held(&self->pages));
	EXPECT_EQ(SIGKILL, child_stop(&child, SIGKILL));
}

/* rule 14: exec closes the descriptor and unmaps */
TEST_F(kept, until_the_child_executes_something_else)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	int ends[2];
	pid_t child;
	char byte;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pipe2(ends, O_CLOEXEC));
	child = fork();
	if (!child) {
		dup2(ends[1], STDOUT_FILENO);
		execl("/proc/self/exe", "lifetime_procs", "--wait", NULL);
		_exit(127);
	}
	close(ends[1]);
	EXPECT_EQ(1, read(ends[0], &byte, 1));
	munmap(map, 400 * page);
	close(self->root);
	EXPECT_EQ(0, pages_held(&self->pages));
	kill(child, SIGKILL);
	EXPECT_EQ(SIGKILL, wait_for(child));
}

/* rule 14 */
TEST_F(kept, while_in_flight_in_a_socket)
{
	int ends[2];
	int fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], self->root));
	close(self->root);
	EXPECT_EQ(400, pages_held(&self->pages));
	fd = fd_receive(ends[1]);
	EXPECT_EQ(0, pattern_wrong_fd(fd, 400, 0));
	ASSERT_EQ(0, fd_send(ends[0], fd));
	close(fd);
	EXPECT_EQ(400, pages_held(&self->pages));
	close(ends[0]);
	close(ends[1]);
	EXPECT_EQ(0, pages_held(&self->pages));
}

/* rule 14: the kernel collects sockets that refer to each other */
TEST_F(kept, until_a_cycle_of_sockets_is_collected)
{
	int ends[2], other[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	ASSERT_EQ(0, fd_send(ends[0], ends[0]));
	ASSERT_EQ(0, fd_send(ends[0], ends[1]));
	ASSERT_EQ(0, fd_send(ends[0], self->root));
	close(self->root);
	close(ends[0]);
	close(ends[1]);
	/* it does so when any other socket is closed */
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, other));
	close(other[0]);
	close(other[1]);
	EXPECT_EQ(0, pages_wait(&self->pages, 0, STUCK));
}

/* rule 15: INFO counts VMAs in all processes */
TEST_F(kept, mappings_are_counted_by_piece_in_all_processes)
{
	const size_t page = page_size();
	char *map = ds_map(self->root, 400 * page, PROT_READ);
	struct dataspace_info info;
	struct child child;

	ASSERT_NE(MAP_FAILED, map);
	ds_info(self->root, &info);
	EXPECT_EQ(1, info.mappings);
	munmap(map + 100 * page, page);
	ds_info(self->root, &info);
	EXPECT_EQ(2, info.mappings);
	ASSERT_EQ(0, child_start(&child));
	ds_info(self->root, &info);
	EXPECT_EQ(4, info.mappings);
	EXPECT_EQ(0, child_stop(&child, 0));
	munmap(map, 400 * page);
	ds_info(self->root, &info);
	EXPECT_EQ(0, info.mappings);
	close(self->root);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--wait"))
		return write(STDOUT_FILENO, "", 1) != 1 || pause();
	return test_harness_run(argc, argv);
}
