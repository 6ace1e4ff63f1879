/* SPDX-License-Identifier: GPL-2.0-only */
/* Files of many kinds, none of which is a dataspace. */
#ifndef DATASPACE_FOREIGN_H
#define DATASPACE_FOREIGN_H

#define FOREIGN_FILES 12

/* A new descriptor of file @kind, less than FOREIGN_FILES, or -errno. */
int foreign_open(int kind);

#endif
