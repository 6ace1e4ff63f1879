/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libdataspace: memory that can be handed out in part, with rights.
 *
 * A dataspace is an open file that stands for a page-aligned range of memory
 * together with rights. A handle is that file's plain descriptor: map it with
 * mmap(2), read it with pread(2), end it with close(2). There is nothing else
 * to free, and no other object behind it.
 * poll(2) says POLLIN while nothing that is derived from it lives.
 *
 * The one convention of all functions here:
 *
 *   - on success they return the value that they are for: a descriptor, which
 *     is 0 or greater, or 0;
 *   - on failure they return -errno, a negative number, and nothing has
 *     changed: no descriptor was made, no memory was taken;
 *   - errno itself is left as it was, in both cases.
 *
 * So "if (ds < 0)" is the test, strerror(-ds) is the text, and perror(3) is of
 * no use.
 *
 * What also holds for all of them:
 *
 *   - Descriptors that they return belong to the caller, who closes them. They
 *     are always close-on-exec. Arguments stay the caller's: no function
 *     closes or remembers a descriptor or a pointer that it was given.
 *   - There is no global state. All functions may be called from any number of
 *     threads at once, on the same descriptors too, and from signal handlers.
 *     They must not be interrupted by asynchronous thread cancellation.
 *   - Offsets and lengths are in bytes. Where a multiple of the page size is
 *     asked for, sysconf(_SC_PAGESIZE) says what that is, and so does the
 *     granule of dataspace_info().
 *   - Errors that every function with an argument "ds" can return:
 *       -EBADF   ds is not an open descriptor, or was opened with O_PATH
 *       -EBADFD  ds is open, but is not a dataspace
 *     But dataspace_send() does not look at what is open: it leaves that to the
 *     receiver.
 *     A dataspace is known by its answer to DATASPACE_IOC_INFO. The kernel has
 *     no registry of ioctl numbers, so that a foreign driver could take that
 *     number for something of its own. None of the kernel does.
 */
#ifndef DATASPACE_H
#define DATASPACE_H

#include <stdint.h>

#include <linux/dataspace.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * dataspace_alloc - allocate memory
 * @length: bytes, not 0; rounded up to whole pages
 * @rights: bits of enum dataspace_rights, %DATASPACE_READ at least
 * @flags: 0, or %DATASPACE_ALLOC_SCATTERED to accept memory that is not
 *	physically contiguous
 *
 * The memory is zeroed and charged to the memory cgroup of the caller. It comes
 * from any NUMA node, with natural alignment; who needs more control uses
 * %DATASPACE_IOC_ALLOC. The device is opened for this call and closed again.
 *
 * Return: the descriptor of a root dataspace with exactly @rights, or
 *   -EINVAL   @length is 0, or an unknown or missing right, or an unknown flag
 *   -ENOMEM   no memory, or not in one piece, or a limit stands against it
 *   -EMFILE, -ENFILE
 *             no descriptor is free in this process, in the system; two are
 *             needed for a moment
 *   -ENOENT, -ENXIO, -ENODEV
 *             there is no /dev/dataspace: the module is not loaded
 *   -EACCES, -EPERM
 *             no permission to open /dev/dataspace
 *   -ENOTTY   /dev/dataspace is not this device
 */
int dataspace_alloc(uint64_t length, uint32_t rights, uint32_t flags);

/**
 * dataspace_alias - make a dataspace of a part of another one
 * @ds: the source, a root or an alias
 * @offset: first byte of the part in @ds, a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0
 * @rights: bits of enum dataspace_rights, %DATASPACE_READ at least, none that
 *	@ds lacks
 *
 * The alias shows exactly [@offset, @offset + @length) of the source, from its
 * own offset 0 on. It lives by itself: the source may be closed at any time.
 * No memory is copied.
 *
 * Return: the descriptor of the alias, or
 *   -EINVAL   @offset or @length is not a multiple of the page size, @length is
 *             0, the part does not lie in @ds, or an unknown or missing right
 *   -EPERM    @ds lacks a right of @rights, or is sealed and @rights has
 *             %DATASPACE_WRITE
 *   -ENOMEM   no kernel memory, or a limit stands against it
 *   -EMFILE, -ENFILE
 *             no descriptor is free in this process, in the system
 *   -ESTALE   @ds was revoked
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_alias(int ds, uint64_t offset, uint64_t length, uint32_t rights);

/**
 * dataspace_alias_flags - make a dataspace of a part of another one
 * @ds: as for dataspace_alias()
 * @offset: as for dataspace_alias()
 * @length: as for dataspace_alias()
 * @rights: as for dataspace_alias()
 * @flags: 0, or %DATASPACE_ALIAS_CLIP to get those of @rights that @ds has
 *	where dataspace_alias() would refuse with -EPERM
 *
 * Which rights a clipped alias got is told by dataspace_info().
 *
 * Return: as dataspace_alias(), and
 *   -EINVAL   also for an unknown flag
 */
int dataspace_alias_flags(int ds, uint64_t offset, uint64_t length,
			  uint32_t rights, uint32_t flags);

/**
 * dataspace_info - what a dataspace is
 * @ds: the dataspace, which may be a revoked one
 * @info: filled in on success, left alone on failure; no field needs to be set
 *	before the call
 *
 * <linux/dataspace.h> describes the fields.
 *
 * Return: 0, or
 *   -EFAULT   @info is NULL
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_info(int ds, struct dataspace_info *info);

/**
 * dataspace_revoke - take back what was derived from a dataspace
 * @ds: the dataspace
 *
 * Ends the life of everything derived from @ds, in every process: mappings
 * stay, but raise SIGBUS when touched, and every operation but dataspace_info()
 * and close(2) fails with ESTALE. @ds itself and whatever is not derived from
 * it stay as they are. To be able to revoke one grant alone, make an alias for
 * it, derive from that alias what is handed out, and revoke the alias.
 *
 * Return: 0, also if there was nothing to revoke, or
 *   -ESTALE   @ds was itself revoked
 *   -ENOTTY   the loaded module does not have it
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_revoke(int ds);

/**
 * dataspace_seal - end writing for good
 * @ds: a dataspace with %DATASPACE_WRITE
 * @flags: 0, or %DATASPACE_SEAL_NOW
 *
 * Takes %DATASPACE_WRITE from @ds and everything derived from it, for good: new
 * writable mappings, mprotect(2), write(2) and aliases with %DATASPACE_WRITE
 * are refused with EPERM. Mappings that are writable already stay so, except
 * with %DATASPACE_SEAL_NOW: then the next write through one raises SIGBUS.
 *
 * Return: 0, also if @ds is sealed already, or
 *   -EPERM    @ds was made without %DATASPACE_WRITE
 *   -EBUSY    with %DATASPACE_SEAL_NOW: a page is pinned, for instance by I/O
 *             under way
 *   -EINVAL   an unknown flag
 *   -ESTALE   @ds was revoked
 *   -ENOTTY   the loaded module does not have it
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_seal(int ds, uint32_t flags);

/**
 * dataspace_export_dmabuf - make a dma-buf of a dataspace
 * @ds: the dataspace
 *
 * The dma-buf is of exactly the range of @ds and keeps the memory by itself:
 * @ds may be closed. Without %DATASPACE_WRITE the processor can map it only
 * readable and devices can only read from it.
 *
 * Return: the descriptor of the dma-buf, which is not a dataspace, or
 *   -ENOMEM   no kernel memory, or a limit stands against it
 *   -EMFILE, -ENFILE
 *             no descriptor is free in this process, in the system
 *   -ESTALE   @ds was revoked
 *   -ENOTTY   the loaded module does not have it
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_export_dmabuf(int ds);

/**
 * dataspace_send - hand a dataspace to another process
 * @socket: a connected AF_UNIX socket of any type
 * @ds: the dataspace, which stays open
 *
 * Sends one byte with the descriptor attached (SCM_RIGHTS). What arrives is
 * this very dataspace, not a copy: the receiver has its rights and its range.
 * To give less, make an alias and send that.
 *
 * A signal does not interrupt the call: it is taken up again. A peer that went
 * away raises no SIGPIPE. On a blocking socket the call waits until there is
 * room.
 *
 * Return: 0 when the dataspace is on its way, or
 *   -EAGAIN   @socket is non-blocking, or has a time-out, and there is no room
 *   -EPIPE, -ECONNRESET, -ENOTCONN, -ECONNREFUSED
 *             there is no peer (any more)
 *   -ENOTSOCK, -EAFNOSUPPORT
 *             @socket is not a socket, is not an AF_UNIX one
 *   -ETOOMANYREFS
 *             too many descriptors of this user are on their way
 *   -ENOMEM, -ENOBUFS
 *             no kernel memory
 *   -EBADF    also for @socket
 */
int dataspace_send(int socket, int ds);

/**
 * dataspace_recv - receive a dataspace
 * @socket: an AF_UNIX socket of any type, on which the peer uses
 *	dataspace_send()
 *
 * Takes one byte, or one message of one byte, from @socket, with the dataspace
 * attached. Everything else that may come instead is refused: it is taken from
 * the socket, and all descriptors that came with it are closed. What the
 * dataspace is, its length and its rights, is for the receiver to look at with
 * dataspace_info(), as the sender chose it.
 *
 * A signal does not interrupt the call: it is taken up again. On a blocking
 * socket the call waits.
 *
 * Return: the descriptor of the dataspace, or
 *   -EBADFD   a descriptor came, but not of a dataspace
 *   -EBADMSG  there was no descriptor, more than one, more than one byte in the
 *             message, or ancillary data that was cut off
 *   -EMFILE   no descriptor is free in this process; the dataspace is lost
 *   -ENODATA  end of file: the peer has closed its end
 *   -EAGAIN   @socket is non-blocking, or has a time-out, and nothing came
 *   -ECONNRESET, -ENOTCONN, -EINVAL
 *             there is no peer (any more), or @socket is a listening one
 *   -ENOTSOCK, -EAFNOSUPPORT
 *             @socket is not a socket, is not an AF_UNIX one
 *   -EBADF    @socket is not an open descriptor
 *   -ENOMEM   no kernel memory
 */
int dataspace_recv(int socket);

#ifdef __cplusplus
}
#endif

#endif /* DATASPACE_H */
