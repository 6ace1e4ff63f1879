// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The policy, which comes from the environment, and the log. A policy that cannot be
 * understood ends the program before it begins: it might hand out too much.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tool.h"
#include "preload.h"

#define VARIABLE "DATASPACE_PRELOAD_"
#define SEPARATOR ";"

struct patterns {
	char *text[MAX_PATTERNS];
	unsigned int n;
};

static struct patterns files;
static struct patterns lazy;
struct policy policy;

/* What parse.c calls. */
void usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	dprintf(STDERR_FILENO, "dataspace-preload: ");
	vdprintf(STDERR_FILENO, format, arguments);
	dprintf(STDERR_FILENO, "\nSee dataspace-preload(1).\n");
	va_end(arguments);
	_exit(STATUS_USAGE);
}

void policy_log(const char *format, ...)
{
	bool to_stderr = policy.log && !strcmp(policy.log, "-");
	int fd = STDERR_FILENO;
	int saved = errno;
	va_list arguments;
	char line[512];

	if (!policy.log)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (!to_stderr)
		fd = open(policy.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
			  0600);
	dprintf(fd, "dataspace-preload[%d]: %s\n", getpid(), line);
	if (!to_stderr)
		close(fd);
	errno = saved;
}

/* A list of words; what is not set is @otherwise. */
static void read_patterns(struct patterns *patterns, const char *variable,
			  const char *otherwise)
{
	const char *value = getenv(variable);
	char *state = NULL;
	char *text = strdup(value ? value : otherwise);
	char *word;

	if (!text)
		usage("no memory");
	for (word = strtok_r(text, SEPARATOR, &state); word;
	     word = strtok_r(NULL, SEPARATOR, &state)) {
		if (patterns->n == MAX_PATTERNS)
			usage("%s has more than %d patterns", variable,
			      MAX_PATTERNS);
		patterns->text[patterns->n++] = word;
	}
	if (!patterns->n)
		free(text);
}

/* PATTERN[:LENGTH]=RIGHTS[@OFFSET[+LENGTH]], which is taken apart in place. */
static void read_rule(struct rule *rule, char *text)
{
	char *rights = strrchr(text, '=');
	char *offset;
	char *length;

	if (!rights)
		usage("'%s' says nothing of rights", text);
	*rights++ = 0;
	rule->pattern = text;
	length = strrchr(text, ':');
	if (length) {
		*length++ = 0;
		rule->of_length = parse_size(length);
	}
	offset = strchr(rights, '@');
	if (offset) {
		*offset++ = 0;
		length = strchr(offset, '+');
		if (length) {
			*length++ = 0;
			rule->length = parse_size(length);
		}
		rule->offset = parse_size(offset);
	}
	rule->rights = parse_rights(rights);
}

static bool read_choice(const char *variable, const char *no, const char *yes)
{
	const char *value = getenv(variable);

	if (!value || !strcmp(value, no))
		return false;
	if (strcmp(value, yes))
		usage("%s is '%s' or '%s'", variable, no, yes);
	return true;
}

__attribute__((constructor)) static void read_policy(void)
{
	struct patterns texts = { .n = 0 };
	unsigned int i;

	read_patterns(&files, VARIABLE "FILES", "/memfd:*");
	read_patterns(&lazy, VARIABLE "LAZY", "");
	read_patterns(&texts, VARIABLE "SEND", "");
	for (i = 0; i < texts.n; i++)
		read_rule(&policy.rules[i], texts.text[i]);
	policy.nr_rules = texts.n;
	policy.lenient = read_choice(VARIABLE "SEALS", "truthful", "lenient");
	policy.vhost_user =
		read_choice(VARIABLE "PROTOCOL", "any", "vhost-user");
	policy.log = getenv(VARIABLE "LOG");
}

static bool matches(const struct patterns *patterns, const char *path)
{
	unsigned int i;

	for (i = 0; i < patterns->n; i++)
		if (!fnmatch(patterns->text[i], path, 0))
			return true;
	return false;
}

bool policy_takes(const char *path)
{
	return matches(&files, path);
}

bool policy_is_lazy(const char *path)
{
	return matches(&lazy, path);
}

const struct rule *policy_rule(const char *name, uint64_t length)
{
	unsigned int i;

	for (i = 0; i < policy.nr_rules; i++)
		if (!fnmatch(policy.rules[i].pattern, name, 0) &&
		    (!policy.rules[i].of_length ||
		     policy.rules[i].of_length == length))
			return &policy.rules[i];
	return NULL;
}
