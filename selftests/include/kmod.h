/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module itself, to be unloaded and loaded again. Its file is
 * $DATASPACE_MODULE, or where the virtual machine has it.
 */
#ifndef DATASPACE_KMOD_H
#define DATASPACE_KMOD_H

#include <stdbool.h>

#define KMOD_PARAMETERS "/sys/module/dataspace/parameters/"

/* How many backings there are, as each holds the module. */
#define KMOD_REFCNT "/sys/module/dataspace/refcnt"

const char *kmod_file(void);

/* Not if nobody has its file, or the kernel takes signed ones only by now. */
bool kmod_can_load(void);
bool kmod_locked_down(void);

/* Both return 0 or -errno; @parameters are separated by blanks. */
int kmod_load(const char *parameters);
int kmod_unload(void);

#endif
