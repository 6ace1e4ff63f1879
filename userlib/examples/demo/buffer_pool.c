// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Buffers that go round between processes without being copied and without a
 * message for giving one back: the producer is told by poll that nobody holds a
 * buffer any more, whether it was unmapped and closed or its holder died. Who
 * keeps one for too long loses it.
 *
 *	buffer_pool --demo		thousands of loans, checked
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dataspace.h>

#include "expect.h"
#include "pool.h"
#include "pool_consumer.h"
#include "util.h"

/* A demo that hangs is a demo that failed. */
#define TIME_LIMIT 150

/* A consumer reports before it exits. */
static void end_consumer(const struct consumer *consumer,
			 struct consumer_report *report)
{
	int status;

	shutdown(consumer->socket, SHUT_WR);
	if (waitpid(consumer->pid, &status, 0) != consumer->pid)
		die("waiting for a consumer", -errno);
	if (recv(consumer->socket, report, sizeof(*report), 0) !=
	    sizeof(*report))
		die("a consumer has not reported", -EPIPE);
	expect_equal(status, 0, "exit status of a consumer");
}

static void add(struct consumer_report *sum, const struct consumer_report *one)
{
	sum->loans += one->loans;
	sum->looks += one->looks;
	sum->wrong_words += one->wrong_words;
	sum->out_of_order += one->out_of_order;
	sum->cut_off += one->cut_off;
	sum->too_late += one->too_late;
}

static void print_title(void)
{
	struct utsname name;

	uname(&name);
	printf("BUFFER POOL: %d buffers of %llu KiB in one dataspace, %d consumers; Linux %s\n",
	       BUFFERS, (unsigned long long)BUFFER_BYTES >> 10, CONSUMERS,
	       name.release);
}

static void print_loans(const struct pool *pool, uint64_t took_ms)
{
	unsigned int least = pool->buffers[0].uses;
	unsigned int most = least;
	unsigned int i;

	for (i = 1; i < BUFFERS; i++) {
		if (pool->buffers[i].uses < least)
			least = pool->buffers[i].uses;
		if (pool->buffers[i].uses > most)
			most = pool->buffers[i].uses;
	}
	printf("  lent      %5llu times in %llu ms, each buffer %u to %u times; ",
	       (unsigned long long)pool->lent, (unsigned long long)took_ms,
	       least, most);
	printf("%llu of them to be written\n",
	       (unsigned long long)pool->lent_to_write);
	printf("  came back %5llu times by being forgotten, told by epoll, ",
	       (unsigned long long)pool->came_back);
	printf("after %llu ms at most; wrong words: %llu\n",
	       (unsigned long long)pool->longest_ms,
	       (unsigned long long)pool->wrong_words);
	expect(least > 1, "all buffers are used again");
	expect_equal(pool->lent, LOANS, "loans");
	expect_equal(pool->wrong_words, 0, "wrong words in what came back");
}

static void print_looks(const struct consumer_report *sum)
{
	printf("  looked at %5llu times by who had it; words that were not as lent: %llu\n",
	       (unsigned long long)sum->looks,
	       (unsigned long long)sum->wrong_words);
	expect_equal(sum->loans, LOANS, "loans that came to a consumer");
	expect_equal(sum->wrong_words, 0, "wrong words while held");
	expect_equal(sum->out_of_order, 0, "loans out of order");
}

static void print_cut_off(const struct pool *pool,
			  const struct consumer_report *keeper,
			  const struct consumer_report *sum)
{
	printf("  revoked   %5llu times after %d ms; SIGBUS at its next look: ",
	       (unsigned long long)pool->cut_off, DEADLINE_MS);
	printf("consumer 1 %llu times, others %llu\n",
	       (unsigned long long)keeper->cut_off,
	       (unsigned long long)(sum->cut_off - keeper->cut_off));
	expect_equal(pool->cut_off, KEPT_LOANS, "loans revoked");
	expect_equal(keeper->cut_off, KEPT_LOANS, "SIGBUS of who kept");
	expect_equal(sum->cut_off, KEPT_LOANS, "SIGBUS of all");
	expect_equal(sum->too_late, 0, "loans revoked before their use");
}

static void check_end(const struct pool *pool)
{
	struct dataspace_info info;

	must(dataspace_info(pool->memory, &info, sizeof(info)),
	     "looking at the pool");
	expect_equal(info.aliases, 0, "aliases that are left");
	expect_equal(info.mappings, 1, "mappings that are left");
}

static int demo(void)
{
	struct consumer_report reports[CONSUMERS];
	struct consumer_report sum = { 0 };
	struct pool pool;
	uint64_t began;
	unsigned int i;

	alarm(TIME_LIMIT);
	print_title();
	fflush(stdout);
	pool_open(&pool);
	began = pool_clock_ms();
	pool_run(&pool);
	print_loans(&pool, pool_clock_ms() - began);
	for (i = 0; i < CONSUMERS; i++) {
		end_consumer(&pool.consumers[i], &reports[i]);
		add(&sum, &reports[i]);
	}
	print_looks(&sum);
	print_cut_off(&pool, &reports[0], &sum);
	check_end(&pool);
	return expectations_met() ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--demo"))
		return demo();
	fprintf(stderr, "usage: buffer_pool --demo\n");
	return EXIT_FAILURE;
}
