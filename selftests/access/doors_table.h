/* SPDX-License-Identifier: GPL-2.0-only */
/* The doors that there are, and what comes of them; for doors.c. */

/* clang-format off */

/* Writing to the descriptor. */
DOOR(write) { FD(write), .want = -EBADF };
DOOR(pwrite) { FD(pwrite), .want = -EBADF };
DOOR(writev) { FD(writev), .want = -EBADF };
DOOR(pwritev2) { FD(pwritev2), .want = -EBADF };
DOOR(aio_write) { FD(aio_write), .want = -EBADF };
DOOR(io_uring_write) { FD(io_uring_write), .want = -EBADF };
DOOR(splice) { FD(splice), .want = -EBADF };
DOOR(vmsplice) { FD(vmsplice), .want = -EBADF };
DOOR(tee) { FD(tee), .want = -EBADF };
DOOR(sendfile) { FD(sendfile), .want = -EBADF };
DOOR(copy_file_range) { FD(copy_file_range), .want = -EBADF };
DOOR(clone_range) { FD(clone_range), .want = -EXDEV };

/* What comes out is a copy: writing to that works, and does nothing to it. */
DOOR(splice_move) { FD(splice_move), .want = 64 };
DOOR(splice_tee) { FD(splice_tee), .want = 64 };
DOOR(splice_into_pipe) { FD(splice_into_pipe), .want = 64 };
DOOR(sendfile_from) { FD(sendfile_from), .want = 64 };
DOOR(copy_file_range_from) { FD(copy_file_range_from), .want = -EXDEV };

/* Size and other attributes. */
DOOR(ftruncate) { FD(ftruncate), .want = -EINVAL };
DOOR(truncate) { FD(truncate), .want = -EINVAL, .other = -EACCES };
DOOR(fallocate_punch) { FD(fallocate), .want = -EBADF };
DOOR(fallocate_zero) { FD(fallocate_zero), .want = -EBADF };
DOOR(fallocate_more) { FD(fallocate_more), .want = -EBADF };
DOOR(fchmod) { FD(fchmod), .want = -EPERM };
DOOR(fchown) { FD(fchown), .want = -EPERM };
DOOR(futimens) { FD(futimens), .want = -EPERM, .other = -EACCES };
DOOR(fsetxattr) { FD(fsetxattr), .want = -EOPNOTSUPP, .other = -EACCES };
DOOR(set_flags) { FD(set_flags), .want = -ENOTTY };

/* fcntl(2) and the like. */
DOOR(setfl) { FD(setfl), .want = -EBADF };
DOOR(add_seals) { FD(add_seals), .want = -EPERM };
DOOR(read_lease) {
	FD(read_lease), .want = -EINVAL, .other = -EACCES,
	.also = -EINVAL,
	.why = "6.1 asks the file before it looks at the user",
};

DOOR(write_lease) {
	FD(write_lease), .want = -EINVAL, .other = -EACCES,
	.also = -EINVAL,
	.why = "6.1 asks the file before it looks at the user",
};

DOOR(write_lock) { FD(write_lock), .want = -EBADF };
DOOR(flock) { FD(flock), .want = -EOPNOTSUPP };
DOOR(dup) { FD(dup), .want = -EBADF };

/* Another descriptor for the same file. */
DOOR(reopen) { FD(reopen), .want = -ENXIO, .other = -EACCES };
DOOR(reopen_read) { FD(reopen_read), .want = -ENXIO, .other = -EACCES };
DOOR(reopen_path) { FD(reopen_path), .want = -ENXIO, .other = -EACCES };
DOOR(reopen_parent) {
	FD(reopen_parent), .want = -ENXIO, .same = -EACCES,
};

DOOR(handle) { FD(handle), .want = -EOPNOTSUPP };
DOOR(link) { FD(link), .want = -EXDEV };
DOOR(bind_mount) { FD(bind_mount), .want = -EINVAL, .same = -EPERM };
DOOR(swapon) { FD(swapon), .want = -ENXIO, .same = -EPERM };
DOOR(acct) { FD(acct), .want = -ENXIO, .same = -EPERM };
DOOR(execveat) { FD(execveat), .want = -EACCES };
DOOR(map_files) { RANGE(map_files), .want = -ENXIO, .same = -EPERM };

/* The module's own. */
DOOR(alias_write) { FD(alias_write), .want = -EPERM };
DOOR(alias_exec) { FD(alias_exec), .want = -EPERM };
DOOR(alias_clip) { FD(alias_clip), .want = -EBADF };
DOOR(alias_past) { FD(alias_past), .want = -EINVAL };
DOOR(seal) { FD(seal), .want = -EPERM };

/* What lies beside. */
DOOR(read_past) { FD(read_past), .want = 0 };
DOOR(read_before) { FD(read_before), .want = -EINVAL };
DOOR(splice_past) { FD(splice_past), .want = 0 };
DOOR(sendfile_past) { FD(sendfile_past), .want = 0 };
DOOR(io_uring_past) { FD(io_uring_past), .want = 0 };
DOOR(seek_past) { FD(seek_past), .want = -ENXIO };
DOOR(fiemap) { FD(fiemap), .want = -EOPNOTSUPP };
DOOR(map_past) { FD(map_past), .want = -EINVAL };
/* A 32-bit C library has no number of pages for that. */
DOOR(map_before) { FD(map_before),
		   .want = sizeof(long) > 4 ? -EOVERFLOW : -EINVAL };
DOOR(map_beside) { FD(map_beside), .want = -EINVAL };
DOOR(readv_past) { RANGE(process_vm_readv_past), .want = -EFAULT };
DOOR(proc_mem_past) { RANGE(proc_mem_past), .want = -EIO };
DOOR(write_from_past) { RANGE(write_from_past), .want = -EFAULT };

/* Mapping it. */
DOOR(map_shared) { FD(map_shared), .want = -EACCES };
DOOR(map_write_only) { FD(map_write_only), .want = -EACCES };
DOOR(map_validate) { FD(map_validate), .want = -EACCES };
DOOR(map_sync) { FD(map_sync), .want = -EOPNOTSUPP };
DOOR(map_populate) { FD(map_populate), .want = -EACCES };
DOOR(map_exec) { FD(map_exec), .want = -EACCES };
DOOR(map_grows_down) { FD(map_grows_down), .want = -EINVAL };
DOOR(map_private) { FD(map_private), .want = 0 };
DOOR(map_over) { RANGE(map_over), .want = 0 };
DOOR(mprotect) { RANGE(mprotect), .want = -EACCES };
DOOR(mprotect_back) { RANGE(mprotect_back), .want = -EACCES };
DOOR(mprotect_exec) { RANGE(mprotect_exec), .want = -EACCES };
DOOR(pkey_mprotect) { RANGE(pkey_mprotect), .want = -EACCES };
DOOR(store) { MAP(store), .want = SIGSEGV };
DOOR(mremap_grow) { RANGE(mremap_grow), .want = -EFAULT };
DOOR(mremap_grow_in_place) {
	RANGE(mremap_grow_in_place), .want = -EFAULT,
};

DOOR(mremap_copy) { RANGE(mremap_copy), .want = -EFAULT };
DOOR(mremap_dontunmap) { RANGE(mremap_dontunmap), .want = -EINVAL };
DOOR(mremap_move) { RANGE(mremap_move), .want = -EACCES };
DOOR(remap_file_pages) { RANGE(remap_file_pages), .want = -EINVAL };
DOOR(remap_file_past) { RANGE(remap_file_pages_past), .want = -EINVAL };

/* Answering faults on it. */
DOOR(uffd) { RANGE(userfaultfd), .want = -EINVAL };
DOOR(uffd_copy) { RANGE(userfaultfd_copy), .want = -ENOENT };
DOOR(uffd_zero) { RANGE(userfaultfd_zero), .want = -ENOENT };
DOOR(uffd_protect) { RANGE(userfaultfd_protect), .want = -ENOENT };
DOOR(uffd_continue) { RANGE(userfaultfd_continue), .want = -ENOENT };
DOOR(uffd_move) { RANGE(userfaultfd_move), .want = -EINVAL };

/* Advice about it. */
DOOR(normal) { ADVICE(NORMAL), .want = 0 };
DOOR(random) { ADVICE(RANDOM), .want = 0 };
DOOR(sequential) { ADVICE(SEQUENTIAL), .want = 0 };
DOOR(willneed) { ADVICE(WILLNEED), .want = 0 };
DOOR(dontneed) { ADVICE(DONTNEED), .want = 0 };
DOOR(dontneed_locked) { ADVICE(DONTNEED_LOCKED), .want = 0 };
DOOR(free) { ADVICE(FREE), .want = -EINVAL };
DOOR(remove) { ADVICE(REMOVE), .want = -EACCES };
DOOR(dontfork) { ADVICE(DONTFORK), .want = 0 };
DOOR(dofork) {
	ADVICE(DOFORK), .want = 0,
	.also = -EINVAL,
	.why = "7.3 leaves what must not grow as it is",
};

DOOR(mergeable) { ADVICE(MERGEABLE), .want = 0 };
DOOR(unmergeable) { ADVICE(UNMERGEABLE), .want = 0 };
DOOR(hugepage) { ADVICE(HUGEPAGE), .want = 0 };
DOOR(nohugepage) { ADVICE(NOHUGEPAGE), .want = 0 };
DOOR(collapse) { ADVICE(COLLAPSE), .want = -EINVAL };
DOOR(dontdump) { ADVICE(DONTDUMP), .want = 0 };
DOOR(dodump) { ADVICE(DODUMP), .want = -EINVAL };
DOOR(wipeonfork) { ADVICE(WIPEONFORK), .want = -EINVAL };
DOOR(keeponfork) { ADVICE(KEEPONFORK), .want = 0 };
DOOR(cold) { ADVICE(COLD), .want = 0 };
DOOR(pageout) { ADVICE(PAGEOUT), .want = 0 };
DOOR(populate_read) { ADVICE(POPULATE_READ), .want = 0 };
DOOR(populate_write) { ADVICE(POPULATE_WRITE), .want = -EINVAL };
DOOR(guard_install) { ADVICE(GUARD_INSTALL), .want = -EINVAL };
DOOR(soft_offline) { ADVICE(SOFT_OFFLINE), .want = -EBUSY, .same = -EPERM };

/* The kernel or a process writes to the mapping. */
DOOR(read_into) { MAP(read_into), .want = -EFAULT };
DOOR(readv_into) { MAP(readv_into), .want = -EFAULT };
DOOR(receive_into) { MAP(receive_into), .want = -EFAULT };
DOOR(vmsplice_into) { MAP(vmsplice_into), .want = -EFAULT };
DOOR(aio_read_into) { MAP(aio_read_into), .want = -EFAULT };
DOOR(io_uring_read_into) { MAP(io_uring_read_into), .want = -EFAULT };
DOOR(io_uring_fixed) {
	RANGE(io_uring_fixed), .want = -EFAULT, .also = -EOPNOTSUPP,
	.why = "before 6.2 files are refused altogether",
};

DOOR(direct_read_into) {
	MAP(direct_read), .want = -EFAULT, .other = -EACCES,
};

DOOR(getrandom) { MAP(getrandom), .want = -EFAULT };
DOOR(futex_wake_op) { MAP(futex), .want = -EFAULT };
DOOR(proc_mem) { MAP(proc_mem), .want = -EIO };
DOOR(ptrace_poke) { MAP(ptrace), .want = -EIO };
DOOR(process_vm_writev) { MAP(process_vm_writev), .want = -EFAULT };
DOOR(process_madvise) { RANGE(process_madvise), .want = -EINVAL };
DOOR(vmsplice_gift) { RANGE(vmsplice_gift), .want = 0 };
DOOR(dev_mem) { MAP(dev_mem), .want = -EPERM, .other = -EACCES };

/* Sockets that take its pages: ciphers and the network. */
DOOR(alg_hash) { MAP(alg_hash), .want = 32 };
DOOR(alg_cipher) { MAP(alg_cipher), .want = 64 };
DOOR(alg_cipher_in_place) { MAP(alg_cipher_in_place), .want = -EFAULT };
DOOR(alg_checked) { MAP(alg_checked), .want = -EBADMSG };
DOOR(alg_checked_in_place) { MAP(alg_checked_in_place), .want = -EFAULT };
DOOR(alg_sendfile) { FD(alg_sendfile), .want = 64 };
DOOR(tcp_zerocopy) { MAP(tcp_zerocopy), .want = 64 };
DOOR(udp_zerocopy) { MAP(udp_zerocopy), .want = 64 };
DOOR(tcp_splice) { MAP(tcp_splice), .want = 64 };

/* Drivers. */
DOOR(loop) { FD(loop), .want = -EINVAL, .other = -EACCES };
DOOR(udmabuf) { FD(udmabuf), .want = -EBADFD, .other = -EACCES };
DOOR(dma_buf) { FD(dma_buf), .want = -ENOTTY };
DOOR(kvm) { MAP(kvm), .want = -EFAULT, .other = -EACCES };
DOOR(kvm_read_only) {
	MAP(kvm_read_only), .want = KVM_EXIT_MMIO, .other = -EACCES,
};

DOOR(vfio) { MAP(vfio), .want = -EFAULT, .other = -EACCES };
DOOR(vfio_read_only) { MAP(vfio_read_only), .want = 0, .other = -EACCES };
DOOR(iommufd) { MAP(iommufd), .want = -EFAULT, .other = -EACCES };
DOOR(iommufd_read_only) {
	MAP(iommufd_read_only), .want = 0, .other = -EACCES,
};

DOOR(rdma) { MAP(rdma), .want = -EFAULT };
DOOR(rdma_read_only) {
	MAP(rdma_read_only), .want = 0,
	.also = -EFAULT,
	.why = "before 6.2 memory for RDMA has to be writable",
};

/* clang-format on */
