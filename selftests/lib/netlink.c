// SPDX-License-Identifier: GPL-2.0-only
/* Requests of netlink, to one family of it at a time. */
#include "netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The answer to a request. */
struct answer {
	struct nlmsghdr header;
	struct nlmsgerr error;
	char rest[512];
};

void netlink_begin(struct netlink_request *request, int type, int flags)
{
	*request = (struct netlink_request){
		.header.nlmsg_len = NLMSG_HDRLEN,
		.header.nlmsg_type = type,
		.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
	};
}

void netlink_add_bytes(struct netlink_request *request, const void *bytes,
		       size_t size)
{
	memcpy((char *)request + request->header.nlmsg_len, bytes, size);
	request->header.nlmsg_len += NLA_ALIGN(size);
}

struct nlattr *netlink_add(struct netlink_request *request, int type,
			   const void *bytes, size_t size)
{
	struct nlattr *attribute =
		(void *)((char *)request + request->header.nlmsg_len);
	const struct nlattr header = {
		.nla_len = NLA_HDRLEN + size,
		.nla_type = type,
	};

	netlink_add_bytes(request, &header, sizeof(header));
	netlink_add_bytes(request, bytes, size);
	return attribute;
}

void netlink_add_text(struct netlink_request *request, int type,
		      const char *text)
{
	netlink_add(request, type, text, strlen(text) + 1);
}

void netlink_end(struct netlink_request *request, struct nlattr *attribute)
{
	attribute->nla_len =
		(char *)request + request->header.nlmsg_len - (char *)attribute;
}

long netlink_ask(int family, const struct netlink_request *request)
{
	struct answer answer = {};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);
	long ret = -EPROTO;

	if (fd < 0)
		return -errno;
	if (send(fd, request, request->header.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < 0)
		ret = -errno;
	else if (answer.header.nlmsg_type == NLMSG_ERROR)
		ret = answer.error.error;
	close(fd);
	return ret;
}
