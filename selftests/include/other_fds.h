/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of many kinds, none of which is a dataspace. */
#ifndef DATASPACE_OTHER_FDS_H
#define DATASPACE_OTHER_FDS_H

#define OTHER_FDS 12

/* A new descriptor of file @kind, less than OTHER_FDS, or -errno. */
int other_fd_open(int kind);

#endif
