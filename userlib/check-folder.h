/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * A folder for programs that have the command, or the broker, linked into them, and
 * are it if they are called by its name.
 */
#ifndef DATASPACE_CHECK_FOLDER_H
#define DATASPACE_CHECK_FOLDER_H

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Both are found by their names there; this process goes there, too. */
static inline void make_folder(void)
{
	char folder[] = "/tmp/check-dataspace-XXXXXX";
	char path[512];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (length < 0 || !mkdtemp(folder) || chdir(folder) ||
	    chmod(folder, 0755))
		err(EXIT_FAILURE, "%s", folder);
	path[length] = 0;
	if (symlink(path, "dataspace") || symlink(path, "dataspaced"))
		err(EXIT_FAILURE, "dataspace");
	snprintf(path, sizeof(path), "%s:%s", folder, getenv("PATH"));
	setenv("PATH", path, 1);
}

#endif /* DATASPACE_CHECK_FOLDER_H */
