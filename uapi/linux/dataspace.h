/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Memory objects that can be handed out in part: the interface of
 * /dev/dataspace.
 */
#ifndef _UAPI_LINUX_DATASPACE_H
#define _UAPI_LINUX_DATASPACE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General ioctl format
 *
 * A dataspace is an open file that stands for a page-aligned range of memory
 * together with rights. A root is made by &DATASPACE_IOC_ALLOC on the device,
 * an alias by &DATASPACE_IOC_ALIAS on any dataspace, root or alias.
 *
 * The structures are extensible. The first field, @size, holds the size of the
 * structure that the caller was compiled with. A structure that is longer than
 * the one the kernel knows is accepted if what the kernel does not know is
 * zero. Unknown flags and rights and reserved fields that are not zero are
 * refused. Structures hold no pointers and have one layout for 32-bit and
 * 64-bit callers. Where an ioctl fills fields in, what the caller left in those
 * fields is ignored.
 *
 * New descriptors are the return value and are always close-on-exec. A call
 * that fails has changed nothing: no descriptor, no page, no count.
 *
 * The errors of all ioctls:
 *
 *  - EINVAL: malformed request: a structure shorter than the first version, an
 *    unknown flag or right, a reserved field that is not zero, a range that is
 *    empty, not page-aligned, or not within the dataspace
 *  - E2BIG: the structure is longer than the kernel knows and the rest is not
 *    zero
 *  - EFAULT: the structure is not readable, or not writable where it is filled
 *    in
 *  - EPERM: a right is asked for that the dataspace lacks, or it was sealed
 *  - ENOMEM: no memory, no contiguous run of that length, or over a limit
 *  - EMFILE, ENFILE: no free descriptor in the process, in the system
 *  - ESTALE: the dataspace was revoked
 *  - EBUSY: a page is pinned (&DATASPACE_SEAL_NOW)
 *  - ENOTTY: unknown ioctl, or one of the device on a dataspace or the reverse
 */

#define DATASPACE_IOC_TYPE 0xDA

/* The value that %DATASPACE_IOC_VERSION returns for this header. */
#define DATASPACE_ABI_VERSION 1

/**
 * DATASPACE_IOC_VERSION - ioctl(device, DATASPACE_IOC_VERSION)
 *
 * Return: the ABI version of the module, %DATASPACE_ABI_VERSION or later. The
 * argument is ignored.
 */
#define DATASPACE_IOC_VERSION _IO(DATASPACE_IOC_TYPE, 0x00)
#define DATASPACE_IOC_ALLOC _IO(DATASPACE_IOC_TYPE, 0x01)
#define DATASPACE_IOC_ALIAS _IO(DATASPACE_IOC_TYPE, 0x02)
#define DATASPACE_IOC_INFO _IO(DATASPACE_IOC_TYPE, 0x03)
#define DATASPACE_IOC_REVOKE _IO(DATASPACE_IOC_TYPE, 0x04)
#define DATASPACE_IOC_SEAL _IO(DATASPACE_IOC_TYPE, 0x05)
#define DATASPACE_IOC_EXPORT_DMABUF _IO(DATASPACE_IOC_TYPE, 0x06)

/**
 * enum dataspace_rights - what the holder of a dataspace may do with it
 * @DATASPACE_READ: read and map readable; every dataspace has it
 * @DATASPACE_WRITE: write and map writable, and seal
 * @DATASPACE_EXEC: map executable
 *
 * Rights are positive: one that a later version adds is absent from whatever
 * an older program hands out. A right that a dataspace lacks can never be
 * added to it.
 */
enum dataspace_rights {
	DATASPACE_READ = 1 << 0,
	DATASPACE_WRITE = 1 << 1,
	DATASPACE_EXEC = 1 << 2,
};

/**
 * enum dataspace_alloc_flags - flags of &struct dataspace_alloc
 * @DATASPACE_ALLOC_SCATTERED: the memory may consist of several extents.
 *	Without it the memory is one physically contiguous run.
 */
enum dataspace_alloc_flags {
	DATASPACE_ALLOC_SCATTERED = 1 << 0,
};

/**
 * enum dataspace_alias_flags - flags of &struct dataspace_alias
 * @DATASPACE_ALIAS_CLIP: grant the rights that were asked for *and* that the
 *	source has, instead of refusing when the source lacks one
 */
enum dataspace_alias_flags {
	DATASPACE_ALIAS_CLIP = 1 << 0,
};

/**
 * enum dataspace_seal_flags - flags of &struct dataspace_seal
 * @DATASPACE_SEAL_NOW: take the right to write from the mappings that have it
 *	already, too
 */
enum dataspace_seal_flags {
	DATASPACE_SEAL_NOW = 1 << 0,
};

/**
 * enum dataspace_state - bits of &struct dataspace_info.state
 * @DATASPACE_STATE_CONTIGUOUS: the range is physically contiguous
 * @DATASPACE_STATE_SEALED: the right to write was taken away by a seal
 * @DATASPACE_STATE_REVOKED: the dataspace was revoked; only INFO and close work
 * @DATASPACE_STATE_ALIAS: made by ALIAS, not by ALLOC
 */
enum dataspace_state {
	DATASPACE_STATE_CONTIGUOUS = 1 << 0,
	DATASPACE_STATE_SEALED = 1 << 1,
	DATASPACE_STATE_REVOKED = 1 << 2,
	DATASPACE_STATE_ALIAS = 1 << 3,
};

/* &struct dataspace_alloc.node: no preference, as for any other memory */
#define DATASPACE_NODE_ANY (-1)

/**
 * struct dataspace_alloc - ioctl(device, DATASPACE_IOC_ALLOC)
 * @size: sizeof(struct dataspace_alloc)
 * @flags: bits of &enum dataspace_alloc_flags
 * @length: length in bytes, not 0; rounded up to whole pages
 * @rights: bits of &enum dataspace_rights, at least %DATASPACE_READ
 * @node: NUMA node that all of the memory must come from, or
 *	%DATASPACE_NODE_ANY
 * @align: physical alignment of the memory in bytes, a power of two; 0 for
 *	natural alignment, that is @length rounded up to a power of two, at most
 *	2 MiB. Must be 0 with %DATASPACE_ALLOC_SCATTERED.
 *
 * Allocates zeroed memory, charged to the memory cgroup of the caller.
 *
 * Return: the descriptor of a root with exactly @rights, or -1 with errno
 * EINVAL, E2BIG, EFAULT, EMFILE, ENFILE, or ENOMEM, the latter if the memory
 * is not there, if it is not there in one piece, or if a limit stands against
 * it.
 */
struct dataspace_alloc {
	__u32 size;
	__u32 flags;
	__aligned_u64 length;
	__u32 rights;
	__s32 node;
	__aligned_u64 align;
};

/**
 * struct dataspace_alias - ioctl(dataspace, DATASPACE_IOC_ALIAS)
 * @size: sizeof(struct dataspace_alias)
 * @flags: bits of &enum dataspace_alias_flags
 * @offset: first byte of the range in the source, a multiple of the page size
 * @length: length of the range in bytes, a multiple of the page size, not 0
 * @rights: bits of &enum dataspace_rights, at least %DATASPACE_READ
 * @__reserved: must be 0
 *
 * Makes a dataspace that shows exactly [@offset, @offset + @length) of the
 * source. It lives on its own: the source may be closed at any time.
 *
 * Return: the descriptor of the alias, or -1 with errno EINVAL, E2BIG, EFAULT,
 * EMFILE, ENFILE, ENOMEM, ESTALE, or EPERM if the source lacks a right that is
 * asked for, or was sealed and %DATASPACE_WRITE is asked for.
 */
struct dataspace_alias {
	__u32 size;
	__u32 flags;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 rights;
	__u32 __reserved;
};

/**
 * struct dataspace_info - ioctl(dataspace, DATASPACE_IOC_INFO)
 * @size: sizeof(struct dataspace_info); the only field that is read
 * @rights: out: bits of &enum dataspace_rights that the dataspace has
 * @state: out: bits of &enum dataspace_state
 * @__reserved: out: 0
 * @length: out: length in bytes
 * @id: out: number of the dataspace, unique until the module is unloaded
 * @exclusive: out: bytes that would go back to the kernel if the last
 *	descriptor of this dataspace were closed now
 * @aliases: out: number of live dataspaces derived from this one, at any depth
 * @mappings: out: number of live mappings of this dataspace, each as a line in
 *	/proc/PID/maps
 * @granule: out: what offsets and lengths are multiples of, in bytes: the page
 *	size
 *
 * Return: 0, or -1 with errno EINVAL, E2BIG, EFAULT. Works on a revoked
 * dataspace.
 */
struct dataspace_info {
	__u32 size;
	__u32 rights;
	__u32 state;
	__u32 __reserved;
	__aligned_u64 length;
	__aligned_u64 id;
	__aligned_u64 exclusive;
	__aligned_u64 aliases;
	__aligned_u64 mappings;
	__aligned_u64 granule;
};

/**
 * struct dataspace_revoke - ioctl(dataspace, DATASPACE_IOC_REVOKE)
 * @size: sizeof(struct dataspace_revoke)
 * @flags: must be 0
 *
 * Ends the life of everything derived from the dataspace, in every process:
 * what is mapped raises SIGBUS when touched, and every operation but INFO and
 * close fails with ESTALE. The dataspace itself stays as it is.
 *
 * Return: 0, also if there was nothing to revoke, or -1 with errno EINVAL,
 * E2BIG, EFAULT, ESTALE.
 */
struct dataspace_revoke {
	__u32 size;
	__u32 flags;
};

/**
 * struct dataspace_seal - ioctl(dataspace, DATASPACE_IOC_SEAL)
 * @size: sizeof(struct dataspace_seal)
 * @flags: bits of &enum dataspace_seal_flags
 *
 * Takes %DATASPACE_WRITE from the dataspace and everything derived from it,
 * for good. Mappings that are writable already stay so, unless
 * %DATASPACE_SEAL_NOW is given: then the next write through one of them raises
 * SIGBUS.
 *
 * Return: 0, also if it is sealed already, or -1 with errno EINVAL, E2BIG,
 * EFAULT, ESTALE, EPERM if the dataspace was made without %DATASPACE_WRITE, or
 * EBUSY if %DATASPACE_SEAL_NOW is given and a page is pinned.
 */
struct dataspace_seal {
	__u32 size;
	__u32 flags;
};

/**
 * struct dataspace_export_dmabuf - ioctl(dataspace, DATASPACE_IOC_EXPORT_DMABUF)
 * @size: sizeof(struct dataspace_export_dmabuf)
 * @flags: must be 0
 *
 * Return: the descriptor of a dma-buf of exactly this range, or -1 with errno
 * EINVAL, E2BIG, EFAULT, EMFILE, ENFILE, ENOMEM, ESTALE, or ENOTTY if the
 * module was built for a kernel without dma-buf.
 */
struct dataspace_export_dmabuf {
	__u32 size;
	__u32 flags;
};

#endif /* _UAPI_LINUX_DATASPACE_H */
