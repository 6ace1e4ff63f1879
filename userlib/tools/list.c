// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Who holds what: by dataspace, or by process.
 */
#include <err.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "holders.h"
#include "tool.h"

/* Lines are not indented further than for this depth. */
#define DEEPEST 16

static const char *bold = "";
static const char *plain = "";
static int columns = INT_MAX;

/* Lines are cut for terminals only, and colours for people who want some. */
static void look_at_terminal(void)
{
	const char *none = getenv("NO_COLOR");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		columns = size.ws_col;
	if (none && *none)
		return;
	bold = "\033[1m";
	plain = "\033[0m";
}

/* As much of a line as fits. */
static void print_line(int indent, const char *head, const char *rest)
{
	int room = columns > indent ? columns - indent : 0;
	int left = room - (int)strlen(head);

	printf("%*s%s%.*s%s%.*s\n", columns - room, "", bold, room, head, plain,
	       left > 0 ? left : 0, rest);
}

/* Further to the right than what it is derived from, as far as that is known. */
static int indent_of(const struct holder *holder)
{
	return 2 + 2 * (holder->depth < DEEPEST ? holder->depth : DEEPEST);
}

static void print_memory(const struct holder *holder)
{
	char head[64];

	snprintf(head, sizeof(head), "memory %" PRIu64, holder->root);
	print_line(0, head, "");
}

static void print_dataspace(const struct holder *holder)
{
	char head[64], rest[1024] = "";
	int length = 0;

	snprintf(head, sizeof(head), "dataspace %" PRIu64, holder->id);
	if (holder->length)
		length = snprintf(rest, sizeof(rest), ", %s, %s (%s)",
				  readable(holder->length),
				  escaped(holder->state),
				  escaped(holder->rights));
	if (*holder->name)
		snprintf(rest + length, sizeof(rest) - length, " \"%s\"",
			 escaped(holder->name));
	print_line(indent_of(holder), head, rest);
}

static void print_holder(const struct holder *holder)
{
	char what[64], rest[512];

	if (holder->fd >= 0)
		snprintf(what, sizeof(what), "descriptor %d", holder->fd);
	else
		snprintf(what, sizeof(what), "maps %s",
			 readable(holder->mapped));
	snprintf(rest, sizeof(rest), "%7d %-15s %s", holder->pid,
		 escaped(holder->command), what);
	print_line(indent_of(holder) + 2, "", rest);
}

/*
 * The entry that describes a dataspace best: one of a descriptor, if there is one
 * among those of the same dataspace, which begin at @first.
 */
static const struct holder *best_of(const struct holders *holders, size_t first)
{
	size_t i;

	for (i = first;
	     i < holders->count && holders->all[i].id == holders->all[first].id;
	     i++)
		if (holders->all[i].fd >= 0)
			return &holders->all[i];
	return &holders->all[first];
}

static void print_tree(const struct holders *holders)
{
	const struct holder *before = NULL;
	size_t i;

	for (i = 0; i < holders->count; i++) {
		const struct holder *holder = &holders->all[i];

		if (!before || before->root != holder->root)
			print_memory(holder);
		if (!before || before->id != holder->id)
			print_dataspace(best_of(holders, i));
		print_holder(holder);
		before = holder;
	}
}

static void print_field(const char *key, const char *text)
{
	printf(", \"%s\": ", key);
	print_json_string(text, strlen(text));
}

/* Words that are separated by spaces. */
static void print_words(const char *key, const char *words)
{
	size_t length;

	printf(", \"%s\": [", key);
	for (; *words; words += length + (words[length] == ' ')) {
		length = strcspn(words, " ");
		print_json_string(words, length);
		printf("%s", words[length] ? ", " : "");
	}
	printf("]");
}

/* One object for each descriptor, or for what one process maps of a dataspace. */
static void print_json(const struct holders *holders)
{
	size_t i;

	printf("[");
	for (i = 0; i < holders->count; i++) {
		const struct holder *holder = &holders->all[i];

		printf("%s\n  {\"memory\": %" PRIu64 ", \"id\": %" PRIu64
		       ", \"pid\": %d",
		       i ? "," : "", holder->root, holder->id, holder->pid);
		print_field("command", holder->command);
		if (holder->fd < 0) {
			printf(", \"mapped\": %" PRIu64 "}", holder->mapped);
			continue;
		}
		printf(", \"fd\": %d, \"length\": %" PRIu64, holder->fd,
		       holder->length);
		print_words("rights", holder->rights);
		print_words("state", holder->state);
		print_field("name", holder->name);
		printf("}");
	}
	printf("\n]\n");
}

int command_list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' }, {}
	};
	struct holders holders = { .all = NULL };
	bool json = false;

	while (next_option(argc, argv, "+j", options) >= 0)
		json = true;
	if (optind != argc)
		usage("'list' takes no argument");
	look_at_terminal();
	find_holders(&holders);
	if (json) {
		print_json(&holders);
	} else {
		place_holders(&holders);
		print_tree(&holders);
	}
	free(holders.all);
	return EXIT_SUCCESS;
}

/* What one process holds. */
struct process {
	int pid;
	const char *command;
	unsigned int descriptors;
	uint64_t held;
	uint64_t mapped;
};

static int more_first(const void *first, const void *second)
{
	const struct process *a = first, *b = second;

	if (a->held + a->mapped != b->held + b->mapped)
		return a->held + a->mapped > b->held + b->mapped ? -1 : 1;
	return a->pid - b->pid;
}

static struct process *process_of(struct process *all, size_t *count,
				  const struct holder *holder)
{
	size_t i;

	for (i = 0; i < *count; i++)
		if (all[i].pid == holder->pid)
			return &all[i];
	all[*count] = (struct process){ .pid = holder->pid,
					.command = holder->command };
	return &all[(*count)++];
}

static void print_processes(const struct holders *holders)
{
	struct process *all = calloc(holders->count + 1, sizeof(*all));
	char line[512];
	size_t count = 0;
	size_t i;

	if (!all)
		err(STATUS_FAILED, "memory");
	for (i = 0; i < holders->count; i++) {
		struct process *process =
			process_of(all, &count, &holders->all[i]);

		process->descriptors += holders->all[i].fd >= 0;
		process->held += holders->all[i].length;
		process->mapped += holders->all[i].mapped;
	}
	qsort(all, count, sizeof(*all), more_first);
	snprintf(line, sizeof(line), "%7s %11s %12s %12s  %s", "PID",
		 "DESCRIPTORS", "LENGTH", "MAPPED", "COMMAND");
	print_line(0, line, "");
	for (i = 0; i < count; i++) {
		snprintf(line, sizeof(line), "%7d %11u %12s %12s  %s",
			 all[i].pid, all[i].descriptors, readable(all[i].held),
			 readable(all[i].mapped), escaped(all[i].command));
		print_line(0, "", line);
	}
	free(all);
}

int command_top(int argc, char **argv)
{
	static const struct option options[] = {
		{ "delay", required_argument, NULL, 'd' },
		{ "times", required_argument, NULL, 'n' },
		{}
	};
	uint64_t delay = 2, times = UINT64_MAX;
	struct holders holders = { .all = NULL };
	int option;

	while ((option = next_option(argc, argv, "+d:n:", options)) >= 0) {
		if (option == 'd')
			delay = parse_size(optarg);
		else
			times = parse_size(optarg);
	}
	if (optind != argc)
		usage("'top' takes no argument");
	look_at_terminal();
	while (times--) {
		find_holders(&holders);
		if (isatty(STDOUT_FILENO))
			printf("\033[H\033[J");
		print_processes(&holders);
		fflush(stdout);
		if (times)
			sleep(delay);
	}
	free(holders.all);
	return EXIT_SUCCESS;
}
