// SPDX-License-Identifier: GPL-2.0-only
/* Reading and writing: rule 20. */
#include "operation.h"

#include <string.h>

#include "common.h"

static const char text[] = "written while memory runs out";

static long run_pread(struct fixture *fixture)
{
	__u64 words[1024];

	return result(pread(fixture->alias, words, sizeof(words), 0));
}

static long run_pwrite(struct fixture *fixture)
{
	return result(pwrite(fixture->alias, text, sizeof(text), 64));
}

static bool text_is_written(struct fixture *fixture)
{
	return !memcmp((char *)fixture->view + ALIAS_FIRST * page_size() + 64,
		       text, sizeof(text));
}

static bool have_pipe(struct fixture *fixture)
{
	int ends[2];

	if (pipe(ends))
		return false;
	fixture->fd = ends[0];
	fixture->other = ends[1];
	return true;
}

static long run_splice(struct fixture *fixture)
{
	return result(splice(fixture->alias, NULL, fixture->other, NULL,
			     4 * page_size(), 0));
}

static bool pipe_has_pattern(struct fixture *fixture)
{
	__u64 word = 0;

	return read(fixture->fd, &word, sizeof(word)) == sizeof(word) &&
	       word == *(__u64 *)((char *)fixture->view +
				  ALIAS_FIRST * page_size());
}

static bool have_text_in_pipe(struct fixture *fixture)
{
	return have_pipe(fixture) &&
	       write(fixture->other, text, sizeof(text)) == sizeof(text);
}

/* At the file's position: to copy an offset back could fail afterwards. */
static long run_splice_into(struct fixture *fixture)
{
	long ret;

	lseek(fixture->alias, 64, SEEK_SET);
	ret = splice(fixture->fd, NULL, fixture->alias, NULL, sizeof(text), 0);
	return result(ret);
}

const struct operation op_pread = {
	.run = run_pread,
};

const struct operation op_pwrite = {
	.run = run_pwrite,
	.works = text_is_written,
};

const struct operation op_splice = {
	.prepare = have_pipe,
	.run = run_splice,
	.works = pipe_has_pattern,
	.least = 1,
};

const struct operation op_splice_into = {
	.prepare = have_text_in_pipe,
	.run = run_splice_into,
	.works = text_is_written,
	.least = 1,
};
