/* SPDX-License-Identifier: GPL-2.0-only */
/* What a holder can do with all that is derived: revoke, seal, wait. */
#ifndef DATASPACE_CONTROL_H
#define DATASPACE_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

/* What poll says if nothing derived is left. */
#define READY (POLLIN | POLLRDNORM)

/* A wake-up that has not come after so many milliseconds is lost. */
#define LOST 20000

/* All return 0 or -errno. */
int ds_revoke(int ds);
int ds_revoke_flags(int ds, __u32 flags);
int ds_seal(int ds, __u32 flags);

/*
 * The events that are set for readers, or that are always reported, or -errno;
 * 0 if none is set within @timeout milliseconds.
 */
int ds_poll(int ds, int timeout);
/* A new epoll descriptor that waits for @events of @ds, or -errno. */
int epoll_on(int ds, __u32 events);
/* The events of it, or 0 if there are none after @timeout milliseconds. */
int epoll_events(int epoll, int timeout);
/* Whether poll says that nothing derived is left. */
bool ds_ready(int ds);

/* Bits of INFO, or all bits if there is no INFO. */
__u32 ds_state(int ds);
__u32 ds_rights(int ds);

/*
 * A pipe with the page at @map itself, not a copy: the page is pinned until the
 * pipe is closed.
 */
struct pin {
	int ends[2];
};

int pin_page(struct pin *pin, void *map);
void pin_close(struct pin *pin);

#endif
