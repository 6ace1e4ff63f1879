// SPDX-License-Identifier: GPL-2.0-only
/* Connects two ends, and has one of them access the other's memory. */
#include "verbs_end.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common.h"

/* What the two ends are to agree on, and how long the first waits for the second. */
#define PORT 1
#define PACKET 7
#define TIMEOUT 12 /* 4.096 us times 2^12 */

/* A device has not many more addresses than its interface has. */
#define ADDRESSES 16

static struct ibv_context *open_device(const char *name)
{
	struct ibv_device **all = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;
	int i;

	for (i = 0; all && all[i] && !context; i++) {
		if (!strcmp(ibv_get_device_name(all[i]), name))
			context = ibv_open_device(all[i]);
	}
	if (all)
		ibv_free_device_list(all);
	return context;
}

static struct ibv_qp *make_queue_pair(struct ibv_pd *domain,
				      struct ibv_cq *queue)
{
	struct ibv_qp_init_attr init = {
		.send_cq = queue,
		.recv_cq = queue,
		.cap = {
			.max_send_wr = 1,
			.max_recv_wr = 1,
			.max_send_sge = 1,
			.max_recv_sge = 1,
		},
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = PORT,
		.qp_access_flags = IBV_ACCESS_REMOTE_READ |
				   IBV_ACCESS_REMOTE_WRITE,
	};
	struct ibv_qp *pair = ibv_create_qp(domain, &init);

	if (pair && ibv_modify_qp(pair, &attr,
				  IBV_QP_STATE | IBV_QP_PKEY_INDEX |
					  IBV_QP_PORT | IBV_QP_ACCESS_FLAGS))
		return NULL;
	return pair;
}

static bool is_of_ipv4(const union ibv_gid *gid)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(gid->raw, prefix, sizeof(prefix));
}

/* The kernel tells the device of its interface's addresses a moment later. */
static bool find_address(struct end *end)
{
	const double stop = seconds() + STUCK;

	do {
		for (end->index = 0; end->index < ADDRESSES; end->index++) {
			if (!ibv_query_gid(end->context, PORT, end->index,
					   &end->gid) &&
			    is_of_ipv4(&end->gid))
				return true;
		}
		usleep(10000);
	} while (seconds() < stop);
	return false;
}

int end_open(struct end *end, const char *device)
{
	*end = (struct end){ .context = open_device(device) };
	if (!end->context || !find_address(end))
		return -ENODEV;
	end->domain = ibv_alloc_pd(end->context);
	if (!end->domain)
		return -errno;
	end->queue = ibv_create_cq(end->context, 2, NULL, NULL, 0);
	if (!end->queue)
		return -errno;
	end->pair = make_queue_pair(end->domain, end->queue);
	if (!end->pair)
		return -errno;
	end->buffer = malloc(BYTES);
	if (!end->buffer)
		return -errno;
	end->region = ibv_reg_mr(end->domain, end->buffer, BYTES,
				 IBV_ACCESS_LOCAL_WRITE);
	return end->region ? 0 : -errno;
}

struct end_address end_address(const struct end *end)
{
	return (struct end_address){ end->gid, end->pair->qp_num };
}

int end_connect(struct end *end, const struct end_address *other)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = other->number,
		.rq_psn = PACKET,
		.sq_psn = PACKET,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.timeout = TIMEOUT,
		.retry_cnt = 7,
		.ah_attr = {
			.is_global = 1,
			.port_num = PORT,
			.grh = {
				.dgid = other->gid,
				.sgid_index = end->index,
				.hop_limit = 1,
			},
		},
	};
	int ret;

	ret = ibv_modify_qp(end->pair, &attr,
			    IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
				    IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
				    IBV_QP_MAX_DEST_RD_ATOMIC |
				    IBV_QP_MIN_RNR_TIMER);
	if (ret)
		return -ret;
	attr.qp_state = IBV_QPS_RTS;
	return -ibv_modify_qp(end->pair, &attr,
			      IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
				      IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
				      IBV_QP_MAX_QP_RD_ATOMIC);
}

int end_close(struct end *end)
{
	int ret = ibv_dereg_mr(end->region);

	ret = ret ?: ibv_destroy_qp(end->pair);
	ret = ret ?: ibv_destroy_cq(end->queue);
	ret = ret ?: ibv_dealloc_pd(end->domain);
	ret = ret ?: ibv_close_device(end->context);
	free(end->buffer);
	return -ret;
}

int end_access(struct end *end, enum ibv_wr_opcode opcode, uint64_t address,
	       uint32_t key)
{
	struct ibv_sge local = {
		.addr = (uintptr_t)end->buffer,
		.length = BYTES,
		.lkey = end->region->lkey,
	};
	struct ibv_send_wr work = {
		.sg_list = &local,
		.num_sge = 1,
		.opcode = opcode,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = { .remote_addr = address, .rkey = key },
	};
	struct ibv_send_wr *bad;
	struct ibv_wc completion;
	const double stop = seconds() + STUCK;
	int count = 0;

	memset(end->buffer, UNREAD, BYTES);
	if (ibv_post_send(end->pair, &work, &bad))
		return -1;
	while (!count && seconds() < stop)
		count = ibv_poll_cq(end->queue, 1, &completion);
	return count == 1 ? (int)completion.status : -1;
}

bool offer_prepare(struct offer *offer)
{
	const size_t page = page_size();

	*offer = (struct offer){ .page = page, .length = (END - FIRST) * page };
	offer->root = ds_alloc_pages(PAGES);
	offer->map = ds_map(offer->root, PAGES * page, READ_WRITE);
	if (offer->map == MAP_FAILED)
		return false;
	pattern_write(offer->map, PAGES, 0);
	offer->alias = ds_alias_pages(offer->root, FIRST, END, RIGHTS_R);
	offer->part = ds_map(offer->alias, offer->length, PROT_READ);
	offer->expected = malloc(PAGES * page);
	if (offer->part == MAP_FAILED || !offer->expected)
		return false;
	memcpy(offer->expected, offer->map, PAGES * page);
	return true;
}

int offer_make(struct offer *offer, struct end *near, int more_access)
{
	errno = 0;
	offer->region = ibv_reg_mr(near->domain, offer->part, offer->length,
				   IBV_ACCESS_REMOTE_READ | more_access);
	return offer->region ? 0 : errno;
}

int offer_end(struct offer *offer)
{
	struct ibv_mr *region = offer->region;

	offer->region = NULL;
	return region ? ibv_dereg_mr(region) : 0;
}

void offer_free(struct offer *offer)
{
	free(offer->expected);
	munmap(offer->part, offer->length);
	munmap(offer->map, PAGES * offer->page);
	close(offer->alias);
	close(offer->root);
}

bool offer_has_been_read(const struct offer *offer, const char *buffer,
			 size_t page)
{
	return !memcmp(buffer, offer->expected + page * offer->page, BYTES);
}

bool is_not_on_demand(int error)
{
	return error == EOPNOTSUPP || error == EINVAL;
}
