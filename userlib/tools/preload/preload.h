/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * What the files of dataspace-preload.so share. The library remembers nothing but
 * its policy: what a descriptor is, it asks the kernel each time.
 */
#ifndef DATASPACE_PRELOAD_H
#define DATASPACE_PRELOAD_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <dataspace.h>

/* What a program finds instead of a function of the C library. */
#define PRELOAD_API __attribute__((visibility("default")))

/* The function that the program would have found. */
#define NEXT(function)                                                        \
	({                                                                    \
		static __typeof__(function) *next;                            \
		if (!next)                                                    \
			next = (__typeof__(next))dlsym(RTLD_NEXT, #function); \
		next;                                                         \
	})

#define MAX_PATTERNS 32

/* What a receiver gets of a dataspace. */
struct rule {
	const char *pattern;
	/* Of the dataspace, in whole pages, or 0 for any. */
	uint64_t of_length;
	uint32_t rights;
	uint64_t offset;
	/* Or 0 for all that follows. */
	uint64_t length;
};

/* A place in the file that is sent, and where the sender has it. */
struct region {
	uint64_t guest_address;
	uint64_t length;
	uint64_t address;
	uint64_t offset;
} __attribute__((packed));

/* policy.c */
extern struct policy {
	/* Whether seals are said to be there that are not. */
	bool lenient;
	/* Whether messages of vhost-user are rewritten. */
	bool vhost_user;
	/* Where lines are written to, "-" for standard error, or NULL. */
	const char *log;
	/* What is replaced when it is sent, and by what. */
	struct rule rules[MAX_PATTERNS];
	unsigned int nr_rules;
} policy;

/* Whether a file of this name becomes a dataspace, and whether a lazy one. */
bool policy_takes(const char *path);
bool policy_is_lazy(const char *path);
/* The rule for a dataspace, or NULL if it is sent as it is. */
const struct rule *policy_rule(const char *name, uint64_t length);
/* Writes a line, if a log was asked for. Leaves errno alone. */
__attribute__((format(printf, 1, 2))) void policy_log(const char *format, ...);

/* vhost_user.c */
/*
 * The regions in @data, if that is a message that hands out memory, of which there
 * are *@n, or NULL if it is another message.
 */
struct region *vhost_user_regions(const struct iovec *data, unsigned int *n);
/*
 * Cuts @region to what it has in common with a part of the file, which begins at
 * *@offset. The file that the receiver gets begins with the region: *@offset and
 * *@length say where. If nothing is left, the region is one page, and *@length 0.
 */
void vhost_user_cut(struct region *region, uint64_t *offset, uint64_t *length);

#endif /* DATASPACE_PRELOAD_H */
