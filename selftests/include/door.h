/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The doors to a page: each function tries to change bytes of a dataspace, to
 * get a mapping or a descriptor that can, or to see what it does not show, in a
 * way of its own. They return what the way returned, or -errno.
 */
#ifndef DATASPACE_DOOR_H
#define DATASPACE_DOOR_H

#include <limits.h>
#include <stddef.h>

/* What doors try to put into the memory: it begins with this word. */
#define INTRUDER "intruder"
extern char intruder[64];

/* Where doors put what they have seen, a page at most. */
#define SIGHT_SIZE (64 << 10)
extern char sight[SIGHT_SIZE];

/* This kernel does not have such a door, or this machine. */
#define NO_DOOR LONG_MIN

/* For the doors themselves; descriptors, or 0, or -errno. */
int file_with_intruder(void);
int pipe_with_intruder(int ends[2]);
/* 0 if it can be opened, or -errno. */
long try_open(const char *path, int flags);
void close_pipe(int ends[2]);
long overwrite(int file);

/* @fd is a descriptor of the dataspace; it is written to. */
long door_write(int fd);
long door_pwrite(int fd);
long door_writev(int fd);
long door_pwritev2(int fd);
long door_aio_write(int fd);
long door_io_uring_write(int fd);
long door_splice(int fd);
long door_vmsplice(int fd);
long door_tee(int fd);
long door_sendfile(int fd);
long door_copy_file_range(int fd);
long door_clone_range(int fd);
/* What comes out of it goes to where it can be written to. */
long door_splice_move(int fd);
long door_splice_tee(int fd);
long door_splice_into_pipe(int fd);
long door_sendfile_from(int fd);
long door_copy_file_range_from(int fd);
/* Its size and other attributes. */
long door_ftruncate(int fd);
long door_truncate(int fd);
long door_fallocate(int fd);
long door_fallocate_zero(int fd);
long door_fallocate_more(int fd);
long door_fchmod(int fd);
long door_fchown(int fd);
long door_futimens(int fd);
long door_fsetxattr(int fd);
long door_set_flags(int fd);
/* fcntl(2) */
long door_setfl(int fd);
long door_add_seals(int fd);
long door_read_lease(int fd);
long door_write_lease(int fd);
long door_write_lock(int fd);
long door_flock(int fd);
long door_dup(int fd);
/* Another descriptor for the same file. */
long door_reopen(int fd);
long door_reopen_read(int fd);
long door_reopen_path(int fd);
long door_reopen_parent(int fd);
long door_handle(int fd);
long door_link(int fd);
long door_bind_mount(int fd);
long door_swapon(int fd);
long door_acct(int fd);
long door_execveat(int fd);
/* The module's own. */
long door_alias_write(int fd);
long door_alias_exec(int fd);
long door_alias_clip(int fd);
long door_seal(int fd);
/* What lies beside it. */
long door_read_past(int fd);
long door_read_before(int fd);
long door_splice_past(int fd);
long door_sendfile_past(int fd);
long door_io_uring_past(int fd);
long door_seek_past(int fd);
long door_fiemap(int fd);
long door_alias_past(int fd);

/* Mappings of @fd that would let it be changed, or show more. */
long door_map_shared(int fd);
long door_map_write_only(int fd);
long door_map_validate(int fd);
long door_map_sync(int fd);
long door_map_populate(int fd);
long door_map_exec(int fd);
long door_map_grows_down(int fd);
long door_map_private(int fd);
long door_map_past(int fd);
long door_map_before(int fd);
long door_map_beside(int fd);

/* @map is a mapping of it that may not be written to. */
long door_mprotect(void *map, size_t length);
long door_mprotect_back(void *map, size_t length);
long door_mprotect_exec(void *map, size_t length);
long door_pkey_mprotect(void *map, size_t length);
long door_store(void *map);
long door_mremap_grow(void *map, size_t length);
long door_mremap_grow_in_place(void *map, size_t length);
long door_mremap_copy(void *map, size_t length);
long door_mremap_dontunmap(void *map, size_t length);
long door_mremap_move(void *map, size_t length);
long door_map_over(void *map, size_t length);
long door_remap_file_pages(void *map, size_t length);
long door_remap_file_pages_past(void *map, size_t length);
long door_userfaultfd(void *map, size_t length);
long door_userfaultfd_copy(void *map, size_t length);
long door_userfaultfd_zero(void *map, size_t length);
long door_userfaultfd_protect(void *map, size_t length);
long door_userfaultfd_continue(void *map, size_t length);
long door_userfaultfd_move(void *map, size_t length);
long door_map_files(void *map, size_t length);

/* Others write to the mapping. */
long door_read_into(void *map);
long door_readv_into(void *map);
long door_receive_into(void *map);
long door_vmsplice_into(void *map);
long door_direct_read_into(void *map, const char *disk);
long door_aio_read_into(void *map);
long door_io_uring_read_into(void *map);
long door_io_uring_fixed(void *map, size_t length);
long door_getrandom(void *map);
long door_futex(void *map);
long door_proc_mem(void *map);
long door_ptrace(void *map);
long door_process_vm_writev(void *map);
long door_process_madvise(void *map, size_t length);
/* Moves the pages of the mapping into a file and writes to that. */
long door_vmsplice_gift(void *map, size_t length);
long door_dev_mem(void *map);
/* They read what lies behind it. */
long door_process_vm_readv_past(void *map, size_t length);
long door_proc_mem_past(void *map, size_t length);
long door_write_from_past(void *map, size_t length);

/* Sockets that take the pages of it: ciphers, and the network. */
long door_alg_hash(void *map);
long door_alg_cipher(void *map);
long door_alg_cipher_in_place(void *map);
long door_alg_checked(void *map);
long door_alg_checked_in_place(void *map);
long door_alg_sendfile(int fd);
long door_tcp_zerocopy(void *map);
long door_udp_zerocopy(void *map);
long door_tcp_splice(void *map);

/* Drivers that take a descriptor, or memory. */
long door_loop(int fd);
long door_udmabuf(int fd);
long door_dma_buf(int fd);
long door_kvm(void *map);
long door_kvm_read_only(void *map);
long door_vfio(void *map);
long door_vfio_read_only(void *map);
long door_iommufd(void *map);
long door_iommufd_read_only(void *map);
long door_rdma(void *map);
long door_rdma_read_only(void *map);

#endif
