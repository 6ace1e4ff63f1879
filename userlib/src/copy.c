// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Copying out of and into mappings that can be revoked at any moment. A load or
 * store of the program would raise SIGBUS then; where the kernel itself loads or
 * stores for a system call, the call fails with EFAULT and no signal is raised.
 * So no handler is needed, and none of the program's is touched.
 *
 * process_vm_readv(2) and process_vm_writev(2) pin the pages of what they call
 * the remote side, and copy on the local side as the program would. A pin would
 * outlast revoking and stand against sealing, so the dataspace is the local side,
 * and the program's own memory the remote one. The thread is named, not its
 * process: the process has no memory any more once its first thread has ended.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

typedef ssize_t transfer(pid_t pid, const struct iovec *local,
			 unsigned long local_count, const struct iovec *remote,
			 unsigned long remote_count, unsigned long flags);

/* Why there is a fault in a mapping of @ds. */
static int reason_of_fault(int ds, bool is_write)
{
	struct dataspace_info info;
	int ret = dataspace_info(ds, &info, sizeof(info));

	if (ret < 0)
		return ret;
	if (info.state & DATASPACE_STATE_REVOKED)
		return -ESTALE;
	if (is_write && info.state & DATASPACE_STATE_SEALED)
		return -EPERM;
	return -EFAULT;
}

/* A call ends early before the first byte at fault: that is the next one's error. */
static int copy(transfer *call, const void *mapped, const void *own,
		size_t bytes)
{
	struct iovec local = { .iov_base = (void *)mapped, .iov_len = bytes };
	struct iovec remote = { .iov_base = (void *)own, .iov_len = bytes };
	int saved = errno;
	ssize_t done;

	while (local.iov_len) {
		done = call(gettid(), &local, 1, &remote, 1, 0);
		done = libdataspace_result(done, saved);
		if (done < 0)
			return done;
		local.iov_base = (char *)local.iov_base + done;
		local.iov_len -= done;
		remote.iov_base = (char *)remote.iov_base + done;
		remote.iov_len -= done;
	}
	return 0;
}

DATASPACE_API int dataspace_copy_from(int ds, void *to, const void *from,
				      size_t bytes)
{
	int ret;

	if (ds < 0)
		return ds;
	ret = copy(process_vm_writev, from, to, bytes);
	return ret == -EFAULT ? reason_of_fault(ds, false) : ret;
}

DATASPACE_API int dataspace_copy_to(int ds, void *to, const void *from,
				    size_t bytes)
{
	int ret;

	if (ds < 0)
		return ds;
	ret = copy(process_vm_readv, to, from, bytes);
	return ret == -EFAULT ? reason_of_fault(ds, true) : ret;
}
