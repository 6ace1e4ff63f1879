// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The command dataspace: dataspaces from a shell.
 */
#include <stdlib.h>

#include "tool.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *text;
} commands[] = {
	{ "alias", command_alias, "[OPTION]... DS -- PROGRAM...",
	  "run a program with an alias of a part" },
	{ "alloc", command_alloc, "[OPTION]... LENGTH -- PROGRAM...",
	  "run a program with new memory" },
	{ "get", command_get, "[OPTION]... [USER/]NAME -- PROGRAM...",
	  "run a program with what another has published" },
	{ "hexdump", command_hexdump, "[OPTION]... DS", "show the contents" },
	{ "info", command_info, "DS", "tell what a dataspace is" },
	{ "list", command_list, "[--json]", "list all that processes hold" },
	{ "name", command_name, "DS NAME", "give a dataspace a name" },
	{ "publish", command_publish, "[OPTION]... NAME LENGTH -- PROGRAM...",
	  "run a program with new memory that others can get" },
	{ "recv", command_recv, "SOCKET -- PROGRAM...",
	  "wait for dataspaces, and run a program with them" },
	{ "revoke", command_revoke, "[--self] DS",
	  "take back all that is derived from it" },
	{ "run", command_run, "[-p] [-f DS[=NAME]]... -- PROGRAM...",
	  "run a program with some dataspaces" },
	{ "seal", command_seal, "[--now] DS", "end writing for good" },
	{ "send", command_send, "SOCKET DS...", "send to recv" },
	{ "store", command_store, "[--name NAME] DS",
	  "leave it with systemd, for the service's next start" },
	{ "top", command_top, "[-d SECONDS] [-n TIMES]",
	  "show which process holds how much" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int help(void)
{
	size_t i;

	printf("Usage: dataspace COMMAND [ARGUMENT]...\n\n");
	for (i = 0; i < COMMANDS; i++)
		printf("  %-8s%-39s%s\n", commands[i].name,
		       commands[i].arguments, commands[i].text);
	printf("\nDS is a descriptor, as 3, or one of another process, as 812/3.\n");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		usage("which command?");
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return help();
	if (!strcmp(argv[1], "--version")) {
		printf("dataspace %s\n", dataspace_version());
		return EXIT_SUCCESS;
	}
	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	usage("there is no command '%s'", argv[1]);
}
