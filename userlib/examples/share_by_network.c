// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Lets other machines read a dataspace, and write to it if its rights say so, by
 * libfabric: whoever connects is told where it is and by which key. See
 * read_by_network.c for the other side.
 *
 *	dataspace run ... -- share_by_network ADDRESS PORT
 *
 * The descriptor is 3, as with all programs that the command dataspace runs. Link
 * with -lfabric.
 */
#include <dataspace.h>
#include <err.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "network.h"

#define DESCRIPTOR 3

/* Tells who has connected where the memory is, and answers until they have gone. */
static void serve(struct fid_fabric *fabric, struct fi_info *info, void *map,
		  uint64_t length, uint64_t access)
{
	struct network_offer offer = { .length = length };
	struct fi_cq_attr cq_attr = { .format = FI_CQ_FORMAT_CONTEXT };
	struct fi_eq_attr eq_attr = { .wait_obj = FI_WAIT_UNSPEC };
	struct fi_eq_cm_entry entry;
	struct fi_cq_entry done;
	struct fid_domain *domain;
	struct fid_cq *completions;
	struct fid_eq *events;
	struct fid_ep *endpoint;
	struct fid_mr *region;
	uint32_t event = 0;

	network_try(fi_domain(fabric, info, &domain, NULL), "fi_domain");
	network_try(fi_mr_reg(domain, map, length, access, 0, 0, 0, &region,
			      NULL),
		    "fi_mr_reg");
	network_try(fi_eq_open(fabric, &eq_attr, &events, NULL), "fi_eq_open");
	network_try(fi_endpoint(domain, info, &endpoint, NULL), "fi_endpoint");
	network_try(fi_cq_open(domain, &cq_attr, &completions, NULL),
		    "fi_cq_open");
	network_try(fi_ep_bind(endpoint, &events->fid, 0), "fi_ep_bind");
	network_try(fi_ep_bind(endpoint, &completions->fid,
			       FI_TRANSMIT | FI_RECV),
		    "fi_ep_bind");
	network_try(fi_enable(endpoint), "fi_enable");
	if (info->domain_attr->mr_mode & FI_MR_VIRT_ADDR)
		offer.address = (uintptr_t)map;
	offer.key = fi_mr_key(region);
	network_try(fi_accept(endpoint, &offer, sizeof(offer)), "fi_accept");
	/* The engine answers while somebody looks for completions. */
	while (event != FI_SHUTDOWN) {
		fi_cq_read(completions, &done, 1);
		if (fi_eq_sread(events, &event, &entry, sizeof(entry), 10, 0) ==
		    -FI_EAVAIL)
			break;
	}
	fi_close(&endpoint->fid);
	fi_close(&completions->fid);
	fi_close(&events->fid);
	fi_close(&region->fid);
	fi_close(&domain->fid);
}

int main(int argc, char **argv)
{
	struct fi_eq_attr attr = { .wait_obj = FI_WAIT_UNSPEC };
	uint64_t access = FI_REMOTE_READ;
	struct fi_eq_cm_entry entry;
	struct dataspace_info info;
	struct fid_fabric *fabric;
	struct fid_pep *listener;
	struct fid_eq *requests;
	struct fi_info *fi;
	int protection = PROT_READ;
	uint32_t event;
	void *map;

	if (argc != 3)
		errx(EXIT_FAILURE, "usage: share_by_network ADDRESS PORT");
	if (dataspace_info(DESCRIPTOR, &info, sizeof(info)) < 0)
		errx(EXIT_FAILURE, "descriptor 3 is not a dataspace");
	if (info.rights & DATASPACE_WRITE) {
		protection |= PROT_WRITE;
		access |= FI_REMOTE_WRITE;
	}
	map = mmap(NULL, info.length, protection, MAP_SHARED, DESCRIPTOR, 0);
	if (map == MAP_FAILED)
		err(EXIT_FAILURE, "mmap");
	fi = network_info(argv[1], argv[2], FI_SOURCE);
	network_try(fi_fabric(fi->fabric_attr, &fabric, NULL), "fi_fabric");
	network_try(fi_eq_open(fabric, &attr, &requests, NULL), "fi_eq_open");
	network_try(fi_passive_ep(fabric, fi, &listener, NULL),
		    "fi_passive_ep");
	network_try(fi_pep_bind(listener, &requests->fid, 0), "fi_pep_bind");
	network_try(fi_listen(listener), "fi_listen");
	for (;;) {
		network_try(fi_eq_sread(requests, &event, &entry, sizeof(entry),
					-1, 0),
			    "fi_eq_sread");
		if (event != FI_CONNREQ)
			continue;
		serve(fabric, entry.info, map, info.length, access);
		fi_freeinfo(entry.info);
	}
}
