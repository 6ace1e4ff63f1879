// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Which sockets can carry a dataspace. Sockets of other families take a message
 * with a descriptor, drop the descriptor, and report success; and what they
 * receive is not ours to take.
 */
#include <sys/socket.h>

#include "internal.h"

int libdataspace_check_socket(int fd)
{
	int saved = errno;
	int domain = 0;
	socklen_t size = sizeof(domain);
	int ret;

	if (fd < 0)
		return fd;
	ret = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
	ret = libdataspace_result(ret, saved);
	if (ret < 0)
		return ret;
	return domain == AF_UNIX ? 0 : -EAFNOSUPPORT;
}
