/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For verbs.c and verbs_netns.c: the ends of a connection by RDMA, and memory that
 * one of them offers to the other.
 */
#ifndef DATASPACE_VERBS_END_H
#define DATASPACE_VERBS_END_H

#include <infiniband/verbs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES 16
#define FIRST 4 /* the first page of the alias */
#define END 8 /* the page after its last one */

/*
 * What is read or written at once, one packet: of a longer read on demand, rdma_rxe
 * on Linux 7.3 sends the first packet over and over again.
 */
#define BYTES 1024

/* What is in an end's own buffer before it reads or writes. */
#define UNREAD 0x5a

/*
 * @index, @gid: its address, as the device has it
 * @buffer: of BYTES, what it reads into and writes from
 */
struct end {
	struct ibv_context *context;
	struct ibv_pd *domain;
	struct ibv_cq *queue;
	struct ibv_qp *pair;
	int index;
	union ibv_gid gid;
	char *buffer;
	struct ibv_mr *region;
};

/* What one end has to know of the other. */
struct end_address {
	union ibv_gid gid;
	uint32_t number;
};

/* All return 0 or -errno. */
int end_open(struct end *end, const char *device);
int end_connect(struct end *end, const struct end_address *other);
int end_close(struct end *end);

struct end_address end_address(const struct end *end);

/*
 * Reads or writes BYTES of what the other end offers with @key. Returns how that
 * ended, or -1.
 */
int end_access(struct end *end, enum ibv_wr_opcode opcode, uint64_t address,
	       uint32_t key);

/*
 * @root, @map: memory of PAGES pages, with pattern 0
 * @alias: that may be read, pages FIRST to END of it
 * @part: what is offered, @length bytes: a mapping of @alias
 * @region: what is registered of @part
 * @expected: what was in the memory at first
 */
struct offer {
	size_t page;
	size_t length;
	int root;
	int alias;
	char *map;
	char *part;
	char *expected;
	struct ibv_mr *region;
};

bool offer_prepare(struct offer *offer);
/* Registers the part for the other end to read; 0 or an error number. */
int offer_make(struct offer *offer, struct end *near, int more_access);
int offer_end(struct offer *offer);
void offer_free(struct offer *offer);

/* Whether @buffer has what was in the memory, from the beginning of @page on. */
bool offer_has_been_read(const struct offer *offer, const char *buffer,
			 size_t page);

/* Whether the device cannot register memory that is paged on demand. */
bool is_not_on_demand(int error);

#endif
