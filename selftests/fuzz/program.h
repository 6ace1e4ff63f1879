/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Short random programs of system calls on dataspaces.
 *
 * A call takes descriptors and mappings from slots, and puts into slots what it
 * makes; the first descriptor is always the device. All other arguments are
 * numbers, most of which make sense. Any program can be run: where a slot is
 * empty the call fails.
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
 * @fd, @map: the slots of what it uses
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
 * A second thread makes the calls from @apart on at the same time as the first
 * one makes those from @common on; the calls before that are made by the first
 * thread alone.
 */
struct program {
	__u32 length;
	__u32 common;
	__u32 apart;
	struct call calls[CALLS_MAX];
};

/* @letters: the pool of values of each argument */
struct call_kind {
	const char *name;
	void (*run)(const struct call *call);
	const char *letters;
};

/* calls.c */
extern const struct call_kind call_kinds[];
extern const size_t call_kinds_count;

/* The index of the kind with that name. */
__u8 call_kind(const char *name);
/* To be called once before the first program is run; 0 or -errno. */
int programs_init(void);
/* Runs a program, and closes and unmaps what it has made. */
void program_run(const struct program *program);

/* program.c: random numbers that depend only on the seed */
struct source {
	__u64 state;
};

__u64 source_next(struct source *source);
/* A number below @limit, which is not 0. */
__u32 source_below(struct source *source, __u32 limit);

void program_make(struct program *program, struct source *source);
/* Changes a program a little, perhaps with a part of @other. */
void program_mutate(struct program *program, const struct program *other,
		    struct source *source);
/* Whether this is a program, and not just some bytes. */
bool program_is_valid(const struct program *program);
void program_print(const struct program *program, FILE *out);

#endif
