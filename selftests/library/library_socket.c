// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending dataspaces between processes by the library: rules 8 and 13. It works
 * over each type of socket, refuses what is not a dataspace and leaves no
 * descriptor behind, and returns each error that the header names for sockets.
 */
#include <kselftest_harness.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "common.h"
#include "fdpass.h"
#include "other_fds.h"
#include "library_call.h"

#define NOBODY 65534

/* More messages than fit into a socket. */
#define MANY 100000

/* Milliseconds between signals, and until the other side does something. */
#define SIGNAL_MS 5
#define DELAY_MS 200

FIXTURE(link)
{
	int fds;
	int ends[2];
	int ds;
};

FIXTURE_VARIANT(link)
{
	int type;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(link, stream) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(link, datagram) { .type = SOCK_DGRAM, };
FIXTURE_VARIANT_ADD(link, packet) { .type = SOCK_SEQPACKET, };
/* clang-format on */

FIXTURE_SETUP(link)
{
	self->fds = count_fds();
	ASSERT_EQ(0, socketpair(AF_UNIX, variant->type | SOCK_CLOEXEC, 0,
				self->ends));
	self->ds = dataspace_alloc(page_size(), RIGHTS_RW, 0);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(link)
{
	close(self->ds);
	close(self->ends[0]);
	close(self->ends[1]);
	EXPECT_EQ(self->fds, count_fds());
}

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

/* Sends one byte with @count descriptors. */
static int send_several(int socket, const int *fds, int count)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = "";
	struct iovec data = { .iov_base = "x", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static volatile sig_atomic_t signals;

static void on_alarm(int signal)
{
	signals++;
}

/* Signals interrupt system calls until the process exits. */
static void begin_signals(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval timer = {
		.it_interval.tv_usec = SIGNAL_MS * 1000,
		.it_value.tv_usec = SIGNAL_MS * 1000,
	};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void end_signals(void)
{
	const struct itimerval never = {};

	setitimer(ITIMER_REAL, &never, NULL);
}

/* rules 8, 13 */
TEST_F(link, hands_over_the_dataspace_itself)
{
	struct dataspace_info received;
	struct dataspace_info sent;
	int ds;

	ASSERT_EQ(0, CALL(dataspace_send(self->ends[0], self->ds)));
	ds = CALL(dataspace_recv(self->ends[1]));
	ASSERT_LE(0, ds);
	EXPECT_EQ(FD_CLOEXEC, fcntl(ds, F_GETFD));
	ASSERT_EQ(0, dataspace_info(self->ds, &sent, sizeof(sent)));
	ASSERT_EQ(0, dataspace_info(ds, &received, sizeof(received)));
	EXPECT_EQ(sent.id, received.id);
	EXPECT_EQ(sent.rights, received.rights);
	EXPECT_EQ(sent.length, received.length);
	close(ds);
}

/* rule 13 */
TEST_F(link, keeps_them_apart_and_in_order)
{
	int alias = dataspace_alias(self->ds, 0, page_size(), RIGHTS_R, 0);
	int first;
	int second;

	ASSERT_LE(0, alias);
	ASSERT_EQ(0, CALL(dataspace_send(self->ends[0], self->ds)));
	ASSERT_EQ(0, CALL(dataspace_send(self->ends[0], alias)));
	first = CALL(dataspace_recv(self->ends[1]));
	second = CALL(dataspace_recv(self->ends[1]));
	EXPECT_EQ(ds_id(self->ds), ds_id(first));
	EXPECT_EQ(ds_id(alias), ds_id(second));
	close(first);
	close(second);
	close(alias);
}

TEST_F(link, says_when_nothing_has_come)
{
	ASSERT_EQ(0, set_nonblocking(self->ends[1]));
	EXPECT_EQ(-EAGAIN, CALL(dataspace_recv(self->ends[1])));
}

TEST_F(link, says_when_there_is_no_room)
{
	int sent = 0;
	int received = 0;
	int ret;

	ASSERT_EQ(0, set_nonblocking(self->ends[0]));
	ASSERT_EQ(0, set_nonblocking(self->ends[1]));
	while (!(ret = CALL(dataspace_send(self->ends[0], self->ds))) &&
	       sent < MANY)
		sent++;
	EXPECT_EQ(-EAGAIN, ret);
	while ((ret = CALL(dataspace_recv(self->ends[1]))) >= 0) {
		received++;
		close(ret);
	}
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_EQ(sent, received);
}

TEST_F(link, waits_for_one_through_signals)
{
	pid_t child = fork();
	int ds;

	ASSERT_LE(0, child);
	if (!child) {
		usleep(DELAY_MS * 1000);
		_exit(dataspace_send(self->ends[0], self->ds) != 0);
	}
	begin_signals();
	ds = CALL(dataspace_recv(self->ends[1]));
	end_signals();
	EXPECT_EQ(ds_id(self->ds), ds_id(ds));
	EXPECT_LT(0, signals);
	EXPECT_EQ(0, wait_for(child));
	close(ds);
}

static int receive_all(int socket, int count)
{
	int ds;

	usleep(DELAY_MS * 1000);
	while (count--) {
		ds = dataspace_recv(socket);
		if (ds < 0)
			return 1;
		close(ds);
	}
	return 0;
}

TEST_F(link, waits_for_room_through_signals)
{
	int sent = 1;
	pid_t child;

	ASSERT_EQ(0, set_nonblocking(self->ends[0]));
	while (!dataspace_send(self->ends[0], self->ds) && sent < MANY)
		sent++;
	ASSERT_EQ(0, fcntl(self->ends[0], F_SETFL, 0));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(receive_all(self->ends[1], sent));
	begin_signals();
	EXPECT_EQ(0, CALL(dataspace_send(self->ends[0], self->ds)));
	end_signals();
	EXPECT_LT(0, signals);
	EXPECT_EQ(0, wait_for(child));
}

/* rule 13: no SIGPIPE is raised */
TEST_F(link, says_that_the_receiver_has_gone)
{
	int error = variant->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;

	close(self->ends[1]);
	EXPECT_EQ(error, CALL(dataspace_send(self->ends[0], self->ds)));
}

TEST_F(link, refuses_other_files)
{
	int kind;
	int fd;

	for (kind = 0; kind < OTHER_FDS; kind++) {
		fd = other_fd_open(kind);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, fd_send(self->ends[0], fd));
		close(fd);
		EXPECT_EQ(-EBADFD, CALL(dataspace_recv(self->ends[1])))
		TH_LOG("file %d", kind);
	}
}

/* An O_PATH descriptor is refused. */
TEST_F(link, refuses_a_dataspace_that_is_not_open)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->ds);
	fd = open(path, O_PATH | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fd_send(self->ends[0], fd));
	close(fd);
	EXPECT_EQ(-EBADFD, CALL(dataspace_recv(self->ends[1])));
}

TEST_F(link, refuses_messages_without_or_with_many)
{
	int three[] = { self->ds, self->ds, self->ds };

	ASSERT_EQ(1, send(self->ends[0], "x", 1, 0));
	EXPECT_EQ(-EBADMSG, CALL(dataspace_recv(self->ends[1])));
	ASSERT_EQ(0, send_several(self->ends[0], three, 2));
	EXPECT_EQ(-EMSGSIZE, CALL(dataspace_recv(self->ends[1])));
	ASSERT_EQ(0, send_several(self->ends[0], three, 3));
	EXPECT_EQ(-EMSGSIZE, CALL(dataspace_recv(self->ends[1])));
}

/* rule 13: the message also has other control messages */
TEST_F(link, takes_credentials_beside_the_dataspace)
{
	int on = 1;
	int ds;

	ASSERT_EQ(0, setsockopt(self->ends[1], SOL_SOCKET, SO_PASSCRED, &on,
				sizeof(on)));
	ASSERT_EQ(0, CALL(dataspace_send(self->ends[0], self->ds)));
	ds = CALL(dataspace_recv(self->ends[1]));
	EXPECT_EQ(ds_id(self->ds), ds_id(ds));
	close(ds);
}

TEST_F(link, says_that_there_is_no_descriptor_free)
{
	struct rlimit before;
	struct rlimit limit;
	int next = dup(self->ds);

	ASSERT_LE(0, next);
	close(next);
	ASSERT_EQ(0, CALL(dataspace_send(self->ends[0], self->ds)));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = next;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, CALL(dataspace_recv(self->ends[1])));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &before));
	ASSERT_EQ(0, set_nonblocking(self->ends[1]));
	EXPECT_EQ(-EAGAIN, CALL(dataspace_recv(self->ends[1])));
}

/* A datagram socket is not told that the sender has closed. */
TEST(the_sender_has_hung_up)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	int ends[2];
	int i;

	for (i = 0; i < ARRAY_LENGTH(types); i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, types[i], 0, ends));
		ASSERT_EQ(0, shutdown(ends[0], SHUT_WR));
		EXPECT_EQ(-ENODATA, CALL(dataspace_recv(ends[1])));
		close(ends[0]);
		close(ends[1]);
	}
}

/* A stream has no messages, so it can't be too long. */
TEST(long_messages_are_refused)
{
	static const int types[] = { SOCK_DGRAM, SOCK_SEQPACKET };
	int ends[2];
	int i;

	for (i = 0; i < ARRAY_LENGTH(types); i++) {
		ASSERT_EQ(0, socketpair(AF_UNIX, types[i], 0, ends));
		ASSERT_EQ(2, send(ends[0], "xy", 2, 0));
		EXPECT_EQ(-EMSGSIZE, CALL(dataspace_recv(ends[1])));
		close(ends[0]);
		close(ends[1]);
	}
}

/* Another user may not have more descriptors in sockets than it may open. */
static int send_too_many(int socket, int ds)
{
	const struct rlimit limit = { 64, 64 };
	int ret = 0;
	int i;

	if (setrlimit(RLIMIT_NOFILE, &limit) || set_nonblocking(socket) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return 0;
	for (i = 0; i < MANY && !ret; i++)
		ret = CALL(dataspace_send(socket, ds));
	return ret;
}

TEST(too_many_on_their_way)
{
	int ds = dataspace_alloc(page_size(), RIGHTS_R, 0);
	int ends[2];
	pid_t child;

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(-send_too_many(ends[0], ds));
	EXPECT_EQ(ETOOMANYREFS, WEXITSTATUS(wait_for(child)));
	close(ends[0]);
	close(ends[1]);
	close(ds);
}

/* rule 13 */
TEST(the_rest_of_a_stream_is_lost_with_its_reader)
{
	int ds = dataspace_alloc(page_size(), RIGHTS_R, 0);
	int ends[2];

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	ASSERT_EQ(0, CALL(dataspace_send(ends[0], ds)));
	close(ends[1]);
	EXPECT_EQ(-ECONNRESET, CALL(dataspace_recv(ends[0])));
	close(ends[0]);
	close(ds);
}

FIXTURE(wrong)
{
	int fds;
	int ds;
};

FIXTURE_SETUP(wrong)
{
	self->fds = count_fds();
	self->ds = dataspace_alloc(page_size(), RIGHTS_R, 0);
	ASSERT_LE(0, self->ds);
}

FIXTURE_TEARDOWN(wrong)
{
	close(self->ds);
	EXPECT_EQ(self->fds, count_fds());
}

TEST_F(wrong, socket_is_not_open)
{
	EXPECT_EQ(-EXDEV, CALL(dataspace_send(-EXDEV, self->ds)));
	EXPECT_EQ(-EXDEV, CALL(dataspace_recv(-EXDEV)));
	EXPECT_EQ(-EBADF, CALL(dataspace_send(CLOSED, self->ds)));
	EXPECT_EQ(-EBADF, CALL(dataspace_recv(CLOSED)));
}

TEST_F(wrong, socket_is_none)
{
	EXPECT_EQ(-ENOTSOCK, CALL(dataspace_send(self->ds, self->ds)));
	EXPECT_EQ(-ENOTSOCK, CALL(dataspace_recv(self->ds)));
}

TEST_F(wrong, socket_is_of_a_family_without_descriptors)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAFNOSUPPORT, CALL(dataspace_send(fd, self->ds)));
	EXPECT_EQ(-EAFNOSUPPORT, CALL(dataspace_recv(fd)));
	close(fd);
}

TEST_F(wrong, socket_has_no_peer)
{
	int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int packet = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ASSERT_LE(0, stream);
	ASSERT_LE(0, packet);
	EXPECT_EQ(-ENOTCONN, CALL(dataspace_send(stream, self->ds)));
	EXPECT_EQ(-ENOTCONN, CALL(dataspace_send(packet, self->ds)));
	EXPECT_EQ(-EINVAL, CALL(dataspace_recv(stream)));
	EXPECT_EQ(-ENOTCONN, CALL(dataspace_recv(packet)));
	close(stream);
	close(packet);
}

TEST_F(wrong, socket_listens)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0,
		  bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)));
	ASSERT_EQ(0, listen(fd, 1));
	EXPECT_EQ(-EINVAL, CALL(dataspace_recv(fd)));
	close(fd);
}

TEST_F(wrong, what_is_sent_is_no_dataspace)
{
	int ends[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends));
	EXPECT_EQ(-EXDEV, CALL(dataspace_send(ends[0], -EXDEV)));
	EXPECT_EQ(-EBADF, CALL(dataspace_send(ends[0], CLOSED)));
	EXPECT_EQ(-EBADFD, CALL(dataspace_send(ends[0], ends[1])));
	EXPECT_EQ(-EAGAIN, CALL(dataspace_recv(ends[1])));
	close(ends[0]);
	close(ends[1]);
}

TEST_HARNESS_MAIN
