// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Lending and borrowing by name, through dataspaced(8).
 */
#include <ctype.h>
#include <dataspaced.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

/* When waiting for the broker, and for a name, ends, on the clock below. */
static uint64_t deadline;

static uint64_t clock_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* Waits for a moment, unless the deadline is over. */
static bool wait_a_moment(void)
{
	if (clock_seconds() >= deadline)
		return false;
	usleep(50000);
	return true;
}

static int connect_to_broker(void)
{
	const char *path = getenv(DATASPACED_VARIABLE) ?: DATASPACED_SOCKET;
	struct sockaddr_un address;
	int fd = socket_at(path, SOCK_SEQPACKET, &address);

	while (connect(fd, (struct sockaddr *)&address, sizeof(address)))
		if ((errno != ENOENT && errno != ECONNREFUSED) ||
		    !wait_a_moment())
			err(STATUS_FAILED, "%s: is dataspaced there?", path);
	return fd;
}

static const char *explain(int error)
{
	switch (-error) {
	case EACCES:
		return "it is published, but not for you";
	case EDQUOT:
		return "over the limits of dataspaced, or of the module";
	case EEXIST:
		return "you have published that name already";
	case EINVAL:
		return "the name, the length or the rights are malformed";
	case ENOENT:
		return "that user has not published that name";
	case EPERM:
		return "more rights than there are";
	case EOPNOTSUPP:
		return "dataspaced, or the module, does not know that";
	default:
		return dataspace_explain(error);
	}
}

/* The library sends only dataspaces. */
static void send_with_device(int fd, const struct dataspaced_request *request)
{
	struct iovec data = { (void *)request, sizeof(*request) };
	union {
		struct cmsghdr header;
		char buffer[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };
	int device = open("/dev/dataspace", O_RDWR | O_CLOEXEC);

	if (device < 0)
		err(STATUS_NO_DEVICE, "/dev/dataspace");
	memcpy(CMSG_DATA(&control.header), &device, sizeof(device));
	sendmsg(fd, &message, MSG_NOSIGNAL);
	close(device);
}

/*
 * The dataspace that the broker answers with, or 0, or the error. Why a request
 * could not be sent is for the answer to say: it may be there already.
 */
static int answer_to(int fd, const struct dataspaced_request *request)
{
	struct dataspaced_reply reply = { .error = -EPROTO };
	unsigned int n = 1;
	int ds = 0;
	ssize_t ret;

	if (request->flags & DATASPACED_PAY)
		send_with_device(fd, request);
	else
		send(fd, request, sizeof(*request), MSG_NOSIGNAL);
	ret = dataspace_recv_msg(fd, &reply, sizeof(reply), &ds, &n);
	if (ret < 0)
		errx(STATUS_FAILED, "no answer of dataspaced: %s",
		     dataspace_explain(ret));
	return reply.error ? reply.error : ds;
}

static int ask(int fd, const struct dataspaced_request *request)
{
	int ret;

	do {
		ret = answer_to(fd, request);
	} while (ret == -ENOENT && wait_a_moment());
	if (ret < 0)
		errx(STATUS_FAILED, "%s: %s", request->name, explain(ret));
	return ret;
}

static void set_name(struct dataspaced_request *request, const char *name)
{
	if (!*name || strlen(name) > DATASPACED_NAME_MAX)
		usage("'%s' is not a name of at most %d bytes", name,
		      DATASPACED_NAME_MAX);
	strcpy(request->name, name);
}

/* A number, or a user of /etc/passwd. */
static uid_t parse_user(const char *text)
{
	struct passwd *entry = NULL;
	FILE *file;

	if (isdigit((unsigned char)*text))
		return parse_size(text);
	file = fopen("/etc/passwd", "re");
	while (file && (entry = fgetpwent(file)))
		if (!strcmp(entry->pw_name, text))
			break;
	if (!entry)
		usage("'%s' is not a user", text);
	fclose(file);
	return entry->pw_uid;
}

/* From its beginning on, with what standard input has. */
static void fill(int ds)
{
	static char buffer[1 << 16];
	off_t offset = 0;
	ssize_t got;

	while ((got = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0) {
		if (pwrite(ds, buffer, got, offset) != got)
			errx(STATUS_FAILED,
			     "standard input is longer than the memory");
		offset += got;
	}
	if (got < 0)
		err(STATUS_FAILED, "standard input");
}

/* The connection, and the dataspace that is published there. */
static void alloc_and_publish(const struct dataspaced_request *alloc,
			      struct dataspaced_request *publish, bool input,
			      int *fds)
{
	struct dataspace_info info = { .length = 0 };

	fds[1] = connect_to_broker();
	fds[0] = ask(fds[1], alloc);
	if (!dataspace_info(fds[0], &info, sizeof(info)))
		publish->id = info.id;
	publish->length = info.length;
	if (input)
		fill(fds[0]);
	ask(fds[1], publish);
}

int command_publish(int argc, char **argv)
{
	static const struct option options[] = {
		{ "all", no_argument, NULL, 'a' },
		{ "input", no_argument, NULL, 'i' },
		{ "pay", no_argument, NULL, 'p' },
		{ "rights", required_argument, NULL, 'r' },
		{ "scattered", no_argument, NULL, 's' },
		{ "user", required_argument, NULL, 'u' },
		{ "wait", required_argument, NULL, 'w' },
		{}
	};
	struct dataspaced_request alloc = { .op = DATASPACED_ALLOC };
	struct dataspaced_request publish = { .op = DATASPACED_PUBLISH,
					      .rights = DATASPACE_RO };
	const char *const names[2] = { alloc.name, "dataspaced" };
	bool input = false;
	int fds[2], opt;

	while ((opt = next_option(argc, argv, "+aipr:su:w:", options)) >= 0) {
		if (opt == 'a') {
			publish.flags |= DATASPACED_ANYBODY;
		} else if (opt == 'i') {
			input = true;
		} else if (opt == 'p') {
			alloc.flags |= DATASPACED_PAY;
		} else if (opt == 'r') {
			publish.rights = parse_rights(optarg);
		} else if (opt == 's') {
			alloc.flags |= DATASPACED_SCATTERED;
		} else if (opt == 'w') {
			deadline = clock_seconds() + parse_size(optarg);
		} else {
			publish.flags |= DATASPACED_USER;
			publish.uid = parse_user(optarg);
		}
	}
	if (argc - optind < 2)
		usage("publish what, and how much?");
	set_name(&alloc, argv[optind++]);
	set_name(&publish, alloc.name);
	alloc.length = parse_size(argv[optind++]);
	alloc.rights = publish.rights | DATASPACE_RW;
	if (optind < argc && !strcmp(argv[optind], "--"))
		optind++;
	if (optind == argc)
		usage("which program?");
	alloc_and_publish(&alloc, &publish, input, fds);
	run_program(argv + optind, fds, names, 2);
}

int command_get(int argc, char **argv)
{
	static const struct option options[] = {
		{ "rights", required_argument, NULL, 'r' },
		{ "wait", required_argument, NULL, 'w' },
		{}
	};
	struct dataspaced_request get = { .op = DATASPACED_GET,
					  .uid = geteuid() };
	const char *name = get.name;
	char *text, *slash;
	int option;
	int ds;

	while ((option = next_option(argc, argv, "+r:w:", options)) >= 0) {
		if (option == 'r')
			get.rights = parse_rights(optarg);
		else
			deadline = clock_seconds() + parse_size(optarg);
	}
	if (optind == argc)
		usage("get what?");
	text = argv[optind++];
	slash = strchr(text, '/');
	if (slash) {
		*slash = 0;
		get.uid = parse_user(text);
		text = slash + 1;
	}
	set_name(&get, text);
	if (optind < argc && !strcmp(argv[optind], "--"))
		optind++;
	if (optind == argc)
		usage("which program?");
	ds = ask(connect_to_broker(), &get);
	run_program(argv + optind, &ds, &name, 1);
}
