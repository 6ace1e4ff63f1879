// SPDX-License-Identifier: GPL-2.0-only
#include "attacks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "cgroup.h"
#include "common.h"
#include "control.h"
#include "dmabuf.h"

#define NOW DATASPACE_SEAL_NOW

int many(int count)
{
	return is_debug_kernel() ? count / 4 : count;
}

static void pin_own_page(int ds)
{
	char *map = ds_map(ds, page_size(), READ_WRITE);
	struct pin pin;

	if (map == MAP_FAILED || pin_page(&pin, map))
		_exit(1);
}

void attack_with_seal_now(int ds, void (*ready)(void))
{
	pin_own_page(ds);
	ready();
	for (;;)
		ds_seal(ds, NOW);
}

void attack_with_info(int ds, void (*ready)(void))
{
	ready();
	for (;;)
		ds_exclusive(ds);
}

void attack_with_revoke(int ds, void (*ready)(void))
{
	ready();
	for (;;) {
		int alias = ds_alias(ds, 0, page_size(), RIGHTS_R);

		ds_revoke(ds);
		close(alias);
	}
}

/* Neighbouring mappings differ, so that they are not merged. */
void map_often(int ds, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (ds_map(ds, page_size(), i % 2 ? PROT_READ : PROT_NONE) ==
		    MAP_FAILED)
			_exit(1);
	}
}

void attack_with_mappings(int ds, void (*ready)(void))
{
	map_often(ds, many(15000));
	ready();
	for (;;)
		pause();
}

void attack_with_revoked_mappings(int ds, void (*ready)(void))
{
	map_often(ds_alias(ds, 0, page_size(), RIGHTS_R), many(15000));
	ds_revoke(ds);
	ready();
	for (;;)
		pause();
}

void attack_with_pin_and_mappings(int ds, void (*ready)(void))
{
	pin_own_page(ds);
	attack_with_mappings(ds, ready);
}

/* They are woken each time that the child has gone. */
void attack_with_pollers(int ds, void (*ready)(void))
{
	const int count = many(10000);
	int i;

	if (allow_fds(count))
		_exit(1);
	for (i = 0; i < count; i++) {
		if (epoll_on(ds, EPOLLIN) < 0)
			_exit(1);
	}
	ready();
	for (;;)
		close(ds_alias(ds, 0, page_size(), RIGHTS_R));
}

/* What is sealed already is asked for again, and the last alias is a new one. */
void attack_with_seal(int ds, void (*ready)(void))
{
	const int count = many(20000);
	int i;

	if (allow_fds(count))
		_exit(1);
	for (i = 0; i < count; i++) {
		if (ds_alias(ds, 0, page_size(), RIGHTS_RW) < 0)
			_exit(1);
	}
	ready();
	for (;;) {
		ds_seal(ds, 0);
		ds_seal(ds, NOW);
		close(ds_alias(ds, 0, page_size(), RIGHTS_R));
	}
}

/* Those that are revoked stay, as their dma-bufs are open. */
void attack_with_exports(int ds, void (*ready)(void))
{
	const int count = many(10000);
	int i;

	if (allow_fds(2 * count))
		_exit(1);
	for (i = 0; i < count; i++) {
		if (ds_export(ds, 0) < 0)
			_exit(1);
	}
	ready();
	for (i = 0;; i++) {
		int alias = ds_alias(ds, 0, page_size(), RIGHTS_RW);
		int dmabuf = ds_export(alias, 0);

		ds_revoke(ds);
		close(alias);
		if (i >= count)
			close(dmabuf);
	}
}

/*
 * A device has each of many dma-bufs mapped, only to be read: so often the debug kernel
 * puts up with nothing else. One more goes on to be mapped, and to be lost to REVOKE.
 */
void attack_with_devices(int ds, void (*ready)(void))
{
	const int count = many(1000);
	int read = ds_alias(ds, 0, page_size(), RIGHTS_R);
	int grant = ds_alias(ds, 0, page_size(), RIGHTS_RW);
	int i;

	if (allow_fds(2 * count))
		_exit(1);
	for (i = 0; i < count; i++) {
		if (import_map(import(ds_export(read, 0), 0), TO_DEVICE))
			_exit(1);
	}
	ready();
	for (;;) {
		int alias = ds_alias(grant, 0, page_size(), RIGHTS_RW);
		int dmabuf = ds_export(alias, 0);
		int fd = import(dmabuf, IMPORTER_TOLD);

		if (import_map(fd, BOTH_WAYS) || ds_revoke(grant))
			_exit(1);
		ds_devices(ds);
		close(fd);
		close(dmabuf);
		close(alias);
	}
}

void attack_with_the_mm(int ds, void (*ready)(void))
{
	char *map = ds_map(ds, page_size(), READ_WRITE);
	char *other = mmap(NULL, page_size(), PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || other == MAP_FAILED)
		_exit(1);
	ready();
	for (;;) {
		char *from = map;

		*map = 1;
		madvise(map, page_size(), MADV_PAGEOUT);
		map = mremap(map, page_size(), page_size(),
			     MREMAP_MAYMOVE | MREMAP_FIXED, other);
		other = from;
	}
}

/* Who reads the tree is root, but what there is to be read is the attacker's. */
void attack_with_the_tree(int ds, void (*ready)(void))
{
	const int count = many(20000);
	char text[65536];
	int tree, last = ds;
	int i;

	if (allow_fds(count))
		_exit(1);
	for (i = 0; i < count; i++) {
		last = ds_alias(i % 2 ? last : ds, 0, page_size(), RIGHTS_RW);
		if (last < 0)
			_exit(1);
	}
	ready();
	for (;;) {
		tree = open("/sys/kernel/debug/dataspace/tree", O_RDONLY);
		if (tree < 0)
			_exit(1);
		while (read(tree, text, sizeof(text)) > 0)
			;
		close(tree);
	}
}

/* Each is derived from the one before. */
void attack_with_nested_aliases(int ds, void (*ready)(void))
{
	const int count = many(100000);
	int last = ds;
	int i;

	if (allow_fds(count))
		_exit(1);
	for (i = 0; i < count; i++) {
		last = ds_alias(last, 0, page_size(), RIGHTS_RW);
		if (last < 0)
			_exit(1);
	}
	ready();
	for (;;) {
		ds_seal(ds, 0);
		close(ds_alias(last, 0, page_size(), RIGHTS_R));
		ds_revoke(last);
	}
}

/* Whatever makes others wait if it is done by halves. */
static void use_all_the_time(int ds)
{
	int grant = ds_alias(ds, 0, page_size(), RIGHTS_RW);

	for (;;) {
		int alias = ds_alias(grant, 0, page_size(), RIGHTS_RW);
		char *map = ds_map(alias, page_size(), READ_WRITE);

		ds_seal(alias, NOW);
		ds_exclusive(ds);
		ds_revoke(grant);
		munmap(map, page_size());
		close(alias);
	}
}

static void start_child(void (*run)(int ds), int ds)
{
	pid_t child = fork();

	if (child < 0)
		_exit(1);
	if (child)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run(ds);
}

static void keep_busy(int ds)
{
	for (;;)
		;
}

/* It is run only if nobody else wants the processor, which somebody always does. */
void attack_with_SCHED_IDLE(int ds, void (*ready)(void))
{
	const struct sched_param param = { .sched_priority = 0 };

	run_on_cpu(0);
	start_child(keep_busy, ds);
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		_exit(1);
	ready();
	use_all_the_time(ds);
}

/* It has the processor for one of 100 ms. */
void attack_with_cpu_max(int ds, void (*ready)(void))
{
	if (cgroup_set(THROTTLED, "cpu.max", "1000 100000") ||
	    cgroup_join(THROTTLED))
		_exit(1);
	ready();
	use_all_the_time(ds);
}

static void map_and_stop(int ds)
{
	map_often(ds, 100);
	raise(SIGSTOP);
}

/* They do not answer, and are asked to let go all the time. */
void attack_with_stopped_holders(int ds, void (*ready)(void))
{
	int grant = ds_alias(ds, 0, page_size(), RIGHTS_RW);
	int i;

	for (i = 0; i < 20; i++)
		start_child(map_and_stop, grant);
	ready();
	use_all_the_time(ds);
}

/* A page that a fault on lasts for ever. */
static char *page_without_end(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register arg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	char *page = mmap(NULL, page_size(), READ_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	arg.range.start = (uintptr_t)page;
	arg.range.len = page_size();
	if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &arg))
		_exit(1);
	return page;
}

static void read_without_end(int ds)
{
	pread(ds, page_without_end(), page_size(), 0);
	_exit(1);
}

static void write_without_end(int ds)
{
	pwrite(ds, page_without_end(), page_size(), 0);
	_exit(1);
}

void attack_with_stalled_copies(int ds, void (*ready)(void))
{
	int grant = ds_alias(ds, 0, page_size(), RIGHTS_RW);
	int i;

	for (i = 0; i < 20; i++)
		start_child(i % 2 ? read_without_end : write_without_end,
			    i % 4 < 2 ? ds : grant);
	usleep(100000);
	if (waitpid(-1, NULL, WNOHANG))
		_exit(1);
	ready();
	use_all_the_time(ds);
}
