// SPDX-License-Identifier: GPL-2.0-only
/* Access by the descriptor: attributes, other descriptors, pages beside it. */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#include "common.h"
#include "control.h"
#include "uring.h"

static const char *path_of(const char *process, int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%s/fd/%d", process, fd);
	return path;
}

static const char *own_path(int fd)
{
	return path_of("self", fd);
}

long access_ftruncate(int fd)
{
	return result(ftruncate(fd, 0));
}

long access_truncate(int fd)
{
	return result(truncate(own_path(fd), 0));
}

long access_fallocate(int fd)
{
	return result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				0, page_size()));
}

long access_fallocate_zero(int fd)
{
	return result(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, page_size()));
}

long access_fallocate_more(int fd)
{
	return result(fallocate(fd, 0, 0, 16 * page_size()));
}

long access_fchmod(int fd)
{
	return result(fchmod(fd, 0666));
}

long access_fchown(int fd)
{
	return result(fchown(fd, 1, 1));
}

long access_futimens(int fd)
{
	return result(futimens(fd, NULL));
}

long access_fsetxattr(int fd)
{
	return result(fsetxattr(fd, "user.test", payload, 1, 0));
}

long access_set_flags(int fd)
{
	int flags = FS_APPEND_FL;

	return result(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

/* F_SETFL returns 0 and leaves the access mode as it is. */
long access_setfl(int fd)
{
	long ret = result(fcntl(fd, F_SETFL, O_RDWR));

	if (ret || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY)
		return ret;
	return access_write(fd);
}

long access_add_seals(int fd)
{
	return result(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
}

long access_read_lease(int fd)
{
	return result(fcntl(fd, F_SETLEASE, F_RDLCK));
}

long access_write_lease(int fd)
{
	return result(fcntl(fd, F_SETLEASE, F_WRLCK));
}

long access_write_lock(int fd)
{
	struct flock lock = { .l_type = F_WRLCK };

	return result(fcntl(fd, F_SETLK, &lock));
}

long access_flock(int fd)
{
	return result(flock(fd, LOCK_EX | LOCK_NB));
}

long access_dup(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	long ret = access_pwrite(copy);

	close(copy);
	return ret;
}

long access_reopen(int fd)
{
	return try_open(own_path(fd), O_RDWR);
}

long access_reopen_read(int fd)
{
	return try_open(own_path(fd), O_RDONLY);
}

long access_reopen_path(int fd)
{
	int path = open(own_path(fd), O_PATH | O_CLOEXEC);
	long ret;

	if (path < 0)
		return -errno;
	ret = try_open(own_path(path), O_RDWR);
	close(path);
	return ret;
}

/* The parent's descriptor has the same number. */
long access_reopen_parent(int fd)
{
	char parent[16];

	snprintf(parent, sizeof(parent), "%d", getppid());
	return try_open(path_of(parent, fd), O_RDWR);
}

long access_handle(int fd)
{
	union {
		struct file_handle handle;
		char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .handle.handle_bytes = MAX_HANDLE_SZ };
	int mount;

	if (name_to_handle_at(fd, "", &u.handle, &mount, AT_EMPTY_PATH))
		return -errno;
	return result(open_by_handle_at(fd, &u.handle, O_RDWR));
}

long access_link(int fd)
{
	return result(linkat(AT_FDCWD, own_path(fd), AT_FDCWD, "/tmp/access",
			     AT_SYMLINK_FOLLOW));
}

long access_bind_mount(int fd)
{
	return result(mount(own_path(fd), "/etc/vm.conf", NULL, MS_BIND, NULL));
}

long access_swapon(int fd)
{
	return result(swapon(own_path(fd), 0));
}

long access_acct(int fd)
{
	long ret = result(acct(own_path(fd)));

	return ret == -ENOSYS ? NOT_AVAILABLE : ret;
}

long access_execveat(int fd)
{
	char *const arguments[] = { "x", NULL };

	return result(syscall(SYS_execveat, fd, "", arguments, arguments,
			      AT_EMPTY_PATH));
}

long access_alias_write(int fd)
{
	return ds_alias(fd, 0, page_size(), RIGHTS_RW);
}

long access_alias_exec(int fd)
{
	return ds_alias(fd, 0, page_size(), RIGHTS_RX);
}

long access_alias_clip(int fd)
{
	int ds = ds_alias_flags(fd, 0, page_size(), RIGHTS_RWX,
				DATASPACE_ALIAS_CLIP);
	long ret = ds < 0 ? ds : access_pwrite(ds);

	close(ds);
	return ret;
}

long access_seal(int fd)
{
	return ds_seal(fd, DATASPACE_SEAL_NOW);
}

long access_read_past(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);

	return result(pread(fd, seen, page_size(), end));
}

long access_read_before(int fd)
{
	return result(pread(fd, seen, page_size(), -(off_t)page_size()));
}

long access_splice_past(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	int ends[2];
	long ret;

	if (pipe(ends))
		return -errno;
	ret = result(splice(fd, &end, ends[1], NULL, page_size(), 0));
	if (ret > 0)
		ret = result(read(ends[0], seen, ret));
	close_pipe(ends);
	return ret;
}

long access_sendfile_past(int fd)
{
	int file = memfd_create("target", MFD_CLOEXEC);
	off_t end = lseek(fd, 0, SEEK_END);
	long ret = result(sendfile(file, fd, &end, page_size()));

	if (ret > 0)
		ret = result(pread(file, seen, ret, 0));
	close(file);
	return ret;
}

long access_io_uring_past(int fd)
{
	struct uring uring;
	long ret = uring_open(&uring);

	if (ret)
		return ret;
	ret = uring_transfer_at(&uring, IORING_OP_READ, fd, seen, page_size(),
				lseek(fd, 0, SEEK_END));
	uring_close(&uring);
	return ret;
}

/* SEEK_DATA could tell how much there is behind the end. */
long access_seek_past(int fd)
{
	return result(lseek(fd, lseek(fd, 0, SEEK_END), SEEK_DATA));
}

long access_fiemap(int fd)
{
	struct fiemap arg = { .fm_length = FIEMAP_MAX_OFFSET };

	return result(ioctl(fd, FS_IOC_FIEMAP, &arg));
}

long access_alias_past(int fd)
{
	__u64 end = lseek(fd, 0, SEEK_END);

	return ds_alias(fd, 0, end + page_size(), RIGHTS_R);
}
