// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes programs. Each argument of a call has a pool of values; now and then
 * the value comes from the pool of those that are wrong nearly everywhere.
 */
#include "program.h"

#include <string.h>

#include "common.h"

#define PAGE 4096ULL
#define HUGE_PAGE (512 * PAGE)

struct pool {
	char letter;
	size_t count;
	const __u64 *values;
};

#define POOL(letter, ...)                                         \
	{                                                         \
		letter, ARRAY_LENGTH(((__u64[]){ __VA_ARGS__ })), \
			(const __u64[])                           \
		{                                                 \
			__VA_ARGS__                               \
		}                                                 \
	}

static const struct pool wild = POOL('w', 0, 1, 3, 7, 8, 255, PAGE - 1,
				     PAGE + 1, HUGE_PAGE - 1, 1ULL << 30,
				     1ULL << 31, 1ULL << 32, 1ULL << 40,
				     (1ULL << 62) - PAGE, 1ULL << 62,
				     1ULL << 63, -HUGE_PAGE, -PAGE, -1ULL);

/* The letters are those of the kinds of calls in calls.c. */
static const struct pool pools[] = {
	/* lengths and offsets in bytes, alignments */
	POOL('l', PAGE, PAGE, 2 * PAGE, 3 * PAGE, 8 * PAGE, 16 * PAGE,
	     HUGE_PAGE - PAGE, HUGE_PAGE, HUGE_PAGE, HUGE_PAGE + PAGE,
	     2 * HUGE_PAGE, 3 * HUGE_PAGE),
	POOL('o', 0, 0, 0, PAGE, 2 * PAGE, 5 * PAGE, 8 * PAGE, HUGE_PAGE - PAGE,
	     HUGE_PAGE, HUGE_PAGE + PAGE),
	POOL('a', 0, 0, 0, 0, PAGE, HUGE_PAGE, 2 * HUGE_PAGE, 3 * PAGE,
	     1ULL << 40),
	/* rights, flags of the module, forms of a structure, commands */
	POOL('r', RIGHTS_R, RIGHTS_RW, RIGHTS_RW, RIGHTS_RW, RIGHTS_RX,
	     RIGHTS_RWX, 0, 8),
	POOL('f', 0, 0, 0, 0, 1, 2),
	POOL('s', 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6),
	POOL('c', 0, 1, 2, 3, 4, 5, 6, 7, 8, 0xff),
	/* of the kernel: protections, flags, advice; where a buffer is */
	POOL('p', PROT_READ, READ_WRITE, READ_WRITE, PROT_NONE,
	     PROT_READ | PROT_EXEC, PROT_WRITE | PROT_EXEC),
	POOL('m', MAP_SHARED, MAP_SHARED, MAP_SHARED | MAP_POPULATE,
	     MAP_PRIVATE, MAP_PRIVATE | MAP_POPULATE, MAP_SHARED | MAP_LOCKED,
	     MAP_SHARED_VALIDATE | MAP_SYNC),
	POOL('d', 0, 1, 2, 3, 4, 4, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
	     19, 20, 21, 22, 23, 25),
	POOL('b', 0, 0, 0, 1, 1, 2, 3),
	POOL('n', 0, 1, 2, 3, 4, 5, 6, 7),
};

__u64 source_next(struct source *source)
{
	source->state ^= source->state >> 12;
	source->state ^= source->state << 25;
	source->state ^= source->state >> 27;
	return source->state * 0x2545f4914f6cdd1dULL;
}

__u32 source_below(struct source *source, __u32 limit)
{
	return (source_next(source) >> 32) % limit;
}

static const struct pool *pool_of(char letter)
{
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(pools); i++) {
		if (pools[i].letter == letter)
			return &pools[i];
	}
	return &wild;
}

static __u64 some_value(struct source *source, char letter)
{
	const struct pool *pool = source_below(source, 24) ? pool_of(letter) :
							     &wild;

	return pool->values[source_below(source, pool->count)];
}

static void call_make(struct call *call, struct source *source)
{
	const char *letters;
	int i;

	memset(call, 0, sizeof(*call));
	call->kind = source_below(source, call_kinds_count);
	call->fd = source_below(source, SLOTS);
	call->map = source_below(source, SLOTS);
	call->made = source_below(source, SLOTS);
	letters = call_kinds[call->kind].letters;
	for (i = 0; letters[i]; i++)
		call->arg[i] = some_value(source, letters[i]);
}

static void call_change(struct call *call, struct source *source)
{
	const char *letters = call_kinds[call->kind].letters;
	__u32 what = source_below(source, 3 + strlen(letters));

	if (what == 0)
		call->fd = source_below(source, SLOTS);
	else if (what == 1)
		call->map = source_below(source, SLOTS);
	else if (what == 2)
		call->made = source_below(source, SLOTS);
	else
		call->arg[what - 3] = some_value(source, letters[what - 3]);
}

/* Every third program has a part that two threads run. */
static void divide(struct program *program, struct source *source)
{
	program->common = program->length;
	program->apart = program->length;
	if (program->length < 3 || source_below(source, 3))
		return;
	program->common = source_below(source, program->length - 1);
	program->apart =
		program->common +
		source_below(source, program->length - program->common);
}

/*
 * A program begins with a root, an alias and a mapping, or most calls would
 * fail.
 */
static void begin(struct program *program)
{
	program->calls[0] = (struct call){
		.kind = call_kind("alloc"),
		.made = 1,
		.arg = { HUGE_PAGE, 0, RIGHTS_RW, 0, 0 },
	};
	program->calls[1] = (struct call){
		.kind = call_kind("alias"),
		.fd = 1,
		.made = 2,
		.arg = { PAGE, 8 * PAGE, RIGHTS_RW, 0, 0 },
	};
	program->calls[2] = (struct call){
		.kind = call_kind("mmap"),
		.fd = 2,
		.arg = { 0, 8 * PAGE, READ_WRITE, MAP_SHARED },
	};
}

void program_make(struct program *program, struct source *source)
{
	__u32 i;

	memset(program, 0, sizeof(*program));
	begin(program);
	program->length = 4 + source_below(source, CALLS_MAX - 3);
	for (i = 3; i < program->length; i++)
		call_make(&program->calls[i], source);
	divide(program, source);
}

static void insert_call(struct program *program, struct source *source)
{
	__u32 at = source_below(source, program->length + 1);

	if (program->length == CALLS_MAX)
		return;
	memmove(&program->calls[at + 1], &program->calls[at],
		(program->length - at) * sizeof(program->calls[0]));
	program->length++;
	call_make(&program->calls[at], source);
}

static void remove_call(struct program *program, struct source *source)
{
	__u32 at = source_below(source, program->length);

	if (program->length == 1)
		return;
	program->length--;
	memmove(&program->calls[at], &program->calls[at + 1],
		(program->length - at) * sizeof(program->calls[0]));
}

/* Takes the end of another program. */
static void splice_programs(struct program *program,
			    const struct program *other, struct source *source)
{
	__u32 at = source_below(source, program->length + 1);
	__u32 from = source_below(source, other->length);
	__u32 count = other->length - from;

	if (count > CALLS_MAX - at)
		count = CALLS_MAX - at;
	memcpy(&program->calls[at], &other->calls[from],
	       count * sizeof(program->calls[0]));
	program->length = at + count;
}

static void change_once(struct program *program, const struct program *other,
			struct source *source)
{
	__u32 at = source_below(source, program->length);

	switch (source_below(source, 6)) {
	case 0:
		splice_programs(program, other, source);
		break;
	case 1:
		remove_call(program, source);
		break;
	case 2:
	case 3:
		insert_call(program, source);
		break;
	default:
		call_change(&program->calls[at], source);
	}
}

void program_mutate(struct program *program, const struct program *other,
		    struct source *source)
{
	__u32 changes = 1 + source_below(source, 4);

	while (changes--)
		change_once(program, other, source);
	divide(program, source);
}

bool program_is_valid(const struct program *program)
{
	__u32 i;

	for (i = 0; i < program->length && i < CALLS_MAX; i++) {
		const struct call *call = &program->calls[i];

		if (call->kind >= call_kinds_count || call->fd >= SLOTS ||
		    call->map >= SLOTS || call->made >= SLOTS)
			return false;
	}
	return program->length && program->length <= CALLS_MAX &&
	       program->common <= program->apart &&
	       program->apart <= program->length;
}

static void call_print(const struct call *call, FILE *out)
{
	const struct call_kind *kind = &call_kinds[call->kind];
	int i;

	fprintf(out, " %s(fd%u,map%u,->%u", kind->name, call->fd, call->map,
		call->made);
	for (i = 0; kind->letters[i]; i++)
		fprintf(out, ",%#llx", call->arg[i]);
	fprintf(out, ")");
}

void program_print(const struct program *program, FILE *out)
{
	__u32 i;

	for (i = 0; i < program->length; i++) {
		if (i == program->common)
			fprintf(out, " {");
		if (i == program->apart)
			fprintf(out, " |");
		call_print(&program->calls[i], out);
	}
	fprintf(out, "\n");
}
