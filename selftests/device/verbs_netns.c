// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that another machine accesses by RDMA verbs: rules 5, 10, 17, 18 and 21. The
 * two machines are network namespaces, each with a process in it and a device on its
 * end of the cable: this process has the memory, its child is the other side.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <kselftest_harness.h>

#include "common.h"
#include "control.h"
#include "netns.h"
#include "rdma.h"
#include "verbs_end.h"

#define NEAR "near"
#define FAR "far"
#define NEAR_ADDRESS "10.7.0.1"
#define FAR_ADDRESS "10.7.0.2"

/* Where the packets of RDMA go to. */
#define ROCE_PORT 4791

/* What the two sides tell each other first. */
struct greeting {
	int error;
	struct end_address address;
};

/* What the far side is to do. */
struct question {
	enum ibv_wr_opcode opcode;
	uint32_t key;
	uint64_t address;
};

/* How that ended, and what it has read. */
struct answer {
	int status;
	char bytes[BYTES];
};

static bool tell(int socket, const void *what, size_t size)
{
	return send(socket, what, size, MSG_NOSIGNAL) == size;
}

static bool hear(int socket, void *what, size_t size)
{
	return recv(socket, what, size, 0) == size;
}

/*
 * Makes a device in the namespace of this process; 0, NO_RDMA, or -errno. Its name is
 * its process's own, as a device goes a moment later than its namespace.
 */
static long make_device(char *name, size_t size, const char *interface)
{
	snprintf(name, size, RDMA_NAME "_%s_%d", interface, (int)getpid());
	return rdma_make_device(name, interface);
}

static int open_far(struct end *end, int namespace)
{
	char name[64];
	long ret;

	if (setns(namespace, CLONE_NEWNET))
		return -errno;
	ret = netns_start(FAR, FAR_ADDRESS);
	if (!ret)
		ret = make_device(name, sizeof(name), FAR);
	return ret ? -ENODEV : end_open(end, name);
}

/* Does what it is told until nobody tells it any more. */
static int be_far(int socket, int namespace)
{
	struct end end;
	struct greeting mine = { .error = open_far(&end, namespace) };
	struct greeting other;
	struct question question;
	struct answer answer;

	if (!mine.error)
		mine.address = end_address(&end);
	if (!tell(socket, &mine, sizeof(mine)) || mine.error ||
	    !hear(socket, &other, sizeof(other)))
		return 1;
	mine.error = end_connect(&end, &other.address);
	if (!tell(socket, &mine, sizeof(mine)))
		return 1;
	while (hear(socket, &question, sizeof(question))) {
		answer.status = end_access(&end, question.opcode,
					   question.address, question.key);
		memcpy(answer.bytes, end.buffer, BYTES);
		if (!tell(socket, &answer, sizeof(answer)))
			return 1;
	}
	return end_close(&end) ? 1 : 0;
}

/*
 * @near: the end of this process
 * @far: the process at the other one
 * @socket: to talk to it
 * @answer: what it has said last
 */
FIXTURE(verbs_netns)
{
	struct end near;
	struct offer offer;
	pid_t far;
	int socket;
	struct answer answer;
};

/* Starts the process at the far end; a socket or -errno. */
static int start_far(FIXTURE_DATA(verbs_netns) * self, int namespace)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	self->far = fork();
	if (!self->far) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sockets[0]);
		_exit(be_far(sockets[1], namespace));
	}
	close(sockets[1]);
	return sockets[0];
}

FIXTURE_SETUP(verbs_netns)
{
	struct greeting mine = {}, other;
	char name[64];
	int namespace = netns_pair(NEAR, FAR);
	long ret;

	if (namespace == -EOPNOTSUPP)
		SKIP(return, "the kernel has no network namespaces or veth");
	ASSERT_LE(0, namespace);
	ASSERT_EQ(0, netns_start(NEAR, NEAR_ADDRESS));
	ret = make_device(name, sizeof(name), NEAR);
	if (ret == NO_RDMA)
		SKIP(return, "the kernel makes no such device");
	ASSERT_EQ(0, ret);
	if (!netns_has_udp(ROCE_PORT))
		SKIP(return, "RDMA is in the first network namespace only");

	self->socket = start_far(self, namespace);
	ASSERT_LE(0, self->socket);
	close(namespace);
	ASSERT_EQ(0, end_open(&self->near, name));
	mine.address = end_address(&self->near);
	ASSERT_TRUE(hear(self->socket, &other, sizeof(other)));
	ASSERT_EQ(0, other.error);
	ASSERT_EQ(0, end_connect(&self->near, &other.address));
	ASSERT_TRUE(tell(self->socket, &mine, sizeof(mine)));
	ASSERT_TRUE(hear(self->socket, &other, sizeof(other)));
	ASSERT_EQ(0, other.error);
	ASSERT_TRUE(offer_prepare(&self->offer));
}

FIXTURE_TEARDOWN(verbs_netns)
{
	close(self->socket);
	EXPECT_EQ(0, wait_for(self->far));
	EXPECT_EQ(0, offer_end(&self->offer));
	EXPECT_EQ(0, end_close(&self->near));
	offer_free(&self->offer);
}

/*
 * Has the other side read or write, as far behind the beginning of what is registered
 * as is said. Returns how that ended, or -1.
 */
static int access_far(FIXTURE_DATA(verbs_netns) * self,
		      enum ibv_wr_opcode opcode, size_t offset)
{
	const struct question question = {
		.opcode = opcode,
		.key = self->offer.region->rkey,
		.address = (uintptr_t)self->offer.part + offset,
	};

	if (!tell(self->socket, &question, sizeof(question)) ||
	    !hear(self->socket, &self->answer, sizeof(self->answer)))
		return -1;
	return self->answer.status;
}

static int read_far(FIXTURE_DATA(verbs_netns) * self, size_t offset)
{
	return access_far(self, IBV_WR_RDMA_READ, offset);
}

static bool has_read(FIXTURE_DATA(verbs_netns) * self, size_t page)
{
	return offer_has_been_read(&self->offer, self->answer.bytes, page);
}

static bool has_read_nothing(FIXTURE_DATA(verbs_netns) * self)
{
	return bytes_are(self->answer.bytes, BYTES, UNREAD);
}

/* rules 5 and 21 */
TEST_F(verbs_netns, the_other_side_reads_what_is_registered)
{
	size_t i;

	ASSERT_EQ(0, offer_make(&self->offer, &self->near, 0));
	for (i = 0; i < END - FIRST; i++) {
		ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, i * self->offer.page));
		EXPECT_TRUE(has_read(self, FIRST + i));
	}
}

/* rule 5 */
TEST_F(verbs_netns, the_other_side_reads_nothing_behind_an_alias)
{
	ASSERT_EQ(0, offer_make(&self->offer, &self->near, 0));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, self->offer.length));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 10 */
TEST_F(verbs_netns, the_other_side_does_not_write_to_what_is_for_reading)
{
	ASSERT_EQ(0, offer_make(&self->offer, &self->near, 0));
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR,
		  access_far(self, IBV_WR_RDMA_WRITE, 0));
	EXPECT_EQ(0, memcmp(self->offer.map, self->offer.expected,
			    PAGES * self->offer.page));
}

/* rule 17: not what was there, and not what is there now */
TEST_F(verbs_netns, REVOKE_ends_access_of_the_other_side_on_demand)
{
	int ret = offer_make(&self->offer, &self->near, IBV_ACCESS_ON_DEMAND);

	if (is_not_on_demand(ret))
		SKIP(return, "the device has no paging on demand");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
	ASSERT_EQ(0, ds_revoke(self->offer.root));
	pattern_write(self->offer.map, PAGES, PAGES);
	EXPECT_EQ(IBV_WC_REM_ACCESS_ERR, read_far(self, 0));
	EXPECT_TRUE(has_read_nothing(self));
}

/* rule 18 */
TEST_F(verbs_netns, SEAL_NOW_succeeds_beside_access_on_demand)
{
	int ret = offer_make(&self->offer, &self->near, IBV_ACCESS_ON_DEMAND);

	if (is_not_on_demand(ret))
		SKIP(return, "the device has no paging on demand");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	ASSERT_EQ(0, ds_seal(self->offer.root, DATASPACE_SEAL_NOW));
	EXPECT_EQ(IBV_WC_SUCCESS, read_far(self, 0));
	EXPECT_TRUE(has_read(self, FIRST));
}

TEST_HARNESS_MAIN
