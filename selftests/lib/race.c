// SPDX-License-Identifier: GPL-2.0-only
/* The users are threads or processes, which get each grant over a socket. */
#include "race.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "fdpass.h"
#include "sigbus.h"

size_t grant_length(void)
{
	return GRANT_PAGES * page_size();
}

static __u64 *word_at(const char *map, size_t page, int word)
{
	return (__u64 *)(map + page * page_size()) + word;
}

void race_succeeded(struct race_user *user)
{
	__atomic_fetch_add(&user->race->result->succeeded, 1, __ATOMIC_RELAXED);
}

/* A user that is refused tries again, but first lets others run. */
void race_refused(struct race_user *user)
{
	__atomic_fetch_add(&user->race->result->refused, 1, __ATOMIC_RELAXED);
	usleep(50);
}

void race_wrong(struct race *race, int line, __u64 value)
{
	__u64 none = 0;

	if (__atomic_compare_exchange_n(&race->result->wrong_line, &none, line,
					false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST))
		race->result->wrong_value = value;
}

void race_count(struct race_user *user, long ret, int line)
{
	if (ret >= 0)
		race_succeeded(user);
	else if (ret == -ESTALE || ret == -EPERM)
		race_refused(user);
	else
		race_wrong(user->race, line, -ret);
}

void race_compare(struct race_user *user, __u64 value, int line)
{
	if (value != user->round)
		race_wrong(user->race, line, value);
	else
		race_succeeded(user);
}

static size_t some_page(struct race_user *user)
{
	return user->uses++ % GRANT_PAGES;
}

static void count_signal(struct race_user *user, int signal, int line)
{
	if (signal && signal != SIGBUS)
		race_wrong(user->race, line, signal);
	else if (signal)
		race_refused(user);
}

void use_load(struct race_user *user, const char *map)
{
	const size_t page = some_page(user);
	__u64 value = 0;
	int signal = try_load(word_at(map, page, WORD_ROUND), &value);

	count_signal(user, signal, __LINE__);
	if (!signal)
		race_compare(user, value, __LINE__);
}

void use_map(struct race_user *user, char *map)
{
	const size_t page = some_page(user);
	int signal;

	use_load(user, map);
	signal = try_store(word_at(map, page, WORD_WRITTEN), user->uses);
	count_signal(user, signal, __LINE__);
}

void use_fd(struct race_user *user, int ds)
{
	off_t offset = some_page(user) * page_size();
	__u64 words[2];
	long ret = result(pread(ds, words, sizeof(words), offset));

	race_count(user, ret, __LINE__);
	if (ret > 0)
		race_compare(user, words[WORD_ROUND], __LINE__);
	ret = pwrite(ds, &user->uses, sizeof(__u64),
		     offset + WORD_WRITTEN * sizeof(__u64));
	race_count(user, result(ret), __LINE__);
}

void use_new_map(struct race_user *user, int ds, int flags)
{
	char *map = mmap(NULL, grant_length(), READ_WRITE, flags, ds, 0);

	if (map == MAP_FAILED)
		return race_count(user, -errno, __LINE__);
	use_map(user, map);
	munmap(map, grant_length());
}

void use_alias(struct race_user *user, int ds)
{
	if (ds < 0)
		return race_count(user, ds, __LINE__);
	use_fd(user, ds);
	use_new_map(user, ds, MAP_SHARED);
}

void use_stores(struct race_user *user)
{
	if (!user->map)
		return race_refused(user);
	use_map(user, user->map);
}

/* Each access is a fault, as the page table entries are dropped. */
void use_faults(struct race_user *user)
{
	long ret;

	use_stores(user);
	if (!user->map)
		return;
	ret = result(madvise(user->map, grant_length(), MADV_DONTNEED));
	race_count(user, ret, __LINE__);
}

void use_descriptor(struct race_user *user)
{
	use_fd(user, user->ds);
}

void use_new_mappings(struct race_user *user)
{
	use_new_map(user, user->ds, MAP_SHARED);
}

void use_inherited_mappings(struct race_user *user)
{
	pid_t child = fork();
	int i;

	if (child)
		return race_count(user, -wait_for(child), __LINE__);
	for (i = 0; user->map && i < 200; i++)
		use_map(user, user->map);
	_exit(0);
}

/* A chain of aliases, each derived from the one before. */
void use_aliases(struct race_user *user)
{
	int chain[6];
	int last = user->ds;
	int i;

	for (i = 0; i < ARRAY_LENGTH(chain); i++) {
		chain[i] = ds_alias(last, 0, grant_length(), RIGHTS_RW);
		if (chain[i] >= 0)
			last = chain[i];
	}
	use_alias(user, chain[ARRAY_LENGTH(chain) - 1]);
	for (i = 0; i < ARRAY_LENGTH(chain); i++) {
		if (chain[i] >= 0)
			close(chain[i]);
	}
}

static bool round_goes_on(const struct race_user *user)
{
	return __atomic_load_n(&user->race->result->over, __ATOMIC_ACQUIRE) <
	       user->round;
}

static bool send_byte(int socket)
{
	return send(socket, "", 1, MSG_NOSIGNAL) == 1;
}

static bool wait_for_byte(int socket)
{
	char byte;

	return recv(socket, &byte, 1, 0) == 1;
}

/* The grant may be revoked before the user has mapped it. */
static void play_round(struct race_user *user)
{
	user->map = ds_map(user->ds, grant_length(), READ_WRITE);
	if (user->map == MAP_FAILED) {
		race_count(user, -errno, __LINE__);
		user->map = NULL;
	}
	send_byte(user->socket);
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
		play_round(user);
		send_byte(user->socket);
	}
}

static int user_start(struct race_user *user)
{
	struct race *race = user->race;
	int i;

	if (!race->processes)
		return -pthread_create(&user->thread, NULL, user_main, user);
	user->process = fork();
	if (user->process < 0)
		return -errno;
	if (user->process)
		return 0;
	for (i = 0; i < race->nr_users; i++)
		close(race->users[i].owner_socket);
	user_main(user);
	_exit(0);
}

static int user_prepare(struct race_user *user, struct race *race)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	user->race = race;
	user->owner_socket = ends[0];
	user->socket = ends[1];
	return 0;
}

int race_start(struct race *race)
{
	int ret = 0;
	int i;

	sigbus_init();
	race->result = mmap(NULL, page_size(), READ_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (race->result == MAP_FAILED)
		return -errno;
	race->root = ds_alloc_pages(race->root_pages);
	race->map = ds_map(race->root, grant_length(), READ_WRITE);
	if (race->map == MAP_FAILED)
		return -errno;
	for (i = 0; !ret && i < race->nr_users; i++)
		ret = user_prepare(&race->users[i], race);
	for (i = 0; !ret && i < race->nr_users; i++)
		ret = user_start(&race->users[i]);
	return ret;
}

static int user_stop(struct race_user *user)
{
	shutdown(user->owner_socket, SHUT_RDWR);
	close(user->owner_socket);
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
	munmap(race->map, grant_length());
	close(race->root);
	return ret;
}

int race_round_begin(struct race *race, int grant)
{
	int ret = 0;
	int i;

	race_set(race, WORD_ROUND, ++race->round);
	for (i = 0; !ret && i < race->nr_users; i++)
		ret = fd_send(race->users[i].owner_socket, grant);
	for (i = 0; !ret && i < race->nr_users; i++) {
		if (!wait_for_byte(race->users[i].owner_socket))
			ret = -EPIPE;
	}
	return ret;
}

void race_pause(void)
{
	usleep(rand() % 3000);
}

void race_round_end(struct race *race)
{
	int i;

	__atomic_store_n(&race->result->over, race->round, __ATOMIC_RELEASE);
	for (i = 0; i < race->nr_users; i++)
		wait_for_byte(race->users[i].owner_socket);
}

void race_set(struct race *race, int word, __u64 value)
{
	size_t page;

	for (page = 0; page < GRANT_PAGES; page++)
		__atomic_store_n(word_at(race->map, page, word), value,
				 __ATOMIC_SEQ_CST);
}

bool race_check(struct race *race, int word, __u64 value, int line)
{
	bool right = true;
	size_t page;

	for (page = 0; page < GRANT_PAGES; page++) {
		__u64 *at = word_at(race->map, page, word);
		__u64 now = __atomic_load_n(at, __ATOMIC_SEQ_CST);

		if (now == value)
			continue;
		race_wrong(race, line, now);
		right = false;
	}
	return right;
}

double race_seconds(void)
{
	const char *given = getenv("RACE_SECONDS");

	return given ? strtod(given, NULL) : 2;
}
