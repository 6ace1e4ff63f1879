// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading the module. */
#include "kmod.h"

#include <stdlib.h>
#include <sys/syscall.h>

#include "common.h"

const char *kmod_file(void)
{
	return getenv("DATASPACE_MODULE") ?: "/lib/dataspace.ko";
}

int kmod_unload(void)
{
	return result(syscall(SYS_delete_module, "dataspace", O_NONBLOCK));
}

int kmod_load(const char *parameters)
{
	int fd = open(kmod_file(), O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = result(syscall(SYS_finit_module, fd, parameters, 0));
	close(fd);
	return ret;
}
