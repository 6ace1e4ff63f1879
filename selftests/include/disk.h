/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk for direct I/O. Only one that is small, that nobody uses and that has
 * nothing but zeros on it is taken, since the tests write to it; they leave it
 * as they found it.
 */
#ifndef DATASPACE_DISK_H
#define DATASPACE_DISK_H

#include <stddef.h>

#define DISK "/dev/vda"

/* A descriptor for direct I/O, or -errno; -EBUSY if there is something on it */
int disk_open(void);
/* Makes the first @length bytes zero again. */
int disk_close(int disk, size_t length);

#endif
