// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tests of dataspaced and of the commands of dataspace that speak to it. Both are
 * linked into this program, which is one of them if it is called by its name, so
 * that it can be taken to a machine that has the device and no compiler. Each test
 * has a broker of its own.
 *
 *	check-broker		needs /dev/dataspace, a shell, and to be root
 */
#include <dataspace.h>
#include <dataspaced.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check-folder.h"

/* main() of the command and of the broker. */
int tool_main(int argc, char **argv), broker_main(int argc, char **argv);

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))
#define GROUP "/sys/fs/cgroup/check-broker"

/* Users that need no entry in /etc/passwd. */
enum { ROOT, ALICE = 1000, BOB, CAROL };

static pid_t broker;
static bool good;
static uint64_t last_id;

static void expect(bool condition, const char *text, int line)
{
	if (condition)
		return;
	good = false;
	printf("# line %d: not so: %s\n", line, text);
}

static void expect_equal(long long got, long long expected, const char *text,
			 int line)
{
	if (got == expected)
		return;
	good = false;
	printf("# line %d: %s is %lld, not %lld\n", line, text, got, expected);
}

#define EXPECT(condition) expect(condition, #condition, __LINE__)
#define EXPECT_EQUAL(got, expected) expect_equal(got, expected, #got, __LINE__)

static void address_of(struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, "socket");
}

/* Who connects is who the client is for the broker. */
static int connect_as(uid_t uid)
{
	struct timeval patience = { .tv_sec = 60 };
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	address_of(&address);
	if (fd < 0 || seteuid(uid))
		err(EXIT_FAILURE, "user %d", uid);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		close(fd);
		fd = -1;
	}
	if (seteuid(0))
		err(EXIT_FAILURE, "seteuid");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static unsigned int open_descriptors(void)
{
	unsigned int count = 0;
	char path[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", broker);
	folder = opendir(path);
	if (!folder)
		err(EXIT_FAILURE, "%s", path);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* The option may be NULL. Returns when the broker listens and has no client. */
static void start_broker(const char *option, const char *value)
{
	unsigned int count;
	struct stat st;

	broker = fork();
	if (!broker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("dataspaced", "dataspaced", "-s", "socket", option, value,
		      NULL);
		_exit(127);
	}
	while (stat("socket", &st) || chmod("socket", 0666) ||
	       close(connect_as(ROOT)))
		usleep(1000);
	do {
		count = open_descriptors();
		usleep(50000);
	} while (open_descriptors() != count);
}

static void stop_broker(void)
{
	int status;

	kill(broker, SIGKILL);
	waitpid(broker, &status, 0);
	unlink("socket");
}

/* The dataspace that is answered, or 0, or the error. */
static int answer_on(int fd)
{
	struct dataspaced_reply reply;
	unsigned int n = 1;
	int ds = 0;
	ssize_t ret;

	ret = dataspace_recv_msg(fd, &reply, sizeof(reply), &ds, &n);
	if (ret < 0)
		return ret;
	if (ret != sizeof(reply))
		return -EPROTO;
	if (ds > 0)
		last_id = reply.id;
	return reply.error ? reply.error : ds;
}

static int ask(int fd, const struct dataspaced_request *request)
{
	if (send(fd, request, sizeof(*request), MSG_NOSIGNAL) < 0)
		return -errno;
	return answer_on(fd);
}

static int alloc_with(int fd, uint64_t length, uint32_t rights, uint32_t flags)
{
	struct dataspaced_request request = { .op = DATASPACED_ALLOC,
					      .length = length,
					      .rights = rights,
					      .flags = flags,
					      .name = "test" };

	return ask(fd, &request);
}

static int alloc(int fd, uint64_t length)
{
	return alloc_with(fd, length, DATASPACE_RW, DATASPACED_SCATTERED);
}

/* When the broker has come to know what is free again. */
static int alloc_soon(int fd, uint64_t length)
{
	unsigned int tries = 5000;
	int ds;

	while ((ds = alloc(fd, length)) == -EDQUOT && tries--)
		usleep(1000);
	return ds;
}

static struct dataspaced_request publication(const char *name, uint64_t length,
					     uint32_t flags, uid_t uid)
{
	struct dataspaced_request request = { .op = DATASPACED_PUBLISH,
					      .id = last_id,
					      .length = length,
					      .rights = DATASPACE_RO,
					      .flags = flags,
					      .uid = uid };

	strcpy(request.name, name);
	return request;
}

/* What was allocated last. */
static int publish(int fd, const char *name, uint32_t flags, uid_t uid)
{
	struct dataspaced_request request = publication(name, PAGE, flags, uid);

	return ask(fd, &request);
}

static int get_with(int fd, uid_t uid, const char *name, uint32_t rights)
{
	struct dataspaced_request request = { .op = DATASPACED_GET,
					      .uid = uid,
					      .rights = rights };

	strcpy(request.name, name);
	return ask(fd, &request);
}

static int get(int fd, uid_t uid, const char *name)
{
	return get_with(fd, uid, name, 0);
}

static int release(int fd, uint64_t id)
{
	struct dataspaced_request request = { .op = DATASPACED_RELEASE,
					      .id = id };

	return ask(fd, &request);
}

static struct dataspace_info info_of(int ds)
{
	struct dataspace_info info = { .length = 0 };

	if (dataspace_info(ds, &info, sizeof(info)) < 0)
		memset(&info, 0, sizeof(info));
	return info;
}

static bool is_closed(int fd)
{
	int ret = answer_on(fd);

	return ret == -ENODATA || ret == -ECONNRESET;
}

static bool is_back(int ds, int patience_ms)
{
	struct pollfd poller = { .fd = ds, .events = POLLIN };

	return poll(&poller, 1, patience_ms) == 1;
}

/* A message with @n copies of a descriptor. */
static int send_fds(int socket, const void *data, size_t bytes, int fd,
		    unsigned int n)
{
	char control[CMSG_SPACE(DATASPACE_MSG_MAX * sizeof(int))] = "";
	struct cmsghdr *header = (struct cmsghdr *)control;
	struct iovec payload = { (void *)data, bytes };
	struct msghdr message = { .msg_iov = &payload,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen =
					  CMSG_SPACE(n * sizeof(int)) };

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(n * sizeof(int));
	while (n--)
		memcpy(CMSG_DATA(header) + n * sizeof(int), &fd, sizeof(fd));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int alloc_paid(int fd, uint64_t length, int device)
{
	struct dataspaced_request request = { .op = DATASPACED_ALLOC,
					      .length = length,
					      .rights = DATASPACE_RW,
					      .flags = DATASPACED_PAY |
						       DATASPACED_SCATTERED };
	int ret = send_fds(fd, &request, sizeof(request), device, 1);

	return ret ? ret : answer_on(fd);
}

/* Whether it ends with that status, and @printed is in what it prints. */
static bool runs(const char *script, int status, const char *printed)
{
	char command[1024], text[4096];
	FILE *output;
	size_t length;
	int ret;

	snprintf(command, sizeof(command), "{ %s; } 2>&1 </dev/null", script);
	output = popen(command, "re");
	if (!output)
		err(EXIT_FAILURE, "popen");
	length = fread(text, 1, sizeof(text) - 1, output);
	text[length] = 0;
	ret = pclose(output);
	if (WIFEXITED(ret) && WEXITSTATUS(ret) == status &&
	    strstr(text, printed))
		return true;
	printf("# status 0x%x, printed:\n# %s\n", ret, text);
	return false;
}

/* The broker closes what it has let go of when it comes to it. */
static bool has_descriptors(unsigned int count)
{
	unsigned int tries = 3000;

	while (open_descriptors() != count && tries--)
		usleep(1000);
	return open_descriptors() == count;
}

/* The broker's descriptor of the dataspace with that name, or -1. */
static int named(const char *name)
{
	char path[64], line[256], wanted[64];
	FILE *file;
	int fd;

	snprintf(wanted, sizeof(wanted), "dataspace-name:\t%s\n", name);
	for (fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", broker, fd);
		file = fopen(path, "re");
		if (!file)
			continue;
		while (fgets(line, sizeof(line), file))
			if (!strcmp(line, wanted)) {
				fclose(file);
				return fd;
			}
		fclose(file);
	}
	return -1;
}

static void test_alloc(void)
{
	int client = connect_as(ALICE);
	int ds = alloc(client, 3 * PAGE - 1);

	EXPECT(ds > 0);
	EXPECT_EQUAL(info_of(ds).length, 3 * PAGE);
	EXPECT_EQUAL(info_of(ds).rights, DATASPACE_RW);
	EXPECT_EQUAL(info_of(ds).id, last_id);
	EXPECT_EQUAL(pwrite(ds, "x", 1, 0), 1);
	ds = alloc_with(client, PAGE, DATASPACE_READ, DATASPACED_LAZY);
	EXPECT(ds > 0);
	EXPECT_EQUAL(info_of(ds).rights, DATASPACE_READ);
	EXPECT(named("1000:test") >= 0);
}

static void test_malformed(void)
{
	struct dataspaced_request request = { .op = 99 };
	int client = connect_as(ALICE);

	EXPECT_EQUAL(ask(client, &request), -EOPNOTSUPP);
	EXPECT_EQUAL(alloc_with(client, PAGE, DATASPACE_RW, 1U << 31),
		     -EOPNOTSUPP);
	EXPECT_EQUAL(alloc_with(client, PAGE, 1U << 31 | DATASPACE_READ, 0),
		     -EOPNOTSUPP);
	EXPECT_EQUAL(alloc_with(client, 0, DATASPACE_RW, 0), -EINVAL);
	EXPECT_EQUAL(alloc_with(client, PAGE, DATASPACE_WRITE, 0), -EINVAL);
	EXPECT_EQUAL(alloc_with(client, UINT64_MAX, DATASPACE_RW, 0), -ENOMEM);
	EXPECT_EQUAL(get(client, ALICE, ""), -ENOENT);
	EXPECT_EQUAL(release(client, 1), -EBADF);
	EXPECT(alloc(client, PAGE) > 0);
	EXPECT_EQUAL(publish(client, "", 0, 0), -EINVAL);
	EXPECT_EQUAL(publish(client, "a/b", 0, 0), -EINVAL);
	EXPECT_EQUAL(publish(client, "a:b", 0, 0), -EINVAL);
	EXPECT_EQUAL(publish(client, "a\nb", 0, 0), -EINVAL);
	EXPECT_EQUAL(publish(client, "123456789012345678901", 0, 0), -EINVAL);
	EXPECT_EQUAL(publish(client, "12345678901234567890", 0, 0), 0);
}

static void test_messages(void)
{
	struct dataspaced_request request[2] = { { .op = DATASPACED_ALLOC } };
	int client = connect_as(ALICE);
	int other = connect_as(ALICE);

	send(client, request, 1, 0);
	EXPECT_EQUAL(answer_on(client), -EINVAL);
	send(client, request, sizeof(request[0]) - 1, 0);
	EXPECT_EQUAL(answer_on(client), -EINVAL);
	send(client, request, sizeof(request[0]) + 1, 0);
	EXPECT_EQUAL(answer_on(client), -E2BIG);
	EXPECT(alloc(client, PAGE) > 0);
	send(client, request, 0, 0);
	EXPECT(is_closed(client));
	EXPECT(alloc(other, PAGE) > 0);
}

static void test_publish(void)
{
	struct dataspaced_request request;
	int client = connect_as(ALICE);
	int other = connect_as(ALICE);

	EXPECT(alloc_with(client, 2 * PAGE, DATASPACE_RO, 0) > 0);
	EXPECT_EQUAL(publish(other, "part", 0, 0), -EBADF);
	request = publication("part", 3 * PAGE, 0, 0);
	EXPECT_EQUAL(ask(client, &request), -EINVAL);
	request = publication("part", PAGE, 0, 0);
	request.offset = 1;
	EXPECT_EQUAL(ask(client, &request), -EINVAL);
	request.offset = 0;
	request.rights = DATASPACE_RW;
	EXPECT_EQUAL(ask(client, &request), -EPERM);
	request.rights = 0;
	EXPECT_EQUAL(ask(client, &request), -EINVAL);
	EXPECT_EQUAL(publish(client, "part", 0, 0), 0);
	EXPECT_EQUAL(publish(client, "part", 0, 0), -EEXIST);
	EXPECT_EQUAL(publish(client, "other", 0, 0), 0);
	EXPECT(alloc_with(client, PAGE, DATASPACE_READ, 0) > 0);
	EXPECT_EQUAL(publish(client, "closed", 0, 0), -EPERM);
}

static void test_get(void)
{
	struct dataspaced_request request;
	int client = connect_as(ALICE);
	int other = connect_as(ALICE);
	int ds = alloc(client, 4 * PAGE);
	char text[3] = "";
	int got;

	request = publication("part", 2 * PAGE, 0, 0);
	request.offset = PAGE;
	EXPECT_EQUAL(pwrite(ds, "ab", 2, PAGE), 2);
	EXPECT_EQUAL(ask(client, &request), 0);
	got = get(other, ALICE, "part");
	EXPECT_EQUAL(info_of(got).length, 2 * PAGE);
	EXPECT_EQUAL(info_of(got).rights, DATASPACE_RO);
	EXPECT_EQUAL(info_of(got).id, last_id);
	EXPECT_EQUAL(pread(got, text, 2, 0), 2);
	EXPECT(!strcmp(text, "ab"));
	EXPECT(pwrite(got, "x", 1, 0) < 0 && errno == EBADF);
	got = get_with(other, ALICE, "part", DATASPACE_READ);
	EXPECT_EQUAL(info_of(got).rights, DATASPACE_READ);
	EXPECT_EQUAL(get_with(other, ALICE, "part", DATASPACE_RW), -EPERM);
	EXPECT_EQUAL(get_with(other, ALICE, "part", DATASPACE_MAP), -EINVAL);
	EXPECT_EQUAL(get(other, ALICE, "nothing"), -ENOENT);
	EXPECT_EQUAL(get(other, BOB, "part"), -ENOENT);
	EXPECT_EQUAL(dataspace_revoke(ds, DATASPACE_REVOKE_SELF), 0);
	got = get(other, ALICE, "part");
	EXPECT(got == -ESTALE || got == -ENOENT);
}

static void test_permissions(void)
{
	int alice = connect_as(ALICE);
	int bob = connect_as(BOB);
	int carol = connect_as(CAROL);
	int root = connect_as(ROOT);

	EXPECT(alloc(alice, PAGE) > 0);
	EXPECT_EQUAL(publish(alice, "own", 0, 0), 0);
	EXPECT_EQUAL(publish(alice, "bobs", DATASPACED_USER, BOB), 0);
	EXPECT_EQUAL(publish(alice, "all", DATASPACED_ANYBODY, 0), 0);
	EXPECT(get(alice, ALICE, "own") > 0);
	EXPECT_EQUAL(get(bob, ALICE, "own"), -EACCES);
	EXPECT_EQUAL(get(root, ALICE, "own"), -EACCES);
	EXPECT(get(alice, ALICE, "bobs") > 0);
	EXPECT(get(bob, ALICE, "bobs") > 0);
	EXPECT_EQUAL(get(carol, ALICE, "bobs"), -EACCES);
	EXPECT(get(carol, ALICE, "all") > 0);
}

static void test_squatting(void)
{
	int alice = connect_as(ALICE);
	int bob = connect_as(BOB);
	int own, got;
	char byte = 0;

	EXPECT(alloc(bob, PAGE) > 0);
	EXPECT_EQUAL(publish(bob, "frames", DATASPACED_ANYBODY, 0), 0);
	EXPECT_EQUAL(get(alice, ALICE, "frames"), -ENOENT);
	own = alloc(alice, PAGE);
	EXPECT_EQUAL(pwrite(own, "a", 1, 0), 1);
	EXPECT_EQUAL(publish(alice, "frames", DATASPACED_ANYBODY, 0), 0);
	got = get(bob, ALICE, "frames");
	EXPECT_EQUAL(info_of(got).length, PAGE);
	EXPECT_EQUAL(pread(got, &byte, 1, 0), 1);
	EXPECT_EQUAL(byte, 'a');
}

static void test_comes_back(void)
{
	int client = connect_as(ALICE);
	int other = connect_as(ALICE);
	int ds = alloc(client, PAGE);
	int got;

	EXPECT_EQUAL(publish(client, "part", 0, 0), 0);
	EXPECT(is_back(ds, 0));
	got = get(other, ALICE, "part");
	EXPECT(!is_back(ds, 0));
	close(other);
	EXPECT(!is_back(ds, 100));
	close(got);
	EXPECT(is_back(ds, 5000));
}

static void test_ends(void)
{
	unsigned int before = open_descriptors();
	int client = connect_as(ALICE);
	int other = connect_as(ALICE);
	int ds = alloc(client, PAGE);
	uint64_t id = last_id;
	int got;

	EXPECT_EQUAL(publish(client, "part", 0, 0), 0);
	got = get(other, ALICE, "part");
	EXPECT_EQUAL(release(other, id), -EBADF);
	EXPECT_EQUAL(release(client, id), 0);
	EXPECT_EQUAL(release(client, id), -EBADF);
	EXPECT_EQUAL(get(other, ALICE, "part"), -ENOENT);
	EXPECT_EQUAL(pread(got, &(char){ 0 }, 1, 0), 1);
	close(ds);
	close(got);
	EXPECT(has_descriptors(before + 2));
	ds = alloc(client, PAGE);
	EXPECT_EQUAL(publish(client, "part", 0, 0), 0);
	close(client);
	close(ds);
	EXPECT(has_descriptors(before + 1));
	EXPECT_EQUAL(get(other, ALICE, "part"), -ENOENT);
}

static void test_bytes(void)
{
	int alice = connect_as(ALICE);
	int bob = connect_as(BOB);
	int ds = alloc(alice, 12 * PAGE);

	EXPECT(ds > 0);
	EXPECT_EQUAL(alloc(alice, 5 * PAGE), -EDQUOT);
	EXPECT_EQUAL(alloc(connect_as(ALICE), 5 * PAGE), -EDQUOT);
	EXPECT(alloc(alice, 4 * PAGE) > 0);
	EXPECT(alloc(bob, 16 * PAGE) > 0);
	close(alice);
	alice = connect_as(ALICE);
	EXPECT_EQUAL(alloc(alice, 13 * PAGE), -EDQUOT);
	close(ds);
	EXPECT(alloc_soon(alice, 12 * PAGE) > 0);
}

static void test_total(void)
{
	EXPECT(alloc(connect_as(ALICE), 12 * PAGE) > 0);
	EXPECT_EQUAL(alloc(connect_as(BOB), 5 * PAGE), -EDQUOT);
	EXPECT(alloc(connect_as(BOB), 4 * PAGE) > 0);
}

static void test_numbers(void)
{
	int alice = connect_as(ALICE);
	int bob = connect_as(BOB);
	char name[8] = "a";
	int i, got = 0;

	for (i = 0; i < 4; i++)
		EXPECT(alloc(alice, PAGE) > 0);
	EXPECT_EQUAL(alloc(alice, PAGE), -EDQUOT);
	EXPECT(alloc(bob, PAGE) > 0);
	for (i = 0; i < 4; i++, name[0]++)
		EXPECT_EQUAL(publish(bob, name, DATASPACED_ANYBODY, 0), 0);
	EXPECT_EQUAL(publish(bob, name, DATASPACED_ANYBODY, 0), -EDQUOT);
	for (i = 0; i < 4; i++) {
		got = get(alice, BOB, "a");
		EXPECT(got > 0);
	}
	EXPECT_EQUAL(get(alice, BOB, "a"), -EDQUOT);
	EXPECT(get(bob, BOB, "a") > 0);
	close(got);
	for (i = 0; i < 1000 && (got = get(alice, BOB, "a")) == -EDQUOT; i++)
		usleep(1000);
	EXPECT(got > 0);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(EXIT_FAILURE, "%s", path);
	close(fd);
}

static long long group_bytes(void)
{
	long long bytes = -1;
	FILE *file = fopen(GROUP "/memory.current", "re");

	if (!file || fscanf(file, "%lld", &bytes) != 1)
		err(EXIT_FAILURE, "memory.current");
	fclose(file);
	return bytes;
}

static void test_pays(void)
{
	const uint64_t length = 8 << 20;
	int client = connect_as(ALICE);
	int device, ds;

	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		err(EXIT_FAILURE, GROUP);
	write_file(GROUP "/memory.max", "12M");
	write_file(GROUP "/cgroup.procs", "0");
	device = open("/dev/dataspace", O_RDWR | O_CLOEXEC);
	write_file("/sys/fs/cgroup/cgroup.procs", "0");

	/* The limit of the broker is one page. */
	EXPECT_EQUAL(alloc(client, length), -EDQUOT);
	ds = alloc_paid(client, length, device);
	EXPECT_EQUAL(info_of(ds).length, length);
	EXPECT(group_bytes() >= (long long)length);
	EXPECT_EQUAL(alloc_paid(client, length, device), -ENOMEM);
	EXPECT(alloc(client, PAGE) > 0);
	close(ds);
	close(client);
	for (ds = 0; ds < 5000 && group_bytes() >= (long long)length; ds++)
		usleep(1000);
	EXPECT(group_bytes() < (long long)length);
	close(device);
	rmdir(GROUP);
}

static void test_device(void)
{
	struct dataspaced_request request = { .op = DATASPACED_ALLOC,
					      .length = PAGE,
					      .rights = DATASPACE_RW,
					      .flags = DATASPACED_PAY };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int path = open("/dev/dataspace", O_PATH | O_CLOEXEC);
	int device = open("/dev/dataspace", O_RDWR | O_CLOEXEC);
	int client = connect_as(ALICE);

	EXPECT_EQUAL(ask(client, &request), -EINVAL);
	EXPECT_EQUAL(alloc_paid(client, PAGE, null), -ENOTTY);
	EXPECT_EQUAL(alloc_paid(client, PAGE, client), -ENOTTY);
	EXPECT_EQUAL(alloc_paid(client, PAGE, path), -EBADF);
	send_fds(client, &request, sizeof(request), device, 2);
	EXPECT_EQUAL(answer_on(client), -EINVAL);
	EXPECT(alloc_paid(client, PAGE, device) > 0);
	close(null);
	close(path);
	close(device);
}

static void test_slow_reader(void)
{
	const struct dataspaced_request request = { .op = DATASPACED_GET,
						    .uid = ALICE,
						    .name = "part" };
	int client = connect_as(ALICE);
	int slow = connect_as(ALICE);
	int i, sent, got = 0;

	EXPECT(alloc(client, PAGE) > 0);
	EXPECT_EQUAL(publish(client, "part", 0, 0), 0);
	for (sent = 0; sent < 32; sent++)
		if (send(slow, &request, sizeof(request), MSG_DONTWAIT) < 0)
			break;
	EXPECT(sent >= 8);
	usleep(100000);
	/* The publisher is another client, and the answers are not yet made. */
	EXPECT(info_of(get(client, ALICE, "part")).length == PAGE);
	EXPECT(open_descriptors() < 20);
	for (i = 0; i < sent; i++)
		got += answer_on(slow) > 0;
	EXPECT_EQUAL(got, sent);
}

/* Who has shut down, and keeps answers with dataspaces, is still counted. */
static void test_kept_answers(void)
{
	const struct dataspaced_request request = { .op = DATASPACED_GET,
						    .uid = ALICE,
						    .name = "part" };
	int client = connect_as(ALICE);
	int kept[64];
	int i, asked;

	EXPECT(alloc(client, PAGE) > 0);
	EXPECT_EQUAL(publish(client, "part", DATASPACED_ANYBODY, 0), 0);
	for (i = 0; i < 4; i++) {
		kept[i] = connect_as(BOB);
		send(kept[i], &request, sizeof(request), 0);
		EXPECT(is_back(kept[i], 5000));
		shutdown(kept[i], SHUT_RDWR);
	}
	usleep(100000);
	asked = connect_as(BOB);
	EXPECT_EQUAL(answer_on(asked), -EDQUOT);
	EXPECT(get(client, ALICE, "part") > 0);
	for (i = 0; i < 4; i++)
		close(kept[i]);
	for (i = 0; i < 500; i++) {
		close(asked);
		asked = connect_as(BOB);
		if (alloc(asked, PAGE) > 0)
			return;
		usleep(10000);
	}
	EXPECT(i < 500);
}

static void connect_thousand(int served)
{
	unsigned int before = open_descriptors();
	static int clients[1000];
	int other, i, count = 0;

	for (i = 0; i < 1000; i++)
		clients[i] = connect_as(ALICE);
	other = connect_as(BOB);
	EXPECT(alloc(other, PAGE) > 0);
	for (i = 0; i < 1000; i++)
		count += get(clients[i], ALICE, "nothing") == -ENOENT;
	EXPECT_EQUAL(count, served);
	for (i = 0; i < 1000; i++)
		close(clients[i]);
	EXPECT(alloc(other, PAGE) > 0);
	EXPECT(has_descriptors(before + 5));
}

static void test_many_connections(void)
{
	connect_thousand(64);
}

static void test_thousand_connections(void)
{
	connect_thousand(1000);
}

static void test_descriptor_flood(void)
{
	const struct dataspaced_request request = { .op = DATASPACED_GET };
	unsigned int before = open_descriptors();
	int other = connect_as(BOB);
	int i, client, device;

	for (i = 0; i < 50; i++) {
		client = connect_as(ALICE);
		EXPECT_EQUAL(send_fds(client, &request, sizeof(request), other,
				      DATASPACE_MSG_MAX),
			     0);
		send_fds(client, "", 0, other, DATASPACE_MSG_MAX);
		close(client);
	}
	client = connect_as(ALICE);
	send_fds(client, &request, sizeof(request), client, DATASPACE_MSG_MAX);
	EXPECT(is_closed(client));
	device = open("/dev/dataspace", O_RDWR | O_CLOEXEC);
	client = connect_as(ALICE);
	for (i = 0; i < 4; i++)
		EXPECT(alloc_paid(client, PAGE, device) > 0);
	close(client);
	close(device);
	EXPECT(alloc(other, PAGE) > 0);
	EXPECT(has_descriptors(before + 3 + 4));
}

/*
 * Sends a TCP socket whose last close waits for a peer that does not read. The
 * broker sees it when it is the only one who has it: a process that exits does not
 * wait.
 */
static void send_lingering(const struct sockaddr_in *peer,
			   const struct dataspaced_request *request,
			   size_t bytes)
{
	struct linger linger = { 1, 300 };
	static char data[4096];
	pid_t child;
	int fd;

	kill(broker, SIGSTOP);
	child = fork();
	if (child) {
		waitpid(child, NULL, 0);
		kill(broker, SIGCONT);
		return;
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)peer, sizeof(*peer)))
		err(EXIT_FAILURE, "connect");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	_exit(send_fds(connect_as(ALICE), request, bytes, fd, 1));
}

static void test_lingering(void)
{
	const struct dataspaced_request request = { .op = DATASPACED_GET };
	const struct dataspaced_request paid = { .op = DATASPACED_ALLOC,
						 .flags = DATASPACED_PAY,
						 .length = PAGE,
						 .rights = DATASPACE_RW };
	struct sockaddr_in peer = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(peer);
	int other = connect_as(BOB);

	peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&peer, size) ||
	    listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)&peer, &size))
		err(EXIT_FAILURE, "listen");
	send_lingering(&peer, &request, sizeof(request));
	EXPECT(alloc(other, PAGE) > 0);
	send_lingering(&peer, &request, 0);
	EXPECT(alloc(other, PAGE) > 0);
	send_lingering(&peer, &paid, sizeof(paid));
	usleep(100000);
	EXPECT(alloc(other, PAGE) > 0);
	close(listener);
}

static void test_revoke(void)
{
	int alice = connect_as(ALICE);
	int bob = connect_as(BOB);
	int ds = alloc(alice, PAGE);
	char script[128];
	int first, second;

	EXPECT_EQUAL(publish(alice, "part", DATASPACED_ANYBODY, 0), 0);
	first = get(bob, ALICE, "part");
	second = get(alice, ALICE, "part");
	snprintf(script, sizeof(script), "dataspace revoke %d/%d", broker,
		 named("1001:part"));
	EXPECT(runs(script, 0, ""));
	EXPECT(pread(first, &(char){ 0 }, 1, 0) < 0 && errno == ESTALE);
	EXPECT_EQUAL(pread(second, &(char){ 0 }, 1, 0), 1);
	EXPECT_EQUAL(pread(ds, &(char){ 0 }, 1, 0), 1);
	first = get(bob, ALICE, "part");
	EXPECT_EQUAL(pread(first, &(char){ 0 }, 1, 0), 1);
	EXPECT(runs("dataspace list", 0, "\"1000:test\""));
	snprintf(script, sizeof(script), "dataspace revoke %d/%d", broker,
		 named("1000:test"));
	EXPECT(runs(script, 0, ""));
	EXPECT(pread(first, &(char){ 0 }, 1, 0) < 0 && errno == ESTALE);
	EXPECT(pread(ds, &(char){ 0 }, 1, 0) < 0 && errno == ESTALE);
	EXPECT(alloc_soon(alice, 16 * PAGE) > 0);
	EXPECT_EQUAL(get(bob, ALICE, "part"), -ENOENT);
}

static void test_goes_on(void)
{
	int client = connect_as(ALICE);
	int ds = alloc(client, PAGE);

	stop_broker();
	EXPECT_EQUAL(pwrite(ds, "x", 1, 0), 1);
	EXPECT(is_back(client, 5000));
	EXPECT(get(client, ALICE, "part") < 0);
	start_broker(NULL, NULL);
}

static void test_terminated(void)
{
	struct stat st;
	int status;

	kill(broker, SIGTERM);
	waitpid(broker, &status, 0);
	EXPECT_EQUAL(status, 0);
	EXPECT(stat("socket", &st) && errno == ENOENT);
	start_broker(NULL, NULL);
}

/* What a service manager does; the status of the broker if it ends. */
static int activate(int type, bool listens)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, type, 0);
	char pid[16];
	int status;

	stop_broker();
	address_of(&address);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    (listens && listen(fd, 16)))
		err(EXIT_FAILURE, "socket");
	broker = fork();
	if (!broker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fd, 3);
		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", "1", 1);
		execl("dataspaced", "dataspaced", NULL);
		_exit(127);
	}
	close(fd);
	if (type == SOCK_SEQPACKET && listens)
		return 0;
	waitpid(broker, &status, 0);
	unlink("socket");
	start_broker(NULL, NULL);
	return WEXITSTATUS(status);
}

static void test_activation(void)
{
	int client;

	EXPECT_EQUAL(activate(SOCK_DGRAM, false), 1);
	EXPECT_EQUAL(activate(SOCK_SEQPACKET, false), 1);
	activate(SOCK_SEQPACKET, true);
	client = connect_as(ROOT);
	EXPECT(alloc(client, PAGE) > 0);
	kill(broker, SIGTERM);
	waitpid(broker, NULL, 0);
	/* The socket is the service manager's. */
	EXPECT_EQUAL(unlink("socket"), 0);
	start_broker(NULL, NULL);
}

/* As the manual shows it: a program that publishes, and one that looks. */
#define TWO_PROGRAMS                                                    \
	"dataspace publish a 8K -- sh -c 'printf hello >&3; : >ready; " \
	"exec sleep 60' & until [ -e ready ]; do sleep 0.1; done; "     \
	"dataspace get a -- dataspace hexdump -n 5 3; kill $!"

/* What is waited for with -w. */
#define LATE_NAME                                                  \
	"{ sleep 2; exec dataspace publish w 8K -- sleep 60; } & " \
	"dataspace get -w 60 w -- dataspace info 3; kill $!"
#define LATE_BROKER                                                       \
	"export DATASPACED_SOCKET=late; { sleep 2; exec dataspaced; } & " \
	"dataspace publish -w 60 w 8K -- true && kill $!"

/* Commands in the shell, with the status and a part of what they are to print. */
static const struct {
	const char *script;
	int status;
	const char *printed;
} commands[] = {
	{ TWO_PROGRAMS, 0, "|hello|" },
	{ "dataspace publish b 8K -- dataspace get b -- dataspace info 3", 0,
	  "rights       read map derive export\n" },
	{ "dataspace publish -p c 64K -- sh -c 'echo $LISTEN_FDNAMES'", 0,
	  "c:dataspaced\n" },
	{ "dataspace publish -r rw d 8K -- dataspace get -r read 0/d -- dataspace info 3",
	  0, "rights       read\n" },
	{ "dataspace get 0/nothing -- true", 1,
	  "nothing: that user has not published that name\n" },
	{ "dataspace get nobody-here/e -- true", 2,
	  "'nobody-here' is not a user" },
	{ "seq 3 | dataspace publish -i f 8K -- dataspace get f -- dataspace hexdump -n 6 3",
	  0, "|1.2.3.|" },
	{ "seq 9999 | dataspace publish -i f 4K -- true", 1,
	  "standard input is longer than the memory\n" },
	{ LATE_NAME, 0, "length       8 KiB\n" },
	{ "dataspace get -w 1 nothing -- true", 1,
	  "nothing: that user has not published that name\n" },
	{ LATE_BROKER, 0, "" },
	{ "DATASPACED_SOCKET=none dataspace publish -w 1 w 8K -- true", 1,
	  "none: is dataspaced there?" },
	{ "dataspace publish -a e 1T -- true", 1, "over the limits" },
	{ "dataspace publish e 0 -- true", 1, "malformed" },
	{ "dataspace publish e", 2, "how much?" },
	{ "DATASPACED_SOCKET=none dataspace get e -- true", 1,
	  "none: is dataspaced there?" },
	{ "dataspaced -s socket", 1, "socket: Address already in use" },
	{ "dataspaced nonsense", 2, "'nonsense' is not an option" },
};

static void test_commands(void)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		EXPECT(runs(commands[i].script, commands[i].status,
			    commands[i].printed));
}

static const struct test {
	const char *name;
	void (*run)(void);
	const char *option; /* of the broker */
	unsigned int value; /* of that: pages, or with -n a number */
} tests[] = {
	{ "alloc", test_alloc, NULL, 0 },
	{ "malformed requests", test_malformed, NULL, 0 },
	{ "half, long and empty messages", test_messages, NULL, 0 },
	{ "publish", test_publish, NULL, 0 },
	{ "get, read-only", test_get, NULL, 0 },
	{ "permissions", test_permissions, NULL, 0 },
	{ "nobody can take a name of another user", test_squatting, NULL, 0 },
	{ "poll tells that it came back", test_comes_back, NULL, 0 },
	{ "release, and the end of a connection", test_ends, NULL, 0 },
	{ "bytes of a user", test_bytes, "-b", 16 },
	{ "bytes of all", test_total, "-t", 16 },
	{ "numbers of a user", test_numbers, "-n", 4 },
	{ "the client's cgroup pays", test_pays, "-b", 1 },
	{ "what is not the device", test_device, NULL, 0 },
	{ "a slow reader stops nobody", test_slow_reader, NULL, 0 },
	{ "answers that are kept", test_kept_answers, "-n", 4 },
	{ "1,000 connections of one user", test_many_connections, NULL, 0 },
	{ "1,000 connections served", test_thousand_connections, "-n", 2000 },
	{ "descriptor flood", test_descriptor_flood, NULL, 0 },
	{ "descriptors whose close lasts", test_lingering, NULL, 0 },
	{ "the administrator revokes", test_revoke, "-b", 16 },
	{ "holders survive the broker", test_goes_on, NULL, 0 },
	{ "SIGTERM removes the socket", test_terminated, NULL, 0 },
	{ "socket activation", test_activation, NULL, 0 },
	{ "commands", test_commands, NULL, 0 },
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

/* A test that hangs has failed. */
#define TIME_LIMIT 120

/* In a process of its own, whose descriptors go with it. */
static bool run(const struct test *test)
{
	char value[32];
	int status;
	pid_t child = fork();

	if (!child) {
		alarm(TIME_LIMIT);
		snprintf(value, sizeof(value), "%llu",
			 (unsigned long long)test->value *
				 (test->option && test->option[1] != 'n' ?
					  PAGE :
					  1));
		start_broker(test->option, value);
		good = true;
		test->run();
		stop_broker();
		exit(!good);
	}
	waitpid(child, &status, 0);
	if (status)
		printf("# status 0x%x\n", status);
	unlink("socket");
	return !status;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	struct rlimit limit;
	unsigned int failed = 0;
	bool passed;
	size_t i;

	if (!strcmp(name, "dataspace"))
		return tool_main(argc, argv);
	if (!strcmp(name, "dataspaced"))
		return broker_main(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	make_folder();
	setenv(DATASPACED_VARIABLE, "socket", 1);
	printf("TAP version 13\n1..%zu\n", TESTS);
	for (i = 0; i < TESTS; i++) {
		passed = run(&tests[i]);
		failed += !passed;
		printf("%sok %zu %s\n", passed ? "" : "not ", i + 1,
		       tests[i].name);
	}
	printf("# %zu of %zu passed\n", TESTS - failed, TESTS);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
