/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libdataspace: memory that can be handed out in part, with rights.
 *
 * A dataspace is an open file that stands for a page-aligned range of memory
 * together with rights. A handle is that file's plain descriptor: map it with
 * mmap(2), read it with pread(2), end it with close(2). There is nothing else
 * to free, and no other object behind it.
 *
 * The one convention of all functions here but dataspace_version():
 *
 *   - on success they return the value that they are for: a descriptor, a
 *     number of bytes, or 0;
 *   - on failure they return -errno, a negative number, and nothing has
 *     changed: no descriptor was made, no memory was taken;
 *   - errno itself is left as it was, in both cases;
 *   - a descriptor argument that is negative is answered with that very value,
 *     before anything else is looked at.
 *
 * So "if (ds < 0)" is the test, strerror(-ds) is the text, and perror(3) is of
 * no use. Calls can be chained and checked once:
 *
 *	int ds = dataspace_alloc(length, DATASPACE_RW, 0);
 *	int part = dataspace_alias(ds, 0, page, DATASPACE_RO, 0);
 *	int ret = dataspace_send(socket, part);
 *
 * If the allocation fails with -ENOMEM then @ret is -ENOMEM. What system calls
 * have returned, -1, looks like -EPERM: check their errors where they happen.
 *
 * What also holds for all of them:
 *
 *   - Descriptors that they return belong to the caller, who closes them. They
 *     are always close-on-exec. Arguments stay the caller's: no function
 *     closes or remembers a descriptor or a pointer that it was given.
 *   - There is no global state. All functions may be called from any number of
 *     threads at once, on the same descriptors too, and from signal handlers. A
 *     thread that is cancelled inside of one can leave a descriptor open.
 *   - A function that takes a structure also takes its size, as sizeof says. A
 *     structure may be longer or shorter than that of the library or of the
 *     kernel, as <linux/dataspace.h> describes. The field @size of a structure
 *     need not be set.
 *   - Offsets and lengths are in bytes. Where a multiple of the page size is
 *     asked for, sysconf(_SC_PAGESIZE) says what that is, and so does the field
 *     @granule of dataspace_info().
 *   - Errors that every function with an argument @ds can return:
 *       -EBADF   @ds is not an open descriptor, or was opened with O_PATH
 *       -EBADFD  @ds is open, but is not a dataspace: fstatfs(2) does not say
 *                %DATASPACE_MAGIC
 *     And one that no program sees: -EINTR is returned only to a process that a
 *     signal is ending. Other signals interrupt no call.
 *   - They use openat(2), close(2), ioctl(2), fstatfs(2), getsockopt(2),
 *     sendmsg(2), recvmsg(2), fcntl(2), gettid(2), process_vm_readv(2) and
 *     process_vm_writev(2), and no other system call.
 *
 * In C++ the structures are written with the keyword, "struct dataspace_info",
 * as there are functions of the same names.
 */
#ifndef DATASPACE_H
#define DATASPACE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/dataspace.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this header. dataspace_version() tells that of the library. */
#define DATASPACE_VERSION "1.0.0"

/* How many descriptors the kernel lets one message carry. */
#define DATASPACE_MSG_MAX 253

/**
 * dataspace_alloc - allocate memory
 * @length: bytes, not 0; rounded up to whole pages
 * @rights: %DATASPACE_RW, or other rights, of which %DATASPACE_READ is one
 * @flags: 0, %DATASPACE_ALLOC_SCATTERED to accept memory that is not physically
 *	contiguous, or %DATASPACE_ALLOC_LAZY for such that appears when it is touched
 *
 * The memory is zeroed and charged to the memory cgroup of the caller. It comes
 * from any NUMA node, with natural alignment; dataspace_alloc_from() gives more
 * control. /dev/dataspace is opened for this call and closed again.
 *
 * Return: the descriptor of a root dataspace with exactly @rights, or what
 * dataspace_alloc_from() returns, or
 *   -ENOENT, -ENXIO, -ENODEV
 *             there is no /dev/dataspace: the module is not loaded
 *   -EACCES, -EPERM
 *             no permission to open /dev/dataspace
 */
int dataspace_alloc(uint64_t length, uint32_t rights, uint32_t flags);

/**
 * dataspace_alloc_from - allocate memory, with all choices
 * @device: an open descriptor of /dev/dataspace
 * @args: what is asked for; fields that are not used are 0
 * @size: sizeof(struct dataspace_alloc)
 *
 * For a process that was given the descriptor of the device and cannot open it,
 * and to choose a NUMA node or an alignment.
 *
 * Return: the descriptor of a root dataspace, or
 *   -EINVAL   the length is 0, %DATASPACE_READ is missing, a node without
 *             %DATASPACE_ALLOC_NODE, one without memory or outside of the
 *             caller's cpuset, a malformed alignment, or @size is too small
 *   -EOPNOTSUPP
 *             a flag or right that this module does not know
 *   -E2BIG    the structure is longer than the library knows, and the rest is
 *             not zero, or is longer than a page
 *   -EFAULT   @args is NULL
 *   -ENOMEM   no memory, or not in one piece, or a limit of a memory cgroup
 *             stands against it
 *   -EDQUOT   over the limit of the module
 *   -ESTALE   the memory cgroup that %DATASPACE_ALLOC_CHARGE_OPENER would charge
 *             was removed
 *   -EMFILE, -ENFILE
 *             no descriptor is free in this process, in the system;
 *             dataspace_alloc() needs two for a moment
 *   -EBADF    @device is not an open descriptor
 *   -ENOTTY   @device is not /dev/dataspace
 */
int dataspace_alloc_from(int device, const struct dataspace_alloc *args,
			 size_t size);

/**
 * dataspace_alias - make a dataspace of a part of another one
 * @ds: the source, a root or an alias, with %DATASPACE_DERIVE
 * @offset: first byte of the part in @ds, a multiple of the page size
 * @length: bytes, a multiple of the page size, not 0
 * @rights: %DATASPACE_RO, or other rights, of which %DATASPACE_READ is one; none
 *	that @ds lacks
 * @flags: 0, or %DATASPACE_ALIAS_CLIP to get those of @rights that @ds has,
 *	instead of an error; dataspace_info() tells which these are
 *
 * The alias shows exactly [@offset, @offset + @length) of the source, from its
 * own offset 0 on. It lives by itself: the source may be closed at any time.
 * No memory is copied.
 *
 * Return: the descriptor of the alias, or
 *   -EINVAL   @offset or @length is not a multiple of the page size, @length is
 *             0, the part does not lie in @ds, or %DATASPACE_READ is missing
 *   -EOPNOTSUPP
 *             a flag or right that this module does not know
 *   -EPERM    @ds lacks %DATASPACE_DERIVE or a right of @rights, or is sealed
 *             and @rights has %DATASPACE_WRITE
 *   -ENOMEM   no kernel memory, or a limit of a memory cgroup stands against it
 *   -EMFILE, -ENFILE
 *             no descriptor is free in this process, in the system
 *   -ESTALE   @ds was revoked
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_alias(int ds, uint64_t offset, uint64_t length, uint32_t rights,
		    uint32_t flags);

/**
 * dataspace_info - tell what a dataspace is
 * @ds: the dataspace, which may be a revoked one
 * @info: filled in; no field needs to be set before the call
 * @size: sizeof(struct dataspace_info)
 *
 * <linux/dataspace.h> describes the fields. On success the field @size is the
 * number of bytes that the module has filled in; fields behind are 0. On failure
 * only the fields @size and @flags may have changed.
 *
 * Return: 0, or
 *   -EINVAL   @size is smaller than the structure of version 1
 *   -E2BIG    @size is larger than a page
 *   -EFAULT   @info is NULL, or cannot be written
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_info(int ds, struct dataspace_info *info, size_t size);

/**
 * dataspace_query - tell what the module can do, and how much memory it has
 * @device: an open descriptor of /dev/dataspace
 * @query: filled in; no field needs to be set before the call
 * @size: sizeof(struct dataspace_query)
 *
 * Return: 0, or -EINVAL, -E2BIG or -EFAULT as dataspace_info(), or
 *   -EBADF    @device is not an open descriptor
 *   -ENOTTY   @device is not /dev/dataspace
 */
int dataspace_query(int device, struct dataspace_query *query, size_t size);

/**
 * dataspace_revoke - take back what was derived from a dataspace
 * @ds: the dataspace
 * @flags: 0, or %DATASPACE_REVOKE_SELF to revoke @ds as well, in every process
 *	that holds it
 *
 * Ends the life of everything derived from @ds, in every process: mappings
 * stay, but raise SIGBUS when touched, and every operation but
 * dataspace_info(), fstat(2), poll(2) and close(2) fails with ESTALE. What is
 * not derived from @ds stays as it is. To be able to revoke one grant alone,
 * make an alias for it, derive from that alias what is handed out, and revoke
 * the alias.
 *
 * The call waits for processes that are unmapping at that moment. Only a signal
 * that ends the caller interrupts it.
 *
 * Return: 0, also if there was nothing to revoke, or
 *   -EOPNOTSUPP
 *             a flag that this module does not know
 *   -ESTALE   @ds was itself revoked
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_revoke(int ds, uint32_t flags);

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
 *   -EOPNOTSUPP
 *             a flag that this module does not know
 *   -ESTALE   @ds was revoked
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_seal(int ds, uint32_t flags);

/**
 * dataspace_copy_from - copy out of a mapping that may be revoked
 * @ds: the dataspace that is mapped
 * @to: memory of the program
 * @from: address in a mapping of @ds
 * @bytes: how many
 *
 * Is to memcpy(3) what pread(2) is to a load: if @ds was revoked, also in the
 * middle of it, the result is an error and no SIGBUS. No signal handler is set
 * or called, and the memory of @ds is not pinned. What was copied before the
 * error stays in @to. A program that keeps no mapping uses pread(2), which costs
 * less for a few pages.
 *
 * Return: 0 when all is copied, or
 *   -ESTALE   @ds was revoked
 *   -EFAULT   @ds was not revoked, and not all of @from can be read or not all
 *             of @to be written
 *   -ENOMEM   no kernel memory
 *   -ENOSYS, -EPERM
 *             the kernel has no process_vm_writev(2), or seccomp(2) forbids it
 *   -EBADF, -EBADFD
 *             as said above; @ds is looked at only if the copy fails
 */
int dataspace_copy_from(int ds, void *to, const void *from, size_t bytes);

/**
 * dataspace_copy_to - copy into a mapping that may be revoked or sealed
 * @ds: the dataspace that is mapped
 * @to: address in a writable mapping of @ds
 * @from: memory of the program
 * @bytes: how many
 *
 * The counterpart of dataspace_copy_from(). What was copied before an error stays
 * in @to.
 *
 * Return: 0 when all is copied, or
 *   -ESTALE   @ds was revoked
 *   -EPERM    @ds was sealed, and @to can no longer be written; or seccomp(2)
 *             forbids process_vm_readv(2)
 *   -EFAULT   neither, and not all of @from can be read or not all of @to be
 *             written
 *   -ENOMEM   no kernel memory
 *   -ENOSYS   the kernel has no process_vm_readv(2)
 *   -EBADF, -EBADFD
 *             as said above; @ds is looked at only if the copy fails
 */
int dataspace_copy_to(int ds, void *to, const void *from, size_t bytes);

/**
 * dataspace_export_dmabuf - make a dma-buf of a dataspace
 * @ds: the dataspace, with %DATASPACE_EXPORT
 * @flags: 0, or %DATASPACE_EXPORT_REVOCABLE
 *
 * Gives a part to a driver that imports dma-bufs, and so to a device. The
 * dataspace lives as long as the dma-buf does.
 *
 * Return: the descriptor of the dma-buf, which is not a dataspace, or
 *   -EOPNOTSUPP
 *             a flag that this module does not know
 *   -EPERM    @ds lacks %DATASPACE_EXPORT
 *   -ENOMEM   no kernel memory, or a limit of a memory cgroup stands against it
 *   -EMFILE, -ENFILE
 *             no descriptor is free in this process, in the system
 *   -ESTALE   @ds was revoked
 *   -ENOTTY   the module was built for a kernel without dma-buf
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_export_dmabuf(int ds, uint32_t flags);

/**
 * dataspace_set_name - give a dataspace a name
 * @ds: the dataspace
 * @name: at most %DATASPACE_NAME_MAX - 1 bytes without control characters; ""
 *	for none
 *
 * The name is shown in /proc/PID/fdinfo. Every holder can change it.
 *
 * Return: 0, or
 *   -EINVAL   @name is too long or has a control character
 *   -EFAULT   @name is NULL
 *   -ESTALE   @ds was revoked
 *   -EBADF, -EBADFD
 *             as said above
 */
int dataspace_set_name(int ds, const char *name);

/**
 * dataspace_send - hand a dataspace to another process
 * @socket: a connected AF_UNIX socket of any type
 * @ds: the dataspace, which stays open
 *
 * Sends one byte with the descriptor attached (SCM_RIGHTS). What arrives is
 * this very dataspace, not a copy: the receiver has its rights and its range.
 * To give less, make an alias and send that.
 *
 * Return: 0 when the dataspace is on its way, or the errors of
 * dataspace_send_msg().
 */
int dataspace_send(int socket, int ds);

/**
 * dataspace_recv - receive a dataspace
 * @socket: an AF_UNIX socket of any type, on which the peer uses
 *	dataspace_send()
 *
 * Takes one byte, or one message of one byte, from @socket, with the dataspace
 * attached. Everything else that may come instead is refused: it is taken from
 * the socket, and all descriptors that came with it are closed, which can take
 * as long as the sender likes if nobody else has them: see dataspace_send(3).
 * What the dataspace is, its length and its rights, is for the receiver to look
 * at with dataspace_info(), as the sender chose it.
 *
 * Return: the descriptor of the dataspace, or the errors of
 * dataspace_recv_msg(), where -EBADMSG also means that no descriptor came.
 */
int dataspace_recv(int socket);

/**
 * dataspace_send_msg - send data together with dataspaces
 * @socket: a connected AF_UNIX socket of any type
 * @data: the data
 * @bytes: how many, not 0
 * @ds: the dataspaces, which stay open
 * @n: how many, 0 to %DATASPACE_MSG_MAX
 *
 * A signal does not interrupt the call: it is taken up again. A peer that went
 * away raises no SIGPIPE. On a blocking socket the call waits until there is
 * room. Sockets of the types SOCK_SEQPACKET and SOCK_DGRAM keep messages apart;
 * on a stream, fewer bytes than asked for may be sent, and the dataspaces go
 * with the first of them.
 *
 * Return: the number of bytes that are on their way, greater than 0, and all of
 * the dataspaces with them; or, with none of them sent,
 *   -EINVAL   @bytes is 0, or @n is greater than %DATASPACE_MSG_MAX
 *   -EFAULT   @ds is NULL and @n is not 0, or @data cannot be read
 *   -EAGAIN   @socket is non-blocking, or has a time-out, and there is no room
 *   -EMSGSIZE @bytes is more than @socket takes in one message
 *   -EPIPE, -ECONNRESET, -ENOTCONN, -ECONNREFUSED
 *             there is no peer (any more)
 *   -ENOTSOCK, -EAFNOSUPPORT
 *             @socket is not a socket, is not an AF_UNIX one
 *   -ETOOMANYREFS
 *             too many descriptors of this user are on their way
 *   -ENOMEM, -ENOBUFS
 *             no kernel memory
 *   -EBADF, -EBADFD
 *             as said above, for each of the dataspaces; -EBADF also for
 *             @socket
 */
ssize_t dataspace_send_msg(int socket, const void *data, size_t bytes,
			   const int *ds, unsigned int n);

/**
 * dataspace_recv_msg - receive data together with dataspaces
 * @socket: an AF_UNIX socket of any type
 * @data: where to put the data
 * @bytes: for how many there is room, not 0
 * @ds: where to put the descriptors of the dataspaces; may be NULL if *@n is 0
 * @n: for how many there is room; on success, how many have come, maybe none
 *
 * A message is taken whole or not at all: on each failure that comes from what
 * is in it, it is taken from the socket, all descriptors that came with it are
 * closed, and @ds and @n are left alone. @data may have changed.
 *
 * A signal does not interrupt the call: it is taken up again. On a blocking
 * socket the call waits. On a stream the kernel does not keep messages apart:
 * there, dataspaces come with the first byte that they were sent with, and
 * bytes that were sent before may come with them.
 *
 * Return: the number of bytes, greater than 0, or
 *   -EINVAL   @bytes is 0, or @socket is a listening one, or is not connected
 *   -EFAULT   @n is NULL, or @ds is NULL and *@n is not 0, or @data cannot be
 *             written
 *   -EBADFD   one of the descriptors that came is not of a dataspace
 *   -EMSGSIZE the message is longer than @bytes, or has more than *@n
 *             descriptors
 *   -EBADMSG  ancillary data was cut off, or descriptors came without data
 *   -EMFILE   not all descriptors found a place in this process
 *   -ENODATA  end of file: the peer has closed its end; also for an empty
 *             message
 *   -EAGAIN   @socket is non-blocking, or has a time-out, and nothing came
 *   -ECONNRESET, -ENOTCONN
 *             there is no peer (any more)
 *   -ENOTSOCK, -EAFNOSUPPORT
 *             @socket is not a socket, is not an AF_UNIX one
 *   -EBADF    @socket is not an open descriptor
 *   -ENOMEM   no kernel memory
 */
ssize_t dataspace_recv_msg(int socket, void *data, size_t bytes, int *ds,
			   unsigned int *n);

/**
 * dataspace_version - tell the version of the library
 *
 * Return: the version of the library that runs, in the form of
 * %DATASPACE_VERSION, which is that of the header.
 */
const char *dataspace_version(void);

#ifdef __cplusplus
}
#endif

#endif /* DATASPACE_H */
