/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What is in a buffer. Each word tells the loan that it was stored for and its
 * own place, so that a buffer that is used for another loan has no right word.
 */
#ifndef POOL_CONTENT_H
#define POOL_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

/* The producer's words for loan @number, or the consumer's answer to them. */
void content_fill(void *buffer, uint64_t number, bool answer);
uint64_t content_wrong_words(const void *buffer, uint64_t number, bool answer);

/* The loan that the content of a buffer is for. */
uint64_t content_number(const void *buffer);

#endif /* POOL_CONTENT_H */
