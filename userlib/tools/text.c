// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Text that others have chosen, such as the names of processes, for a terminal and
 * as JSON. What is printed is ASCII: no byte of it can be a command to a terminal.
 */
#include "tool.h"

/* What stands for bytes that are no UTF-8. */
#define REPLACEMENT 0xfffd

const char *escaped(const char *text)
{
	static char buffers[4][256];
	static unsigned int turn;
	char *buffer = buffers[turn++ % 4];
	char *to = buffer;

	/* Of a byte there are at most four, and there is the end. */
	for (; *text && to < buffer + sizeof(buffers[0]) - 4; text++) {
		if (*text >= ' ' && *text <= '~' && *text != '\\')
			*to++ = *text;
		else
			to += sprintf(to, "\\%03o", (unsigned char)*text);
	}
	*to = 0;
	return buffer;
}

/* The first character of @text, which has @used bytes. */
static uint32_t decode(const char *text, size_t *used)
{
	static const uint32_t smallest[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned char first = *text;
	unsigned int more = (first >= 0xc0) + (first >= 0xe0) + (first >= 0xf0);
	uint32_t character = more ? first & 0x3f >> more : first;
	unsigned int i;

	*used = 1;
	if (first >= 0xf8 || (first >= 0x80 && !more))
		return REPLACEMENT;
	for (i = 1; i <= more; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return REPLACEMENT;
		character = character << 6 | (text[i] & 0x3f);
	}
	if (character < smallest[more] || character > 0x10ffff ||
	    (character >= 0xd800 && character < 0xe000))
		return REPLACEMENT;
	*used = 1 + more;
	return character;
}

void print_json_string(const char *text, size_t length)
{
	const char *end = text + length;
	uint32_t character;
	size_t used;

	putchar('"');
	for (; text < end; text += used) {
		character = decode(text, &used);
		if (character == '"' || character == '\\')
			printf("\\%c", (char)character);
		else if (character >= ' ' && character <= '~')
			putchar(character);
		else if (character <= 0xffff)
			printf("\\u%04x", character);
		else
			printf("\\u%04x\\u%04x", 0xd7c0 + (character >> 10),
			       0xdc00 + (character & 0x3ff));
	}
	putchar('"');
}
