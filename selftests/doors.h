/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doors to a page: each function tries to change bytes of a dataspace, or
 * to get a mapping that can, in a way of its own. They return what the way
 * returned, or -errno.
 */
#ifndef DATASPACE_DOORS_H
#define DATASPACE_DOORS_H

#include <stddef.h>

/* @fd is a descriptor of the dataspace. */
long door_write(int fd);
long door_pwrite(int fd);
long door_writev(int fd);
long door_splice(int fd);
long door_sendfile(int fd);
long door_copy_file_range(int fd);
long door_io_uring_write(int fd);
long door_ftruncate(int fd);
long door_fallocate(int fd);

/* @map is a mapping of it that may not be written to. */
long door_mprotect(void *map, size_t length);
long door_pkey_mprotect(void *map, size_t length);
long door_store(void *map);
long door_read_into(void *map);
long door_direct_read_into(void *map, const char *disk);
long door_io_uring_read_into(void *map);
long door_io_uring_fixed(void *map, size_t length);
long door_proc_mem(void *map);
long door_ptrace(void *map);
long door_process_vm_writev(void *map);
long door_userfaultfd(void *map, size_t length);
long door_remap_file_pages(void *map, size_t length);
/* Moves the pages of the mapping into a file and writes to that. */
long door_vmsplice_gift(void *map, size_t length);

#endif
