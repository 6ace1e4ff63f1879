/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors of many kinds of files, none of which is a dataspace. */
#ifndef DATASPACE_OTHER_FDS_H
#define DATASPACE_OTHER_FDS_H

#define OTHER_FDS 12

/* Opens one of kind @kind, which is less than OTHER_FDS; or -errno. */
int other_fd_open(int kind);

#endif
