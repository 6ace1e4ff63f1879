// SPDX-License-Identifier: GPL-2.0-only
/* Makes two network namespaces, and connects them. */
#include "netns.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "common.h"
#include "netlink.h"

/* The namespace that this process is in, or -errno. */
static int own_namespace(void)
{
	return result(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
}

/*
 * A device of RDMA goes a moment later than its network interface. Meanwhile the kernel
 * makes no namespace, as it cannot ask that device what to show of it there.
 */
static int enter_new_namespace(void)
{
	const double stop = seconds() + STUCK;
	int ret;

	do {
		ret = result(unshare(CLONE_NEWNET));
	} while (ret == -ENODEV && seconds() < stop && !usleep(10000));
	/* what a kernel says that has no such namespaces */
	return ret == -EINVAL ? -EOPNOTSUPP : ret;
}

static int make_cable(const char *near, const char *far, int far_namespace)
{
	const struct ifinfomsg interface = {};
	struct netlink_request request;
	struct nlattr *info, *data, *peer;

	netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	netlink_add_bytes(&request, &interface, sizeof(interface));
	netlink_add_text(&request, IFLA_IFNAME, near);
	info = netlink_add(&request, IFLA_LINKINFO, "", 0);
	netlink_add_text(&request, IFLA_INFO_KIND, "veth");
	data = netlink_add(&request, IFLA_INFO_DATA, "", 0);
	peer = netlink_add(&request, VETH_INFO_PEER, &interface,
			   sizeof(interface));
	netlink_add_text(&request, IFLA_IFNAME, far);
	netlink_add(&request, IFLA_NET_NS_FD, &far_namespace,
		    sizeof(far_namespace));
	netlink_end(&request, peer);
	netlink_end(&request, data);
	netlink_end(&request, info);
	return netlink_ask(NETLINK_ROUTE, &request);
}

int netns_pair(const char *near, const char *far)
{
	int far_namespace;
	int ret = enter_new_namespace();

	if (ret)
		return ret;
	far_namespace = own_namespace();
	if (far_namespace < 0)
		return far_namespace;
	ret = enter_new_namespace();
	if (!ret)
		ret = make_cable(near, far, far_namespace);
	if (!ret)
		return far_namespace;
	close(far_namespace);
	return ret;
}

int netns_start(const char *interface, const char *address)
{
	struct ifreq request = {};
	struct sockaddr_in *in = (void *)&request.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ret = 0;

	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
	in->sin_family = AF_INET;
	inet_pton(AF_INET, address, &in->sin_addr);
	if (ioctl(fd, SIOCSIFADDR, &request))
		ret = -errno;
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (!ret && ioctl(fd, SIOCSIFFLAGS, &request))
		ret = -errno;
	close(fd);
	return ret;
}

/* The port is the second number in the second column, after a line of titles. */
bool netns_has_udp(int port)
{
	FILE *file = fopen("/proc/self/net/udp", "re");
	char line[256];
	unsigned int found;
	bool has = false;

	while (file && !has && fgets(line, sizeof(line), file))
		has = sscanf(line, "%*[^:]: %*[^:]:%x", &found) == 1 &&
		      found == port;
	if (file)
		fclose(file);
	return has;
}
