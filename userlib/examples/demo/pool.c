// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#include "pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <dataspace.h>

#include "expect.h"
#include "pool_consumer.h"
#include "pool_content.h"
#include "util.h"

/* A consumer can make no aliases, so that one loan stays one. */
#define LOAN_RIGHTS (DATASPACE_READ | DATASPACE_WRITE | DATASPACE_MAP)

/* One loan of so many is for writing an answer. */
#define WRITABLE_EVERY 4

uint64_t pool_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000) + now.tv_nsec / 1000000;
}

/* The child must not hold the ends of others: their end is told by them. */
static void start_consumer(struct pool *pool, unsigned int index)
{
	struct consumer *consumer = &pool->consumers[index];
	unsigned int i;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		die("socketpair", -errno);
	consumer->socket = ends[0];
	consumer->pid = fork();
	if (consumer->pid < 0)
		die("fork", -errno);
	if (!consumer->pid) {
		for (i = 0; i <= index; i++)
			close(pool->consumers[i].socket);
		exit(consumer_main(ends[1], index ? 0 : KEPT_LOANS));
	}
	close(ends[1]);
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK))
		die("O_NONBLOCK", -errno);
}

void pool_open(struct pool *pool)
{
	uint64_t bytes = BUFFERS * BUFFER_BYTES;
	unsigned int i;

	*pool = (struct pool){ 0 };
	for (i = 0; i < CONSUMERS; i++)
		start_consumer(pool, i);
	for (i = 0; i < BUFFERS; i++)
		pool->buffers[i].grant = -1;
	pool->memory = must(dataspace_alloc(bytes, DATASPACE_RW,
					    DATASPACE_ALLOC_SCATTERED),
			    "allocating the pool");
	pool->map = map_dataspace(pool->memory, bytes, PROT_READ | PROT_WRITE);
	pool->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (pool->epoll < 0)
		die("epoll_create1", -errno);
}

static unsigned char *memory_of(const struct pool *pool, unsigned int index)
{
	return pool->map + index * BUFFER_BYTES;
}

/* To the next consumer in turn that has room for it. */
static void send_loan(const struct pool *pool, uint64_t number, int loan)
{
	int ret = -EAGAIN;
	int socket;
	unsigned int i;

	for (i = 0; i < CONSUMERS && ret == -EAGAIN; i++) {
		socket = pool->consumers[(number + i) % CONSUMERS].socket;
		ret = dataspace_send(socket, loan);
	}
	must(ret, "sending a loan");
}

/* Only after the loan was made can the grant's being ready mean its return. */
static void watch_grant(struct pool *pool, unsigned int index)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = index };

	if (epoll_ctl(pool->epoll, EPOLL_CTL_ADD, pool->buffers[index].grant,
		      &event))
		die("watching a loan", -errno);
}

static int make_grant(const struct pool *pool, unsigned int index, bool write)
{
	return must(dataspace_alias(pool->memory, index * BUFFER_BYTES,
				    BUFFER_BYTES,
				    write ? DATASPACE_RW : DATASPACE_RO, 0),
		    "making a grant");
}

static int make_loan(int grant)
{
	return must(dataspace_alias(grant, 0, BUFFER_BYTES, LOAN_RIGHTS,
				    DATASPACE_ALIAS_CLIP),
		    "making a loan");
}

static void lend(struct pool *pool, unsigned int index)
{
	struct buffer *buffer = &pool->buffers[index];
	int loan;

	buffer->number = ++pool->lent;
	buffer->writable = buffer->number % WRITABLE_EVERY == 0;
	buffer->lent_at = pool_clock_ms();
	buffer->uses++;
	pool->lent_to_write += buffer->writable;
	content_fill(memory_of(pool, index), buffer->number, false);
	buffer->grant = make_grant(pool, index, buffer->writable);
	loan = make_loan(buffer->grant);
	send_loan(pool, buffer->number, loan);
	close(loan);
	watch_grant(pool, index);
}

/* Closing the grant takes it out of the epoll set. */
static void take_back(struct pool *pool, unsigned int index, bool answered)
{
	struct buffer *buffer = &pool->buffers[index];

	pool->wrong_words += content_wrong_words(memory_of(pool, index),
						 buffer->number, answered);
	close(buffer->grant);
	buffer->grant = -1;
}

static void came_back(struct pool *pool, unsigned int index)
{
	struct buffer *buffer = &pool->buffers[index];
	uint64_t took = pool_clock_ms() - buffer->lent_at;

	if (took > pool->longest_ms)
		pool->longest_ms = took;
	pool->came_back++;
	take_back(pool, index, buffer->writable);
}

static void cut_off(struct pool *pool, unsigned int index)
{
	must(dataspace_revoke(pool->buffers[index].grant, 0),
	     "revoking a loan");
	pool->cut_off++;
	take_back(pool, index, false);
}

/*
 * The last round begins when all others have ended: it is of all buffers, and
 * so of those that were revoked.
 */
static void lend_what_is_there(struct pool *pool)
{
	uint64_t limit = LOANS - BUFFERS;
	unsigned int i;

	if (pool->came_back + pool->cut_off == limit)
		limit = LOANS;
	for (i = 0; i < BUFFERS && pool->lent < limit; i++)
		if (pool->buffers[i].grant < 0)
			lend(pool, i);
}

static void wait_for_returns(struct pool *pool, int timeout)
{
	struct epoll_event events[BUFFERS];
	int count = epoll_wait(pool->epoll, events, BUFFERS, timeout);
	int i;

	if (count < 0)
		die("epoll_wait", -errno);
	for (i = 0; i < count; i++)
		came_back(pool, events[i].data.u32);
}

/* Returns in how many milliseconds the next loan is due. */
static int cut_off_the_late(struct pool *pool)
{
	uint64_t now = pool_clock_ms();
	uint64_t next = DEADLINE_MS;
	uint64_t age;
	unsigned int i;

	for (i = 0; i < BUFFERS; i++) {
		if (pool->buffers[i].grant < 0)
			continue;
		age = now - pool->buffers[i].lent_at;
		if (age > DEADLINE_MS)
			cut_off(pool, i);
		else if (DEADLINE_MS - age < next)
			next = DEADLINE_MS - age;
	}
	return next + 1;
}

void pool_run(struct pool *pool)
{
	int timeout = 0;

	while (pool->came_back + pool->cut_off < LOANS) {
		lend_what_is_there(pool);
		wait_for_returns(pool, timeout);
		timeout = cut_off_the_late(pool);
	}
}
