/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the benchmark share. A subject is some work that is
 * measured at some sizes for some kinds of objects; a kind is the dataspace or
 * one of its peers. Time is what is measured; in the guest that bench.sh boots,
 * each instruction takes a nanosecond.
 */
#ifndef DATASPACE_BENCH_H
#define DATASPACE_BENCH_H

#include "common.h"

#define KIB 1024UL
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

#define MAX_WORKS 4
#define MAX_SAMPLES 9

/* Sampling ends after this time. */
#define ENOUGH_NS 150000000

/* Why there is no figure, besides errors of the kernel. */
#define NO_SUCH_WORK (-EOPNOTSUPP)
#define TAKES_TOO_LONG (-ETIME)

/**
 * struct kind - one kind of object that stands for memory, or just for itself
 * @name: as in the table
 * @unit: the smallest size
 * @prot: how it can be mapped, 0 if not at all
 * @source: makes what handles are made from, or NULL if from nothing
 * @handle: makes one more handle on the whole of a source of that size
 * @part: makes one on a part that depends on a number, or NULL if it can't
 * @object: makes one that has all its memory
 * @enter: prepares the system for this kind
 * @leave: undoes that
 *
 * Those that make something return a descriptor or -errno. All may be NULL.
 */
struct kind {
	const char *name;
	size_t unit;
	int prot;
	int (*source)(size_t size);
	int (*handle)(int source, size_t size);
	int (*part)(int source, size_t size, size_t number);
	int (*object)(size_t size);
	void (*enter)(void);
	void (*leave)(void);
};

extern const struct kind dataspace, scattered, eventfd_kind, dup_kind;
extern const struct kind ready, lazy, exported, empty_memfd, empty_thp;
extern const struct kind memfd, memfd_ro, hugetlb, shmem_thp, udmabuf, dma_heap;
/* Not an object: what is done at once for dataspaces is done one by one. */
extern const struct kind one_by_one;

/**
 * struct subject - work that is measured
 * @works: one name for each figure that @cost finds
 * @peer: name of the kind that the ratio refers to; or several with slashes in
 *	between, of which the first one that has a figure counts
 * @sizes: in bytes, or a number of objects, up to a 0
 * @kinds: what is compared, up to a NULL
 * @cost: finds the figures; returns 0 or -errno if there are none. A figure
 *	that is below 0 is an -errno, too.
 */
struct subject {
	const char *works[MAX_WORKS];
	const char *peer;
	const size_t *sizes;
	const struct kind *const *kinds;
	int (*cost)(const struct kind *kind, size_t size, long long *costs);
};

extern const struct subject handle_subject, alloc_subject, map_subject;
extern const struct subject export_subject, device_subject;
extern const struct subject fork_subject, io_subject, send_subject;
extern const struct subject scale_subject, million_subject, close_subject;
extern const struct subject revoke_subject, revoke_many_subject;
extern const struct subject poll_subject, memory_subject, ready_subject;
extern const struct subject lazy_all_subject, lazy_few_subject;
extern const struct subject lazy_punch_subject;

/* measure.c */
struct samples {
	int count;
	long long values[MAX_SAMPLES];
};

struct job {
	const struct kind *kind;
	size_t size;
	int fd;
	char *map;
};

long long now(void);
void samples_add(struct samples *samples, long long value);
long long samples_median(struct samples *samples);
long long repeat(int (*go)(const struct job *job), const struct job *job);

/* kinds.c */
int new_source(const struct kind *kind, size_t size);
int new_object(const struct kind *kind, size_t size);

/* memfd.c */
int memfd_with_memory(size_t size);
void write_file(const char *path, const char *text);

/* live.c */
int live_open(const struct kind *kind, int source, size_t size, size_t number);
void live_close(int first, size_t number);

#endif
