/* SPDX-License-Identifier: GPL-2.0-only */
/* io_uring, one transfer at a time. */
#ifndef DATASPACE_URING_H
#define DATASPACE_URING_H

#include <stddef.h>

#include <linux/io_uring.h>
#include <linux/types.h>

struct uring {
	int fd;
	struct io_uring_params params;
	void *ring;
	size_t ring_size;
	struct io_uring_sqe *entries;
};

/* All return 0 or a count, or -errno. */
int uring_open(struct uring *uring);
void uring_close(struct uring *uring);
int uring_register(struct uring *uring, void *buffer, size_t length);
int uring_unregister(struct uring *uring);

/* IORING_OP_READ_FIXED and so on, at offset 0 of @fd. */
int uring_transfer(struct uring *uring, int opcode, int fd, void *buffer,
		   size_t length);
int uring_transfer_at(struct uring *uring, int opcode, int fd, void *buffer,
		      size_t length, __u64 offset);

#endif
