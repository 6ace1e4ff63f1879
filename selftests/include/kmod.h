/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unloads and loads the module. Its file is $DATASPACE_MODULE, or where the
 * virtual machine has it.
 */
#ifndef DATASPACE_KMOD_H
#define DATASPACE_KMOD_H

#include <stdbool.h>

#define KMOD_PARAMETERS "/sys/module/dataspace/parameters/"

/* The reference count, which each backing raises. */
#define KMOD_REFCNT "/sys/module/dataspace/refcnt"

const char *kmod_file(void);

/*
 * Not if its file is not there, or if the kernel only loads signed modules by
 * now.
 */
bool kmod_can_load(void);
bool kmod_locked_down(void);

/* Both return 0 or -errno; @parameters are separated by blanks. */
int kmod_load(const char *parameters);
int kmod_unload(void);

/* For when a thread of the kernel may use the module for a moment yet. */
int kmod_unload_soon(void);

/*
 * Drivers of the kernel that the virtual machine has for tests, each after those
 * that it depends on, which stay loaded. -ENOENT if there is none.
 */
int kmod_load_driver(const char *name, const char *parameters);
int kmod_unload_driver(const char *name);

#endif
