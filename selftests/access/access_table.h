/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways to access a page, and the results that access.c expects. */

/* clang-format off */

/* They write to the descriptor. */
ACCESS(write) { FD(write), .want = -EBADF };
ACCESS(pwrite) { FD(pwrite), .want = -EBADF };
ACCESS(writev) { FD(writev), .want = -EBADF };
ACCESS(pwritev2) { FD(pwritev2), .want = -EBADF };
ACCESS(aio_write) { FD(aio_write), .want = -EBADF };
ACCESS(io_uring_write) { FD(io_uring_write), .want = -EBADF };
ACCESS(splice) { FD(splice), .want = -EBADF };
ACCESS(vmsplice) { FD(vmsplice), .want = -EBADF };
ACCESS(tee) { FD(tee), .want = -EBADF };
ACCESS(sendfile) { FD(sendfile), .want = -EBADF };
ACCESS(copy_file_range) { FD(copy_file_range), .want = -EBADF };
ACCESS(clone_range) { FD(clone_range), .want = -EXDEV };

/* They write to what was read, which is a copy. */
ACCESS(splice_move) { FD(splice_move), .want = 64 };
ACCESS(splice_tee) { FD(splice_tee), .want = 64 };
ACCESS(splice_into_pipe) { FD(splice_into_pipe), .want = 64 };
ACCESS(sendfile_from) { FD(sendfile_from), .want = 64 };
ACCESS(copy_file_range_from) { FD(copy_file_range_from), .want = -EXDEV };

/* They change the size and other attributes. */
ACCESS(ftruncate) { FD(ftruncate), .want = -EINVAL };
ACCESS(truncate) { FD(truncate), .want = -EACCES };
ACCESS(fallocate_punch) { FD(fallocate), .want = -EBADF };
ACCESS(fallocate_zero) { FD(fallocate_zero), .want = -EBADF };
ACCESS(fallocate_more) { FD(fallocate_more), .want = -EBADF };
ACCESS(fchmod) { FD(fchmod), .want = -EPERM };
ACCESS(fchown) { FD(fchown), .want = -EPERM };
ACCESS(futimens) { FD(futimens), .want = -EPERM, .same = -EACCES };
ACCESS(fsetxattr) { FD(fsetxattr), .want = -EACCES };
ACCESS(set_flags) { FD(set_flags), .want = -ENOTTY };

/* fcntl(2), and locks. */
ACCESS(setfl) { FD(setfl), .want = -EBADF };
ACCESS(add_seals) { FD(add_seals), .want = -EPERM };
ACCESS(read_lease) {
	FD(read_lease), .want = -EINVAL, .same = -EACCES,
	.also = -EINVAL,
	.why = "6.1 asks the file before it looks at the user",
};

ACCESS(write_lease) {
	FD(write_lease), .want = -EINVAL, .same = -EACCES,
	.also = -EINVAL,
	.why = "6.1 asks the file before it looks at the user",
};

ACCESS(write_lock) { FD(write_lock), .want = -EBADF };
ACCESS(flock) { FD(flock), .want = -EOPNOTSUPP };
ACCESS(dup) { FD(dup), .want = -EBADF };

/* They make another descriptor for the same file. */
ACCESS(reopen) { FD(reopen), .want = -ENXIO };
ACCESS(reopen_read) { FD(reopen_read), .want = -ENXIO };
ACCESS(reopen_path) { FD(reopen_path), .want = -ENXIO };
ACCESS(reopen_parent) {
	FD(reopen_parent), .want = -ENXIO, .same = -EACCES,
};

ACCESS(handle) { FD(handle), .want = -EOPNOTSUPP };
ACCESS(link) { FD(link), .want = -EXDEV };
ACCESS(bind_mount) { FD(bind_mount), .want = -EINVAL, .same = -EPERM };
ACCESS(swapon) { FD(swapon), .want = -ENXIO, .same = -EPERM };
ACCESS(acct) { FD(acct), .want = -ENXIO, .same = -EPERM };
ACCESS(execveat) { FD(execveat), .want = -EACCES };
ACCESS(map_files) { RANGE(map_files), .want = -ENXIO, .same = -EPERM };

/* The ioctls of the module. */
ACCESS(alias_write) { FD(alias_write), .want = -EPERM };
ACCESS(alias_exec) { FD(alias_exec), .want = -EPERM };
ACCESS(alias_clip) { FD(alias_clip), .want = -EBADF };
ACCESS(alias_past) { FD(alias_past), .want = -EINVAL };
ACCESS(seal) { FD(seal), .want = -EPERM };

/* They read pages beside the alias. */
ACCESS(read_past) { FD(read_past), .want = 0 };
ACCESS(read_before) { FD(read_before), .want = -EINVAL };
ACCESS(splice_past) { FD(splice_past), .want = 0 };
ACCESS(sendfile_past) { FD(sendfile_past), .want = 0 };
ACCESS(io_uring_past) { FD(io_uring_past), .want = 0 };
ACCESS(seek_past) { FD(seek_past), .want = -ENXIO };
ACCESS(fiemap) { FD(fiemap), .want = -EOPNOTSUPP };
ACCESS(map_past) { FD(map_past), .want = -EINVAL };
/* A 32-bit C library refuses this offset itself. */
ACCESS(map_before) { FD(map_before),
		   .want = sizeof(long) > 4 ? -EOVERFLOW : -EINVAL };
ACCESS(map_beside) { FD(map_beside), .want = -EINVAL };
ACCESS(readv_past) { RANGE(process_vm_readv_past), .want = -EFAULT };
ACCESS(proc_mem_past) { RANGE(proc_mem_past), .want = -EIO };
ACCESS(write_from_past) { RANGE(write_from_past), .want = -EFAULT };

/* They map the alias. */
ACCESS(map_shared) { FD(map_shared), .want = -EACCES };
ACCESS(map_write_only) { FD(map_write_only), .want = -EACCES };
ACCESS(map_validate) { FD(map_validate), .want = -EACCES };
ACCESS(map_sync) { FD(map_sync), .want = -EOPNOTSUPP };
ACCESS(map_populate) { FD(map_populate), .want = -EACCES };
ACCESS(map_exec) { FD(map_exec), .want = -EACCES };
ACCESS(map_grows_down) { FD(map_grows_down), .want = -EINVAL };
ACCESS(map_private) { FD(map_private), .want = 0 };
ACCESS(map_over) { RANGE(map_over), .want = 0 };
ACCESS(mprotect) { RANGE(mprotect), .want = -EACCES };
ACCESS(mprotect_back) { RANGE(mprotect_back), .want = -EACCES };
ACCESS(mprotect_exec) { RANGE(mprotect_exec), .want = -EACCES };
ACCESS(pkey_mprotect) { RANGE(pkey_mprotect), .want = -EACCES };
ACCESS(store) { MAP(store), .want = SIGSEGV };
ACCESS(mremap_grow) { RANGE(mremap_grow), .want = -EFAULT };
ACCESS(mremap_grow_in_place) {
	RANGE(mremap_grow_in_place), .want = -EFAULT,
};

ACCESS(mremap_copy) { RANGE(mremap_copy), .want = -EFAULT };
ACCESS(mremap_dontunmap) { RANGE(mremap_dontunmap), .want = -EINVAL };
ACCESS(mremap_move) { RANGE(mremap_move), .want = -EACCES };
ACCESS(remap_file_pages) { RANGE(remap_file_pages), .want = -EINVAL };
ACCESS(remap_file_past) { RANGE(remap_file_pages_past), .want = -EINVAL };

/* They handle faults of the mapping. */
ACCESS(uffd) { RANGE(userfaultfd), .want = -EINVAL };
ACCESS(uffd_copy) { RANGE(userfaultfd_copy), .want = -ENOENT };
ACCESS(uffd_zero) { RANGE(userfaultfd_zero), .want = -ENOENT };
ACCESS(uffd_protect) { RANGE(userfaultfd_protect), .want = -ENOENT };
ACCESS(uffd_continue) { RANGE(userfaultfd_continue), .want = -ENOENT };
ACCESS(uffd_move) { RANGE(userfaultfd_move), .want = -EINVAL };

/* madvise(2) */
ACCESS(normal) { ADVICE(NORMAL), .want = 0 };
ACCESS(random) { ADVICE(RANDOM), .want = 0 };
ACCESS(sequential) { ADVICE(SEQUENTIAL), .want = 0 };
ACCESS(willneed) { ADVICE(WILLNEED), .want = 0 };
ACCESS(dontneed) { ADVICE(DONTNEED), .want = 0 };
ACCESS(dontneed_locked) { ADVICE(DONTNEED_LOCKED), .want = 0 };
ACCESS(free) { ADVICE(FREE), .want = -EINVAL };
ACCESS(remove) { ADVICE(REMOVE), .want = -EACCES };
ACCESS(dontfork) { ADVICE(DONTFORK), .want = 0 };
ACCESS(dofork) {
	ADVICE(DOFORK), .want = 0,
	.also = -EINVAL,
	.why = "7.3 leaves what must not grow as it is",
};

ACCESS(mergeable) { ADVICE(MERGEABLE), .want = 0 };
ACCESS(unmergeable) { ADVICE(UNMERGEABLE), .want = 0 };
ACCESS(hugepage) { ADVICE(HUGEPAGE), .want = 0 };
ACCESS(nohugepage) { ADVICE(NOHUGEPAGE), .want = 0 };
ACCESS(collapse) { ADVICE(COLLAPSE), .want = -EINVAL };
ACCESS(dontdump) { ADVICE(DONTDUMP), .want = 0 };
ACCESS(dodump) { ADVICE(DODUMP), .want = -EINVAL };
ACCESS(wipeonfork) { ADVICE(WIPEONFORK), .want = -EINVAL };
ACCESS(keeponfork) { ADVICE(KEEPONFORK), .want = 0 };
ACCESS(cold) { ADVICE(COLD), .want = 0 };
ACCESS(pageout) { ADVICE(PAGEOUT), .want = 0 };
ACCESS(populate_read) { ADVICE(POPULATE_READ), .want = 0 };
ACCESS(populate_write) { ADVICE(POPULATE_WRITE), .want = -EINVAL };
ACCESS(guard_install) { ADVICE(GUARD_INSTALL), .want = -EINVAL };
ACCESS(soft_offline) { ADVICE(SOFT_OFFLINE), .want = -EBUSY, .same = -EPERM };

/* The kernel or a process writes to the mapping for another. */
ACCESS(read_into) { MAP(read_into), .want = -EFAULT };
ACCESS(readv_into) { MAP(readv_into), .want = -EFAULT };
ACCESS(receive_into) { MAP(receive_into), .want = -EFAULT };
ACCESS(vmsplice_into) { MAP(vmsplice_into), .want = -EFAULT };
ACCESS(aio_read_into) { MAP(aio_read_into), .want = -EFAULT };
ACCESS(io_uring_read_into) { MAP(io_uring_read_into), .want = -EFAULT };
ACCESS(io_uring_fixed) {
	RANGE(io_uring_fixed), .want = -EFAULT, .also = -EOPNOTSUPP,
	.why = "before 6.2 files are refused altogether",
};

ACCESS(direct_read_into) {
	MAP(direct_read), .want = -EFAULT, .other = -EACCES,
};

ACCESS(getrandom) { MAP(getrandom), .want = -EFAULT };
ACCESS(futex_wake_op) { MAP(futex), .want = -EFAULT };
ACCESS(proc_mem) { MAP(proc_mem), .want = -EIO };
ACCESS(ptrace_poke) { MAP(ptrace), .want = -EIO };
ACCESS(process_vm_writev) { MAP(process_vm_writev), .want = -EFAULT };
ACCESS(process_madvise) { RANGE(process_madvise), .want = -EINVAL };
ACCESS(vmsplice_gift) { RANGE(vmsplice_gift), .want = 0 };
ACCESS(dev_mem) { MAP(dev_mem), .want = -EPERM, .other = -EACCES };

/* Sockets that take the pages of the mapping: ciphers and the network. */
ACCESS(alg_hash) { MAP(alg_hash), .want = 32 };
ACCESS(alg_cipher) { MAP(alg_cipher), .want = 64 };
ACCESS(alg_cipher_in_place) { MAP(alg_cipher_in_place), .want = -EFAULT };
ACCESS(alg_checked) { MAP(alg_checked), .want = -EBADMSG };
ACCESS(alg_checked_in_place) { MAP(alg_checked_in_place), .want = -EFAULT };
ACCESS(alg_sendfile) { FD(alg_sendfile), .want = 64 };
ACCESS(tcp_zerocopy) { MAP(tcp_zerocopy), .want = 64 };
ACCESS(udp_zerocopy) { MAP(udp_zerocopy), .want = 64 };
ACCESS(tcp_splice) { MAP(tcp_splice), .want = 64 };

/* Drivers. */
ACCESS(loop) { FD(loop), .want = -EINVAL, .other = -EACCES };
ACCESS(udmabuf) { FD(udmabuf), .want = -EBADFD, .other = -EACCES };
ACCESS(dma_buf) { FD(dma_buf), .want = -ENOTTY };
ACCESS(kvm) { MAP(kvm), .want = -EFAULT, .other = -EACCES };
ACCESS(kvm_read_only) {
	MAP(kvm_read_only), .want = KVM_EXIT_MMIO, .other = -EACCES,
};

ACCESS(vfio) { MAP(vfio), .want = -EFAULT, .other = -EACCES };
ACCESS(vfio_read_only) { MAP(vfio_read_only), .want = 0, .other = -EACCES };
ACCESS(iommufd) { MAP(iommufd), .want = -EFAULT, .other = -EACCES };
ACCESS(iommufd_read_only) {
	MAP(iommufd_read_only), .want = 0, .other = -EACCES,
};

ACCESS(rdma) { MAP(rdma), .want = -EFAULT };
ACCESS(rdma_read_only) {
	MAP(rdma_read_only), .want = 0,
	.also = -EFAULT,
	.why = "before 6.2 memory for RDMA has to be writable",
};

/* clang-format on */
