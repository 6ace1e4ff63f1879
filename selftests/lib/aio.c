// SPDX-License-Identifier: GPL-2.0-only
/* Makes a context for each request, as speed does not matter. */
#include "aio.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

static long submit(aio_context_t context, struct iocb *request)
{
	struct io_event event;
	long ret = result(syscall(SYS_io_submit, context, 1, &request));

	if (ret < 0)
		return ret;
	ret = syscall(SYS_io_getevents, context, 1, 1, &event, NULL);
	return ret < 0 ? -errno : event.res;
}

long aio_do(struct iocb *request)
{
	aio_context_t context = 0;
	long ret = result(syscall(SYS_io_setup, 1, &context));

	if (ret < 0)
		return ret;
	ret = submit(context, request);
	syscall(SYS_io_destroy, context);
	return ret;
}
