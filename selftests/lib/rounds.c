// SPDX-License-Identifier: GPL-2.0-only
/* The users are threads, or processes, that get each grant over a socket. */
#include "rounds.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common.h"
#include "fdpass.h"
#include "touch.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)

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

void score_alive(struct user *user)
{
	count(&user->rounds->score->alive);
}

/* Those that are refused try on, but leave the processor to others. */
void score_dead(struct user *user)
{
	count(&user->rounds->score->dead);
	usleep(50);
}

void score_wrong(struct score *score, int line, __u64 value)
{
	__u64 none = 0;

	if (__atomic_compare_exchange_n(&score->wrong_line, &none, line, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		score->wrong_value = value;
}

/* All ways to be refused that the contract knows for what is used here. */
void use_result(struct user *user, long ret, int line)
{
	if (ret >= 0)
		score_alive(user);
	else if (ret == -ESTALE || ret == -EPERM)
		score_dead(user);
	else
		score_wrong(user->rounds->score, line, -ret);
}

void use_value(struct user *user, __u64 value, int line)
{
	if (value != user->round)
		score_wrong(user->rounds->score, line, value);
	else
		score_alive(user);
}

static size_t some_page(struct user *user)
{
	return user->uses++ % GRANT_PAGES;
}

static void touched(struct user *user, int signal, int line)
{
	if (signal && signal != SIGBUS)
		score_wrong(user->rounds->score, line, signal);
	else if (signal)
		score_dead(user);
}

void use_load(struct user *user, const char *map)
{
	const size_t page = some_page(user);
	__u64 value = 0;
	int signal = touch_load(word_at(map, page, WORD_GENERATION), &value);

	touched(user, signal, __LINE__);
	if (!signal)
		use_value(user, value, __LINE__);
}

void use_map(struct user *user, char *map)
{
	const size_t page = some_page(user);

	use_load(user, map);
	touched(user, touch_store(word_at(map, page, WORD_WRITTEN), user->uses),
		__LINE__);
}

void use_fd(struct user *user, int ds)
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

static bool round_goes_on(const struct user *user)
{
	return __atomic_load_n(&user->rounds->score->over, __ATOMIC_ACQUIRE) <
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
static void take_part(struct user *user)
{
	user->map = ds_map(user->ds, grant_length(), READ_WRITE);
	if (user->map == MAP_FAILED) {
		use_result(user, -errno, __LINE__);
		user->map = NULL;
	}
	say(user->socket);
	do {
		user->rounds->use(user);
	} while (round_goes_on(user));
	if (user->map)
		munmap(user->map, grant_length());
	close(user->ds);
}

static void *user_main(void *arg)
{
	struct user *user = arg;

	for (;;) {
		user->ds = fd_receive(user->socket);
		if (user->ds < 0)
			return NULL;
		user->round++;
		take_part(user);
		say(user->socket);
	}
}

static void close_others(struct user *user)
{
	int i;

	for (i = 0; i < user->rounds->nr_users; i++)
		close(user->rounds->users[i].holder_socket);
}

static int user_start(struct user *user)
{
	if (!user->rounds->processes)
		return -pthread_create(&user->thread, NULL, user_main, user);
	user->process = fork();
	if (!user->process) {
		close_others(user);
		user_main(user);
		_exit(0);
	}
	return user->process < 0 ? -errno : 0;
}

static int user_prepare(struct user *user, struct rounds *rounds)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	user->rounds = rounds;
	user->holder_socket = ends[0];
	user->socket = ends[1];
	return 0;
}

static int memory_prepare(struct rounds *rounds)
{
	touch_init();
	rounds->score = mmap(NULL, page_size(), READ_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (rounds->score == MAP_FAILED)
		return -errno;
	rounds->root = ds_alloc_pages(rounds->root_pages);
	rounds->own = ds_map(rounds->root, grant_length(), READ_WRITE);
	return rounds->own == MAP_FAILED ? -errno : 0;
}

int rounds_start(struct rounds *rounds)
{
	int ret = memory_prepare(rounds);
	int i;

	for (i = 0; !ret && i < rounds->nr_users; i++)
		ret = user_prepare(&rounds->users[i], rounds);
	for (i = 0; !ret && i < rounds->nr_users; i++)
		ret = user_start(&rounds->users[i]);
	return ret;
}

static int user_stop(struct user *user)
{
	shutdown(user->holder_socket, SHUT_RDWR);
	close(user->holder_socket);
	if (user->process)
		return wait_for(user->process);
	return -pthread_join(user->thread, NULL);
}

int rounds_stop(struct rounds *rounds)
{
	int ret = 0;
	int i;

	for (i = 0; i < rounds->nr_users; i++)
		ret |= user_stop(&rounds->users[i]);
	munmap(rounds->own, grant_length());
	close(rounds->root);
	return ret;
}

int round_begin(struct rounds *rounds, int grant)
{
	int ret = 0;
	int i;

	rounds_set(rounds, WORD_GENERATION, ++rounds->round);
	for (i = 0; !ret && i < rounds->nr_users; i++)
		ret = fd_send(rounds->users[i].holder_socket, grant);
	for (i = 0; !ret && i < rounds->nr_users; i++)
		ret = hear(rounds->users[i].holder_socket) ? 0 : -EPIPE;
	return ret;
}

void round_linger(struct rounds *rounds)
{
	usleep(rand() % 3000);
}

void round_end(struct rounds *rounds)
{
	int i;

	__atomic_store_n(&rounds->score->over, rounds->round, __ATOMIC_RELEASE);
	for (i = 0; i < rounds->nr_users; i++)
		hear(rounds->users[i].holder_socket);
}

void rounds_set(struct rounds *rounds, int word, __u64 value)
{
	size_t page;

	for (page = 0; page < GRANT_PAGES; page++)
		__atomic_store_n(word_at(rounds->own, page, word), value,
				 __ATOMIC_SEQ_CST);
}

bool rounds_check(struct rounds *rounds, int word, __u64 value, int line)
{
	bool right = true;
	size_t page;

	for (page = 0; page < GRANT_PAGES; page++) {
		__u64 *at = word_at(rounds->own, page, word);
		__u64 now = __atomic_load_n(at, __ATOMIC_SEQ_CST);

		if (now == value)
			continue;
		score_wrong(rounds->score, line, now);
		right = false;
	}
	return right;
}

double race_seconds(void)
{
	const char *given = getenv("RACE_SECONDS");

	return given ? strtod(given, NULL) : 2;
}
