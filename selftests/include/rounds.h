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
#ifndef DATASPACE_ROUNDS_H
#define DATASPACE_ROUNDS_H

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
struct score {
	/* the round that is over */
	__u64 over;
	/* how often something worked, and how often it was refused */
	__u64 alive;
	__u64 dead;
	/* the line of the first thing that must not be, and what was there */
	__u64 wrong_line;
	__u64 wrong_value;
};

struct user;

/* What a user does, once; returns after a moment. */
typedef void (*use_fn)(struct user *user);

struct user {
	struct rounds *rounds;
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

struct rounds {
	use_fn use;
	int nr_users;
	bool processes;
	/* how many pages the root has, of which the first are granted */
	size_t root_pages;
	/* set up by rounds_start() */
	struct score *score;
	int root;
	char *own;
	struct user users[MAX_USERS];
	__u64 round;
};

/* 0 or -errno. */
int rounds_start(struct rounds *rounds);
/* 0 if all users ended well. */
int rounds_stop(struct rounds *rounds);

/* Make alias @grant the one of the next round, and let the users begin. */
int round_begin(struct rounds *rounds, int grant);
/* Let the users go on for a moment, of another length each time. */
void round_linger(struct rounds *rounds);
/* Let the users drop the grant; returns when they have. */
void round_end(struct rounds *rounds);

/* The two words, as the holder sees them. */
void rounds_set(struct rounds *rounds, int word, __u64 value);
/* Whether a word is @value on all pages, else that is noted. */
bool rounds_check(struct rounds *rounds, int word, __u64 value, int line);

/* What users notice. */
void score_alive(struct user *user);
void score_dead(struct user *user);
void score_wrong(struct score *score, int line, __u64 value);

/* Use the words by a mapping or by a descriptor. */
void use_map(struct user *user, char *map);
void use_load(struct user *user, const char *map);
void use_fd(struct user *user, int ds);
/* A generation that was read in some other way. */
void use_value(struct user *user, __u64 value, int line);
/* Counts the result of a call: 0 or more, or one that is allowed to fail. */
void use_result(struct user *user, long ret, int line);

/* How long a race goes on: $RACE_SECONDS, or a default. */
double race_seconds(void);

#endif
