/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What every file of the example needs: giving up, and content that tells whose
 * it is.
 */
#ifndef RAM_UTIL_H
#define RAM_UTIL_H

#include <stddef.h>
#include <stdint.h>

/* Prints what failed and the text of @error, a -errno, and exits. */
void die(const char *what, int error) __attribute__((noreturn));

/* @value, unless it is -errno: then the program ends. */
int must(int value, const char *what);

/* mmap() of all of @ds from offset 0, shared; ends the program on failure. */
void *map_dataspace(int ds, size_t length, int prot);

/* Content that only @seed has: each word is the seed plus its own index. */
void pattern_fill(void *memory, size_t bytes, uint64_t seed);
size_t pattern_wrong_words(const void *memory, size_t bytes, uint64_t seed);
uint64_t label_seed(unsigned int client);
uint64_t board_seed(uint64_t edition);
uint64_t board_edition(const void *board);
uint64_t private_seed(uint64_t label);

#endif /* RAM_UTIL_H */
