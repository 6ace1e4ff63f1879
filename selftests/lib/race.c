// SPDX-License-Identifier: GPL-2.0-only
/* The users are threads, or processes, that get each grant over a socket. */
#include "race.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "fdpass.h"
#include "sigbus.h"

static size_t grant_length(void)
{
	return GRANT_PAGES * page_size();
}

static __u64 *word_at(const char *map, size_t page, int word)
{
	return (__u64 *)(map + page * page_size()) + word;
}

static void count(__u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void race_succeeded(struct race_user *user)
{
	count(&user->race->result->succeeded);
}

/* Those that are refused try on, but leave the processor to others. */
void race_refused(struct race_user *user)
{
	count(&user->race->result->refused);
	usleep(50);
}

void race_wrong(struct race_result *result, int line, __u64 value)
{
	__u64 none = 0;

	if (__atomic_compare_exchange_n(&result->wrong_line, &none, line, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		result->wrong_value = value;
}

/* All ways to be refused that the contract knows for what is used here. */
void use_result(struct race_user *user, long ret, int line)
{
	if (ret >= 0)
		race_succeeded(user);
	else if (ret == -ESTALE || ret == -EPERM)
		race_refused(user);
	else
		race_wrong(user->race->result, line, -ret);
}

void use_value(struct race_user *user, __u64 value, int line)
{
	if (value != user->round)
		race_wrong(user->race->result, line, value);
	else
		race_succeeded(user);
}

static size_t some_page(struct race_user *user)
{
	return user->uses++ % GRANT_PAGES;
}

static void touched(struct race_user *user, int signal, int line)
{
	if (signal && signal != SIGBUS)
		race_wrong(user->race->result, line, signal);
	else if (signal)
		race_refused(user);
}

void use_load(struct race_user *user, const char *map)
{
	const size_t page = some_page(user);
	__u64 value = 0;
	int signal = try_load(word_at(map, page, WORD_GENERATION), &value);

	touched(user, signal, __LINE__);
	if (!signal)
		use_value(user, value, __LINE__);
}

void use_map(struct race_user *user, char *map)
{
	const size_t page = some_page(user);

	use_load(user, map);
	touched(user, try_store(word_at(map, page, WORD_WRITTEN), user->uses),
		__LINE__);
}

void use_fd(struct race_user *user, int ds)
{
	off_t offset = some_page(user) * page_size();
	__u64 words[2];
	long ret = result(pread(ds, words, sizeof(words), offset));

	use_result(user, ret, __LINE__);
	if (ret > 0)
		use_value(user, words[WORD_GENERATION], __LINE__);
	ret = pwrite(ds, &user->uses, sizeof(__u64),
		     offset + WORD_WRITTEN * sizeof(__u64));
	use_result(user, result(ret), __LINE__);
}

static bool round_goes_on(const struct race_user *user)
{
	return __atomic_load_n(&user->race->result->over, __ATOMIC_ACQUIRE) <
	       user->round;
}

static bool say(int socket)
{
	return send(socket, "", 1, MSG_NOSIGNAL) == 1;
}

static bool hear(int socket)
{
	char byte;

	return recv(socket, &byte, 1, 0) == 1;
}

/* Without a mapping, where that could not be made any more. */
static void take_part(struct race_user *user)
{
	user->map = ds_map(user->ds, grant_length(), READ_WRITE);
	if (user->map == MAP_FAILED) {
		use_result(user, -errno, __LINE__);
		user->map = NULL;
	}
	say(user->socket);
	do {
		user->race->use(user);
	} while (round_goes_on(user));
	if (user->map)
		munmap(user->map, grant_length());
	close(user->ds);
}

static void *user_main(void *arg)
{
	struct race_user *user = arg;

	for (;;) {
		user->ds = fd_receive(user->socket);
		if (user->ds < 0)
			return NULL;
		user->round++;
		take_part(user);
		say(user->socket);
	}
}

static void close_others(struct race_user *user)
{
	int i;

	for (i = 0; i < user->race->nr_users; i++)
		close(user->race->users[i].holder_socket);
}

static int user_start(struct race_user *user)
{
	if (!user->race->processes)
		return -pthread_create(&user->thread, NULL, user_main, user);
	user->process = fork();
	if (!user->process) {
		close_others(user);
		user_main(user);
		_exit(0);
	}
	return user->process < 0 ? -errno : 0;
}

static int user_prepare(struct race_user *user, struct race *race)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	user->race = race;
	user->holder_socket = ends[0];
	user->socket = ends[1];
	return 0;
}

static int memory_prepare(struct race *race)
{
	sigbus_init();
	race->result = mmap(NULL, page_size(), READ_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race->result == MAP_FAILED)
		return -errno;
	race->root = ds_alloc_pages(race->root_pages);
	race->own = ds_map(race->root, grant_length(), READ_WRITE);
	return race->own == MAP_FAILED ? -errno : 0;
}

int race_start(struct race *race)
{
	int ret = memory_prepare(race);
	int i;

	for (i = 0; !ret && i < race->nr_users; i++)
		ret = user_prepare(&race->users[i], race);
	for (i = 0; !ret && i < race->nr_users; i++)
		ret = user_start(&race->users[i]);
	return ret;
}

static int user_stop(struct race_user *user)
{
	shutdown(user->holder_socket, SHUT_RDWR);
	close(user->holder_socket);
	if (user->process)
		return wait_for(user->process);
	return -pthread_join(user->thread, NULL);
}

int race_stop(struct race *race)
{
	int ret = 0;
	int i;

	for (i = 0; i < race->nr_users; i++)
		ret |= user_stop(&race->users[i]);
	munmap(race->own, grant_length());
	close(race->root);
	return ret;
}

int race_round_begin(struct race *race, int grant)
{
	int ret = 0;
	int i;

	race_set(race, WORD_GENERATION, ++race->round);
	for (i = 0; !ret && i < race->nr_users; i++)
		ret = fd_send(race->users[i].holder_socket, grant);
	for (i = 0; !ret && i < race->nr_users; i++)
		ret = hear(race->users[i].holder_socket) ? 0 : -EPIPE;
	return ret;
}

void race_pause(struct race *race)
{
	usleep(rand() % 3000);
}

void race_round_end(struct race *race)
{
	int i;

	__atomic_store_n(&race->result->over, race->round, __ATOMIC_RELEASE);
	for (i = 0; i < race->nr_users; i++)
		hear(race->users[i].holder_socket);
}

void race_set(struct race *race, int word, __u64 value)
{
	size_t page;

	for (page = 0; page < GRANT_PAGES; page++)
		__atomic_store_n(word_at(race->own, page, word), value,
				 __ATOMIC_SEQ_CST);
}

bool race_check(struct race *race, int word, __u64 value, int line)
{
	bool right = true;
	size_t page;

	for (page = 0; page < GRANT_PAGES; page++) {
		__u64 *at = word_at(race->own, page, word);
		__u64 now = __atomic_load_n(at, __ATOMIC_SEQ_CST);

		if (now == value)
			continue;
		race_wrong(race->result, line, now);
		right = false;
	}
	return right;
}

double race_seconds(void)
{
	const char *given = getenv("RACE_SECONDS");

	return given ? strtod(given, NULL) : 2;
}
