// SPDX-License-Identifier: GPL-2.0-only
/* Loading and unloading the module. */
#include "kmod.h"

#include <glob.h>
#include <stdio.h>
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

static int load_file(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = result(syscall(SYS_finit_module, fd, parameters, 0));
	close(fd);
	return ret;
}

int kmod_unload(void)
{
	return kmod_unload_driver("dataspace");
}

int kmod_unload_soon(void)
{
	double end = seconds() + SOON;
	int ret;

	do {
		ret = kmod_unload();
	} while (ret == -EAGAIN && seconds() < end && !usleep(1000));
	return ret;
}

int kmod_load(const char *parameters)
{
	return load_file(kmod_file(), parameters);
}

/* The files are in the order in which they can be loaded, the driver last. */
int kmod_load_driver(const char *name, const char *parameters)
{
	char pattern[64];
	glob_t found;
	size_t i;
	int ret = -ENOENT;

	snprintf(pattern, sizeof(pattern), "/lib/more/%s/*.ko", name);
	if (glob(pattern, 0, NULL, &found))
		return -ENOENT;
	for (i = 0; i < found.gl_pathc; i++) {
		const bool last = i == found.gl_pathc - 1;

		ret = load_file(found.gl_pathv[i], last ? parameters : "");
		if (ret && (last || ret != -EEXIST))
			break;
	}
	globfree(&found);
	return ret;
}

int kmod_unload_driver(const char *name)
{
	return result(syscall(SYS_delete_module, name, O_NONBLOCK));
}
