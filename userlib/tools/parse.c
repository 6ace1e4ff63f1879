// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Sizes and rights, as people write them.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "tool.h"

static const struct {
	const char *name;
	uint32_t rights;
} known_rights[] = {
	{ "read", DATASPACE_READ },	{ "write", DATASPACE_WRITE },
	{ "exec", DATASPACE_EXEC },	{ "map", DATASPACE_MAP },
	{ "derive", DATASPACE_DERIVE }, { "export", DATASPACE_EXPORT },
	{ "ro", DATASPACE_RO },		{ "rw", DATASPACE_RW },
};

/* Those that are one right each come first. */
#define SINGLE_RIGHTS 6
#define KNOWN_RIGHTS (sizeof(known_rights) / sizeof(known_rights[0]))

static unsigned int shift_of(const char *unit)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (!*unit)
		return 0;
	letter = strchr(letters, toupper((unsigned char)*unit));
	if (!letter || (unit[1] && strcasecmp(unit + 1, "iB")))
		usage("'%s' is not one of the units K, M, G and T", unit);
	return 10 * (letter - letters + 1);
}

uint64_t parse_size(const char *text)
{
	unsigned int shift;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoumax(text, &end, 0);
	if (!isdigit((unsigned char)*text) || errno)
		usage("'%s' is not a size", text);
	shift = shift_of(end);
	if (value > UINT64_MAX >> shift)
		usage("%s is too much", text);
	return value << shift;
}

static uint32_t parse_right(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < KNOWN_RIGHTS; i++)
		if (strlen(known_rights[i].name) == length &&
		    !strncmp(known_rights[i].name, text, length))
			return known_rights[i].rights;
	usage("'%.*s' is not a right", (int)length, text);
}

uint32_t parse_rights(const char *text)
{
	uint32_t rights = 0;
	size_t length;

	do {
		length = strcspn(text, ",");
		rights |= parse_right(text, length);
		text += length;
	} while (*text++);
	return rights;
}

void print_rights(FILE *stream, uint32_t rights, const char *separator)
{
	const char *before = "";
	size_t i;

	for (i = 0; i < SINGLE_RIGHTS; i++) {
		if (!(rights & known_rights[i].rights))
			continue;
		fprintf(stream, "%s%s", before, known_rights[i].name);
		before = separator;
	}
}

const char *readable(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	static char buffers[4][32];
	static unsigned int turn;
	char *buffer = buffers[turn++ % 4];
	unsigned int unit = 0;

	while (unit < 4 && bytes && !(bytes % 1024)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, sizeof(buffers[0]), "%" PRIu64 " %s", bytes,
		 units[unit]);
	return buffer;
}
