/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that appears when it is touched. */
#ifndef DATASPACE_LAZY_H
#define DATASPACE_LAZY_H

#include <stddef.h>

#include <linux/types.h>

#define PUNCH (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

int lazy_alloc(__u64 length);

/* How much appears at once where it can: a large folio, if there are any. */
size_t lazy_block(void);

/* Bytes that are there, or -errno. */
long long ds_resident(int ds);

/* What all dataspaces together have, in bytes, or -1. */
long long lazy_in_use(void);
/* The same as soon as it is @want, or else after some seconds. */
long long lazy_in_use_soon(long long want);

/* 0 or -errno */
int ds_punch(int ds, __u64 offset, __u64 length);
int ds_fill(int ds, __u64 offset, __u64 length);

/* Writes @bytes bytes of @byte at @offset; the number written, or -errno. */
long lazy_write(int ds, __u64 offset, size_t bytes, __u8 byte);
/* The byte at @offset as read() tells it, or -errno. */
int lazy_byte(int ds, __u64 offset);

#endif
