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
 * The structures can grow. The first field, @size, is the size of the structure
 * that the caller was compiled with. A structure that is longer than the one
 * the kernel knows is accepted, up to one page, if the part that the kernel
 * does not know is zero. Zero is the default of every input field, and reserved
 * fields must be zero. Where an ioctl fills fields in, the previous contents of
 * those fields and of everything behind them are ignored, the rest of the
 * caller's structure is zeroed, and @size is set to the number of bytes that
 * the kernel knows. Structures hold no pointers and have one layout for 32-bit
 * and 64-bit callers.
 *
 * New descriptors are the return value and are always close-on-exec. A call
 * that fails has changed nothing: no descriptor, no page, no count.
 *
 * The errors of all ioctls:
 *
 *  - EINVAL: malformed request: a structure shorter than its first version, a
 *    range that is empty, not page-aligned, or not within the dataspace
 *  - EOPNOTSUPP: a flag or right that this module does not know, or a reserved
 *    field that is not zero
 *  - E2BIG: the structure is longer than the kernel knows and the rest is not
 *    zero, or it is longer than a page
 *  - EFAULT: the structure is not readable, or not writable where it is filled
 *    in
 *  - EPERM: the dataspace lacks a right that is asked for or needed, or it was
 *    sealed
 *  - ENOMEM: no memory, no contiguous run of that length, or over the limit of
 *    a memory cgroup
 *  - EDQUOT: over the limit of the module
 *  - EMFILE, ENFILE: no free descriptor in the process, in the system
 *  - ESTALE: the dataspace was revoked, or the memory cgroup that is to be
 *    charged was removed
 *  - EBUSY: a page is pinned (&DATASPACE_SEAL_NOW)
 *  - EINTR: a fatal signal is pending
 *  - ENOTTY: unknown ioctl, or one of the device on a dataspace or the reverse
 *
 * The letter 0xDA has no entry in the kernel's list of ioctl numbers
 * (Documentation/userspace-api/ioctl/ioctl-number.rst).
 */

/**
 * DOC: What else is interface
 *
 * fstatfs(2) on a dataspace says %DATASPACE_MAGIC as f_type.
 *
 * In /proc/PID/maps a dataspace is named "/dataspace:ID (deleted)", where ID is
 * the decimal number that &DATASPACE_IOC_INFO returns as @id. The offset column
 * is an offset into the root's file, which differs from that of mmap(2).
 *
 * /proc/PID/fdinfo/FD of a dataspace has these lines, each a key, a colon, a
 * tab and a value:
 *
 *  - dataspace-id: decimal
 *  - dataspace-length: bytes, decimal
 *  - dataspace-rights: names of rights in lower case, separated by spaces:
 *    read write exec map derive export
 *  - dataspace-state: "root" or "alias", then any of contiguous sealed revoked
 *  - dataspace-exclusive: bytes, decimal, as @exclusive of &DATASPACE_IOC_INFO
 *  - dataspace-mappings: decimal, as @mappings of &DATASPACE_IOC_INFO
 *  - dataspace-name: the name, only if there is one
 *
 * Later versions can add keys and words.
 *
 * POLLIN ON A DATASPACE MEANS THAT NOBODY IS LEFT: nothing that is derived from
 * it lives and no mapping of anything derived from it does. IT DOES NOT MEAN
 * THAT THERE IS DATA: do not poll before reading. POLLHUP and POLLERR are set
 * once the dataspace was revoked.
 */

#define DATASPACE_IOC_TYPE 0xDA

/* What fstatfs(2) says as f_type: the way to know a dataspace. */
#define DATASPACE_MAGIC 0x64617370

/* The value that %DATASPACE_IOC_VERSION returns for this header. */
#define DATASPACE_ABI_VERSION 1

/**
 * DATASPACE_IOC_VERSION - ioctl(device or dataspace, DATASPACE_IOC_VERSION, 0)
 *
 * The argument must be 0.
 *
 * Return: the ABI version of the module, %DATASPACE_ABI_VERSION or later, or -1
 * with errno EINVAL.
 */
#define DATASPACE_IOC_VERSION _IO(DATASPACE_IOC_TYPE, 0x00)
#define DATASPACE_IOC_ALLOC _IO(DATASPACE_IOC_TYPE, 0x01)
#define DATASPACE_IOC_ALIAS _IO(DATASPACE_IOC_TYPE, 0x02)
#define DATASPACE_IOC_INFO _IO(DATASPACE_IOC_TYPE, 0x03)
#define DATASPACE_IOC_REVOKE _IO(DATASPACE_IOC_TYPE, 0x04)
#define DATASPACE_IOC_SEAL _IO(DATASPACE_IOC_TYPE, 0x05)
#define DATASPACE_IOC_EXPORT_DMABUF _IO(DATASPACE_IOC_TYPE, 0x06)
#define DATASPACE_IOC_QUERY _IO(DATASPACE_IOC_TYPE, 0x07)
#define DATASPACE_IOC_SET_NAME _IO(DATASPACE_IOC_TYPE, 0x08)

/*
 * Rights: what the holder of a dataspace may do with it. A right that a
 * dataspace lacks can never be added to it. A right that a later version adds
 * guards only what came with it.
 *
 * DATASPACE_READ	read, and map readable; every dataspace has it
 * DATASPACE_WRITE	write, map writable, and seal
 * DATASPACE_EXEC	map executable; execve(2) is never possible
 * DATASPACE_MAP	map at all; without it there is only read(2) and write(2)
 *			(and their like), so that the holder can pin no page
 * DATASPACE_DERIVE	make aliases
 * DATASPACE_EXPORT	make dma-bufs
 */
#define DATASPACE_READ (1U << 0)
#define DATASPACE_WRITE (1U << 1)
#define DATASPACE_EXEC (1U << 2)
#define DATASPACE_MAP (1U << 3)
#define DATASPACE_DERIVE (1U << 4)
#define DATASPACE_EXPORT (1U << 5)

/* What nearly everybody passes. */
#define DATASPACE_RO \
	(DATASPACE_READ | DATASPACE_MAP | DATASPACE_DERIVE | DATASPACE_EXPORT)
#define DATASPACE_RW (DATASPACE_RO | DATASPACE_WRITE)

/*
 * Flags of struct dataspace_alloc.
 *
 * DATASPACE_ALLOC_SCATTERED	the memory may consist of several extents;
 *				without it, it is one physically contiguous run
 * DATASPACE_ALLOC_NODE		@node counts
 * DATASPACE_ALLOC_LAZY		pages appear when they are touched first, and
 *				fallocate(2) can punch them out; implies
 *				DATASPACE_ALLOC_SCATTERED
 * DATASPACE_ALLOC_CHARGE_OPENER	the memory is charged to the memory cgroup that
 *				the process that opened the device was in when
 *				it did so, instead of that of the caller, or
 *				of who touches a page first
 *
 * With DATASPACE_ALLOC_LAZY a page appears, zeroed, when it is first written or
 * mapped by a fault: 2 MiB at once where all of that lies in the dataspace that is
 * written to or in the mapping, and is free. It is charged then, to the memory
 * cgroup of who touches it. If it can't be had, or not within that cgroup's limit
 * or the module's, the touch raises SIGBUS, and a write fails with ENOMEM or
 * EDQUOT; nobody is killed. To read(2) where there is none gives zeroes. With
 * FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE fallocate(2) gives pages back; with
 * mode 0 it lets pages appear ahead of use. The length is limited to the memory of
 * the machine all the same.
 */
#define DATASPACE_ALLOC_SCATTERED (1U << 0)
#define DATASPACE_ALLOC_NODE (1U << 1)
#define DATASPACE_ALLOC_LAZY (1U << 2)
#define DATASPACE_ALLOC_CHARGE_OPENER (1U << 3)

/*
 * Flags of struct dataspace_alias.
 *
 * DATASPACE_ALIAS_CLIP	grant those of the rights asked for that the source has,
 *			instead of refusing when the source lacks one
 */
#define DATASPACE_ALIAS_CLIP (1U << 0)

/*
 * Flags of struct dataspace_revoke.
 *
 * DATASPACE_REVOKE_SELF	revoke the dataspace itself, too
 */
#define DATASPACE_REVOKE_SELF (1U << 0)

/*
 * Flags of struct dataspace_seal.
 *
 * DATASPACE_SEAL_NOW	take the right to write from mappings that have it
 *			already, too
 */
#define DATASPACE_SEAL_NOW (1U << 0)

/*
 * Flags of struct dataspace_export_dmabuf.
 *
 * DATASPACE_EXPORT_REVOCABLE	only importers that can be told of REVOKE, or be
 *				cut off by an IOMMU, may attach
 */
#define DATASPACE_EXPORT_REVOCABLE (1U << 0)

/*
 * Bits of struct dataspace_info.state.
 *
 * DATASPACE_STATE_CONTIGUOUS	the range is physically contiguous; never of memory
 *				made with DATASPACE_ALLOC_LAZY
 * DATASPACE_STATE_SEALED	the right to write was taken away by a seal
 * DATASPACE_STATE_REVOKED	the dataspace was revoked; INFO, fstat(2), poll(2)
 *				and close(2) work
 * DATASPACE_STATE_ALIAS	made by ALIAS, not by ALLOC
 */
#define DATASPACE_STATE_CONTIGUOUS (1U << 0)
#define DATASPACE_STATE_SEALED (1U << 1)
#define DATASPACE_STATE_REVOKED (1U << 2)
#define DATASPACE_STATE_ALIAS (1U << 3)

/**
 * struct dataspace_alloc - ioctl(device, DATASPACE_IOC_ALLOC)
 * @size: sizeof(struct dataspace_alloc)
 * @flags: DATASPACE_ALLOC_*
 * @length: length in bytes, not 0; rounded up to whole pages
 * @rights: rights of the root, at least %DATASPACE_READ
 * @node: NUMA node that all of the memory must come from, with
 *	%DATASPACE_ALLOC_NODE, also what appears later; without it must be 0
 * @align: physical alignment of the memory in bytes, a power of two; 0 for
 *	natural alignment, that is @length rounded up to a power of two, at most
 *	2 MiB. Must be 0 with %DATASPACE_ALLOC_SCATTERED or
 *	%DATASPACE_ALLOC_LAZY.
 *
 * Allocates zeroed memory, charged to the memory cgroup of the caller, or with
 * %DATASPACE_ALLOC_CHARGE_OPENER to that of the opener of the device; with
 * %DATASPACE_ALLOC_LAZY only the room for it.
 *
 * Return: the descriptor of a root with exactly @rights, or -1 with errno
 * EOPNOTSUPP, E2BIG, EFAULT, EMFILE, ENFILE, EINTR; EINVAL, also for a node
 * without memory or outside the caller's cpuset; EDQUOT; ESTALE if the memory
 * cgroup of the opener is to be charged and was removed; or ENOMEM if the
 * memory is not there, if it is not there in one piece, or if the limit of a
 * memory cgroup stands against it.
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
 * @flags: DATASPACE_ALIAS_*
 * @offset: first byte of the range in the source, a multiple of the page size
 * @length: length of the range in bytes, a multiple of the page size, not 0
 * @rights: rights of the alias, at least %DATASPACE_READ
 * @__reserved: must be 0
 *
 * Makes a dataspace that shows exactly [@offset, @offset + @length) of the
 * source, which needs %DATASPACE_DERIVE. The alias lives on its own: the source
 * may be closed at any time.
 *
 * Return: the descriptor of the alias, or -1 with errno EINVAL, EOPNOTSUPP,
 * E2BIG, EFAULT, EMFILE, ENFILE, ENOMEM, EINTR, ESTALE, or EPERM if the source
 * lacks %DATASPACE_DERIVE or a right that is asked for, or was sealed and
 * %DATASPACE_WRITE is asked for.
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
 * @size: sizeof(struct dataspace_info); out: the bytes that mean something
 * @flags: must be 0
 * @rights: out: the rights that the dataspace has
 * @state: out: DATASPACE_STATE_*
 * @length: out: length in bytes
 * @id: out: number of the dataspace, unique until the module is unloaded
 * @exclusive: out: bytes that would go back to the kernel if the last
 *	descriptor of this dataspace were closed now, that is of pages that are
 *	there
 * @aliases: out: number of live dataspaces derived from this one, at any depth
 * @mappings: out: number of live mappings of this dataspace, each as a line in
 *	/proc/PID/maps
 * @granule: out: what offsets and lengths are multiples of, in bytes: the page
 *	size
 * @derived_mappings: out: number of live mappings of all that is derived from
 *	this dataspace
 * @devices: out: number of mappings of pages of the range by dma-bufs, of devices
 *	or into the kernel, that exist and were not cut off, also those that were
 *	made through other dataspaces
 * @resident: out: bytes of the range that are there: all, or with
 *	%DATASPACE_ALLOC_LAZY those that have appeared and were not punched out
 *
 * Return: 0, or -1 with errno EINVAL, EOPNOTSUPP, E2BIG, EFAULT. Works on a
 * revoked dataspace, all of whose counts are 0.
 */
struct dataspace_info {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__u32 state;
	__aligned_u64 length;
	__aligned_u64 id;
	__aligned_u64 exclusive;
	__aligned_u64 aliases;
	__aligned_u64 mappings;
	__aligned_u64 granule;
	__aligned_u64 derived_mappings;
	__aligned_u64 devices;
	__aligned_u64 resident;
};

/**
 * struct dataspace_query - ioctl(device, DATASPACE_IOC_QUERY)
 * @size: sizeof(struct dataspace_query); out: the bytes that mean something
 * @flags: must be 0
 * @version: out: the ABI version, as %DATASPACE_IOC_VERSION returns it
 * @rights: out: all rights that this module knows
 * @alloc_flags: out: all flags of &struct dataspace_alloc that it accepts
 * @alias_flags: out: all flags of &struct dataspace_alias that it accepts
 * @seal_flags: out: all flags of &struct dataspace_seal that it accepts
 * @__reserved: out: 0
 * @ioctls: out: the ioctls that it has, bit n for number n
 * @limit: out: what all dataspaces together may have, in bytes, 0: no limit
 * @in_use: out: what all dataspaces together have, in bytes
 * @pool: out: size of the pool of contiguous memory, in bytes
 * @pool_free: out: what the pool holds at this moment, in bytes
 *
 * Return: 0, or -1 with errno EINVAL, EOPNOTSUPP, E2BIG, EFAULT.
 */
struct dataspace_query {
	__u32 size;
	__u32 flags;
	__u32 version;
	__u32 rights;
	__u32 alloc_flags;
	__u32 alias_flags;
	__u32 seal_flags;
	__u32 __reserved;
	__aligned_u64 ioctls;
	__aligned_u64 limit;
	__aligned_u64 in_use;
	__aligned_u64 pool;
	__aligned_u64 pool_free;
};

/**
 * struct dataspace_revoke - ioctl(dataspace, DATASPACE_IOC_REVOKE)
 * @size: sizeof(struct dataspace_revoke)
 * @flags: DATASPACE_REVOKE_*
 *
 * Ends the life of everything derived from the dataspace, in every process:
 * what is mapped raises SIGBUS when touched, and every operation but INFO,
 * fstat(2), poll(2) and close(2) fails with ESTALE. The dataspace itself stays
 * as it is, unless %DATASPACE_REVOKE_SELF is given. When the call returns no
 * holder of what was revoked reads or changes a byte through it any more. Only
 * pages that a driver had pinned before can still be accessed, by that driver;
 * of dma-bufs those that @devices of INFO counts.
 *
 * The call waits for processes that are unmapping at that moment. A fatal signal
 * ends the wait with EINTR: then everything is cut off but what was in flight,
 * and a later call waits for that again. After %DATASPACE_REVOKE_SELF that call,
 * which any holder can make, waits as well and fails with ESTALE.
 *
 * Return: 0, also if there was nothing to revoke, or -1 with errno EINVAL,
 * EOPNOTSUPP, E2BIG, EFAULT, EINTR, ESTALE.
 */
struct dataspace_revoke {
	__u32 size;
	__u32 flags;
};

/**
 * struct dataspace_seal - ioctl(dataspace, DATASPACE_IOC_SEAL)
 * @size: sizeof(struct dataspace_seal)
 * @flags: DATASPACE_SEAL_*
 * @rights: the rights to take: %DATASPACE_WRITE
 * @__reserved: must be 0
 *
 * Takes %DATASPACE_WRITE from the dataspace and everything derived from it, for
 * good. Mappings that are writable already stay so, unless %DATASPACE_SEAL_NOW
 * is given: then the next write through one of them raises SIGBUS.
 *
 * Return: 0, also if it is sealed already, or -1 with errno EINVAL, if @rights
 * is 0, EOPNOTSUPP, E2BIG, EFAULT, EINTR, ESTALE, EPERM if the dataspace was
 * made without %DATASPACE_WRITE, or EBUSY if %DATASPACE_SEAL_NOW is given and a
 * page is pinned.
 */
struct dataspace_seal {
	__u32 size;
	__u32 flags;
	__u32 rights;
	__u32 __reserved;
};

/**
 * struct dataspace_export_dmabuf - ioctl(dataspace, DATASPACE_IOC_EXPORT_DMABUF)
 * @size: sizeof(struct dataspace_export_dmabuf)
 * @flags: DATASPACE_EXPORT_*
 *
 * Makes a dma-buf of exactly this range, by which drivers give the memory to
 * devices. The dataspace lives as long as the dma-buf does. Without
 * %DATASPACE_WRITE, or if the dataspace was sealed, the descriptor is O_RDONLY,
 * devices can only read (a driver that asks for another direction is refused),
 * no mapping is writable, and there is none into the kernel. REVOKE reaches it.
 *
 * Return: the descriptor of the dma-buf, or -1 with errno EINVAL, EOPNOTSUPP,
 * E2BIG, EFAULT, EMFILE, ENFILE, ENOMEM, ESTALE, EPERM if the dataspace lacks
 * %DATASPACE_EXPORT, or ENOTTY if the module was built for a kernel without
 * dma-buf.
 */
struct dataspace_export_dmabuf {
	__u32 size;
	__u32 flags;
};

/* Bytes of a name, with the terminating null byte. */
#define DATASPACE_NAME_MAX 32

/**
 * struct dataspace_name - ioctl(dataspace, DATASPACE_IOC_SET_NAME)
 * @size: sizeof(struct dataspace_name)
 * @flags: must be 0
 * @name: the name, with a terminating null byte and without control characters;
 *	empty for none
 *
 * Gives the dataspace a name, which is shown in /proc/PID/fdinfo. Every holder
 * can change it.
 *
 * Return: 0, or -1 with errno EINVAL, also for a name that is not terminated or
 * holds a control character, EOPNOTSUPP, E2BIG, EFAULT, ESTALE.
 */
struct dataspace_name {
	__u32 size;
	__u32 flags;
	char name[DATASPACE_NAME_MAX];
};

#endif /* _UAPI_LINUX_DATASPACE_H */
