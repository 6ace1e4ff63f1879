// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors in sockets. Each process has pairs of sockets, which are closed
 * at some time, whether or not all has been received. All processes share one
 * pair, through which descriptors get from one to another.
 */
#include "model.h"

#include <string.h>
#include <sys/socket.h>

#include "common.h"
#include "fdpass.h"

int channel_open(struct channel *channel)
{
	memset(channel, 0, sizeof(*channel));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel->ends))
		return -errno;
	channel->open = true;
	return 0;
}

void channel_close(const struct channel *channel)
{
	close(channel->ends[0]);
	close(channel->ends[1]);
}

void channel_lose(struct world *world, struct channel *channel)
{
	int i;

	channel->open = false;
	for (i = 0; i < channel->count; i++)
		space_put(world, channel->spaces[i]);
}

static struct channel *some_channel(struct world *world)
{
	int i = pick(world, SOCKETS + 1);

	return i < SOCKETS ? &world->self->channels[i] : &world->mail;
}

bool op_send(struct world *world)
{
	struct channel *channel = some_channel(world);
	struct handle *handle = lasting_handle(world);

	if (!handle || (channel->open && channel->count == QUEUE))
		return false;
	if (!channel->open)
		CHECK_EQ(world, 0, channel_open(channel));
	CHECK_EQ(world, 0, fd_send(channel->ends[0], handle->fd));
	channel->spaces[channel->count++] = handle->space;
	space_get(world, handle->space);
	if (pick(world, 2))
		return true;
	CHECK_EQ(world, 0, result(close(handle->fd)));
	space_put(world, handle->space);
	handle->space = NONE;
	return true;
}

bool op_receive(struct world *world)
{
	struct channel *channel = some_channel(world);
	struct handle *handle = free_handle(world);

	if (!channel->open || !channel->count || !handle)
		return false;
	handle->fd = fd_receive(channel->ends[1]);
	CHECK_EQ(world, true, handle->fd >= 0);
	handle->space = channel->spaces[0];
	channel->count--;
	memmove(channel->spaces, channel->spaces + 1,
		channel->count * sizeof(channel->spaces[0]));
	check_info(world, handle);
	return true;
}

bool op_drop(struct world *world)
{
	struct channel *channel = &world->self->channels[pick(world, SOCKETS)];

	if (!channel->open)
		return false;
	channel_close(channel);
	channel_lose(world, channel);
	return true;
}
