/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interface of the module that imports dma-bufs for the tests. Each open file
 * of its device can attach to one dma-buf. The results are those of the functions
 * of the kernel that are called.
 */
#ifndef DATASPACE_IMPORTER_H
#define DATASPACE_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Flags of struct importer_attach.
 *
 * IMPORTER_TOLD	wants to be told when mappings become invalid
 * IMPORTER_SHORT	the device takes segments of 64 KiB only; "edu" of 60 KiB, none
 *			across a multiple of 64 KiB, so that some end within a large
 *			page of an IOMMU, and the kernel has to leave gaps
 * IMPORTER_EDU		the device is QEMU's "edu", which really accesses memory
 */
#define IMPORTER_TOLD 1
#define IMPORTER_SHORT 2
#define IMPORTER_EDU 4

struct importer_attach {
	__s32 dmabuf;
	__u32 flags;
};

/*
 * @length bytes of the mapping, all of them @byte, if they are alike; or what the
 * device finds @behind bytes behind them
 */
struct importer_access {
	__u64 offset;
	__u32 length;
	__u32 byte;
	__u32 behind;
	__u32 reserved;
};

#define IMPORTER_ACCESS_MAX 2048

/* Numbers beyond 0xff are far from those that the VFS answers itself. */
#define IMPORTER_ATTACH _IO(0xDB, 0x10)
#define IMPORTER_DETACH _IO(0xDB, 0x11)
/* The argument is a direction: 0 both, 1 to the device, 2 from the device. */
#define IMPORTER_MAP _IO(0xDB, 0x12)
#define IMPORTER_UNMAP _IO(0xDB, 0x13)
/* How many segments there are, and the bytes of the longest one. */
#define IMPORTER_SEGMENTS _IO(0xDB, 0x14)
#define IMPORTER_LONGEST _IO(0xDB, 0x15)
/* How often the importer was told. */
#define IMPORTER_COUNT_TOLD _IO(0xDB, 0x16)
/* The device writes, or reads @byte; "edu" by its own DMA, others by the CPU. */
#define IMPORTER_WRITE _IO(0xDB, 0x17)
#define IMPORTER_READ _IO(0xDB, 0x18)
/* Unmaps a mapping that there is not, then the one that there is, twice. */
#define IMPORTER_UNMAP_WRONG _IO(0xDB, 0x19)
/* Into the kernel; what is written and read then is by that mapping. */
#define IMPORTER_VMAP _IO(0xDB, 0x1a)
#define IMPORTER_VUNMAP _IO(0xDB, 0x1e)
/* Holds the reservation lock for so many milliseconds. */
#define IMPORTER_HOLD _IO(0xDB, 0x1b)
/* Something is queued for the device, and done by and by. */
#define IMPORTER_QUEUE _IO(0xDB, 0x1c)
#define IMPORTER_SIGNAL _IO(0xDB, 0x1d)

#endif
