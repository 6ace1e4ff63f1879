/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test program needs: the interface, the ioctls as functions that
 * return a descriptor or -errno, and constants.
 */
#ifndef DATASPACE_COMMON_H
#define DATASPACE_COMMON_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dataspace.h>
#include <linux/types.h>

#define DEVICE "/dev/dataspace"

#define RIGHTS_R DATASPACE_RO
#define RIGHTS_RW DATASPACE_RW
#define RIGHTS_RX (DATASPACE_RO | DATASPACE_EXEC)
#define RIGHTS_RWX (RIGHTS_RW | DATASPACE_EXEC)

#define READ_WRITE (PROT_READ | PROT_WRITE)

#define MEG ((__u64)1 << 20)

/*
 * Seconds that a test may take. The default is for an emulated machine that does
 * other things as well; the other one is for tests that use most of its memory,
 * or that repeat something very often.
 */
#ifdef TEST_TIMEOUT_DEFAULT
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120
#endif
#define LONG_TIMEOUT 600

/*
 * Seconds within which pages are back with the kernel after an unpin, and with
 * the pool after a release. That is about one, as dataspace(7) says, and another
 * one for an emulated machine.
 */
#define SOON 2.0

/*
 * Seconds after which a test gives up on what has no deadline of its own, as it
 * depends on other processes or on other parts of the kernel.
 */
#define STUCK 20.0

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The result of a system call, or -errno. */
static inline long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

size_t page_size(void);

/* The size of a large folio: that of a huge page, unless that is too large. */
size_t huge_size(void);
/* Whether such a folio can be mapped by a huge entry. */
bool can_map_huge(void);

int ds_device(void);
int ds_alloc_on(int device, struct dataspace_alloc *arg);
int ds_alloc(__u64 length, __u32 rights, __u32 flags);
int ds_alloc_pages(size_t pages);
int ds_alias(int ds, __u64 offset, __u64 length, __u32 rights);
int ds_alias_flags(int ds, __u64 offset, __u64 length, __u32 rights,
		   __u32 flags);
int ds_alias_pages(int ds, size_t first, size_t end, __u32 rights);
int ds_info(int ds, struct dataspace_info *info);
__u64 ds_exclusive(int ds);
__u64 ds_id(int ds);

/* A shared mapping of the whole dataspace. */
void *ds_map(int ds, size_t length, int prot);
/* Maps and unmaps; 0 or -errno. */
int ds_try_map(int ds, size_t length, int prot, int flags, off_t offset);

/*
 * Pages with a pattern: each has its number at both ends, which is @first plus
 * its index.
 */
void pattern_write(void *map, size_t pages, __u64 first);
size_t pattern_wrong(const void *map, size_t pages, __u64 first);
int pattern_write_fd(int ds, size_t pages, __u64 first);
/* The number of wrong pages, or -errno if @ds cannot be mapped. */
long pattern_wrong_fd(int ds, size_t pages, __u64 first);

/* Whether all of @length bytes are @byte. */
bool bytes_are(const void *map, size_t length, __u8 byte);

/* How many descriptors the process has open. */
int count_fds(void);
/* Raises the limit on descriptors as far as it goes. */
void allow_many_fds(void);
/* Lets the process, which is root, have @count descriptors and some more. */
int allow_fds(size_t count);

/* Seconds of a clock that only goes forward. */
double seconds(void);

/* The number in the first line of @path that begins with @key, or -1. */
long long number_in_file(const char *path, const char *key);

/* In bytes, without what the kernel keeps to itself. */
__u64 memory_of_the_machine(void);

/* What a file of /proc or /sys is told; 0 or -errno. */
int text_to_file(const char *path, const char *text);
int number_to_file(const char *path, long long number);

/* Has this thread run on one processor only; 0 or -errno. */
int run_on_cpu(int cpu);

/* Whether this kernel watches itself, which makes it slow and its objects large. */
bool is_debug_kernel(void);

/* A seed for the random tests: from $SEED, else from the clock. */
unsigned int random_seed(void);

/* The status of the child, as 0 if it exited with 0. */
int wait_for(pid_t child);

#endif
