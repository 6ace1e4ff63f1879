// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The commands that look at one dataspace or change it.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "tool.h"

static void print_state(uint32_t state)
{
	printf("state        %s%s%s%s\n",
	       state & DATASPACE_STATE_ALIAS ? "alias" : "root",
	       state & DATASPACE_STATE_CONTIGUOUS ? " contiguous" : "",
	       state & DATASPACE_STATE_SEALED ? " sealed" : "",
	       state & DATASPACE_STATE_REVOKED ? " revoked" : "");
}

int command_info(int argc, char **argv)
{
	static const struct option options[] = { {} };
	struct dataspace_info info;
	int ret;

	next_option(argc, argv, "+", options);
	ret = dataspace_info(open_target(only_argument(argc, argv)), &info,
			     sizeof(info));
	if (ret < 0)
		errx(STATUS_FAILED, "%s", dataspace_explain(ret));
	printf("id           %llu\n", (unsigned long long)info.id);
	printf("length       %s\n", readable(info.length));
	printf("rights       ");
	print_rights(stdout, info.rights, " ");
	printf("\n");
	print_state(info.state);
	printf("exclusive    %s\n", readable(info.exclusive));
	printf("resident     %s\n", readable(info.resident));
	printf("aliases      %llu\n", (unsigned long long)info.aliases);
	printf("mappings     %llu, and %llu of what is derived\n",
	       (unsigned long long)info.mappings,
	       (unsigned long long)info.derived_mappings);
	printf("devices      %llu\n", (unsigned long long)info.devices);
	return EXIT_SUCCESS;
}

int command_name(int argc, char **argv)
{
	static const struct option options[] = { {} };
	int ret;

	next_option(argc, argv, "+", options);
	if (optind != argc - 2)
		usage("name what, and how?");
	ret = dataspace_set_name(open_target(argv[optind]), argv[optind + 1]);
	if (ret < 0)
		errx(STATUS_FAILED, "not named: %s",
		     dataspace_explain_set_name(argv[optind + 1], ret));
	return EXIT_SUCCESS;
}

int command_seal(int argc, char **argv)
{
	static const struct option options[] = {
		{ "now", no_argument, NULL, 'n' }, {}
	};
	uint32_t flags = 0;
	int ret;

	while (next_option(argc, argv, "+n", options) >= 0)
		flags = DATASPACE_SEAL_NOW;
	ret = dataspace_seal(open_target(only_argument(argc, argv)), flags);
	if (ret < 0)
		errx(STATUS_FAILED, "not sealed: %s",
		     dataspace_explain_seal(ret));
	return EXIT_SUCCESS;
}

int command_revoke(int argc, char **argv)
{
	static const struct option options[] = {
		{ "self", no_argument, NULL, 's' }, {}
	};
	uint32_t flags = 0;
	int ret;

	while (next_option(argc, argv, "+s", options) >= 0)
		flags = DATASPACE_REVOKE_SELF;
	ret = dataspace_revoke(open_target(only_argument(argc, argv)), flags);
	if (ret < 0)
		errx(STATUS_FAILED, "not revoked: %s", dataspace_explain(ret));
	return EXIT_SUCCESS;
}

static void print_line(uint64_t offset, const unsigned char *bytes, size_t n)
{
	size_t i;

	printf("%08" PRIx64, offset);
	for (i = 0; i < 16; i++) {
		if (i < n)
			printf("%s%02x", i % 8 ? " " : "  ", bytes[i]);
		else
			printf("%s  ", i % 8 ? " " : "  ");
	}
	printf("  |");
	for (i = 0; i < n; i++)
		putchar(isprint(bytes[i]) ? bytes[i] : '.');
	printf("|\n");
}

/* As "hexdump -C" prints it, with a star for lines like the one before. */
int command_hexdump(int argc, char **argv)
{
	static const struct option options[] = {
		{ "offset", required_argument, NULL, 'o' },
		{ "length", required_argument, NULL, 'n' },
		{}
	};
	unsigned char before[16], bytes[16];
	uint64_t offset = 0, rest = UINT64_MAX;
	bool first = true, starred = false;
	ssize_t got;
	int option;
	int ds;

	while ((option = next_option(argc, argv, "+o:n:", options)) >= 0) {
		if (option == 'o')
			offset = parse_size(optarg);
		else
			rest = parse_size(optarg);
	}
	ds = open_target(only_argument(argc, argv));
	for (; rest; rest -= got, offset += got, first = false) {
		got = pread(ds, bytes, rest < 16 ? rest : 16, offset);
		if (got < 0)
			errx(STATUS_FAILED, "not read: %s",
			     dataspace_explain(errno));
		if (!got)
			break;
		if (!first && got == 16 && !memcmp(before, bytes, 16)) {
			if (!starred)
				printf("*\n");
			starred = true;
			continue;
		}
		print_line(offset, bytes, got);
		memcpy(before, bytes, sizeof(before));
		starred = false;
	}
	printf("%08" PRIx64 "\n", offset);
	return EXIT_SUCCESS;
}
