// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMA on the loopback interface, by the interface below the libraries: a
 * command is written to the device, with the address of the answer in it.
 */
#include "rdma.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_netlink.h>

#include "common.h"
#include "netlink.h"

#define CLASS "/sys/class/infiniband_verbs/"

long rdma_make_device(const char *name, const char *interface)
{
	struct netlink_request request;
	long ret;

	netlink_begin(&request,
		      RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_NEWLINK),
		      0);
	netlink_add_text(&request, RDMA_NLDEV_ATTR_DEV_NAME, name);
	netlink_add_text(&request, RDMA_NLDEV_ATTR_LINK_TYPE, "rxe");
	netlink_add_text(&request, RDMA_NLDEV_ATTR_NDEV_NAME, interface);
	ret = netlink_ask(NETLINK_RDMA, &request);
	/* the kernel has no RDMA, or does not know that type of device */
	return ret == -EPROTONOSUPPORT || ret == -EINVAL ? NO_RDMA : ret;
}

static bool is_our_device(const char *folder)
{
	char path[NAME_MAX], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%.200s/ibdev", folder);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = 0;
	fclose(file);
	return !strcmp(name, RDMA_NAME "\n");
}

/* Opens the node of the device; a descriptor or -errno. */
static long open_device(void)
{
	char path[NAME_MAX];
	long fd = -ENODEV;
	glob_t all;
	size_t i;

	if (glob(CLASS "uverbs*", 0, NULL, &all))
		return fd;
	for (i = 0; i < all.gl_pathc && fd == -ENODEV; i++) {
		if (!is_our_device(all.gl_pathv[i]))
			continue;
		snprintf(path, sizeof(path), "/dev/infiniband/%s",
			 all.gl_pathv[i] + strlen(CLASS));
		fd = result(open(path, O_RDWR | O_CLOEXEC));
	}
	globfree(&all);
	return fd;
}

/*
 * @in begins with the address of the answer, if there is one of @out_size
 *	bytes.
 */
static long command(const struct rdma *rdma, __u32 number, const void *in,
		    size_t in_size, size_t out_size)
{
	struct {
		struct ib_uverbs_cmd_hdr header;
		char body[64];
	} all = {
		.header.command = number,
		.header.in_words = (sizeof(all.header) + in_size) / 4,
		.header.out_words = out_size / 4,
	};
	const size_t size = sizeof(all.header) + in_size;

	memcpy(all.body, in, in_size);
	return write(rdma->fd, &all, size) < 0 ? -errno : 0;
}

static long get_context(struct rdma *rdma)
{
	struct ib_uverbs_get_context_resp answer;
	struct ib_uverbs_get_context arg = { .response = (uintptr_t)&answer };
	long ret = command(rdma, IB_USER_VERBS_CMD_GET_CONTEXT, &arg,
			   sizeof(arg), sizeof(answer));

	if (!ret)
		rdma->events = answer.async_fd;
	return ret;
}

static long make_domain(struct rdma *rdma)
{
	struct ib_uverbs_alloc_pd_resp answer;
	struct ib_uverbs_alloc_pd arg = { .response = (uintptr_t)&answer };
	long ret = command(rdma, IB_USER_VERBS_CMD_ALLOC_PD, &arg, sizeof(arg),
			   sizeof(answer));

	if (!ret)
		rdma->domain = answer.pd_handle;
	return ret;
}

long rdma_open(struct rdma *rdma)
{
	long fd = open_device();
	long ret;

	*rdma = (struct rdma){ -1, -1 };
	if (fd == -ENODEV) {
		ret = rdma_make_device(RDMA_NAME, "lo");
		if (ret)
			return ret;
		fd = open_device();
	}
	if (fd < 0)
		return fd;
	rdma->fd = fd;
	ret = get_context(rdma);
	return ret ? ret : make_domain(rdma);
}

void rdma_close(struct rdma *rdma)
{
	close(rdma->events);
	close(rdma->fd);
}

long rdma_register(struct rdma *rdma, void *map, size_t length, int prot)
{
	struct ib_uverbs_reg_mr_resp answer;
	struct ib_uverbs_reg_mr arg = {
		.response = (uintptr_t)&answer,
		.start = (uintptr_t)map,
		.length = length,
		.hca_va = (uintptr_t)map,
		.pd_handle = rdma->domain,
		.access_flags = IB_UVERBS_ACCESS_REMOTE_READ,
	};
	long ret;

	if (prot & PROT_WRITE)
		arg.access_flags |= IB_UVERBS_ACCESS_LOCAL_WRITE |
				    IB_UVERBS_ACCESS_REMOTE_WRITE;
	ret = command(rdma, IB_USER_VERBS_CMD_REG_MR, &arg, sizeof(arg),
		      sizeof(answer));
	if (!ret)
		rdma->region = answer.mr_handle;
	return ret;
}

long rdma_unregister(struct rdma *rdma)
{
	struct ib_uverbs_dereg_mr arg = { .mr_handle = rdma->region };

	return command(rdma, IB_USER_VERBS_CMD_DEREG_MR, &arg, sizeof(arg), 0);
}
