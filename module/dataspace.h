/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _DATASPACE_H
#define _DATASPACE_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <linux/dataspace.h>

#include "coverage.h"
#include "extent.h"
#include "lineage.h"

#define DATASPACE_RIGHTS (DATASPACE_READ | DATASPACE_WRITE | DATASPACE_EXEC)

/**
 * struct backing - the memory of one root and everything derived from it
 * @inode: its page cache holds the memory, at index 0 and up
 * @nr_pages: length in pages
 * @contiguous: whether the memory is one extent
 * @device: the open device that the root came from; keeps the module loaded
 * @lock: protects all that follows, and every release of pages
 * @coverage: which pages lie in the range of a live dataspace
 * @lineage: all dataspaces that are live or mapped
 * @deferred: one bit for each chunk that holds pages to be released which were
 *	pinned when that was tried
 * @retry: tries again to release what is in @deferred
 * @retry_ms: milliseconds from now to the next try
 */
struct backing {
	struct inode inode;
	unsigned long nr_pages;
	bool contiguous;
	struct file *device;

	struct mutex lock;
	struct coverage coverage;
	struct lineage lineage;
	unsigned long *deferred;
	struct delayed_work retry;
	unsigned int retry_ms;
};

/**
 * struct dataspace - a range of a backing, with rights
 * @ref: held by the dentries of its file and of its map file
 * @backing: the memory; there as long as one of the two dentries is
 * @start: first page of the range in the backing
 * @end: page after the last one
 * @id: unique number
 * @rights: bits of enum dataspace_rights, set once
 * @state: bits of enum dataspace_state, set once
 * @live: whether the range covers its pages; written under the backing's lock
 * @mappings: number of areas that map it, in all processes
 * @map: the file that its areas refer to, or NULL as long as there was none;
 *	set once, taken back when the dataspace dies
 * @cover: place in the backing's coverage, while live
 * @member: place in the backing's lineage, while live or mapped
 */
struct dataspace {
	struct kref ref;
	struct backing *backing;
	unsigned long start;
	unsigned long end;
	u64 id;
	u32 rights;
	u32 state;
	bool live;
	atomic_t mappings;
	struct file *map;
	struct coverage_range cover;
	struct lineage_member member;
};

/* backing.c */
int backing_init(void);
void backing_exit(void);
struct backing *backing_alloc(struct file *device, u64 nr_pages, int node,
			      u64 align, bool scattered);
void backing_put(struct backing *backing);
struct file *backing_open(struct backing *backing, struct dataspace *ds,
			  const struct file_operations *fops);

/* release.c */
void backing_release_init(struct backing *backing);
void backing_sweep(struct backing *backing, unsigned long start,
		   unsigned long end);
unsigned long backing_measure(struct backing *backing, int level,
			      unsigned long start, unsigned long end);

/* object.c */
int dataspace_init(void);
void dataspace_exit(void);
struct dataspace *dataspace_alloc(struct backing *backing, unsigned long start,
				  unsigned long end, u32 rights);
void dataspace_put(struct dataspace *ds);
int dataspace_link(struct dataspace *ds, struct dataspace *source);
void dataspace_die(struct dataspace *ds);
void dataspace_unmapped(struct dataspace *ds);

/* file.c */
struct file *dataspace_open(struct dataspace *ds);
int dataspace_publish(struct dataspace *ds, struct dataspace *source);

/* io.c */
ssize_t dataspace_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t dataspace_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* map.c */
int dataspace_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long dataspace_get_unmapped_area(struct file *file, unsigned long addr,
					  unsigned long len,
					  unsigned long pgoff,
					  unsigned long flags);

/* ioctls, one file each */
long alloc_ioctl(struct file *device, void __user *arg);
long alias_ioctl(struct dataspace *source, void __user *arg);
long info_ioctl(struct dataspace *ds, void __user *arg);
int ioctl_get(void *arg, size_t size, const void __user *from);

static inline unsigned long dataspace_nr_pages(const struct dataspace *ds)
{
	return ds->end - ds->start;
}

static inline loff_t dataspace_length(const struct dataspace *ds)
{
	return (loff_t)dataspace_nr_pages(ds) << PAGE_SHIFT;
}

static inline struct dataspace *dataspace_of(const struct file *file)
{
	return file->private_data;
}

#endif /* _DATASPACE_H */
