// SPDX-License-Identifier: GPL-2.0-only
/*
 * As the program fsx does with a file: random reads, writes and holes, by the
 * descriptor and by a mapping, through two aliases that overlap on both sides of the
 * border of two huge pages, are compared with a copy of what has to be there: rules 5,
 * 7, 20 and 30.
 *
 * A difference is printed with its step. SEED=<number> in the environment repeats a
 * run, STEPS=<number> makes it shorter or longer (VM_APPEND for run.sh).
 */
#include <kselftest_harness.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "lazy.h"

#define STEPS 20000
#define BYTES_MAX (48 << 10)
#define PARTS 2

/* How many pages on each side of the border both aliases have. */
#define OVERLAP 32

/* An alias, and where in the root it begins. */
struct part {
	int ds;
	size_t first;
	size_t length;
	char *map;
};

struct file {
	bool lazy;
	struct part parts[PARTS];
	/* what has to be there */
	char *wanted;
	/* where the bytes come from that are written */
	char *noise;
	/* what was read */
	char *buffer;
	unsigned int seed;
};

/* A range of a part, and what the root has to have there. */
struct range {
	struct part *part;
	size_t offset;
	size_t bytes;
	char *wanted;
};

FIXTURE(fsx)
{
	size_t length;
	int root;
	struct file file;
};

FIXTURE_VARIANT(fsx)
{
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(fsx, contiguous) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(fsx, scattered) {
	.flags = DATASPACE_ALLOC_SCATTERED,
};

FIXTURE_VARIANT_ADD(fsx, lazy) {
	.flags = DATASPACE_ALLOC_LAZY,
};

/* clang-format on */

static bool open_part(struct part *part, int root, size_t first, size_t end)
{
	part->first = first;
	part->length = end - first;
	part->ds = ds_alias(root, first, part->length, RIGHTS_RW);
	part->map = ds_map(part->ds, part->length, READ_WRITE);
	return part->map != MAP_FAILED;
}

FIXTURE_SETUP(fsx)
{
	const size_t overlap = OVERLAP * page_size();
	struct file *file = &self->file;
	const size_t unit = huge_size();
	size_t i;

	self->length = 2 * unit;
	self->root = ds_alloc(self->length, RIGHTS_RW, variant->flags);
	ASSERT_LE(0, self->root);
	ASSERT_TRUE(open_part(&file->parts[0], self->root, 0, unit + overlap));
	ASSERT_TRUE(open_part(&file->parts[1], self->root, unit - overlap,
			      self->length));
	file->lazy = variant->flags & DATASPACE_ALLOC_LAZY;
	file->seed = random_seed();
	file->wanted = calloc(1, self->length);
	file->noise = malloc(2 * BYTES_MAX);
	file->buffer = malloc(self->length);
	ASSERT_TRUE(file->wanted && file->noise && file->buffer);
	for (i = 0; i < 2 * BYTES_MAX; i++)
		file->noise[i] = rand_r(&file->seed);
}

FIXTURE_TEARDOWN(fsx)
{
	int i;

	for (i = 0; i < PARTS; i++) {
		munmap(self->file.parts[i].map, self->file.parts[i].length);
		close(self->file.parts[i].ds);
	}
	close(self->root);
	free(self->file.wanted);
	free(self->file.noise);
	free(self->file.buffer);
}

static size_t below(struct file *file, size_t limit)
{
	return rand_r(&file->seed) % limit;
}

static bool is_wanted(const struct range *range, const char *bytes)
{
	return !memcmp(bytes, range->wanted, range->bytes);
}

static void make_noise(struct file *file, struct range *range)
{
	memcpy(range->wanted, file->noise + below(file, BYTES_MAX),
	       range->bytes);
}

/* Punching, filling and forgetting are for whole pages. */
static void in_pages(struct range *range)
{
	const size_t before = range->offset % page_size();

	range->offset -= before;
	range->wanted -= before;
	range->bytes += before + page_size() - 1;
	range->bytes -= range->bytes % page_size();
}

static bool do_read(struct file *file, struct range *range)
{
	return pread(range->part->ds, file->buffer, range->bytes,
		     range->offset) == (ssize_t)range->bytes &&
	       is_wanted(range, file->buffer);
}

static bool do_write(struct file *file, struct range *range)
{
	make_noise(file, range);
	return pwrite(range->part->ds, range->wanted, range->bytes,
		      range->offset) == (ssize_t)range->bytes;
}

static bool do_load(struct file *file, struct range *range)
{
	return is_wanted(range, range->part->map + range->offset);
}

static bool do_store(struct file *file, struct range *range)
{
	make_noise(file, range);
	memcpy(range->part->map + range->offset, range->wanted, range->bytes);
	return true;
}

static bool do_punch(struct file *file, struct range *range)
{
	int ret;

	in_pages(range);
	ret = ds_punch(range->part->ds, range->offset, range->bytes);
	if (!file->lazy)
		return ret == -EOPNOTSUPP;
	memset(range->wanted, 0, range->bytes);
	return ret == 0;
}

static bool do_fill(struct file *file, struct range *range)
{
	in_pages(range);
	return ds_fill(range->part->ds, range->offset, range->bytes) == 0;
}

static bool do_forget(struct file *file, struct range *range)
{
	in_pages(range);
	return madvise(range->part->map + range->offset, range->bytes,
		       MADV_DONTNEED) == 0;
}

static bool do_map_anew(struct file *file, struct range *range)
{
	struct part *part = range->part;

	munmap(part->map, part->length);
	part->map = ds_map(part->ds, part->length, READ_WRITE);
	return part->map != MAP_FAILED;
}

static const struct {
	const char *name;
	bool (*run)(struct file *file, struct range *range);
} operations[] = {
	{ "read", do_read },	 { "write", do_write },
	{ "load", do_load },	 { "store", do_store },
	{ "punch", do_punch },	 { "fill", do_fill },
	{ "forget", do_forget }, { "map anew", do_map_anew },
};

/* Most ranges begin in the half of what both aliases have that is before the border. */
static struct range choose_range(struct file *file)
{
	struct part *part = &file->parts[below(file, PARTS)];
	struct range range = { .part = part };

	range.bytes = 1 + below(file, BYTES_MAX);
	if (below(file, 8))
		range.offset = file->parts[1].first - part->first +
			       below(file, OVERLAP * page_size());
	else
		range.offset = below(file, part->length - range.bytes);
	range.wanted = file->wanted + part->first + range.offset;
	return range;
}

static bool run_step(struct file *file, long step)
{
	const size_t i = below(file, ARRAY_LENGTH(operations));
	struct range range = choose_range(file);

	if (operations[i].run(file, &range))
		return true;
	fprintf(stderr, "# step %ld: %s of %zu bytes at %zu by alias %td\n",
		step, operations[i].name, range.bytes, range.offset,
		range.part - file->parts);
	return false;
}

static bool is_all_wanted(struct file *file, int i)
{
	struct range range = {
		.part = &file->parts[i],
		.bytes = file->parts[i].length,
		.wanted = file->wanted + file->parts[i].first,
	};

	return do_read(file, &range) && do_load(file, &range);
}

/* rules 5, 7, 20 and 30 */
TEST_F_TIMEOUT(fsx, aliases_agree_about_every_byte, LONG_TIMEOUT)
{
	const char *given = getenv("STEPS");
	long steps = given ? atol(given) : STEPS;
	long step;
	int i;

	for (step = 0; step < steps; step++)
		ASSERT_TRUE(run_step(&self->file, step));
	for (i = 0; i < PARTS; i++)
		EXPECT_TRUE(is_all_wanted(&self->file, i));
}

TEST_HARNESS_MAIN
