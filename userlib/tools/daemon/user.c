// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What each user has, and how much that may be.
 *
 * All things are paid for in descriptors of this process, too: those that it has
 * open, and those that are on their way to clients, which the kernel limits to the
 * same number.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "broker.h"

struct limits limits = { 256 << 20, 1ULL << 30, 64 };

/* A client may have two answers unread. A name is counted to limit memory. */
static const unsigned int descriptors[THINGS] = {
	[CLIENTS] = 3, [MEMORIES] = 2, [NAMES] = 1, [LOANS] = 1, [THREADS] = 3,
};

/* For what is open for a moment, or always. */
#define RESERVE 32

static LIST_HEAD(, user) users;
static uint64_t bytes_of_all;
static rlim_t free_descriptors;

void users_init(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur <= RESERVE)
		errx(EXIT_FAILURE, "RLIMIT_NOFILE is too small");
	free_descriptors = limit.rlim_cur - RESERVE;
}

static struct user *user_of(uid_t uid)
{
	struct user *user;

	LIST_FOREACH(user, &users, link)
		if (user->uid == uid)
			return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	LIST_INSERT_HEAD(&users, user, link);
	return user;
}

static void forget_if_unused(struct user *user)
{
	unsigned int i;

	for (i = 0; i < THINGS; i++)
		if (user->counts[i])
			return;
	LIST_REMOVE(user, link);
	free(user);
}

int user_take(struct user *user, enum thing thing, uint64_t bytes)
{
	if (user->counts[thing] >= limits.number ||
	    bytes > limits.bytes - user->bytes ||
	    bytes > limits.total - bytes_of_all ||
	    descriptors[thing] > free_descriptors) {
		forget_if_unused(user);
		return -EDQUOT;
	}
	user->counts[thing]++;
	user->bytes += bytes;
	bytes_of_all += bytes;
	free_descriptors -= descriptors[thing];
	return 0;
}

struct user *user_enter(uid_t uid, enum thing thing)
{
	struct user *user = user_of(uid);

	return user && !user_take(user, thing, 0) ? user : NULL;
}

void user_give(struct user *user, enum thing thing, uint64_t bytes)
{
	user->counts[thing]--;
	user->bytes -= bytes;
	bytes_of_all -= bytes;
	free_descriptors += descriptors[thing];
	forget_if_unused(user);
}
