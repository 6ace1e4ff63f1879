/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A consumer of the buffer pool: looks at each buffer that it is lent as long
 * as it holds it, answers if it may write, and gives it back by forgetting it.
 */
#ifndef POOL_CONSUMER_H
#define POOL_CONSUMER_H

#include <stdint.h>

struct consumer_report {
	uint64_t loans;
	uint64_t looks; /* at all words of a buffer */
	uint64_t wrong_words;
	uint64_t out_of_order;
	uint64_t cut_off; /* SIGBUS from a buffer that it had */
	uint64_t too_late; /* ESTALE for one that it was about to use */
};

/*
 * Consumes what comes through @socket until its other end hangs up, then sends
 * a report. Gives the first @keep loans not back until it is cut off. Returns
 * the exit status of the process.
 */
int consumer_main(int socket, unsigned int keep);

#endif /* POOL_CONSUMER_H */
