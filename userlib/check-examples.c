// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Runs the examples: those in examples/, the program of each manual page, and the
 * one of the README, which has to print what the README says.
 * They are linked into this program under other names, so that it can be taken
 * to a machine that has the device and no compiler.
 *
 *	check-examples		needs /dev/dataspace
 */
#include <dataspace.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each ends by itself before that, in seconds. */
#define TIME_LIMIT 60

/* A flag of a socket in /proc/net/unix, which no header names. */
#define ACCEPTS_CONNECTIONS 0x10000

struct example {
	const char *name;
	int (*main)(int argc, char **argv);
};

/* Made by make: the array examples[] of what there is, and README_OUTPUT. */
#include "check-examples.h"

#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static unsigned int tested;
static unsigned int failed;

static int (*find(const char *name))(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < EXAMPLES; i++)
		if (!strcmp(examples[i].name, name))
			return examples[i].main;
	errx(EXIT_FAILURE, "there is no example %s", name);
}

/* The example in a process of its own, with what it prints in a pipe. */
static pid_t start(const char *name, const char *argument, int *output)
{
	char *argv[3] = { (char *)name, (char *)argument, NULL };
	int ends[2];
	pid_t child;

	if (pipe(ends))
		err(EXIT_FAILURE, "pipe");
	child = fork();
	if (child < 0)
		err(EXIT_FAILURE, "fork");
	if (!child) {
		alarm(TIME_LIMIT);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		exit(find(name)(argument ? 2 : 1, argv));
	}
	close(ends[1]);
	*output = ends[0];
	return child;
}

static void read_all(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got;

	do {
		got = read(fd, text + length, size - 1 - length);
		length += got > 0 ? got : 0;
	} while (got > 0);
	text[length] = 0;
	close(fd);
}

/* Whether it succeeds and prints @expected among other things. */
static void try(const char *name, const char *argument, const char *expected)
{
	char text[4096];
	int output;
	pid_t child = start(name, argument, &output);
	int status = -1;
	bool good;

	read_all(output, text, sizeof(text));
	waitpid(child, &status, 0);
	good = !status && strstr(text, expected);
	failed += !good;
	printf("%sok %u %s%s%s\n", good ? "" : "not ", ++tested, name,
	       argument ? " " : "", argument ? argument : "");
	if (!good)
		printf("# status 0x%x, expected \"%s\", printed:\n%s\n", status,
		       expected, text);
}

/* Whether somebody listens on a socket, which is later than that it is there. */
static bool is_listening(const char *name)
{
	FILE *file = fopen("/proc/net/unix", "re");
	char line[256];
	unsigned long flags;
	int path;
	bool found = false;

	if (!file)
		err(EXIT_FAILURE, "/proc/net/unix");
	while (!found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		path = 0;
		if (sscanf(line, "%*s %*s %*s %lx %*s %*s %*s %n", &flags,
			   &path) == 1)
			found = flags & ACCEPTS_CONNECTIONS && path &&
				!strcmp(line + path, name);
	}
	fclose(file);
	return found;
}

/* One server, two clients after another. */
static void try_serve_and_use(void)
{
	const char *expected =
		"read-only: This is the second of sixteen pages.";
	char folder[] = "/tmp/check-examples-XXXXXX";
	int tries = 0;
	pid_t server;
	int output;

	if (!mkdtemp(folder) || chdir(folder))
		err(EXIT_FAILURE, "%s", folder);
	server = start("serve", "socket", &output);
	while (!is_listening("socket") && tries++ < 1000)
		usleep(10000);
	try("use", "socket", expected);
	try("use", "socket", expected);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	close(output);
	unlink("socket");
	rmdir(folder);
}

/* What the manual says that some of its examples print. */
static const char *manual_output(const char *name)
{
	if (!strcmp(name, "dataspace_copy_from_3"))
		return "hello\nStale file handle\n";
	if (!strcmp(name, "dataspace_explain_3"))
		return "no alias: the length is not a multiple of the page size\n";
	if (!strcmp(name, "dataspace_set_name_3"))
		return "dataspace-name:\tframes\n";
	if (!strcmp(name, "dataspace_version_3"))
		return "compiled for and runs with " DATASPACE_VERSION "\n";
	return "";
}

int main(void)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (access("/dev/dataspace", R_OK | W_OK))
		err(EXIT_FAILURE, "/dev/dataspace");
	printf("TAP version 13\n1..%zu\n", EXAMPLES + 1);
	try("readme", NULL, README_OUTPUT);
	try_serve_and_use();
	try("loan", "0", "the page came back");
	try("loan", "2", "borrower: Stale file handle");
	for (i = 0; i < EXAMPLES; i++)
		if (strstr(examples[i].name, "dataspace"))
			try(examples[i].name, NULL,
			    manual_output(examples[i].name));
	printf("# %u of %u passed\n", tested - failed, tested);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
