// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that programs are made of. What they return does not matter: the
 * kernel must not complain. Two threads may use the same slots at the same
 * time, so one may use what the other one has closed.
 */
#include "program.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "common.h"
#include "fdpass.h"
#include "sigbus.h"

/* The longest buffer. */
#define DATA_MAX 8192

static struct {
	int fd[SLOTS];
	struct {
		char *at;
		size_t length;
	} map[SLOTS];
	int pipe[2];
	int sockets[2];
	/* DATA_MAX bytes of memory, followed by nothing */
	char *data;
} machine;

static int fd_of(const struct call *call)
{
	return machine.fd[call->fd];
}

static void keep_fd(const struct call *call, int fd)
{
	int *slot = &machine.fd[call->made];

	if (fd < 0)
		return;
	if (!call->made) {
		close(fd);
		return;
	}
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

/* The part of a mapping that the first two arguments select. */
static char *part_of(const struct call *call, size_t *length)
{
	char *at = machine.map[call->map].at;
	size_t whole = machine.map[call->map].length;
	size_t offset = whole ? call->arg[0] % whole : 0;

	*length = call->arg[1];
	if (*length > whole - offset)
		*length = whole - offset;
	return at ? at + offset : NULL;
}

/*
 * A buffer in a mapping, in other memory, at its end, or where nothing is
 * mapped.
 */
static char *buffer_of(const struct call *call, size_t length, __u64 where)
{
	if (where == 1)
		return machine.map[call->map].at;
	if (where == 2)
		return machine.data + DATA_MAX - length / 2;
	return where ? NULL : machine.data;
}

static size_t data_length(__u64 length)
{
	return length < DATA_MAX ? length : DATA_MAX;
}

/*
 * Passes a structure of the selected form: 1 and 2 are too short, 3 is longer,
 * 4 has bytes at its end that the module does not know, 5 is not all mapped,
 * and 6 is not mapped at all.
 */
static long do_ioctl(const struct call *call, unsigned long command, void *arg,
		     __u32 size, __u64 form)
{
	char *at = machine.data + DATA_MAX - size - 16;

	if (form == 5)
		at += 20;
	if (form == 6)
		at = NULL;
	if (at && form != 5) {
		memset(at, 0, size + 16);
		memcpy(at, arg, size);
		at[size + 7] = form == 4;
	}
	if (form == 1 || form == 2)
		size = form == 1 ? 0 : size - 4;
	if (form == 3 || form == 4)
		size += 8;
	if (at)
		memcpy(at, &size, sizeof(size));
	return result(ioctl(fd_of(call), command, at));
}

static void do_version(const struct call *call)
{
	ioctl(machine.fd[0], DATASPACE_IOC_VERSION, call->arg[0]);
}

/* ALLOC is always called on the device, or it would mostly fail. */
static void do_alloc(const struct call *call)
{
	struct dataspace_alloc arg = {
		.length = call->arg[0],
		.flags = call->arg[1],
		.rights = call->arg[2],
		.align = call->arg[3],
	};
	struct call on_device = *call;

	on_device.fd = 0;
	keep_fd(call, do_ioctl(&on_device, DATASPACE_IOC_ALLOC, &arg,
			       sizeof(arg), call->arg[4]));
}

static void do_alloc_on_node(const struct call *call)
{
	struct dataspace_alloc arg = {
		.length = call->arg[0],
		.rights = RIGHTS_RW,
		.node = call->arg[1],
	};

	keep_fd(call, do_ioctl(call, DATASPACE_IOC_ALLOC, &arg, sizeof(arg),
			       call->arg[2]));
}

static void do_alias(const struct call *call)
{
	struct dataspace_alias arg = {
		.offset = call->arg[0],
		.length = call->arg[1],
		.rights = call->arg[2],
		.flags = call->arg[3],
		.__reserved = call->arg[4] >> 32,
	};

	keep_fd(call, do_ioctl(call, DATASPACE_IOC_ALIAS, &arg, sizeof(arg),
			       call->arg[4]));
}

static void do_info(const struct call *call)
{
	struct dataspace_info arg = {};

	do_ioctl(call, DATASPACE_IOC_INFO, &arg, sizeof(arg), call->arg[0]);
}

static void do_revoke(const struct call *call)
{
	struct dataspace_revoke arg = { .flags = call->arg[0] / 2 };

	do_ioctl(call, DATASPACE_IOC_REVOKE, &arg, sizeof(arg), call->arg[1]);
}

static void do_seal(const struct call *call)
{
	struct dataspace_seal arg = {
		.flags = call->arg[0],
		.rights = DATASPACE_WRITE,
	};

	do_ioctl(call, DATASPACE_IOC_SEAL, &arg, sizeof(arg), call->arg[1]);
}

static void do_export(const struct call *call)
{
	struct dataspace_export_dmabuf arg = { .flags = call->arg[0] / 2 };

	keep_fd(call, do_ioctl(call, DATASPACE_IOC_EXPORT_DMABUF, &arg,
			       sizeof(arg), call->arg[1]));
}

static void do_command(const struct call *call)
{
	__u64 arg[8] = { call->arg[2], call->arg[3] };

	keep_fd(call, do_ioctl(call, _IO(DATASPACE_IOC_TYPE, call->arg[0]), arg,
			       sizeof(arg), call->arg[1]));
}

static void do_open(const struct call *call)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd_of(call));
	keep_fd(call, open(path, O_RDWR | O_CLOEXEC));
}

static void do_close(const struct call *call)
{
	if (call->fd)
		close(fd_of(call));
	if (call->fd)
		machine.fd[call->fd] = -1;
}

static void do_dup(const struct call *call)
{
	keep_fd(call, dup(fd_of(call)));
}

static void do_pass(const struct call *call)
{
	if (!fd_send(machine.sockets[call->arg[0] % 2], fd_of(call)) &&
	    call->arg[1])
		keep_fd(call, fd_receive(machine.sockets[~call->arg[0] % 2]));
}

static void do_receive(const struct call *call)
{
	keep_fd(call, fd_receive(machine.sockets[call->arg[0] % 2]));
}

/* Maps over the mapping in the slot, if the last argument says so. */
static void do_mmap(const struct call *call)
{
	char *at = machine.map[call->map].at;
	int fixed = at && call->arg[4] ? MAP_FIXED : 0;
	size_t length = call->arg[1];

	if (fixed && length > machine.map[call->map].length)
		length = machine.map[call->map].length;
	at = mmap(at, length, call->arg[2], call->arg[3] | fixed, fd_of(call),
		  call->arg[0]);
	if (at == MAP_FAILED || fixed)
		return;
	if (machine.map[call->map].at)
		munmap(machine.map[call->map].at,
		       machine.map[call->map].length);
	machine.map[call->map].at = at;
	machine.map[call->map].length = length;
}

static void do_munmap(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);

	if (!munmap(at, length) && length == machine.map[call->map].length)
		machine.map[call->map].at = NULL;
}

/* Only mappings that are moved as a whole are still known afterwards. */
static void do_mremap(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);
	char *moved;

	if (length < machine.map[call->map].length)
		return;
	moved = mremap(at, length, call->arg[2], MREMAP_MAYMOVE);
	if (moved == MAP_FAILED)
		return;
	machine.map[call->map].at = moved;
	machine.map[call->map].length = call->arg[2];
}

static void do_mprotect(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);

	mprotect(at, length, call->arg[2]);
}

static void do_madvise(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);

	madvise(at, length, call->arg[2]);
}

static void do_mlock(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);

	if (call->arg[2])
		munlock(at, length);
	else
		mlock(at, length);
	msync(at, length, MS_SYNC);
}

static void do_load(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);
	__u64 value;

	try_load((void *)((uintptr_t)at & ~7UL), &value);
}

static void do_store(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);

	try_store((void *)((uintptr_t)at & ~7UL), call->arg[1]);
}

/* The kernel writes to the process. */
static void do_poke(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);
	struct iovec from = { machine.data, data_length(length) };
	struct iovec to = { at, data_length(length) };

	process_vm_writev(getpid(), &from, 1, &to, 1, 0);
}

static void do_fork(const struct call *call)
{
	pid_t child = fork();

	if (child) {
		waitpid(child, NULL, 0);
		return;
	}
	do_load(call);
	do_store(call);
	do_munmap(call);
	_exit(0);
}

static void do_pread(const struct call *call)
{
	size_t length = data_length(call->arg[1]);

	pread(fd_of(call), buffer_of(call, length, call->arg[2]), length,
	      call->arg[0]);
}

static void do_pwrite(const struct call *call)
{
	size_t length = data_length(call->arg[1]);

	pwrite(fd_of(call), buffer_of(call, length, call->arg[2]), length,
	       call->arg[0]);
}

static void do_read(const struct call *call)
{
	size_t length = data_length(call->arg[0]);

	read(fd_of(call), buffer_of(call, length, call->arg[1]), length);
}

static void do_write(const struct call *call)
{
	size_t length = data_length(call->arg[0]);

	write(fd_of(call), buffer_of(call, length, call->arg[1]), length);
}

static void do_seek(const struct call *call)
{
	lseek(fd_of(call), call->arg[0], call->arg[1] % 5);
}

static void do_splice(const struct call *call)
{
	loff_t offset = call->arg[0];

	splice(fd_of(call), &offset, machine.pipe[1], NULL, call->arg[1],
	       SPLICE_F_NONBLOCK);
}

static void do_splice_into(const struct call *call)
{
	loff_t offset = call->arg[0];

	splice(machine.pipe[0], NULL, fd_of(call), &offset, call->arg[1],
	       SPLICE_F_NONBLOCK);
}

static void do_sendfile(const struct call *call)
{
	off_t offset = call->arg[0];

	sendfile(machine.pipe[1], fd_of(call), &offset, call->arg[1]);
}

/* The pages are pinned until the pipe is read or closed. */
static void do_pin(const struct call *call)
{
	size_t length;
	char *at = part_of(call, &length);
	struct iovec pages = { at, data_length(length) };

	vmsplice(machine.pipe[1], &pages, 1, SPLICE_F_NONBLOCK);
}

static void do_drain(const struct call *call)
{
	while (read(machine.pipe[0], machine.data, DATA_MAX) > 0)
		;
}

static void do_poll(const struct call *call)
{
	struct pollfd pollfd = { fd_of(call), POLLIN | POLLOUT, 0 };

	poll(&pollfd, 1, call->arg[0] % 3);
}

static void do_change(const struct call *call)
{
	struct stat stat;
	int fd = fd_of(call);

	fstat(fd, &stat);
	ftruncate(fd, call->arg[0]);
	fallocate(fd, call->arg[2], call->arg[0], call->arg[1]);
	fchmod(fd, 0600 | call->arg[2]);
	fchown(fd, call->arg[2], 0);
}

static void do_file(const struct call *call)
{
	struct flock lock = { .l_type = F_WRLCK, .l_len = call->arg[1] };
	int fd = fd_of(call);

	fsync(fd);
	posix_fadvise(fd, call->arg[0], call->arg[1], call->arg[2]);
	flock(fd, LOCK_EX | LOCK_NB);
	fcntl(fd, F_SETLK, &lock);
	fcntl(fd, F_SETLEASE, F_RDLCK);
	fcntl(fd, F_SETFL, call->arg[2] % 2 ? O_APPEND : 0);
	readahead(fd, call->arg[0], call->arg[1]);
}

static void read_file(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	while (read(file, machine.data, DATA_MAX) > 0)
		;
	close(file);
}

static void do_look(const struct call *call)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd_of(call));
	read_file(path);
	read_file(call->arg[0] % 2 ? "/proc/self/smaps" : "/proc/self/maps");
}

const struct call_kind call_kinds[] = {
	{ "version", do_version, "w" },
	{ "alloc", do_alloc, "lfras" },
	{ "alloc", do_alloc, "lfras" },
	{ "alloc_on_node", do_alloc_on_node, "lns" },
	{ "alias", do_alias, "olrfs" },
	{ "alias", do_alias, "olrfs" },
	{ "alias", do_alias, "olrfs" },
	{ "info", do_info, "s" },
	{ "revoke", do_revoke, "fs" },
	{ "revoke", do_revoke, "fs" },
	{ "seal", do_seal, "fs" },
	{ "seal", do_seal, "fs" },
	{ "export", do_export, "fs" },
	{ "command", do_command, "csol" },
	{ "open", do_open, "" },
	{ "close", do_close, "" },
	{ "close", do_close, "" },
	{ "dup", do_dup, "" },
	{ "pass", do_pass, "nn" },
	{ "receive", do_receive, "n" },
	{ "mmap", do_mmap, "olpmf" },
	{ "mmap", do_mmap, "olpmf" },
	{ "mmap", do_mmap, "olpmf" },
	{ "munmap", do_munmap, "ol" },
	{ "munmap", do_munmap, "ol" },
	{ "mremap", do_mremap, "oll" },
	{ "mprotect", do_mprotect, "olp" },
	{ "madvise", do_madvise, "old" },
	{ "mlock", do_mlock, "olf" },
	{ "load", do_load, "o" },
	{ "store", do_store, "ol" },
	{ "poke", do_poke, "ol" },
	{ "fork", do_fork, "ol" },
	{ "pread", do_pread, "olb" },
	{ "pwrite", do_pwrite, "olb" },
	{ "read", do_read, "lb" },
	{ "write", do_write, "lb" },
	{ "seek", do_seek, "on" },
	{ "splice", do_splice, "ol" },
	{ "splice_into", do_splice_into, "ol" },
	{ "sendfile", do_sendfile, "ol" },
	{ "pin", do_pin, "ol" },
	{ "drain", do_drain, "" },
	{ "poll", do_poll, "n" },
	{ "change", do_change, "oln" },
	{ "file", do_file, "oln" },
	{ "look", do_look, "n" },
};

const size_t call_kinds_count = ARRAY_LENGTH(call_kinds);

__u8 call_kind(const char *name)
{
	__u8 i = 0;

	while (strcmp(call_kinds[i].name, name))
		i++;
	return i;
}

int programs_init(void)
{
	machine.data = mmap(NULL, 2 * DATA_MAX, READ_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (machine.data == MAP_FAILED)
		return -errno;
	sigbus_init();
	signal(SIGPIPE, SIG_IGN);
	return result(mprotect(machine.data + DATA_MAX, DATA_MAX, PROT_NONE));
}

static void machine_open(void)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		machine.fd[i] = -1;
		machine.map[i].at = NULL;
		machine.map[i].length = 0;
	}
	machine.fd[0] = ds_device();
	pipe2(machine.pipe, O_CLOEXEC | O_NONBLOCK);
	socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		   machine.sockets);
}

static void machine_close(void)
{
	int i;

	for (i = 0; i < SLOTS; i++) {
		close(machine.fd[i]);
		if (machine.map[i].at)
			munmap(machine.map[i].at, machine.map[i].length);
	}
	for (i = 0; i < 2; i++) {
		close(machine.pipe[i]);
		close(machine.sockets[i]);
	}
}

static void run_calls(const struct program *program, __u32 from, __u32 end)
{
	for (; from < end; from++) {
		const struct call *call = &program->calls[from];

		call_kinds[call->kind].run(call);
	}
}

static void *run_apart(void *arg)
{
	const struct program *program = arg;

	run_calls(program, program->apart, program->length);
	return NULL;
}

void program_run(const struct program *program)
{
	const bool alone = program->apart == program->length;
	pthread_t thread;

	machine_open();
	run_calls(program, 0, program->common);
	if (alone) {
		run_calls(program, program->common, program->length);
	} else if (!pthread_create(&thread, NULL, run_apart, (void *)program)) {
		run_calls(program, program->common, program->apart);
		pthread_join(thread, NULL);
	}
	machine_close();
}
