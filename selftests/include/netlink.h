/* SPDX-License-Identifier: GPL-2.0-only */
/* What one asks the kernel by netlink: a header, and attributes behind it. */
#ifndef DATASPACE_NETLINK_H
#define DATASPACE_NETLINK_H

#include <stddef.h>

#include <linux/netlink.h>

struct netlink_request {
	struct nlmsghdr header;
	char rest[256];
};

void netlink_begin(struct netlink_request *request, int type, int flags);

/* Adds bytes that belong to no attribute. */
void netlink_add_bytes(struct netlink_request *request, const void *bytes,
		       size_t size);

/* Adds an attribute, of which more bytes may follow if netlink_end() is called. */
struct nlattr *netlink_add(struct netlink_request *request, int type,
			   const void *bytes, size_t size);
void netlink_add_text(struct netlink_request *request, int type,
		      const char *text);

/* The attribute has all that was added since. */
void netlink_end(struct netlink_request *request, struct nlattr *attribute);

/* Sends it to the kernel's @family; 0 or -errno. */
long netlink_ask(int family, const struct netlink_request *request);

#endif
