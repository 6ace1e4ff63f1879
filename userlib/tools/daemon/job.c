// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Threads for what can last: to allocate, which takes time for each page, and to
 * have to do with descriptors that clients have sent, which can be of any file, as
 * of one in a filesystem whose server does not answer. A thread has to do with
 * nothing but its job until that is done; all else is for the loop alone.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "broker.h"

#define STACK_BYTES (64 << 10)

static int done[2];

static void job_done(struct source *source, uint32_t events)
{
	struct job *job;

	(void)events;
	if (read(source->fd, &job, sizeof(job)) == sizeof(job))
		job->done(job);
}

static void *job_thread(void *argument)
{
	struct job *job = argument;

	job->run(job);
	if (write(done[1], &job, sizeof(job)) != sizeof(job))
		err(EXIT_FAILURE, "write");
	return NULL;
}

void jobs_init(void)
{
	static struct source source = { .ready = job_done };

	if (pipe2(done, O_CLOEXEC))
		err(EXIT_FAILURE, "pipe");
	source.fd = done[0];
	if (source_watch(&source, EPOLLIN))
		err(EXIT_FAILURE, "epoll_ctl");
}

int job_start(struct job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int ret;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	ret = pthread_create(&thread, &attributes, job_thread, job);
	pthread_attr_destroy(&attributes);
	return ret ? -EAGAIN : 0;
}
