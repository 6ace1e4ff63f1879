// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Looks through /proc for who holds dataspaces. What belongs to other users is
 * only seen by root.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <stdlib.h>

#include "holders.h"
#include "tool.h"

static void add(struct holders *holders, const struct holder *holder)
{
	if (holders->count == holders->room) {
		holders->room = holders->room ? 2 * holders->room : 64;
		holders->all = reallocarray(holders->all, holders->room,
					    sizeof(*holders->all));
		if (!holders->all)
			err(STATUS_FAILED, "memory");
	}
	holders->all[holders->count++] = *holder;
}

static void copy_text(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text);
}

/* A line is a key, a colon, a tab and a value. Whether it names a dataspace. */
static bool read_line(char *line, struct holder *holder)
{
	char *value = strchr(line, ':');

	if (!value)
		return false;
	*value++ = 0;
	value += strspn(value, "\t ");
	value[strcspn(value, "\n")] = 0;
	if (!strcmp(line, "ino"))
		holder->root = strtoull(value, NULL, 10);
	else if (!strcmp(line, "dataspace-length"))
		holder->length = strtoull(value, NULL, 10);
	else if (!strcmp(line, "dataspace-rights"))
		copy_text(holder->rights, sizeof(holder->rights), value);
	else if (!strcmp(line, "dataspace-state"))
		copy_text(holder->state, sizeof(holder->state), value);
	else if (!strcmp(line, "dataspace-name"))
		copy_text(holder->name, sizeof(holder->name), value);
	if (strcmp(line, "dataspace-id"))
		return false;
	holder->id = strtoull(value, NULL, 10);
	return true;
}

/* Whether the lines were those of a dataspace. */
static bool read_fdinfo(FILE *file, struct holder *holder)
{
	bool found = false;
	char line[512];

	while (fgets(line, sizeof(line), file))
		found |= read_line(line, holder);
	return found;
}

static void find_descriptors(struct holders *holders,
			     const struct holder *process)
{
	struct holder holder;
	struct dirent *entry;
	char path[64];
	DIR *folder;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", process->pid);
	folder = opendir(path);
	if (!folder)
		return;
	while ((entry = readdir(folder))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s",
			 process->pid, entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		holder = *process;
		holder.fd = atoi(entry->d_name);
		if (read_fdinfo(file, &holder))
			add(holders, &holder);
		fclose(file);
	}
	closedir(folder);
}

/* The areas of one dataspace in one process are one entry. */
static void add_mapping(struct holders *holders, const struct holder *mapping,
			size_t first)
{
	size_t i;

	for (i = first; i < holders->count; i++) {
		if (holders->all[i].id != mapping->id)
			continue;
		holders->all[i].mapped += mapping->mapped;
		return;
	}
	add(holders, mapping);
}

static void find_mappings(struct holders *holders, const struct holder *process)
{
	unsigned long long start, end, inode, id;
	size_t first = holders->count;
	struct holder holder;
	char line[512];
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", process->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%llx-%llx %*s %*s %*s %llu /dataspace:%llu",
			   &start, &end, &inode, &id) != 4)
			continue;
		holder = *process;
		holder.root = inode;
		holder.id = id;
		holder.mapped = end - start;
		add_mapping(holders, &holder, first);
	}
	fclose(file);
}

/* All but the end of the line, as there may be more than one. */
static void read_command(struct holder *process)
{
	char path[64];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", process->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	length = fread(process->command, 1, sizeof(process->command) - 1, file);
	fclose(file);
	if (length)
		process->command[length - 1] = 0;
}

static int compare(const void *first, const void *second)
{
	const struct holder *a = first, *b = second;

	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->fd < b->fd ? -1 : a->fd > b->fd;
}

void sort_holders(struct holders *holders)
{
	if (holders->count)
		qsort(holders->all, holders->count, sizeof(*holders->all),
		      compare);
}

void find_holders(struct holders *holders)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	holders->count = 0;
	if (!folder)
		err(STATUS_FAILED, "/proc");
	while ((entry = readdir(folder))) {
		struct holder process = { .fd = -1 };

		process.pid = atoi(entry->d_name);
		if (process.pid <= 0)
			continue;
		read_command(&process);
		find_mappings(holders, &process);
		find_descriptors(holders, &process);
	}
	closedir(folder);
	sort_holders(holders);
}
