/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Short programs of system calls on dataspaces, made at random.
 *
 * A call takes what it works on from slots, descriptors and mappings, and leaves
 * there what it makes; the first descriptor is always the device. All else are
 * numbers, most of which make sense. Any program can be run: where a slot is
 * empty, the call just fails.
 */
#ifndef DATASPACE_PROGRAM_H
#define DATASPACE_PROGRAM_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/types.h>

#define SLOTS 6
#define CALLS_MAX 24
#define ARGUMENTS 5

/*
 * @kind: index in call_kinds
 * @fd, @map: the slots that it works on
 * @made: the slot for what it makes
 */
struct call {
	__u8 kind;
	__u8 fd;
	__u8 map;
	__u8 made;
	__u64 arg[ARGUMENTS];
};

/*
 * The calls from @apart on are made by a second thread at the same time as those
 * between @common and @apart; what is before that by one alone.
 */
struct program {
	__u32 length;
	__u32 common;
	__u32 apart;
	struct call calls[CALLS_MAX];
};

/*
 * @letters: for each argument, the pool that its values are from
 */
struct call_kind {
	const char *name;
	void (*run)(const struct call *call);
	const char *letters;
};

/* calls.c */
extern const struct call_kind call_kinds[];
extern const size_t call_kinds_count;

/* The index of the kind of that name. */
__u8 call_kind(const char *name);
/* Once, before the first is run; 0 or -errno. */
int programs_init(void);
/* Run it, and undo all that it has done. */
void program_run(const struct program *program);

/* program.c: random numbers that depend on nothing but the seed */
struct source {
	__u64 state;
};

__u64 source_next(struct source *source);
/* A number below @limit, which is not 0. */
__u32 source_below(struct source *source, __u32 limit);

void program_make(struct program *program, struct source *source);
/* Change it a little; @other is one that it may take a part of. */
void program_mutate(struct program *program, const struct program *other,
		    struct source *source);
/* Whether it is one, or just some bytes. */
bool program_is_valid(const struct program *program);
void program_print(const struct program *program, FILE *out);

#endif
