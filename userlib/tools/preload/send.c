// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Dataspaces in messages are replaced by aliases, with the rights and of the part
 * that the policy says. A message that this fails for is not sent.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "preload.h"

/* A copy of a message, and the descriptors that were made for it. */
struct copy {
	struct msghdr header;
	struct iovec data;
	struct region *regions;
	unsigned int nr_regions;
	unsigned int next_region;
	int made[DATASPACE_MSG_MAX];
	unsigned int nr_made;
};

/* The name that fdinfo shows, "" if there is none. */
static void get_name(int ds, char *name)
{
	char path[64];
	char line[128];
	FILE *stream;

	*name = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", ds);
	stream = fopen(path, "re");
	if (!stream)
		return;
	while (fgets(line, sizeof(line), stream))
		if (sscanf(line, "dataspace-name:\t%31[^\n]", name) == 1)
			break;
	fclose(stream);
}

/* A descriptor that a receiver gets instead of @ds, or -errno. */
static int make_alias(int ds, const struct rule *rule, uint64_t of_length,
		      struct region *region)
{
	uint64_t offset = rule->offset;
	uint64_t length = rule->length;

	if (!length)
		length = of_length > offset ? of_length - offset : 0;
	if (region)
		vhost_user_cut(region, &offset, &length);
	if (region && !length)
		return dataspace_alloc(region->length, DATASPACE_RW, 0);
	return dataspace_alias(ds, offset, length, rule->rights,
			       DATASPACE_ALIAS_CLIP);
}

/* Replaces a descriptor, if it is a dataspace that the policy names. 0 or -errno. */
static int replace(struct copy *copy, int *fd)
{
	char name[DATASPACE_NAME_MAX];
	struct region *region = NULL;
	struct dataspace_info info;
	const struct rule *rule;
	int alias;

	if (copy->next_region < copy->nr_regions)
		region = &copy->regions[copy->next_region++];
	if (dataspace_info(*fd, &info, sizeof(info)) < 0)
		return 0;
	get_name(*fd, name);
	rule = policy_rule(name, info.length);
	if (!rule)
		return 0;
	if (copy->nr_made == DATASPACE_MSG_MAX)
		return -EINVAL;
	alias = make_alias(*fd, rule, info.length, region);
	if (alias < 0) {
		policy_log("%d %s: not sent: %s", *fd, name, strerror(-alias));
		return alias;
	}
	dataspace_info(alias, &info, sizeof(info));
	policy_log("%d %s: sent %llu bytes, %s%s", *fd, name,
		   (unsigned long long)info.length,
		   info.rights & DATASPACE_WRITE ? "read-write" : "read-only",
		   info.state & DATASPACE_STATE_ALIAS ? "" : ", blank");
	copy->made[copy->nr_made++] = alias;
	*fd = alias;
	return 0;
}

static int replace_all(struct copy *copy)
{
	struct cmsghdr *cmsg;
	size_t n;
	size_t i;
	int ret;

	for (cmsg = CMSG_FIRSTHDR(&copy->header); cmsg;
	     cmsg = CMSG_NXTHDR(&copy->header, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			ret = replace(copy, (int *)CMSG_DATA(cmsg) + i);
			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

/* The caller's message is left alone. 0 or -errno. */
static int copy_message(struct copy *copy, const struct msghdr *message)
{
	copy->header = *message;
	copy->header.msg_control = malloc(message->msg_controllen);
	if (!copy->header.msg_control)
		return -ENOMEM;
	memcpy(copy->header.msg_control, message->msg_control,
	       message->msg_controllen);
	if (!policy.vhost_user || message->msg_iovlen != 1)
		return 0;
	copy->data = *message->msg_iov;
	copy->data.iov_base = malloc(copy->data.iov_len);
	if (!copy->data.iov_base)
		return -ENOMEM;
	memcpy(copy->data.iov_base, message->msg_iov->iov_base,
	       copy->data.iov_len);
	copy->header.msg_iov = &copy->data;
	copy->regions = vhost_user_regions(&copy->data, &copy->nr_regions);
	return 0;
}

/* Receivers have descriptors of their own by now, or never get one. */
static void end_copy(struct copy *copy)
{
	int saved = errno;

	while (copy->nr_made)
		close(copy->made[--copy->nr_made]);
	free(copy->header.msg_control);
	free(copy->data.iov_base);
	errno = saved;
}

PRELOAD_API ssize_t sendmsg(int socket, const struct msghdr *message, int flags)
{
	struct copy copy = { .nr_made = 0 };
	ssize_t ret;

	if (!policy.nr_rules || !message->msg_control ||
	    !message->msg_controllen)
		return NEXT(sendmsg)(socket, message, flags);
	ret = copy_message(&copy, message);
	if (!ret)
		ret = replace_all(&copy);
	if (!ret) {
		ret = NEXT(sendmsg)(socket, &copy.header, flags);
	} else {
		errno = -ret;
		ret = -1;
	}
	end_copy(&copy);
	return ret;
}

PRELOAD_API int sendmmsg(int socket, struct mmsghdr *messages, unsigned int n,
			 int flags)
{
	unsigned int i;
	ssize_t ret;

	if (!policy.nr_rules)
		return NEXT(sendmmsg)(socket, messages, n, flags);
	for (i = 0; i < n; i++) {
		ret = sendmsg(socket, &messages[i].msg_hdr, flags);
		if (ret < 0)
			return i ? (int)i : -1;
		messages[i].msg_len = ret;
	}
	return n;
}
