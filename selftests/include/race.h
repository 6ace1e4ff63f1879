/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Takes memory away from processes or threads while they use it.
 *
 * In each round the owner of a root makes an alias of it, the grant, and sends it
 * to all users, each of which maps it. The users access the memory over and over
 * in the way that is tested. At some moment the owner revokes or seals. A while
 * later the round ends, and no user may have succeeded in anything that this
 * forbids.
 *
 * Two words of each page show that. The owner counts the rounds in the first: a
 * user knows which round its grant is of, and may read no other number. Users
 * write to the second.
 */
#ifndef DATASPACE_RACE_H
#define DATASPACE_RACE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define RACE_USERS_MAX 4

/* Pages of a grant, and where the two words are in each of them. */
#define GRANT_PAGES 16
#define WORD_ROUND 0
#define WORD_WRITTEN 1

/* What the owner writes to the words after it has revoked or sealed. */
#define WORD_AFTER 0xdeadULL

/*
 * Shared by all processes.
 * @over: the last round that is over
 * @succeeded, @refused: how many accesses were
 * @wrong_line, @wrong_value: the line that found the first violation, and what
 *	it found; 0 if there was none
 */
struct race_result {
	__u64 over;
	__u64 succeeded;
	__u64 refused;
	__u64 wrong_line;
	__u64 wrong_value;
};

struct race_user;

/* Accesses the memory once, or a few times. */
typedef void (*race_use_fn)(struct race_user *user);

/*
 * @ds, @map: the grant of this round; @map is NULL if mapping it was refused
 * @uses: counts accesses
 * @socket: the end at which the user gets its grants
 * @owner_socket: the owner's end
 */
struct race_user {
	struct race *race;
	int ds;
	char *map;
	__u64 round;
	__u64 uses;
	int socket;
	int owner_socket;
	pthread_t thread;
	pid_t process;
};

/*
 * Set by the test:
 * @use: what the users do
 * @processes: whether the users are processes or threads
 * @root_pages: pages of the root; the grant is of the first ones
 * Set by race_start():
 * @map: the owner's mapping of the pages that are granted
 */
struct race {
	race_use_fn use;
	int nr_users;
	bool processes;
	size_t root_pages;
	struct race_result *result;
	int root;
	char *map;
	struct race_user users[RACE_USERS_MAX];
	__u64 round;
};

size_t grant_length(void);

/* 0 or -errno. */
int race_start(struct race *race);
/* 0 if all users ended well. */
int race_stop(struct race *race);

/* Begins a round with alias @grant; returns when all users have mapped it. */
int race_round_begin(struct race *race, int grant);
/* Lets the users go on for a while, of another length each time. */
void race_pause(void);
/* Ends the round; returns when all users have dropped the grant. */
void race_round_end(struct race *race);

/* Writes a word of all pages through the owner's mapping. */
void race_set(struct race *race, int word, __u64 value);
/* Whether a word of all pages is @value; if not, it is a violation. */
bool race_check(struct race *race, int word, __u64 value, int line);

/* Counts an access, or notes a violation. */
void race_succeeded(struct race_user *user);
void race_refused(struct race_user *user);
void race_wrong(struct race *race, int line, __u64 value);
/*
 * The same for the result of a call, and for the number of a round that was
 * read.
 */
void race_count(struct race_user *user, long ret, int line);
void race_compare(struct race_user *user, __u64 value, int line);

/* They access the words by a mapping or a descriptor. */
void use_load(struct race_user *user, const char *map);
void use_map(struct race_user *user, char *map);
void use_fd(struct race_user *user, int ds);
/*
 * Uses a new mapping of @ds; and a new alias, or counts the error that it is.
 */
void use_new_map(struct race_user *user, int ds, int flags);
void use_alias(struct race_user *user, int ds);

/* What users do while the owner revokes or seals. */
void use_stores(struct race_user *user);
void use_faults(struct race_user *user);
void use_descriptor(struct race_user *user);
void use_new_mappings(struct race_user *user);
void use_inherited_mappings(struct race_user *user);
void use_aliases(struct race_user *user);

/* How long a race goes on: $RACE_SECONDS, or a default. */
double race_seconds(void);

#endif
