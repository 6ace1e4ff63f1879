/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All the ways to access a page. Each function tries, in a way of its own, to
 * change bytes of a dataspace, to get a mapping or a descriptor that can, or to
 * read pages beside it. It returns what the kernel returned, or -errno.
 */
#ifndef DATASPACE_ACCESS_H
#define DATASPACE_ACCESS_H

#include <limits.h>
#include <stddef.h>

/* The bytes that are written; they begin with this word. */
#define PAYLOAD "payload"
extern char payload[64];

/* Where bytes are put that were read, a page at most. */
#define SEEN_SIZE (64 << 10)
extern char seen[SEEN_SIZE];

/* This kernel or this machine does not have what it takes. */
#define NOT_AVAILABLE LONG_MIN

/* For the functions themselves; a descriptor, or 0, or -errno. */
int file_with_payload(void);
int pipe_with_payload(int ends[2]);
/* 0 if the file can be opened, or -errno. */
long try_open(const char *path, int flags);
void close_pipe(int ends[2]);
long overwrite(int file);

/* They write to @fd, which is a descriptor of the dataspace. */
long access_write(int fd);
long access_pwrite(int fd);
long access_writev(int fd);
long access_pwritev2(int fd);
long access_aio_write(int fd);
long access_io_uring_write(int fd);
long access_splice(int fd);
long access_vmsplice(int fd);
long access_tee(int fd);
long access_sendfile(int fd);
long access_copy_file_range(int fd);
long access_clone_range(int fd);
/* They read from it and write to what was read. */
long access_splice_move(int fd);
long access_splice_tee(int fd);
long access_splice_into_pipe(int fd);
long access_sendfile_from(int fd);
long access_copy_file_range_from(int fd);
/* They change its size and other attributes. */
long access_ftruncate(int fd);
long access_truncate(int fd);
long access_fallocate(int fd);
long access_fallocate_zero(int fd);
long access_fallocate_more(int fd);
long access_fchmod(int fd);
long access_fchown(int fd);
long access_futimens(int fd);
long access_fsetxattr(int fd);
long access_set_flags(int fd);
/* fcntl(2) */
long access_setfl(int fd);
long access_add_seals(int fd);
long access_read_lease(int fd);
long access_write_lease(int fd);
long access_write_lock(int fd);
long access_flock(int fd);
long access_dup(int fd);
/* They make another descriptor for the same file. */
long access_reopen(int fd);
long access_reopen_read(int fd);
long access_reopen_path(int fd);
long access_reopen_parent(int fd);
long access_handle(int fd);
long access_link(int fd);
long access_bind_mount(int fd);
long access_swapon(int fd);
long access_acct(int fd);
long access_execveat(int fd);
/* Ioctls of the module. */
long access_alias_write(int fd);
long access_alias_exec(int fd);
long access_alias_clip(int fd);
long access_seal(int fd);
/* They read pages beside it. */
long access_read_past(int fd);
long access_read_before(int fd);
long access_splice_past(int fd);
long access_sendfile_past(int fd);
long access_io_uring_past(int fd);
long access_seek_past(int fd);
long access_fiemap(int fd);
long access_alias_past(int fd);

/* They map @fd so that it could be changed, or more of it be seen. */
long access_map_shared(int fd);
long access_map_write_only(int fd);
long access_map_validate(int fd);
long access_map_sync(int fd);
long access_map_populate(int fd);
long access_map_exec(int fd);
long access_map_grows_down(int fd);
long access_map_private(int fd);
long access_map_past(int fd);
long access_map_before(int fd);
long access_map_beside(int fd);

/* @map is a mapping of it that may not be written to. */
long access_mprotect(void *map, size_t length);
long access_mprotect_back(void *map, size_t length);
long access_mprotect_exec(void *map, size_t length);
long access_pkey_mprotect(void *map, size_t length);
long access_store(void *map);
long access_mremap_grow(void *map, size_t length);
long access_mremap_grow_in_place(void *map, size_t length);
long access_mremap_copy(void *map, size_t length);
long access_mremap_dontunmap(void *map, size_t length);
long access_mremap_move(void *map, size_t length);
long access_map_over(void *map, size_t length);
long access_remap_file_pages(void *map, size_t length);
long access_remap_file_pages_past(void *map, size_t length);
long access_userfaultfd(void *map, size_t length);
long access_userfaultfd_copy(void *map, size_t length);
long access_userfaultfd_zero(void *map, size_t length);
long access_userfaultfd_protect(void *map, size_t length);
long access_userfaultfd_continue(void *map, size_t length);
long access_userfaultfd_move(void *map, size_t length);
long access_map_files(void *map, size_t length);

/* The kernel or another process writes to the mapping. */
long access_read_into(void *map);
long access_readv_into(void *map);
long access_receive_into(void *map);
long access_vmsplice_into(void *map);
long access_direct_read_into(void *map, const char *disk);
long access_aio_read_into(void *map);
long access_io_uring_read_into(void *map);
long access_io_uring_fixed(void *map, size_t length);
long access_getrandom(void *map);
long access_futex(void *map);
long access_proc_mem(void *map);
long access_ptrace(void *map);
long access_process_vm_writev(void *map);
long access_process_madvise(void *map, size_t length);
/* Moves the pages of the mapping into a file and writes to that. */
long access_vmsplice_gift(void *map, size_t length);
long access_dev_mem(void *map);
/* They read behind the mapping. */
long access_process_vm_readv_past(void *map, size_t length);
long access_proc_mem_past(void *map, size_t length);
long access_write_from_past(void *map, size_t length);

/* Sockets that take the pages of the mapping: ciphers and the network. */
long access_alg_hash(void *map);
long access_alg_cipher(void *map);
long access_alg_cipher_in_place(void *map);
long access_alg_checked(void *map);
long access_alg_checked_in_place(void *map);
long access_alg_sendfile(int fd);
long access_tcp_zerocopy(void *map);
long access_udp_zerocopy(void *map);
long access_tcp_splice(void *map);

/* Drivers that take a descriptor or a mapping. */
long access_loop(int fd);
long access_udmabuf(int fd);
long access_dma_buf(int fd);
long access_kvm(void *map);
long access_kvm_read_only(void *map);
long access_vfio(void *map);
long access_vfio_read_only(void *map);
long access_iommufd(void *map);
long access_iommufd_read_only(void *map);
long access_rdma(void *map);
long access_rdma_read_only(void *map);

#endif
