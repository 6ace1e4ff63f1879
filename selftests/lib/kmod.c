// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading the module. */
#include "kmod.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "common.h"
#include "proc.h"

const char *kmod_file(void)
{
	return getenv("DATASPACE_MODULE") ?: "/lib/dataspace.ko";
}

/* The file has the current level in brackets. */
bool kmod_locked_down(void)
{
	char levels[64];

	return proc_read("/sys/kernel/security/lockdown", levels,
			 sizeof(levels)) > 0 &&
	       !strstr(levels, "[none]");
}

bool kmod_can_load(void)
{
	return access(kmod_file(), R_OK) == 0 && !kmod_locked_down();
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
