/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk for direct I/O. As the tests write to it, only a disk is taken that is
 * small, that nobody uses and that is all zero; they leave it so.
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
