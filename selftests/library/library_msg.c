// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data and many dataspaces in one message of the library: what arrives is what
 * was sent, or all of the message is refused and no descriptor of it stays.
 */
#include <kselftest_harness.h>

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "common.h"
#include "other_fds.h"
#include "library_call.h"

#define MAX DATASPACE_MSG_MAX

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

#define TEXT "a message"
#define LENGTH sizeof(TEXT)

FIXTURE(msg)
{
	int fds;
	int ends[2];
	int sent[MAX + 1];
	int received[MAX + 1];
	unsigned int n;
	char text[2 * LENGTH];
};

FIXTURE_VARIANT(msg)
{
	int type;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(msg, stream) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(msg, datagram) { .type = SOCK_DGRAM, };
FIXTURE_VARIANT_ADD(msg, packet) { .type = SOCK_SEQPACKET, };
/* clang-format on */

/* All that can be sent are two dataspaces, in turn. */
FIXTURE_SETUP(msg)
{
	int i;

	self->fds = count_fds();
	ASSERT_EQ(0, socketpair(AF_UNIX,
				variant->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				self->ends));
	self->sent[0] = dataspace_alloc(page_size(), RIGHTS_RW, 0);
	self->sent[1] = dataspace_alloc(page_size(), RIGHTS_R, 0);
	ASSERT_LE(0, self->sent[1]);
	for (i = 2; i <= MAX; i++)
		self->sent[i] = self->sent[i % 2];
	memset(self->received, 0xff, sizeof(self->received));
}

/* Whatever happened, the socket is empty and nothing is left open. */
FIXTURE_TEARDOWN(msg)
{
	char byte;

	EXPECT_EQ(-1, recv(self->ends[1], &byte, 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	close(self->sent[0]);
	close(self->sent[1]);
	close(self->ends[0]);
	close(self->ends[1]);
	EXPECT_EQ(self->fds, count_fds());
}

static ssize_t send_text(FIXTURE_DATA(msg) * self, unsigned int n)
{
	int socket = self->ends[0];

	return CALL(dataspace_send_msg(socket, TEXT, LENGTH, self->sent, n));
}

/* Into room for @bytes and @n. */
static ssize_t receive(FIXTURE_DATA(msg) * self, size_t bytes, unsigned int n)
{
	self->n = n;
	return CALL(dataspace_recv_msg(self->ends[1], self->text, bytes,
				       self->received, &self->n));
}

/* Whether nothing was stored by a receive() that failed. */
static bool nothing_came(FIXTURE_DATA(msg) * self, unsigned int n)
{
	int i;

	for (i = 0; i <= MAX; i++)
		if (self->received[i] != -1)
			return false;
	return self->n == n;
}

/* Whether @n have come that are those that were sent; closes them. */
static bool the_same_came(FIXTURE_DATA(msg) * self, unsigned int n)
{
	bool same = self->n == n && self->received[n] == -1;
	unsigned int i;

	for (i = 0; i < self->n; i++) {
		same &= ds_id(self->received[i]) == ds_id(self->sent[i]) &&
			fcntl(self->received[i], F_GETFD) == FD_CLOEXEC;
		close(self->received[i]);
	}
	return same;
}

/* What a peer sends that does not use the library. */
static int send_fds(int socket, size_t bytes, const int *fds, int n)
{
	char control[CMSG_SPACE(4 * sizeof(int))] = "";
	struct iovec data = { .iov_base = TEXT, .iov_len = bytes };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(n * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(header), fds, n * sizeof(int));
	return sendmsg(socket, &message, 0) == bytes ? 0 : -errno;
}

/* rules 8, 13 */
TEST_F(msg, carries_any_number)
{
	static const unsigned int numbers[] = { 0, 1, 2, 3, 100, MAX };
	unsigned int n;
	int i;

	for (i = 0; i < ARRAY_LENGTH(numbers); i++) {
		n = numbers[i];
		memset(self->received, 0xff, sizeof(self->received));
		ASSERT_EQ(LENGTH, send_text(self, n));
		ASSERT_EQ(LENGTH, receive(self, sizeof(self->text), MAX));
		EXPECT_STREQ(TEXT, self->text);
		EXPECT_TRUE(the_same_came(self, n))
		TH_LOG("%u dataspaces", n);
	}
}

TEST_F(msg, fits_exactly)
{
	ASSERT_EQ(LENGTH, send_text(self, 3));
	ASSERT_EQ(LENGTH, receive(self, LENGTH, 3));
	EXPECT_TRUE(the_same_came(self, 3));
}

TEST_F(msg, needs_no_place_for_none)
{
	unsigned int n = 0;

	ASSERT_EQ(LENGTH, CALL(dataspace_send_msg(self->ends[0], TEXT, LENGTH,
						  NULL, 0)));
	EXPECT_EQ(LENGTH, CALL(dataspace_recv_msg(self->ends[1], self->text,
						  LENGTH, NULL, &n)));
	EXPECT_EQ(0, n);
}

/* All of the message goes, also what would have had a place. */
TEST_F(msg, has_more_dataspaces_than_there_is_room_for)
{
	ASSERT_EQ(LENGTH, send_text(self, 3));
	EXPECT_EQ(-EMSGSIZE, receive(self, LENGTH, 2));
	EXPECT_TRUE(nothing_came(self, 2));
	ASSERT_EQ(LENGTH, send_text(self, 1));
	EXPECT_EQ(-EMSGSIZE, receive(self, LENGTH, 0));
	EXPECT_TRUE(nothing_came(self, 0));
	ASSERT_EQ(LENGTH, send_text(self, MAX));
	EXPECT_EQ(-EMSGSIZE, receive(self, LENGTH, MAX - 1));
	EXPECT_TRUE(nothing_came(self, MAX - 1));
}

/* A stream goes on where the last call has ended. */
TEST_F(msg, has_more_bytes_than_there_is_room_for)
{
	ASSERT_EQ(LENGTH, send_text(self, 2));
	if (variant->type != SOCK_STREAM) {
		EXPECT_EQ(-EMSGSIZE, receive(self, LENGTH - 1, 2));
		EXPECT_TRUE(nothing_came(self, 2));
		return;
	}
	EXPECT_EQ(LENGTH - 1, receive(self, LENGTH - 1, 2));
	EXPECT_TRUE(the_same_came(self, 2));
	EXPECT_EQ(1, receive(self, LENGTH, 2));
	EXPECT_EQ(0, self->n);
}

/* The good ones are closed with it, wherever it is. */
TEST_F(msg, has_another_file_among_them)
{
	int kind;
	int fd;
	int i;

	for (kind = 0; kind < OTHER_FDS; kind++) {
		int fds[] = { self->sent[0], self->sent[0], self->sent[0] };

		i = kind % ARRAY_LENGTH(fds);
		fd = other_fd_open(kind);
		ASSERT_LE(0, fd);
		fds[i] = fd;
		ASSERT_EQ(0, send_fds(self->ends[0], LENGTH, fds, 3));
		close(fd);
		EXPECT_EQ(-EBADFD, receive(self, LENGTH, 3))
		TH_LOG("file %d at %d", kind, i);
		EXPECT_TRUE(nothing_came(self, 3));
	}
}

/* Some have found a place by then. */
TEST_F(msg, finds_too_few_free_descriptors)
{
	struct rlimit before;
	struct rlimit limit;
	int next = dup(self->sent[0]);
	int room;

	ASSERT_LE(0, next);
	close(next);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	for (room = 0; room < 4; room++) {
		ASSERT_EQ(LENGTH, send_text(self, 4));
		limit = before;
		limit.rlim_cur = next + room;
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
		EXPECT_EQ(-EMFILE, receive(self, LENGTH, 4));
		EXPECT_TRUE(nothing_came(self, 4));
		ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
		EXPECT_EQ(next, dup(self->sent[0]));
		close(next);
	}
}

/* The caller's socket may bring more than descriptors. */
TEST_F(msg, comes_with_credentials)
{
	int on = 1;

	ASSERT_EQ(0, setsockopt(self->ends[1], SOL_SOCKET, SO_PASSCRED, &on,
				sizeof(on)));
	ASSERT_EQ(LENGTH, send_text(self, MAX));
	ASSERT_EQ(LENGTH, receive(self, LENGTH, MAX));
	EXPECT_TRUE(the_same_came(self, MAX));
}

/* Which is a descriptor that nobody has asked the library for. */
TEST_F(msg, comes_with_a_pidfd)
{
	int on = 1;

	if (setsockopt(self->ends[1], SOL_SOCKET, SO_PASSPIDFD, &on,
		       sizeof(on)))
		SKIP(return, "this kernel sends no pidfd");
	ASSERT_EQ(LENGTH, send_text(self, MAX));
	ASSERT_EQ(LENGTH, receive(self, LENGTH, MAX));
	EXPECT_TRUE(the_same_came(self, MAX));
	ASSERT_EQ(LENGTH, send_text(self, 2));
	EXPECT_EQ(-EMSGSIZE, receive(self, LENGTH, 1));
}

TEST_F(msg, is_refused_before_it_is_sent)
{
	int ends[2] = { self->ends[0], self->ends[1] };
	int bad[] = { self->sent[0], -EXDEV, self->sent[0] };

	EXPECT_EQ(-EINVAL,
		  CALL(dataspace_send_msg(ends[0], TEXT, 0, self->sent, 1)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_send_msg(ends[0], TEXT, 0, NULL, 0)));
	EXPECT_EQ(-EINVAL, send_text(self, MAX + 1));
	EXPECT_EQ(-EINVAL, send_text(self, UINT32_MAX));
	EXPECT_EQ(-EFAULT,
		  CALL(dataspace_send_msg(ends[0], TEXT, LENGTH, NULL, 1)));
	EXPECT_EQ(-EFAULT, CALL(dataspace_send_msg(ends[0], NULL, LENGTH,
						   self->sent, 1)));
	EXPECT_EQ(-EXDEV,
		  CALL(dataspace_send_msg(ends[0], TEXT, LENGTH, bad, 3)));
	bad[1] = CLOSED;
	EXPECT_EQ(-EBADF,
		  CALL(dataspace_send_msg(ends[0], TEXT, LENGTH, bad, 3)));
	bad[1] = ends[1];
	EXPECT_EQ(-EBADFD,
		  CALL(dataspace_send_msg(ends[0], TEXT, LENGTH, bad, 3)));
	EXPECT_EQ(-EXDEV,
		  CALL(dataspace_send_msg(-EXDEV, TEXT, LENGTH, bad, 3)));
}

/* Nothing is taken from the socket for such a mistake. */
TEST_F(msg, is_not_received_for_a_malformed_call)
{
	int socket = self->ends[1];
	unsigned int n = 1;

	ASSERT_EQ(LENGTH, send_text(self, 1));
	EXPECT_EQ(-EINVAL, receive(self, 0, 1));
	EXPECT_EQ(-EFAULT, CALL(dataspace_recv_msg(socket, self->text, LENGTH,
						   NULL, &n)));
	EXPECT_EQ(-EFAULT, CALL(dataspace_recv_msg(socket, self->text, LENGTH,
						   self->received, NULL)));
	EXPECT_EQ(-EXDEV, CALL(dataspace_recv_msg(-EXDEV, self->text, LENGTH,
						  self->received, &n)));
	EXPECT_EQ(1, n);
	EXPECT_EQ(LENGTH, receive(self, LENGTH, 1));
	EXPECT_TRUE(the_same_came(self, 1));
}

TEST_F(msg, has_not_come)
{
	EXPECT_EQ(-EAGAIN, receive(self, LENGTH, 1));
	EXPECT_TRUE(nothing_came(self, 1));
}

/* On sockets that keep messages apart they can be empty. */
TEST_F(msg, is_empty)
{
	int fds[] = { self->sent[0], self->sent[1] };

	if (variant->type == SOCK_STREAM)
		return;
	ASSERT_EQ(0, send(self->ends[0], "", 0, 0));
	EXPECT_EQ(-ENODATA, receive(self, LENGTH, 2));
	ASSERT_EQ(0, send_fds(self->ends[0], 0, fds, 2));
	EXPECT_EQ(-EBADMSG, receive(self, LENGTH, 2));
	EXPECT_TRUE(nothing_came(self, 2));
}

/* A stream has no end of a message that could be missed. */
TEST_F(msg, is_longer_than_the_socket_takes)
{
	static char much[4 << 20];
	ssize_t sent = CALL(dataspace_send_msg(self->ends[0], much,
					       sizeof(much), self->sent, 2));
	ssize_t left;

	if (variant->type != SOCK_STREAM) {
		EXPECT_EQ(-EMSGSIZE, sent);
		return;
	}
	ASSERT_LT(0, sent);
	EXPECT_GT(sizeof(much), sent);
	self->n = 2;
	left = sent - CALL(dataspace_recv_msg(self->ends[1], much, sizeof(much),
					      self->received, &self->n));
	EXPECT_TRUE(the_same_came(self, 2));
	while (left > 0)
		left -= recv(self->ends[1], much, sizeof(much), 0);
	EXPECT_EQ(0, left);
}

/* And raises no SIGPIPE. */
TEST(the_peer_has_gone)
{
	int ds = dataspace_alloc(page_size(), RIGHTS_R, 0);
	int fds = count_fds();
	unsigned int n = 1;
	char text[LENGTH];
	int ends[2];

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	close(ends[1]);
	EXPECT_EQ(-EPIPE,
		  CALL(dataspace_send_msg(ends[0], TEXT, LENGTH, &ds, 1)));
	EXPECT_EQ(-ENODATA,
		  CALL(dataspace_recv_msg(ends[0], text, LENGTH, &ds, &n)));
	EXPECT_EQ(1, n);
	close(ends[0]);
	EXPECT_EQ(fds, count_fds());
	close(ds);
}

TEST_HARNESS_MAIN
