/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What dataspaced(8) and its clients say to each other.
 *
 * A client connects to a socket of the type SOCK_SEQPACKET and sends requests,
 * each of which is one message, a struct dataspaced_request. Each is answered with
 * one message, a struct dataspaced_reply, in the order of the requests. A dataspace
 * comes with the reply, as SCM_RIGHTS. All numbers are in the byte order of the
 * machine.
 *
 * Who a client is, is the user that connected (SO_PEERCRED), whoever has the
 * connection now. What a connection has published is so until it is closed
 * everywhere.
 */
#ifndef DATASPACED_H
#define DATASPACED_H

#include <linux/types.h>

/* Where the socket is, if the variable does not say so. */
#define DATASPACED_SOCKET "/run/dataspaced.socket"
#define DATASPACED_VARIABLE "DATASPACED_SOCKET"

/* Bytes of a name that are not null bytes. */
#define DATASPACED_NAME_MAX 20

/*
 * Requests, and which fields they use. Others are ignored.
 *
 * DATASPACED_ALLOC	allocates @length bytes with @rights; flags SCATTERED, LAZY
 *			and PAY. The reply has the dataspace, and in @id the
 *			number by which requests on this connection name it: it is
 *			the one that dataspace_info(3) tells. @name, which may be
 *			empty, is for people who list dataspaces
 * DATASPACED_PUBLISH	lets others ask for [@offset, @offset + @length) of @id by
 *			@name, with at most @rights; flags ANYBODY and USER with
 *			@uid. Without a flag, only the same user may ask
 * DATASPACED_GET	asks for what the user @uid has published as @name, with
 *			@rights, or with all that are published if that is 0. The
 *			reply has the dataspace
 * DATASPACED_RELEASE	has the broker let go of @id, and of all names of it: its
 *			memory goes back as soon as no client has any of it
 */
#define DATASPACED_ALLOC 1
#define DATASPACED_PUBLISH 2
#define DATASPACED_GET 3
#define DATASPACED_RELEASE 4

/*
 * Flags of requests.
 *
 * DATASPACED_SCATTERED, DATASPACED_LAZY	as DATASPACE_ALLOC_*
 * DATASPACED_PAY	a descriptor of /dev/dataspace comes with the request, as
 *			SCM_RIGHTS: the memory is charged to the memory cgroup of
 *			who opened that, and not to what the broker lets the user
 *			have. No other request may have a descriptor
 * DATASPACED_ANYBODY	every user may ask
 * DATASPACED_USER	the user @uid may ask, beside the one who publishes
 */
#define DATASPACED_SCATTERED 1
#define DATASPACED_LAZY 2
#define DATASPACED_PAY 4
#define DATASPACED_ANYBODY 8
#define DATASPACED_USER 16

/**
 * struct dataspaced_request - what a client sends
 * @op: DATASPACED_ALLOC, ...
 * @flags: those of the request
 * @id: a dataspace that this connection was given by DATASPACED_ALLOC
 * @offset: in bytes
 * @length: in bytes
 * @rights: DATASPACE_READ, ... as in <linux/dataspace.h>
 * @uid: a user
 * @name: at most %DATASPACED_NAME_MAX bytes, the rest null bytes. Without control
 *	characters, '/' and ':'
 */
struct dataspaced_request {
	__u32 op;
	__u32 flags;
	__aligned_u64 id;
	__aligned_u64 offset;
	__aligned_u64 length;
	__u32 rights;
	__u32 uid;
	char name[24];
};

/**
 * struct dataspaced_reply - what is answered
 * @error: 0, or an error number with a minus, and then no dataspace comes
 * @zero: 0
 * @id: the number of the dataspace that comes, or 0
 *
 * dataspaced(8) lists the errors.
 */
struct dataspaced_reply {
	__s32 error;
	__u32 zero;
	__aligned_u64 id;
};

#endif /* DATASPACED_H */
