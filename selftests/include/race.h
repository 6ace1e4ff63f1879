/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One who takes memory away, against many who use it meanwhile.
 *
 * In each round a grant is made and sent to all users, each of which has the
 * memory by a descriptor of its own. They use it over and over, in the way that
 * is tested. At some moment the grant's holder strikes. A while later the round
 * ends, and nobody must have noticed anything that the strike forbids.
 *
 * Two words tell. The holder counts the generation in one: a user knows which
 * generation its grant is of, and sees no other. Users write to the other.
 */
#ifndef DATASPACE_RACE_H
#define DATASPACE_RACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define MAX_USERS 4

/* Pages of a grant, and where the two words are in each of them. */
#define GRANT_PAGES 16
#define WORD_GENERATION 0
#define WORD_WRITTEN 1

/* Shared by all, in whatever process. */
struct race_result {
	/* the round that is over */
	__u64 over;
	/* how often something worked, and how often it was refused */
	__u64 succeeded;
	__u64 refused;
	/* the line of the first thing that must not be, and what was there */
	__u64 wrong_line;
	__u64 wrong_value;
};

struct race_user;

/* What a user does, once; returns after a moment. */
typedef void (*use_fn)(struct race_user *user);

struct race_user {
	struct race *race;
	/* the grant of this round, and a mapping of it */
	int ds;
	char *map;
	__u64 round;
	__u64 uses;
	/* where the grants come from */
	int socket;
	int holder_socket;
	pthread_t thread;
	pid_t process;
};

struct race {
	use_fn use;
	int nr_users;
	bool processes;
	/* how many pages the root has, of which the first are granted */
	size_t root_pages;
	/* set up by race_start() */
	struct race_result *result;
	int root;
	char *own;
	struct race_user users[MAX_USERS];
	__u64 round;
};

/* 0 or -errno. */
int race_start(struct race *race);
/* 0 if all users ended well. */
int race_stop(struct race *race);

/* Make alias @grant the one of the next round, and let the users begin. */
int race_round_begin(struct race *race, int grant);
/* Let the users go on for a moment, of another length each time. */
void race_pause(struct race *race);
/* Let the users drop the grant; returns when they have. */
void race_round_end(struct race *race);

/* The two words, as the holder sees them. */
void race_set(struct race *race, int word, __u64 value);
/* Whether a word is @value on all pages, else that is noted. */
bool race_check(struct race *race, int word, __u64 value, int line);

/* What users notice. */
void race_succeeded(struct race_user *user);
void race_refused(struct race_user *user);
void race_wrong(struct race_result *result, int line, __u64 value);

/* Use the words by a mapping or by a descriptor. */
void use_map(struct race_user *user, char *map);
void use_load(struct race_user *user, const char *map);
void use_fd(struct race_user *user, int ds);
/* A generation that was read in some other way. */
void use_value(struct race_user *user, __u64 value, int line);
/* Counts the result of a call: 0 or more, or one that is allowed to fail. */
void use_result(struct race_user *user, long ret, int line);

/* How long a race goes on: $RACE_SECONDS, or a default. */
double race_seconds(void);

#endif
