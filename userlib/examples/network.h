/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What share_by_network.c and read_by_network.c agree on: connections by TCP, in
 * which one side reads and writes memory of the other.
 */
#ifndef NETWORK_H
#define NETWORK_H

#include <err.h>
#include <rdma/fabric.h>
#include <rdma/fi_errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where the memory is for who connects, in bytes, and by which key. */
struct network_offer {
	uint64_t address;
	uint64_t length;
	uint64_t key;
};

static inline void network_try(ssize_t ret, const char *what)
{
	if (ret < 0)
		errx(EXIT_FAILURE, "%s: %s", what, fi_strerror(-ret));
}

static inline struct fi_info *network_info(const char *address,
					   const char *port, uint64_t flags)
{
	struct fi_info *hints = fi_allocinfo();
	struct fi_info *info;

	hints->caps = FI_RMA;
	hints->ep_attr->type = FI_EP_MSG;
	hints->domain_attr->mr_mode = FI_MR_LOCAL | FI_MR_VIRT_ADDR |
				      FI_MR_ALLOCATED | FI_MR_PROV_KEY;
	hints->fabric_attr->prov_name = strdup("tcp");
	network_try(fi_getinfo(FI_VERSION(1, 15), address, port, flags, hints,
			       &info),
		    "fi_getinfo");
	fi_freeinfo(hints);
	return info;
}

#endif /* NETWORK_H */
