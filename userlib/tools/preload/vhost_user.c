// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Messages of the protocol vhost-user by which a virtual machine hands memory to
 * what has its devices: regions, each with the descriptor of a file and a place in
 * it. The receiver maps the file from its beginning to the end of the region, so an
 * alias has to begin and to end with the region, and the message has to say so.
 */
#include <stdint.h>
#include <unistd.h>

#include "preload.h"

#define VERSION_MASK 3
#define VERSION 1
#define SET_MEM_TABLE 5
#define ADD_MEM_REG 37
#define MAX_REGIONS 8

struct message {
	uint32_t request;
	uint32_t flags;
	uint32_t length;
	/* Counts nothing if there is but one region. */
	uint32_t nr_regions;
	uint32_t padding;
	struct region regions[MAX_REGIONS];
} __attribute__((packed));

struct region *vhost_user_regions(const struct iovec *data, unsigned int *n)
{
	const size_t head = offsetof(struct message, nr_regions);
	const size_t before = offsetof(struct message, regions);
	struct message *message = data->iov_base;
	const size_t bytes = data->iov_len;

	if (bytes < before || message->length != bytes - head ||
	    (message->flags & VERSION_MASK) != VERSION)
		return NULL;
	if (message->request == SET_MEM_TABLE)
		*n = message->nr_regions;
	else if (message->request == ADD_MEM_REG)
		*n = 1;
	else
		return NULL;
	if (*n > MAX_REGIONS || bytes < before + *n * sizeof(struct region))
		return NULL;
	return message->regions;
}

void vhost_user_cut(struct region *region, uint64_t *offset, uint64_t *length)
{
	uint64_t region_end = region->offset + region->length;
	uint64_t part_end = *offset + *length;
	uint64_t start = *offset;
	uint64_t end = part_end;

	if (start < region->offset)
		start = region->offset;
	if (end > region_end)
		end = region_end;
	if (start >= end) {
		*length = 0;
		region->length = sysconf(_SC_PAGESIZE);
	} else {
		*offset = start;
		*length = end - start;
		region->guest_address += start - region->offset;
		region->address += start - region->offset;
		region->length = end - start;
	}
	region->offset = 0;
}
