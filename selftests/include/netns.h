/* SPDX-License-Identifier: GPL-2.0-only */
/* Two network namespaces, as if they were two machines with a cable between them. */
#ifndef DATASPACE_NETNS_H
#define DATASPACE_NETNS_H

#include <stdbool.h>

/*
 * Moves this process to a new network namespace, and makes another one. The near
 * end of the cable is in the first, the far one in the second. Returns a descriptor
 * of the second one for setns(2), or -errno: -EOPNOTSUPP if the kernel has no such
 * namespaces, or not the driver veth.
 */
int netns_pair(const char *near, const char *far);

/* Gives the end of the cable an address of IPv4, and starts it; 0 or -errno. */
int netns_start(const char *interface, const char *address);

/* Whether somebody listens on a port of UDP, in this namespace. */
bool netns_has_udp(int port);

#endif
