/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PRIVATE_H
#define _PRIVATE_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <linux/dataspace.h>

#include "range_tree.h"
#include "memory.h"
#include "lineage.h"

/* All that there are, and those flags that this version accepts */
#define DATASPACE_RIGHTS (DATASPACE_RW | DATASPACE_EXEC)
#define DATASPACE_ALLOC_FLAGS (DATASPACE_ALLOC_SCATTERED | DATASPACE_ALLOC_NODE)
#define DATASPACE_ALIAS_FLAGS DATASPACE_ALIAS_CLIP
#define DATASPACE_SEAL_FLAGS DATASPACE_SEAL_NOW

/**
 * enum seal - what a seal has taken from a dataspace, in bits
 * @SEAL_FUTURE: the right to begin to write
 * @SEAL_NOW: the right to write through areas that could, too
 * @SEAL_PENDING: whoever wants to use the memory is to wait for the lock of
 *	the backing, under which it is found out whether SEAL_NOW can be done
 */
enum seal {
	SEAL_FUTURE = 1 << 0,
	SEAL_NOW = 1 << 1,
	SEAL_PENDING = 1 << 2,
};

/**
 * enum contiguity - what is known of the physical place of a range
 * @CONTIGUITY_UNKNOWN: nobody has asked yet
 * @CONTIGUITY_ONE_RUN: its pages follow each other
 * @CONTIGUITY_SCATTERED: they do not
 */
enum contiguity {
	CONTIGUITY_UNKNOWN,
	CONTIGUITY_ONE_RUN,
	CONTIGUITY_SCATTERED,
};

/**
 * struct backing - the memory of one root and everything derived from it
 * @inode: its page cache holds the memory, at index 0 and up
 * @nr_pages: length in pages
 * @contiguous: whether the memory is one extent
 * @device: the open device that the root came from; keeps the module loaded
 * @control: serialises revoking and sealing; taken before @lock
 * @lock: protects all that follows, and every release of pages
 * @cover: which pages lie in the range of a live dataspace
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

	struct mutex control; /* revoking and sealing, see above */
	struct mutex lock; /* everything below */
	struct range_tree cover;
	struct lineage lineage;
	unsigned long *deferred;
	struct delayed_work retry;
	unsigned int retry_ms;
};

/**
 * struct dataspace - a range of a backing, with rights
 * @ref: held by the dentries of its file and of its map file
 * @backing: the memory, with a reference
 * @start: first page of the range in the backing
 * @end: page after the last one
 * @id: unique number
 * @rights: DATASPACE_READ and so on, set once
 * @alias: whether it was made by ALIAS, set once
 * @live: whether the range covers its pages
 * @revoked: whether it was revoked
 * @seal: bits of enum seal
 * @contiguity: an enum contiguity, set when somebody asks
 * @mappings: number of areas that map it, in all processes
 * @map: the file that its areas refer to, or NULL as long as there was none;
 *	set once, taken back when its own file is released
 * @cover: place in the backing's coverage, while live
 * @member: place in the backing's lineage, while live or mapped and not revoked
 * @next: the next one to be revoked, for the one who revokes
 * @wait: those who wait for the last derived dataspace to go
 * @name_lock: protects @name
 * @name: what it was named, or empty
 *
 * @live, @revoked and @seal are written under the backing's lock.
 */
struct dataspace {
	struct kref ref;
	u32 rights;
	struct backing *backing;
	unsigned long start;
	unsigned long end;
	u64 id;
	bool alias;
	bool live;
	bool revoked;
	u8 seal;
	u8 contiguity;
	atomic_t mappings;
	struct file *map;
	struct range_tree_entry cover;
	struct lineage_member member;
	struct dataspace *next;
	wait_queue_head_t wait;
	spinlock_t name_lock; /* for name */
	char name[DATASPACE_NAME_MAX];
};

/**
 * struct dataspace_op - an ioctl that has a structure as its argument
 * @cmd: DATASPACE_IOC_*
 * @min_size: size of the first version of the structure
 * @size: size of the structure as the module knows it
 * @flags: bits of enum dataspace_op_flags
 * @fn: does it, with a copy of the structure
 * @create: does it instead of @fn, and makes a dataspace, of which the caller
 *	gets a descriptor
 */
struct dataspace_op {
	unsigned int cmd;
	u32 min_size;
	u32 size;
	unsigned int flags;
	int (*fn)(struct file *file, void *arg);
	struct dataspace *(*create)(struct file *file, void *arg);
};

/**
 * enum dataspace_op_flags - flags of an ioctl
 * @DATASPACE_OP_FILLS_IN: the structure is copied back to the caller
 */
enum dataspace_op_flags {
	DATASPACE_OP_FILLS_IN = 1 << 0,
};

/* fs.c */
int dataspace_fs_init(void);
void dataspace_fs_exit(void);
struct backing *backing_create(struct file *device, unsigned long nr_pages);
struct file *dataspace_file_create(struct dataspace *ds,
				   const struct file_operations *fops);

/* backing.c */
extern const struct address_space_operations backing_aops;
int backing_fill(struct backing *backing, int node, u64 align, bool scattered);
u64 backing_limit_bytes(void);
u64 backing_in_use_bytes(void);
bool backing_has_page(struct backing *backing, unsigned long index);
bool backing_is_contiguous(struct backing *backing, unsigned long start,
			   unsigned long end);
u64 backing_limit_bytes(void);
u64 backing_in_use_bytes(void);

/* sweep.c */
void backing_release_init(struct backing *backing);
void backing_sweep(struct backing *backing, unsigned long start,
		   unsigned long end);
unsigned long backing_exclusive(struct backing *backing, unsigned long start,
				unsigned long end);

/* zap.c */
void backing_zap(struct backing *backing, unsigned long start,
		 unsigned long end);
bool folio_is_pinned(struct folio *folio);
bool backing_is_pinned(struct backing *backing, unsigned long start,
		       unsigned long end);

/* object.c */
int dataspace_init(void);
void dataspace_exit(void);
struct dataspace *dataspace_create(struct backing *backing, unsigned long start,
				   unsigned long end, u32 rights);
void dataspace_put(struct dataspace *ds);
int dataspace_link(struct dataspace *ds, struct dataspace *source);
void dataspace_unlink(struct dataspace *ds);
void dataspace_uncover(struct dataspace *ds);
void dataspace_die(struct dataspace *ds);
void dataspace_unmapped(struct dataspace *ds);

/* file.c */
long dataspace_dispatch(const struct dataspace_op *ops, struct file *file,
			unsigned int cmd, unsigned long arg);

/* io.c */
ssize_t dataspace_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t dataspace_write_iter(struct kiocb *iocb, struct iov_iter *from);

/* vm.c */
int dataspace_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long dataspace_get_unmapped_area(struct file *file, unsigned long addr,
					  unsigned long len,
					  unsigned long pgoff,
					  unsigned long flags);

/* The ioctls, each in a file of its name but for the last two of info.c */
struct dataspace *dataspace_ioctl_alloc(struct file *device, void *arg);
struct dataspace *dataspace_ioctl_alias(struct file *file, void *arg);
int dataspace_ioctl_revoke(struct file *file, void *arg);
int dataspace_ioctl_seal(struct file *file, void *arg);
int dataspace_ioctl_info(struct file *file, void *arg);
int dataspace_ioctl_set_name(struct file *file, void *arg);
int dataspace_ioctl_query(struct file *device, void *arg);
void dataspace_show_fdinfo(struct seq_file *m, struct file *file);

/* What is left of the rights; with the backing's lock held, for sure */
static inline u32 dataspace_rights(const struct dataspace *ds)
{
	return READ_ONCE(ds->seal) & SEAL_FUTURE ?
		       ds->rights & ~DATASPACE_WRITE :
		       ds->rights;
}

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

static inline struct dataspace *to_dataspace(struct lineage_member *member)
{
	return container_of(member, struct dataspace, member);
}

#endif /* _PRIVATE_H */
