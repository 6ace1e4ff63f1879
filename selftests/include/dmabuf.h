/* SPDX-License-Identifier: GPL-2.0-only */
/* dma-bufs, and the module that imports them for the tests. */
#ifndef DATASPACE_DMABUF_H
#define DATASPACE_DMABUF_H

#include <stdbool.h>

#include <linux/dma-buf.h>
#include <linux/types.h>

#include "../importer/importer.h"

/* Directions of a device mapping. */
enum direction {
	BOTH_WAYS,
	TO_DEVICE,
	FROM_DEVICE,
};

/* All return -errno if they fail. */

/* The descriptor of a dma-buf. */
int ds_export(int ds, __u32 flags);
/* INFO's devices; all bits if there is no INFO. */
__u64 ds_devices(int ds);
/* DMA_BUF_IOCTL_SYNC; @flags are DMA_BUF_SYNC_READ and so on. */
int dmabuf_sync(int dmabuf, __u64 flags);

/* -ENOENT if there is no importer, or it can't be loaded. */
int importer_load(void);
int importer_unload(void);
/*
 * Whether devices of the importer may have the same memory at a time, both ways: the
 * debug kernel takes that for a mistake, as on some machines it would be one.
 */
void importer_may_overlap(bool may);

/* A descriptor that is attached to a dma-buf; closing it undoes everything. */
int import(int dmabuf, __u32 flags);
int import_map(int import, enum direction direction);
int import_unmap(int import);
int import_told(int import);
/* The device writes @byte so many times, or the byte that it reads as often. */
#define IMPORT_BYTES 64

int import_write(int import, __u64 offset, char byte);
int import_read(int import, __u64 offset);
/* The same for the device address so many bytes behind that of @offset. */
int import_read_behind(int import, __u64 offset, __u32 behind);

#endif
