// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Reads what share_by_network.c shares and writes it to standard output, and shows
 * on standard error what is refused.
 *
 *	read_by_network ADDRESS PORT
 */
#include <err.h>
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

struct connection {
	struct fid_fabric *fabric;
	struct fid_domain *domain;
	struct fid_eq *events;
	struct fid_cq *completions;
	struct fid_ep *endpoint;
	struct network_offer offer;
};

static void connect_to(struct connection *c, const char *address,
		       const char *port)
{
	struct fi_info *info = network_info(address, port, 0);
	struct fi_eq_attr eq_attr = { .wait_obj = FI_WAIT_UNSPEC };
	struct fi_cq_attr cq_attr = { .format = FI_CQ_FORMAT_CONTEXT,
				      .wait_obj = FI_WAIT_UNSPEC };
	union {
		struct fi_eq_cm_entry entry;
		char buffer[sizeof(struct fi_eq_cm_entry) +
			    sizeof(struct network_offer)];
	} answer;
	uint32_t event = 0;

	network_try(fi_fabric(info->fabric_attr, &c->fabric, NULL),
		    "fi_fabric");
	network_try(fi_eq_open(c->fabric, &eq_attr, &c->events, NULL),
		    "fi_eq_open");
	network_try(fi_domain(c->fabric, info, &c->domain, NULL), "fi_domain");
	network_try(fi_cq_open(c->domain, &cq_attr, &c->completions, NULL),
		    "fi_cq_open");
	network_try(fi_endpoint(c->domain, info, &c->endpoint, NULL),
		    "fi_endpoint");
	network_try(fi_ep_bind(c->endpoint, &c->events->fid, 0), "fi_ep_bind");
	network_try(fi_ep_bind(c->endpoint, &c->completions->fid,
			       FI_TRANSMIT | FI_RECV),
		    "fi_ep_bind");
	network_try(fi_enable(c->endpoint), "fi_enable");
	network_try(fi_connect(c->endpoint, info->dest_addr, NULL, 0),
		    "fi_connect");
	network_try(fi_eq_sread(c->events, &event, &answer, sizeof(answer),
				10000, 0),
		    "no answer");
	if (event != FI_CONNECTED)
		errx(EXIT_FAILURE, "not connected");
	memcpy(&c->offer, answer.entry.data, sizeof(c->offer));
	fi_freeinfo(info);
}

static void disconnect(struct connection *c)
{
	fi_shutdown(c->endpoint, 0);
	fi_close(&c->endpoint->fid);
	fi_close(&c->completions->fid);
	fi_close(&c->domain->fid);
	fi_close(&c->events->fid);
	fi_close(&c->fabric->fid);
}

/* 0, or why the other side refused, as a positive number */
static int complete(struct connection *c)
{
	struct fi_cq_err_entry error = { .err = FI_EIO };
	struct fi_cq_entry entry;
	ssize_t ret = fi_cq_sread(c->completions, &entry, 1, NULL, 10000);

	if (ret > 0)
		return 0;
	if (ret != -FI_EAVAIL)
		return ret == -FI_EAGAIN ? FI_ETIMEDOUT : -ret;
	fi_cq_readerr(c->completions, &error, 0);
	return error.err;
}

/*
 * Whatever is refused ends a connection, so each try has its own. A write is done
 * when the other side has it, not when it is on its way.
 */
static void show_refusal(const char *address, const char *port,
			 const char *what, bool write, bool beyond)
{
	struct connection c;
	char byte = 'x';
	struct iovec here = { &byte, sizeof(byte) };
	struct fi_rma_iov there = { .len = sizeof(byte) };
	struct fi_msg_rma message = { .msg_iov = &here,
				      .iov_count = 1,
				      .rma_iov = &there,
				      .rma_iov_count = 1 };

	connect_to(&c, address, port);
	there.addr = c.offer.address + (beyond ? c.offer.length : 0);
	there.key = c.offer.key;
	if (write)
		network_try(fi_writemsg(c.endpoint, &message,
					FI_COMPLETION | FI_DELIVERY_COMPLETE),
			    what);
	else
		network_try(fi_readmsg(c.endpoint, &message, FI_COMPLETION),
			    what);
	fprintf(stderr, "%s: %s\n", what, fi_strerror(complete(&c)));
	disconnect(&c);
}

int main(int argc, char **argv)
{
	struct connection c;
	char *copy;
	int ret;

	if (argc != 3)
		errx(EXIT_FAILURE, "usage: read_by_network ADDRESS PORT");
	connect_to(&c, argv[1], argv[2]);
	copy = malloc(c.offer.length);
	if (!copy)
		err(EXIT_FAILURE, "malloc");
	network_try(fi_read(c.endpoint, copy, c.offer.length, NULL, 0,
			    c.offer.address, c.offer.key, NULL),
		    "fi_read");
	ret = complete(&c);
	if (ret)
		errx(EXIT_FAILURE, "not read: %s", fi_strerror(ret));
	if (fwrite(copy, c.offer.length, 1, stdout) != 1)
		err(EXIT_FAILURE, "standard output");
	disconnect(&c);
	show_refusal(argv[1], argv[2], "read past the end", false, true);
	show_refusal(argv[1], argv[2], "write", true, false);
	return EXIT_SUCCESS;
}
