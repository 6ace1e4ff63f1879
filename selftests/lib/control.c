// SPDX-License-Identifier: GPL-2.0-only
/* REVOKE, SEAL, poll and epoll, and a pin that makes SEAL fail. */
#include "control.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "common.h"

int ds_revoke_flags(int ds, __u32 flags)
{
	struct dataspace_revoke arg = { .size = sizeof(arg), .flags = flags };

	return result(ioctl(ds, DATASPACE_IOC_REVOKE, &arg));
}

int ds_revoke(int ds)
{
	return ds_revoke_flags(ds, 0);
}

int ds_seal(int ds, __u32 flags)
{
	struct dataspace_seal arg = {
		.size = sizeof(arg),
		.flags = flags,
		.rights = DATASPACE_WRITE,
	};

	return result(ioctl(ds, DATASPACE_IOC_SEAL, &arg));
}

int ds_poll(int ds, int timeout)
{
	struct pollfd pollfd = { .fd = ds, .events = READY };
	int ret = poll(&pollfd, 1, timeout);

	return ret < 0 ? -errno : pollfd.revents;
}

bool ds_ready(int ds)
{
	int events = ds_poll(ds, 0);

	return events > 0 && events & POLLIN;
}

int epoll_on(int ds, __u32 events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ds, &event))
		return -errno;
	return epoll;
}

int epoll_events(int epoll, int timeout)
{
	struct epoll_event event = { .events = 0 };
	int ret = epoll_wait(epoll, &event, 1, timeout);

	return ret < 0 ? -errno : event.events;
}

__u32 ds_state(int ds)
{
	struct dataspace_info info;

	return ds_info(ds, &info) ? UINT32_MAX : info.state;
}

__u32 ds_rights(int ds)
{
	struct dataspace_info info;

	return ds_info(ds, &info) ? UINT32_MAX : info.rights;
}

int pin_page(struct pin *pin, void *map)
{
	struct iovec iov = { .iov_base = map, .iov_len = page_size() };

	if (pipe(pin->ends))
		return -errno;
	if (vmsplice(pin->ends[1], &iov, 1, 0) == page_size())
		return 0;
	pin_close(pin);
	return -EIO;
}

void pin_close(struct pin *pin)
{
	close(pin->ends[0]);
	close(pin->ends[1]);
}
