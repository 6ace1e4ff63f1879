// SPDX-License-Identifier: GPL-2.0-only
/* Memory that appears when it is touched: rule 30. */
#define _GNU_SOURCE
#include "operation.h"

#include <signal.h>

#include "common.h"
#include "lazy.h"
#include "sigbus.h"

#define WORD 0x1122334455667788ULL

static bool have_hole_of(struct fixture *fixture, size_t length)
{
	fixture->length = length;
	fixture->fd = lazy_alloc(fixture->length);
	fixture->map = ds_map(fixture->fd, fixture->length, READ_WRITE);
	return fixture->map != MAP_FAILED;
}

static bool have_hole(struct fixture *fixture)
{
	return have_hole_of(fixture, huge_size());
}

/* There is nothing smaller to make do with. */
static bool have_hole_of_a_page(struct fixture *fixture)
{
	return have_hole_of(fixture, page_size());
}

static bool have_pages(struct fixture *fixture)
{
	return have_hole(fixture) &&
	       !ds_fill(fixture->fd, 0, fixture->length) &&
	       !try_store(fixture->map, WORD);
}

static bool word_is_there(struct fixture *fixture)
{
	__u64 *words = fixture->map;

	return words[0] == WORD && !words[1] && ds_resident(fixture->fd) > 0;
}

static long run_store(struct fixture *fixture)
{
	return -try_store(fixture->map, WORD);
}

static long run_write(struct fixture *fixture)
{
	const __u64 word = WORD;

	return result(pwrite(fixture->fd, &word, sizeof(word), 0));
}

static long run_fill(struct fixture *fixture)
{
	return ds_fill(fixture->fd, 0, fixture->length);
}

static bool all_is_there(struct fixture *fixture)
{
	return ds_resident(fixture->fd) == fixture->length &&
	       bytes_are(fixture->map, fixture->length, 0);
}

static long run_punch(struct fixture *fixture)
{
	return ds_punch(fixture->fd, 0, page_size());
}

static bool first_page_is_zero(struct fixture *fixture)
{
	return bytes_are(fixture->map, page_size(), 0);
}

const struct operation op_lazy_store = {
	.prepare = have_hole,
	.run = run_store,
	.works = word_is_there,
	.least = 2,
	.errors = { SIGBUS },
};

const struct operation op_lazy_store_to_a_page = {
	.prepare = have_hole_of_a_page,
	.run = run_store,
	.works = word_is_there,
	.least = 2,
	.errors = { SIGBUS },
};

const struct operation op_lazy_write = {
	.prepare = have_hole,
	.run = run_write,
	.works = word_is_there,
	.least = 2,
};

const struct operation op_lazy_fill = {
	.prepare = have_hole,
	.run = run_fill,
	.works = all_is_there,
	.least = 2,
};

const struct operation op_lazy_punch = {
	.prepare = have_pages,
	.run = run_punch,
	.works = first_page_is_zero,
};
