// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that another machine accesses by RDMA verbs: rules 5, 10, 17, 18 and 21. Both ends
 * are queue pairs of one device, which the kernel makes of the loopback interface.
 */
#include <infiniband/verbs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <kselftest_harness.h>

#include "common.h"
#include "control.h"
#include "rdma.h"

#define PAGES 16
#define FIRST 4 /* the first page of the alias */
#define END 8 /* the page after its last one */

/* What the two ends are to agree on, and how long the first waits for the second. */
#define PORT 1
#define PACKET 7
#define TIMEOUT 12 /* 4.096 us times 2^12 */

/*
 * What is read or written at once, one packet: of a longer read on demand, rdma_rxe
 * on Linux 7.3 sends the first packet over and over again.
 */
#define BYTES 1024

static struct ibv_context *open_device(void)
{
	struct ibv_device **all = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;
	int i;

	for (i = 0; all && all[i] && !context; i++) {
		if (!strcmp(ibv_get_device_name(all[i]), RDMA_NAME))
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

/* Has one end send to the other; 0 or an error number. */
static int connect_to(struct ibv_qp *pair, const struct ibv_qp *other)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = other->qp_num,
		.rq_psn = PACKET,
		.sq_psn = PACKET,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.timeout = TIMEOUT,
		.retry_cnt = 7,
		.ah_attr = {
			.is_global = 1,
			.port_num = PORT,
			.grh = { .sgid_index = 1, .hop_limit = 1 },
		},
	};
	int ret;

	ret = ibv_query_gid(pair->context, PORT, attr.ah_attr.grh.sgid_index,
			    &attr.ah_attr.grh.dgid);
	if (ret)
		return ret;
	ret = ibv_modify_qp(pair, &attr,
			    IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
				    IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
				    IBV_QP_MAX_DEST_RD_ATOMIC |
				    IBV_QP_MIN_RNR_TIMER);
	if (ret)
		return ret;
	attr.qp_state = IBV_QPS_RTS;
	return ibv_modify_qp(pair, &attr,
			     IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
				     IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
				     IBV_QP_MAX_QP_RD_ATOMIC);
}

/*
 * @root, @map: memory of PAGES pages
 * @alias: that may be read, pages FIRST to END of it
 * @part: what is offered to the other end: a mapping of @alias, or of these pages
 *	of @root if this kernel registers none that can only be read
 * @region: what is registered of @part
 * @near, @far: the two ends
 * @local: what the far end reads into, and writes from
 * @expected: what is in the memory
 */
FIXTURE(verbs)
{
	size_t page;
	size_t length;
	int root;
	int alias;
	char *map;
	char *part;
	char *local;
	char *expected;
	struct rdma rdma;
	struct ibv_context *context;
	struct ibv_pd *domain;
	struct ibv_cq *queue;
	struct ibv_qp *near;
	struct ibv_qp *far;
	struct ibv_mr *local_region;
	struct ibv_mr *region;
};

FIXTURE_SETUP(verbs)
{
	long ret = rdma_open(&self->rdma);

	if (ret == NO_RDMA)
		SKIP(return, "the kernel makes no such device");
	ASSERT_EQ(0, ret);
	self->context = open_device();
	ASSERT_NE(NULL, self->context);
	self->domain = ibv_alloc_pd(self->context);
	ASSERT_NE(NULL, self->domain);
	self->queue = ibv_create_cq(self->context, 2, NULL, NULL, 0);
	ASSERT_NE(NULL, self->queue);
	self->near = make_queue_pair(self->domain, self->queue);
	ASSERT_NE(NULL, self->near);
	self->far = make_queue_pair(self->domain, self->queue);
	ASSERT_NE(NULL, self->far);
	ASSERT_EQ(0, connect_to(self->near, self->far));
	ASSERT_EQ(0, connect_to(self->far, self->near));

	self->page = page_size();
	self->length = (END - FIRST) * self->page;
	self->root = ds_alloc_pages(PAGES);
	self->map = ds_map(self->root, PAGES * self->page, READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->map);
	pattern_write(self->map, PAGES, 0);
	self->alias = ds_alias_pages(self->root, FIRST, END, RIGHTS_R);
	ASSERT_LE(0, self->alias);
	self->part = ds_map(self->alias, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->part);

	self->expected = malloc(PAGES * self->page);
	ASSERT_NE(NULL, self->expected);
	memcpy(self->expected, self->map, PAGES * self->page);
	self->local = malloc(BYTES);
	ASSERT_NE(NULL, self->local);
	self->local_region = ibv_reg_mr(self->domain, self->local, BYTES,
					IBV_ACCESS_LOCAL_WRITE);
	ASSERT_NE(NULL, self->local_region);
}

FIXTURE_TEARDOWN(verbs)
{
	if (self->region)
		EXPECT_EQ(0, ibv_dereg_mr(self->region));
	EXPECT_EQ(0, ibv_dereg_mr(self->local_region));
	EXPECT_EQ(0, ibv_destroy_qp(self->far));
	EXPECT_EQ(0, ibv_destroy_qp(self->near));
	EXPECT_EQ(0, ibv_destroy_cq(self->queue));
	EXPECT_EQ(0, ibv_dealloc_pd(self->domain));
	EXPECT_EQ(0, ibv_close_device(self->context));
	free(self->local);
	free(self->expected);
	munmap(self->part, self->length);
	munmap(self->map, PAGES * self->page);
	close(self->alias);
	close(self->root);
	rdma_close(&self->rdma);
}

/* Registers the part for the other end to read; 0 or an error number. */
static int offer(FIXTURE_DATA(verbs) * self, int more_access)
{
	errno = 0;
	self->region = ibv_reg_mr(self->domain, self->part, self->length,
				  IBV_ACCESS_REMOTE_READ | more_access);
	return self->region ? 0 : errno;
}

/* The same, but of a mapping of the root where none can be registered read-only. */
static int offer_any(FIXTURE_DATA(verbs) * self)
{
	int ret = offer(self, 0);

	if (ret != EFAULT)
		return ret;
	munmap(self->part, self->length);
	self->part = mmap(NULL, self->length, READ_WRITE, MAP_SHARED,
			  self->root, FIRST * self->page);
	return self->part == MAP_FAILED ? errno : offer(self, 0);
}

/*
 * Has the far end read or write, as far behind the beginning of what is registered
 * as is said. Returns how that ended, or -1.
 */
static int access_far(FIXTURE_DATA(verbs) * self, enum ibv_wr_opcode opcode,
		      size_t offset)
{
	struct ibv_sge local = {
		.addr = (uintptr_t)self->local,
		.length = BYTES,
		.lkey = self->local_region->lkey,
	};
	struct ibv_send_wr work = {
		.sg_list = &local,
		.num_sge = 1,
		.opcode = opcode,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = {
			.remote_addr = (uintptr_t)self->part + offset,
			.rkey = self->region->rkey,
		},
	};
	struct ibv_send_wr *bad;
	struct ibv_wc completion;
	const double end = seconds() + STUCK;
	int count = 0;

	if (ibv_post_send(self->far, &work, &bad))
		return -1;
	while (!count && seconds() < end)
		count = ibv_poll_cq(self->queue, 1, &completion);
	return count == 1 ? (int)completion.status : -1;
}

static int read_far(FIXTURE_DATA(verbs) * self, size_t offset)
{
	memset(self->local, 0x5a, BYTES);
	return access_far(self, IBV_WR_RDMA_READ, offset);
}

static bool has_read(FIXTURE_DATA(verbs) * self, size_t page)
{
	return !memcmp(self->local, self->expected + page * self->page, BYTES);
}

static bool has_read_nothing(FIXTURE_DATA(verbs) * self)
{
	return bytes_are(self->local, BYTES, 0x5a);
}

/* rules 5 and 21 */
TEST_F(verbs, the_other_end_reads_what_is_registered)
{
	size_t i;

	ASSERT_EQ(0, offer_any(self));
	for (i = 0; i < END - FIRST; i++) {
		ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, i * self->page));
		EXPECT_TRUE(has_read(self, FIRST + i));
	}
}

/* rule 5 */
TEST_F(verbs, the_other_end_reads_nothing_behind_an_alias)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, self->length));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 5 */
TEST_F(verbs, the_other_end_reads_nothing_in_front_of_an_alias)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, -self->page));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 10 */
TEST_F(verbs, the_other_end_does_not_write_to_what_is_registered_for_reading)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR,
		  access_far(self, IBV_WR_RDMA_WRITE, 0));
	EXPECT_EQ(0, pattern_wrong(self->map, PAGES, 0));
}

/* rule 10 */
TEST_F(verbs, a_read_only_alias_is_not_registered_for_writing)
{
	EXPECT_EQ(EFAULT, offer(self, IBV_ACCESS_LOCAL_WRITE));
	EXPECT_EQ(EFAULT, offer(self, IBV_ACCESS_LOCAL_WRITE |
					      IBV_ACCESS_REMOTE_WRITE));
}

/* rule 18 */
TEST_F(verbs, SEAL_NOW_fails_while_pages_are_registered)
{
	ASSERT_EQ(0, offer_any(self));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	ASSERT_EQ(0, ibv_dereg_mr(self->region));
	self->region = NULL;
	EXPECT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
}

/* rule 17: what is pinned stays as it was for who has pinned it, and is nobody else's */
TEST_F(verbs, pages_that_are_registered_stay_after_REVOKE)
{
	if (offer(self, 0) == EFAULT)
		SKIP(return, "RDMA takes no read-only memory here");
	ASSERT_NE(NULL, self->region);
	ASSERT_EQ(0, ds_revoke(self->root));
	munmap(self->map, PAGES * self->page);
	close(self->root);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
	self->root = ds_alloc_pages(PAGES);
	self->map = ds_map(self->root, PAGES * self->page, READ_WRITE);
}

/* rule 17 */
TEST_F(verbs, REVOKE_ends_access_on_demand)
{
	int ret = offer(self, IBV_ACCESS_ON_DEMAND);

	if (ret == EOPNOTSUPP || ret == EINVAL)
		SKIP(return, "the device has no paging on demand");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, 0));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 18 */
TEST_F(verbs, SEAL_NOW_succeeds_beside_access_on_demand)
{
	int ret = offer(self, IBV_ACCESS_ON_DEMAND);

	if (ret == EOPNOTSUPP || ret == EINVAL)
		SKIP(return, "the device has no paging on demand");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	ASSERT_EQ(0, ds_seal(self->root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
}

TEST_HARNESS_MAIN
