// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Running programs with dataspaces, which they find as systemd hands over
 * descriptors: from 3 on, with LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PID.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "preload_path.h"
#include "tool.h"

#define MAX_FDS 64

/* Descriptors above all that a program gets, so that none is in the way. */
static void move_up(const int *fds, int *copies, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_FD + n);
		if (copies[i] < 0)
			err(STATUS_FAILED, "descriptor %d", fds[i]);
	}
}

/* How many descriptors this program was given in the same way. */
static unsigned int count_given(void)
{
	const char *number = getenv("LISTEN_FDS");
	const char *pid = getenv("LISTEN_PID");

	return number && pid && atoi(pid) == getpid() ? atoi(number) : 0;
}

/* A program gets no dataspace that it was not given on purpose. */
static void close_on_exec(int first)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	struct statfs fs;
	int fd;

	if (!folder)
		err(STATUS_FAILED, "/proc/self/fd");
	while ((entry = readdir(folder))) {
		fd = atoi(entry->d_name);
		if (fd >= first && !fstatfs(fd, &fs) &&
		    (uint32_t)fs.f_type == DATASPACE_MAGIC)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	closedir(folder);
}

static void set_number(const char *variable, unsigned int value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	setenv(variable, text, 1);
}

static void set_names(const char *const *names, unsigned int n)
{
	char text[1024] = "";
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (strchr(names[i], ':'))
			usage("'%s' is no name for a descriptor", names[i]);
		if (strlen(text) + strlen(names[i]) + 2 > sizeof(text))
			errx(STATUS_FAILED, "the names are too long");
		strcat(text, i ? ":" : "");
		strcat(text, names[i]);
	}
	setenv("LISTEN_FDNAMES", text, 1);
}

void run_program(char **argv, const int *fds, const char *const *names,
		 unsigned int n)
{
	int copies[MAX_FDS];
	unsigned int i;

	if (!argv[0])
		usage("which program?");
	if (n > MAX_FDS)
		usage("more than %d dataspaces", MAX_FDS);
	move_up(fds, copies, n);
	close_on_exec(FIRST_FD + (n ? 0 : count_given()));
	for (i = 0; i < n; i++)
		if (dup2(copies[i], FIRST_FD + i) < 0)
			err(STATUS_FAILED, "descriptor %u", FIRST_FD + i);
	if (n) {
		set_number("LISTEN_FDS", n);
		set_number("LISTEN_PID", getpid());
		set_names(names, n);
	}
	execvp(argv[0], argv);
	err(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE, "%s",
	    argv[0]);
}

/*
 * Programs are to find the functions of dataspace-preload.so. The dynamic linker
 * goes on without a library that it cannot find, so it is looked for here.
 */
static void set_preload(void)
{
	const char *library = getenv("DATASPACE_PRELOAD");
	const char *others = getenv("LD_PRELOAD");
	char text[4096];
	int length;

	if (!library)
		library = PRELOAD_PATH;
	if (access(library, R_OK))
		err(STATUS_FAILED, "%s", library);
	length = snprintf(text, sizeof(text), "%s%s%s", library,
			  others ? ":" : "", others ? others : "");
	if (length >= (int)sizeof(text))
		errx(STATUS_FAILED, "LD_PRELOAD is too long");
	setenv("LD_PRELOAD", text, 1);
}

int command_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "preload", no_argument, NULL, 'p' },
		{}
	};
	const char *names[MAX_FDS];
	int fds[MAX_FDS];
	unsigned int n = 0;
	int option;
	char *name;

	while ((option = next_option(argc, argv, "+f:p", options)) >= 0) {
		if (option == 'p') {
			set_preload();
			continue;
		}
		if (n == MAX_FDS)
			usage("more than %d dataspaces", MAX_FDS);
		name = strchr(optarg, '=');
		if (name)
			*name++ = 0;
		names[n] = name ? name : "dataspace";
		fds[n++] = open_target(optarg);
	}
	run_program(argv + optind, fds, names, n);
}

int command_alloc(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rights", required_argument, NULL, 'r' },
		{ "scattered", no_argument, NULL, 's' },
		{ "name", required_argument, NULL, 'n' },
		{}
	};
	uint32_t rights = DATASPACE_RW;
	const char *name = NULL;
	uint32_t flags = 0;
	uint64_t length;
	int option;
	int ret;
	int ds;

	while ((option = next_option(argc, argv, "+r:sn:", options)) >= 0) {
		if (option == 'r')
			rights = parse_rights(optarg);
		else if (option == 's')
			flags |= DATASPACE_ALLOC_SCATTERED;
		else
			name = optarg;
	}
	if (optind == argc)
		usage("how much?");
	length = parse_size(argv[optind++]);
	if (optind < argc && !strcmp(argv[optind], "--"))
		optind++;
	ds = dataspace_alloc(length, rights, flags);
	if (ds < 0)
		errx(ds == -ENOENT || ds == -ENXIO || ds == -ENODEV ?
			     STATUS_NO_DEVICE :
			     STATUS_FAILED,
		     "not allocated: %s",
		     dataspace_explain_alloc(length, rights, flags, ds));
	ret = name ? dataspace_set_name(ds, name) : 0;
	if (ret < 0)
		errx(STATUS_FAILED, "not named: %s",
		     dataspace_explain_set_name(name, ret));
	name = name ? name : "dataspace";
	run_program(argv + optind, &ds, &name, 1);
}

int command_alias(int argc, char **argv)
{
	static const struct option options[] = {
		{ "offset", required_argument, NULL, 'o' },
		{ "length", required_argument, NULL, 'l' },
		{ "rights", required_argument, NULL, 'r' },
		{ "clip", no_argument, NULL, 'c' },
		{}
	};
	const char *name = "dataspace";
	uint32_t rights = DATASPACE_RO;
	struct dataspace_info info;
	uint64_t length = 0;
	uint64_t offset = 0;
	uint32_t flags = 0;
	int option;
	int alias;
	int ds;

	while ((option = next_option(argc, argv, "+o:l:r:c", options)) >= 0) {
		if (option == 'o')
			offset = parse_size(optarg);
		else if (option == 'l')
			length = parse_size(optarg);
		else if (option == 'r')
			rights = parse_rights(optarg);
		else
			flags |= DATASPACE_ALIAS_CLIP;
	}
	if (optind == argc)
		usage("an alias of what?");
	ds = open_target(argv[optind++]);
	if (optind < argc && !strcmp(argv[optind], "--"))
		optind++;
	if (!length && !dataspace_info(ds, &info, sizeof(info)))
		length = info.length > offset ? info.length - offset : 0;
	alias = dataspace_alias(ds, offset, length, rights, flags);
	if (alias < 0)
		errx(STATUS_FAILED, "no alias: %s",
		     dataspace_explain_alias(ds, offset, length, rights,
					     alias));
	run_program(argv + optind, &alias, &name, 1);
}
