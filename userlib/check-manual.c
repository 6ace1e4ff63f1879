// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Types the commands that the manual and the README show into a shell, and compares
 * what is printed then with what is shown. The command dataspace and the broker are
 * linked into this program, which is one of them if it is called by its name, so
 * that it can be taken to a machine that has the device and no compiler.
 *
 *	check-manual		needs /dev/dataspace, tracefs, a shell, and to be root
 */
#include <ctype.h>
#include <dataspaced.h>
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check-folder.h"

/* main() of the command and of the broker. */
int tool_main(int argc, char **argv), broker_main(int argc, char **argv);

/* Lines that begin with a prompt are typed, the others are what is printed. */
static const struct session {
	const char *name;
	const char *text;
} sessions[] = {
#include "check-manual.h"
};

#define SESSIONS (sizeof(sessions) / sizeof(sessions[0]))

#define TEXT_SIZE 16384

/* Numbers that differ each time: of processes, dataspaces and inodes. */
#define VARYING \
	"^ *[0-9]+ |(memory |dataspace |id=|source=|common_pid: +)[0-9]+"

/* Whether a process of the session runs, or waits for a disk. */
static bool is_busy(const char *process, pid_t session)
{
	char path[64], line[512] = "";
	const char *rest;
	FILE *file;
	char state;
	int sid;

	snprintf(path, sizeof(path), "/proc/%.32s/stat", process);
	file = fopen(path, "re");
	if (!file)
		return false;
	fgets(line, sizeof(line), file);
	fclose(file);
	rest = strrchr(line, ')');
	return rest && sscanf(rest, ") %c %*d %*d %d", &state, &sid) == 2 &&
	       sid == session && strchr("RD", state);
}

static bool any_is_busy(pid_t session)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	bool busy = false;

	if (!folder)
		err(EXIT_FAILURE, "/proc");
	while (!busy && (entry = readdir(folder)))
		busy = isdigit((unsigned char)entry->d_name[0]) &&
		       is_busy(entry->d_name, session);
	closedir(folder);
	return busy;
}

/* As somebody does who types: until nothing seems to happen any more. */
static void wait_for_quiet(pid_t session)
{
	unsigned int quiet = 0;

	while (quiet < 10) {
		usleep(20000);
		quiet = any_is_busy(session) ? 0 : quiet + 1;
	}
}

/* A shell that reads what is written to @input, and prints into @output. */
static pid_t start_shell(int output, int *input)
{
	int ends[2];
	pid_t shell;

	if (pipe2(ends, O_CLOEXEC))
		err(EXIT_FAILURE, "pipe");
	shell = fork();
	if (!shell) {
		setsid();
		dup2(ends[0], STDIN_FILENO);
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		execl("/bin/sh", "sh", NULL);
		_exit(127);
	}
	close(ends[0]);
	*input = ends[1];
	return shell;
}

static void end_session(pid_t session)
{
	kill(-session, SIGKILL);
	waitpid(session, NULL, 0);
}

/* Types the commands of @text; @shown is what it says that they print. */
static void type(const char *text, pid_t shell, int input, char *shown)
{
	const char *end;

	for (; *text; text = end) {
		end = strchr(text, '\n') + 1;
		if (strncmp(text, "$ ", 2) && strncmp(text, "# ", 2)) {
			strncat(shown, text, end - text);
			continue;
		}
		if (write(input, text + 2, end - text - 2) < 0)
			err(EXIT_FAILURE, "the shell has ended");
		wait_for_quiet(shell);
	}
}

/* Leaves digits and spaces out where a number varies. */
static void even_out(char *text)
{
	char result[TEXT_SIZE] = "";
	char *to = result;
	regmatch_t match;
	const char *from;
	regex_t varying;
	char *at = text;

	regcomp(&varying, VARYING, REG_EXTENDED | REG_NEWLINE);
	while (!regexec(&varying, at, 1, &match,
			at > text && at[-1] != '\n' ? REG_NOTBOL : 0)) {
		to = mempcpy(to, at, match.rm_so);
		for (from = at + match.rm_so; from < at + match.rm_eo; from++)
			if (!isdigit((unsigned char)*from) && *from != ' ')
				*to++ = *from;
		*to++ = '#';
		at += match.rm_eo;
	}
	strcpy(to, at);
	strcpy(text, result);
	regfree(&varying);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Dataspaces are listed by their numbers, which are in another order each time. */
static void sort_lines(char *text)
{
	char copy[TEXT_SIZE], *lines[TEXT_SIZE / 2], *line;
	size_t n = 0, i;

	strcpy(copy, text);
	for (line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), compare_lines);
	*text = 0;
	for (i = 0; i < n; i++)
		text += sprintf(text, "%s\n", lines[i]);
}

static bool run(const struct session *session)
{
	char printed[TEXT_SIZE] = "", shown[TEXT_SIZE] = "";
	int output = open("output",
			  O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
			  0666);
	pid_t shell;
	int input;

	if (output < 0)
		err(EXIT_FAILURE, "output");
	shell = start_shell(output, &input);
	type(session->text, shell, input, shown);
	close(input);
	end_session(shell);
	if (pread(output, printed, sizeof(printed) - 1, 0) < 0)
		err(EXIT_FAILURE, "output");
	close(output);
	unlink("socket");
	even_out(printed);
	even_out(shown);
	sort_lines(printed);
	sort_lines(shown);
	if (!strcmp(printed, shown))
		return true;
	printf("# shown:\n%s# printed:\n%s", shown, printed);
	return false;
}

/* The users that the manual names, if this machine has none at all. */
static void make_users(void)
{
	int fd = open("/etc/passwd", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		      0644);

	if (fd < 0)
		return;
	dprintf(fd, "root:x:0:0::/:/bin/sh\n"
		    "alice:x:1000:1000::/:/bin/sh\n"
		    "bob:x:1001:1001::/:/bin/sh\n");
	close(fd);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	unsigned int failed = 0;
	bool passed;
	char *folder, path[512];
	size_t i;

	if (!strcmp(name, "dataspace"))
		return tool_main(argc, argv);
	if (!strcmp(name, "dataspaced"))
		return broker_main(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_folder();
	folder = get_current_dir_name();
	snprintf(path, sizeof(path), "%s/socket", folder);
	setenv(DATASPACED_VARIABLE, path, 1);
	free(folder);
	make_users();
	printf("TAP version 13\n1..%zu\n", SESSIONS);
	for (i = 0; i < SESSIONS; i++) {
		passed = run(&sessions[i]);
		failed += !passed;
		printf("%sok %zu %s\n", passed ? "" : "not ", i + 1,
		       sessions[i].name);
	}
	printf("# %zu of %zu passed\n", SESSIONS - failed, SESSIONS);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
