// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access by KVM: memory is given to a guest as its own, and the guest reads a
 * byte of it and then writes one.
 *
 * The guest has one page with its program, and behind that a page of the
 * dataspace. The program is for x86: elsewhere this access is not available.
 */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "common.h"

#ifndef __x86_64__
long access_kvm(void *map)
{
	return NOT_AVAILABLE;
}

long access_kvm_read_only(void *map)
{
	return NOT_AVAILABLE;
}
#else
struct guest {
	int kvm;
	int machine;
	int processor;
	struct kvm_run *run;
	size_t run_size;
};

/* mov 0x1000, %al; out %al, $1; movb $'i', 0x1000; hlt */
static const unsigned char program[] = { 0xa0, 0x00, 0x10, 0xe6, 0x01, 0xc6,
					 0x06, 0x00, 0x10, 'i',	 0xf4 };

static long set_slot(struct guest *guest, int slot, void *memory, int flags)
{
	const unsigned long set = KVM_SET_USER_MEMORY_REGION;
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = slot * page_size(),
		.memory_size = page_size(),
		.userspace_addr = (uintptr_t)memory,
	};

	return result(ioctl(guest->machine, set, &region));
}

/* The guest runs in real mode and begins at address 0. */
static long set_registers(struct guest *guest)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(guest->processor, KVM_GET_SREGS, &sregs))
		return -errno;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(guest->processor, KVM_SET_SREGS, &sregs))
		return -errno;
	return result(ioctl(guest->processor, KVM_SET_REGS, &regs));
}

static long guest_open(struct guest *guest)
{
	guest->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (guest->kvm < 0)
		return errno == ENOENT ? NOT_AVAILABLE : -errno;
	guest->machine = ioctl(guest->kvm, KVM_CREATE_VM, 0);
	guest->processor = ioctl(guest->machine, KVM_CREATE_VCPU, 0);
	if (guest->processor < 0)
		return -errno;
	guest->run_size = ioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	guest->run = mmap(NULL, guest->run_size, READ_WRITE, MAP_SHARED,
			  guest->processor, 0);
	return guest->run == MAP_FAILED ? -errno : set_registers(guest);
}

static void guest_close(struct guest *guest)
{
	munmap(guest->run, guest->run_size);
	close(guest->processor);
	close(guest->machine);
	close(guest->kvm);
}

static long set_memory(struct guest *guest, void *map, int flags)
{
	void *code = mmap(NULL, page_size(), READ_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long ret;

	if (code == MAP_FAILED)
		return -errno;
	memcpy(code, program, sizeof(program));
	ret = set_slot(guest, 0, code, 0);
	return ret ? ret : set_slot(guest, 1, map, flags);
}

/* Runs the guest until it has written, and returns why it stopped. */
static long run_guest(struct guest *guest)
{
	const struct kvm_run *run = guest->run;

	if (ioctl(guest->processor, KVM_RUN, 0) ||
	    run->exit_reason != KVM_EXIT_IO)
		return -EIO;
	seen[0] = *((char *)run + run->io.data_offset);
	if (ioctl(guest->processor, KVM_RUN, 0))
		return -errno;
	return run->exit_reason;
}

static long try_guest(void *map, int flags)
{
	struct guest guest = { .kvm = -1, .machine = -1, .processor = -1 };
	long ret = guest_open(&guest);

	if (!ret)
		ret = set_memory(&guest, map, flags);
	if (!ret)
		ret = run_guest(&guest);
	guest_close(&guest);
	return ret;
}

long access_kvm(void *map)
{
	return try_guest(map, 0);
}

long access_kvm_read_only(void *map)
{
	return try_guest(map, KVM_MEM_READONLY);
}
#endif
