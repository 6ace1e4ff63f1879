/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * How the RAM service divides its chunk. Each client has a slot of its own:
 *
 *	| private: read, write | label: read | nobody's |
 *
 * and the end of the last slot is the board, which all clients can read, but
 * neither map nor hand on. Private part and label are one grant: what is revoked
 * together.
 */
#ifndef RAM_LAYOUT_H
#define RAM_LAYOUT_H

#include <stdint.h>

#define CLIENTS 64
#define SLOT_BYTES (UINT64_C(1) << 20)
#define CHUNK_BYTES (CLIENTS * SLOT_BYTES)
#define PRIVATE_BYTES (SLOT_BYTES / 2)
#define LABEL_BYTES (SLOT_BYTES / 4)
#define GRANT_BYTES (PRIVATE_BYTES + LABEL_BYTES)
#define BOARD_BYTES (SLOT_BYTES / 16)

/* What a client is given, in the order of sending. */
enum part_kind { PRIVATE, LABEL, BOARD, PARTS };

struct range {
	uint64_t offset;
	uint64_t length;
};

static inline struct range part_range(enum part_kind kind, unsigned int client)
{
	uint64_t slot = client * SLOT_BYTES;

	if (kind == PRIVATE)
		return (struct range){ slot, PRIVATE_BYTES };
	if (kind == LABEL)
		return (struct range){ slot + PRIVATE_BYTES, LABEL_BYTES };
	return (struct range){ CHUNK_BYTES - BOARD_BYTES, BOARD_BYTES };
}

static inline struct range grant_range(unsigned int client)
{
	return (struct range){ client * SLOT_BYTES, GRANT_BYTES };
}

#endif /* RAM_LAYOUT_H */
