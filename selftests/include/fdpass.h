/* SPDX-License-Identifier: GPL-2.0-only */
/* Passes descriptors to other processes. */
#ifndef DATASPACE_FDPASS_H
#define DATASPACE_FDPASS_H

#include <sys/types.h>

/* Over a Unix socket; 0, the descriptor, or -errno. */
int fd_send(int socket, int fd);
int fd_receive(int socket);

/* Sends @fd through a socket pair and takes it out again. */
int fd_round_trip(int fd);

/* The descriptor @fd of another process, by pidfd_getfd(2). */
int fd_of_process(pid_t pid, int fd);

#endif
