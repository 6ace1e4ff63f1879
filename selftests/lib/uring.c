// SPDX-License-Identifier: GPL-2.0-only
/* io_uring by its system calls; both rings are in one mapping. */
#include "uring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common.h"

#define ENTRIES 4

static __u32 *ring_word(struct uring *uring, __u32 offset)
{
	return (__u32 *)((char *)uring->ring + offset);
}

static void *map_ring(struct uring *uring, size_t size, off_t offset)
{
	return mmap(NULL, size, READ_WRITE, MAP_SHARED | MAP_POPULATE,
		    uring->fd, offset);
}

static size_t entries_size(const struct uring *uring)
{
	return uring->params.sq_entries * sizeof(struct io_uring_sqe);
}

int uring_open(struct uring *uring)
{
	const struct io_uring_params *params = &uring->params;

	memset(uring, 0, sizeof(*uring));
	uring->fd = syscall(SYS_io_uring_setup, ENTRIES, &uring->params);
	if (uring->fd < 0)
		return -errno;
	uring->ring_size = params->cq_off.cqes +
			   params->cq_entries * sizeof(struct io_uring_cqe);
	uring->ring = map_ring(uring, uring->ring_size, IORING_OFF_SQ_RING);
	uring->entries = map_ring(uring, entries_size(uring), IORING_OFF_SQES);
	if (uring->ring == MAP_FAILED || uring->entries == MAP_FAILED)
		return -errno;
	return 0;
}

void uring_close(struct uring *uring)
{
	munmap(uring->entries, entries_size(uring));
	munmap(uring->ring, uring->ring_size);
	close(uring->fd);
}

static int uring_control(struct uring *uring, int opcode, void *arg, int count)
{
	const int nr = SYS_io_uring_register;

	return result(syscall(nr, uring->fd, opcode, arg, count));
}

int uring_register(struct uring *uring, void *buffer, size_t length)
{
	struct iovec iov = { .iov_base = buffer, .iov_len = length };

	return uring_control(uring, IORING_REGISTER_BUFFERS, &iov, 1);
}

int uring_unregister(struct uring *uring)
{
	return uring_control(uring, IORING_UNREGISTER_BUFFERS, NULL, 0);
}

static void submit(struct uring *uring, const struct io_uring_sqe *entry)
{
	const struct io_sqring_offsets *off = &uring->params.sq_off;
	__u32 *tail = ring_word(uring, off->tail);
	__u32 slot = *tail & *ring_word(uring, off->ring_mask);

	uring->entries[slot] = *entry;
	ring_word(uring, off->array)[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
}

static int take_completion(struct uring *uring)
{
	const struct io_cqring_offsets *off = &uring->params.cq_off;
	__u32 *head = ring_word(uring, off->head);
	__u32 slot = *head & *ring_word(uring, off->ring_mask);
	struct io_uring_cqe *cqes = (void *)ring_word(uring, off->cqes);
	int res = cqes[slot].res;

	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

int uring_transfer_at(struct uring *uring, int opcode, int fd, void *buffer,
		      size_t length, __u64 offset)
{
	const struct io_uring_sqe entry = {
		.opcode = opcode,
		.fd = fd,
		.addr = (__u64)(uintptr_t)buffer,
		.len = length,
		.off = offset,
	};
	int ret;

	submit(uring, &entry);
	ret = result(syscall(SYS_io_uring_enter, uring->fd, 1, 1,
			     IORING_ENTER_GETEVENTS, NULL, 0));
	return ret < 0 ? ret : take_completion(uring);
}

int uring_transfer(struct uring *uring, int opcode, int fd, void *buffer,
		   size_t length)
{
	return uring_transfer_at(uring, opcode, fd, buffer, length, 0);
}
