/* SPDX-License-Identifier: GPL-2.0-only */
/* Swap on the disk of disk.h, which is left as it was found. */
#ifndef DATASPACE_SWAP_H
#define DATASPACE_SWAP_H

#include <sys/types.h>

/* Returns 0 and which device it is, or -errno as disk_open() does */
int swap_begin(dev_t *device);
/* 0 or -errno */
int swap_end(void);

#endif
