/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A pool of buffers in one dataspace, and the producer's side of it: a buffer
 * is filled and lent to a consumer, for reading or for writing an answer into
 * it, and filled anew when the consumer holds it no longer.
 *
 * For each loan the producer makes a grant, an alias of the buffer, and lends
 * an alias of the grant. So the grant tells by poll when the buffer is back,
 * and is what can be revoked when it does not come back.
 */
#ifndef POOL_H
#define POOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BUFFERS 16
#define BUFFER_BYTES (UINT64_C(64) << 10)
#define CONSUMERS 4
#define LOANS 4000

/* Loans that the first consumer keeps, and when that ends. */
#define KEPT_LOANS 8
#define DEADLINE_MS 5000

struct buffer {
	int grant; /* -1 while nobody has the buffer */
	bool writable;
	uint64_t number; /* of the loan, from 1 on */
	uint64_t lent_at;
	unsigned int uses;
};

struct consumer {
	int socket;
	pid_t pid;
};

struct pool {
	int memory;
	int epoll;
	unsigned char *map;
	struct buffer buffers[BUFFERS];
	struct consumer consumers[CONSUMERS];
	uint64_t lent;
	uint64_t lent_to_write;
	uint64_t came_back;
	uint64_t cut_off;
	uint64_t longest_ms;
	uint64_t wrong_words; /* in buffers that came back */
};

/* Starts the consumers, then makes the pool. */
void pool_open(struct pool *pool);

/* Makes all loans; returns when no buffer is lent any more. */
void pool_run(struct pool *pool);

uint64_t pool_clock_ms(void);

#endif /* POOL_H */
