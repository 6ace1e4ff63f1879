// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Waiting for descriptors. There is one event at a time, so that none can be for
 * what another one has ended.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "broker.h"

static int epoll;
static bool ended;

static void end_ready(struct source *source, uint32_t events)
{
	(void)source;
	(void)events;
	ended = true;
}

/* Threads, which are made later, do not get these signals either. */
void loop_init(void)
{
	static struct source end = { .ready = end_ready };
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	end.fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (epoll < 0 || end.fd < 0 || source_watch(&end, EPOLLIN))
		err(EXIT_FAILURE, "epoll_create1, signalfd");
}

static int control(struct source *source, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	return epoll_ctl(epoll, operation, source->fd, &event) ? -errno : 0;
}

int source_watch(struct source *source, uint32_t events)
{
	return control(source, EPOLL_CTL_ADD, events);
}

void source_change(struct source *source, uint32_t events)
{
	control(source, EPOLL_CTL_MOD, events);
}

void source_forget(struct source *source)
{
	control(source, EPOLL_CTL_DEL, 0);
}

void loop_run(void)
{
	struct epoll_event event;
	struct source *source;
	int n;

	while (!ended) {
		n = epoll_wait(epoll, &event, 1, -1);
		if (n < 0 && errno != EINTR)
			err(EXIT_FAILURE, "epoll_wait");
		if (n == 1) {
			source = event.data.ptr;
			source->ready(source, event.events);
		}
	}
}
