/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _PRIVATE_H
#define _PRIVATE_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <linux/dataspace.h>

#include "range_tree.h"
#include "memory.h"
#include "lineage.h"

/* All that there are, and those flags that this version accepts */
#define DATASPACE_RIGHTS (DATASPACE_RW | DATASPACE_EXEC)
#define DATASPACE_ALLOC_FLAGS                               \
	(DATASPACE_ALLOC_SCATTERED | DATASPACE_ALLOC_NODE | \
	 DATASPACE_ALLOC_LAZY | DATASPACE_ALLOC_CHARGE_OPENER)
#define DATASPACE_ALIAS_FLAGS DATASPACE_ALIAS_CLIP
#define DATASPACE_SEAL_FLAGS DATASPACE_SEAL_NOW
#define DATASPACE_EXPORT_FLAGS DATASPACE_EXPORT_REVOCABLE

/*
 * For what a root or an alias consists of: a memory cgroup at its limit, which may
 * not be that of the caller, is an error, and nobody is killed for it.
 */
#define DATASPACE_GFP (GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* How many dataspaces or mappings are dealt with in one go under a lock */
#define DATASPACE_BATCH 64

/**
 * enum seal - what a seal has taken from a dataspace, in bits
 * @SEAL_FUTURE: the right to begin to write
 * @SEAL_NOW: the right to write through mappings that had it, too
 * @SEAL_DONE: nothing more, but it is known that SEAL_FUTURE is set in all that is
 *	derived, and that nobody writes who has begun before
 */
enum seal {
	SEAL_FUTURE = 1 << 0,
	SEAL_NOW = 1 << 1,
	SEAL_DONE = 1 << 2,
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
 * @inode: its page cache holds the memory
 * @start: index of the first page. Index 0 is left empty: perf looks for a build id at
 *	the beginning of the file of a VMA, which must not be memory that the owner of
 *	the VMA has no right to. It is as aligned as the memory, as large folios have to
 *	be, and as low as that allows: the page cache has fewer levels then.
 * @nr_pages: length in pages
 * @contiguous: whether the memory is one extent
 * @lazy: whether pages appear when they are touched first
 * @node: NUMA node that those come from, or NUMA_NO_NODE
 * @payer: memory cgroup that those are charged to, which @device refers to; or
 *	NULL for that of who touches them
 * @lost: indices of pages that a memory error has taken, while they are not there
 * @uid: who made the root
 * @gid: group of who made it
 * @device: the open device that the root came from; keeps the module loaded
 * @registered: place among all backings
 * @serial: number, in the order in which they were made
 * @walk_turn: whose turn it is to go on with a walk; taken before @lock
 * @lock: a leaf, held for O(log n) at a time; protects all that follows, and in
 *	dataspaces and mappings what is said there
 * @cover: how many live dataspaces and mappings cover each page
 * @lineage: all dataspaces that are live, mapped, or revoked and in use
 * @device_starts: for each device mapping a range from its first page to the end
 * @device_ends: the same from the page after its last one
 * @walks: those who go through a part of @lineage, in the order of their roots
 * @arriving: one of @walks that has not begun, as it has yet to displace others
 * @readers: those who read about all dataspaces and have come to this backing
 * @nr_exports: how many dma-bufs there are of it
 * @revoked: dataspaces that are marked as revoked, for @revoke_work
 * @flushing: those of them that are unmapped but may be in use by TLB entries
 *	that are about to be flushed; only for @revoke_work
 * @revoke_work: cuts off the holders of what was revoked; holds the inode
 * @wait: for an end of a revocation or of a SEAL_NOW
 * @deferred: one bit for each %LARGE_FOLIO_PAGES that hold pages to be released which
 *	were pinned when that was tried
 * @tries: for each bit of @deferred how often that was tried, and whether it is being
 *	tried; written by @retry
 * @looking: for each %LARGE_FOLIO_PAGES of lazy memory how many look for pins there
 * @retry_slow: when those of @deferred that were tried often are next, in jiffies
 * @retry_at: when @retry runs, if it is pending, in jiffies
 * @retry_begun: whether @retry has marked what it is going to try
 * @retry_rcu: the grace period after which nobody copies to lazy memory there any more
 * @retry: tries again to release what is in @deferred; holds the inode
 */
struct backing {
	struct inode inode;
	unsigned long start;
	unsigned long nr_pages;
	bool contiguous;
	bool lazy;
	int node;
	struct mem_cgroup *payer;
	struct xarray lost;
	kuid_t uid;
	kgid_t gid;
	struct file *device;
	struct rb_node registered;
	u64 serial;

	spinlock_t walk_turn; /* turns only */
	spinlock_t lock; /* everything below, see above */
	struct range_tree cover;
	struct lineage lineage;
	struct range_tree device_starts;
	struct range_tree device_ends;
	struct rb_root walks;
	struct dataspace_walk *arriving;
	struct list_head readers;
	u32 nr_exports;
	struct list_head revoked;
	struct list_head flushing;
	struct delayed_work revoke_work;
	wait_queue_head_t wait;

	unsigned long *deferred;
	u8 *tries;
	atomic_t *looking;
	unsigned long retry_slow;
	unsigned long retry_at;
	bool retry_begun;
	unsigned long retry_rcu;
	struct delayed_work retry;
};

/**
 * struct dataspace_sealing - a SEAL that is on its way
 * @root: the dataspace that it was called for
 * @set: bits of enum seal to set
 * @blocked: whether a SEAL_NOW of an ancestor, or of the same dataspace, goes on
 * @decided: whether what it has marked will be sealed
 * @nr_marked: how many dataspaces it has marked; it stays as long as there are any
 *
 * All but @root and @set is under the backing's lock.
 */
struct dataspace_sealing {
	struct dataspace *root;
	u8 set;
	bool blocked;
	bool decided;
	u32 nr_marked;
};

/**
 * struct dataspace - a range of a backing, with rights
 * @ref: held by the dentries of its file and of its VMA file, and by those who
 *	revoke it or wake its pollers
 * @backing: the memory, with a reference
 * @start: first page of the range, as an index of the page cache
 * @end: page after the last one
 * @serial: number, in the order in which they were made
 * @created: when it was made
 * @creator: process that made it
 * @creator_name: name of the thread that made it
 * @rights: DATASPACE_READ and so on, set once
 * @alias: whether it was made by ALIAS, set once
 * @contiguity: an enum contiguity, set when somebody asks
 * @live: whether it lives: its file is open and it is not revoked
 * @covers: whether it covers its range
 * @linked: whether it is in the backing's lineage
 * @next_in_walk: whether a walk that has let others have the lock comes to it next
 * @revoked: whether it was revoked
 * @unmapped: whether all that was mapped when it was revoked was unmapped since
 * @seal: bits of enum seal
 * @seal_pending: the SEAL_NOW that is being decided; whoever wants to use the
 *	memory waits until this is NULL
 * @nr_mappings: length of @mappings
 * @nr_sharing_cover: how many of them need @cover
 * @mappings: all VMAs that map it
 * @nr_exports_busy: how many dma-bufs devices may have it by after it was revoked
 * @exports: its dma-bufs
 * @vma_file: the file that its VMAs refer to, or NULL as long as there was none;
 *	set once, taken back when its own file is released
 * @cover: place in the backing's range tree, while it or a mapping needs that
 * @member: place in the backing's lineage, while @linked
 * @revoked_node: place in a list of revoked dataspaces
 * @wait: those who poll
 * @name_lock: protects @name
 * @name: what it was named, or empty
 *
 * From @live to @exports, and lists and trees: written under the backing's lock.
 * Those who use the memory read @revoked, @seal and @seal_pending without.
 */
struct dataspace {
	struct kref ref;
	u32 rights;
	struct backing *backing;
	unsigned long start;
	unsigned long end;
	u64 serial;
	ktime_t created;
	pid_t creator;
	char creator_name[TASK_COMM_LEN];
	bool alias;
	u8 contiguity;
	bool live;
	bool covers;
	bool linked : 1;
	bool next_in_walk : 1;
	bool revoked;
	bool unmapped;
	u8 seal;
	u32 nr_mappings;
	u32 nr_sharing_cover;
	u32 nr_exports_busy;
	struct dataspace_sealing *seal_pending;
	struct list_head mappings;
	struct list_head exports;
	struct file *vma_file;
	struct range_tree_entry cover;
	struct lineage_member member;
	struct list_head revoked_node;
	wait_queue_head_t wait;
	spinlock_t name_lock; /* for name */
	char name[DATASPACE_NAME_MAX];
};

/**
 * struct dataspace_mapping - a VMA that maps a dataspace
 * @cover: what of it covers pages, while @covers and not @shares_cover
 * @node: place in the list of the dataspace; those whose turn is over in whatever
 *	goes through that list are at its end
 * @ds: the dataspace
 * @vma: the VMA
 * @origin: the mapping that this one is a copy of; only valid until the mmap_lock
 *	is released that was held for making it
 * @covers: whether it covers what it maps
 * @shares_cover: whether that is by way of the cover of the dataspace
 * @flushed: whether TLB entries from before its dataspace was revoked are gone
 * @write_protected: whether the VMA was told of SEAL_NOW
 */
struct dataspace_mapping {
	struct range_tree_entry cover;
	struct list_head node;
	struct dataspace *ds;
	struct vm_area_struct *vma;
	struct dataspace_mapping *origin;
	bool covers;
	bool shares_cover;
	bool flushed;
	bool write_protected;
};

/**
 * enum dataspace_walk_flags - flags of a walk
 * @DATASPACE_WALK_KILLABLE: it may fail with -EINTR until it has begun; later it is
 *	brought to its end in any case
 * @DATASPACE_WALK_ROOT_LAST: it comes to the dataspace where it began after all that
 *	is derived from that
 */
enum dataspace_walk_flags {
	DATASPACE_WALK_KILLABLE = 1 << 0,
	DATASPACE_WALK_ROOT_LAST = 1 << 1,
};

typedef bool (*dataspace_visit_t)(struct dataspace *ds, void *arg);

/**
 * struct dataspace_walk - a pass through a dataspace and all derived from it
 * @node: place among the walks of the backing, or empty
 * @root: where it begins
 * @visit: what is called for each dataspace
 * @arg: for @visit
 * @next: what it comes to next; NULL at the end, and before it has begun
 * @root_last: whether it comes to @root at the end
 * @begun: whether it has begun, maybe not for the first time
 * @done: whether it has come to its end
 */
struct dataspace_walk {
	struct rb_node node;
	struct dataspace *root;
	dataspace_visit_t visit;
	void *arg;
	struct lineage_member *next;
	bool root_last;
	bool begun;
	bool done;
};

/**
 * struct backing_reader - a pass through the dataspaces of all backings
 * @backing: where it has come to, or NULL
 * @serial: that one's number, or where to look for the next one
 * @last: number of the last backing that there was when it began
 * @newest: number of the last dataspace that there was then
 * @node: place in the list of @backing
 * @cursor: place in the lineage of @backing
 *
 * @backing and @node are under the lock of the registry (registry.c), @node and
 * @cursor under the backing's.
 */
struct backing_reader {
	struct backing *backing;
	u64 serial;
	u64 last;
	u64 newest;
	struct list_head node;
	struct lineage_cursor cursor;
};

typedef void (*backing_range_t)(struct backing *backing, unsigned long start,
				unsigned long end);

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

/* registry.c */
void backing_register(struct backing *backing);
void backing_unregister(struct backing *backing);
void backing_reader_rewind(struct backing_reader *reader);
void backing_reader_end(struct backing_reader *reader);
struct dataspace *backing_reader_get(struct backing_reader *reader, u32 *depth);
void backing_reader_pass(struct backing_reader *reader, struct dataspace *ds);

/* debugfs.c */
void dataspace_debugfs_init(void);
void dataspace_debugfs_exit(void);

/* backing.c */
extern const struct address_space_operations backing_aops;
int backing_fill(struct backing *backing, int node, u64 align, bool scattered);
u64 backing_limit_bytes(void);
u64 backing_in_use_bytes(void);
int backing_fill_hole(struct backing *backing, unsigned long index,
		      unsigned long nr_pages);
int backing_check_fill(struct backing *backing, unsigned long nr_pages);
bool backing_has_lost(struct backing *backing, unsigned long start,
		      unsigned long end);
void backing_forget_lost(struct backing *backing, unsigned long start,
			 unsigned long end);
bool backing_has_page(struct backing *backing, unsigned long index);
bool backing_next_present(struct backing *backing, unsigned long *start,
			  unsigned long *end);
unsigned long backing_resident(struct backing *backing, unsigned long start,
			       unsigned long end);
bool backing_is_contiguous(struct backing *backing, unsigned long start,
			   unsigned long end);
void backing_look_begin(struct backing *backing, unsigned long start,
			unsigned long end);
void backing_look_end(struct backing *backing, unsigned long start,
		      unsigned long end);
void backing_let_look(const struct backing *backing, unsigned long index);

/* sweep.c */
int backing_sweep_init(void);
void backing_sweep_exit(void);
int backing_sweep_prepare(struct backing *backing);
void backing_sweep_finish(struct backing *backing);
void backing_sweep(struct backing *backing, unsigned long start,
		   unsigned long end);
void backing_punch(struct backing *backing, unsigned long start,
		   unsigned long end);
unsigned long backing_exclusive(struct backing *backing, unsigned long start,
				unsigned long end);

/* zap.c */
void backing_grace_period(void);
unsigned long backing_grace_period_begin(void);
int backing_extra_refs(struct folio *folio);
void backing_drain_cpus(void);
void backing_mark_linked(struct backing *backing, unsigned long start,
			 unsigned long end);
void backing_zap(struct backing *backing, unsigned long start,
		 unsigned long end);
bool backing_seems_pinned(struct backing *backing, unsigned long start,
			  unsigned long end);
bool backing_unmap_and_test_pin(struct backing *backing, unsigned long start,
				unsigned long end);

/* id.c */
u64 dataspace_id(const struct dataspace *ds);
u64 dataspace_new_serial(void);
u64 dataspace_newest(void);
void dataspace_id_init(void);

/* object.c */
int dataspace_init(void);
void dataspace_exit(void);
struct dataspace *dataspace_create(struct backing *backing, unsigned long start,
				   unsigned long end, u32 rights);
void dataspace_put(struct dataspace *ds);
void dataspace_get_name(struct dataspace *ds, char *name);
int dataspace_link(struct dataspace *ds, struct dataspace *source);
struct dataspace *dataspace_unlink(struct dataspace *ds);
struct dataspace *dataspace_unlink_deferred(struct dataspace *ds);
void dataspace_wake_childless(struct dataspace *ds);
void dataspace_close_last(struct dataspace *ds);

/* mapping.c */
int dataspace_mapping_init(void);
void dataspace_mapping_exit(void);
struct dataspace_mapping *dataspace_mapping_create(gfp_t gfp);
void dataspace_mapping_destroy(struct dataspace_mapping *mapping);
int dataspace_mapping_add(struct dataspace_mapping *mapping,
			  struct dataspace *ds, struct vm_area_struct *vma);
void dataspace_mapping_copy(struct dataspace_mapping *mapping,
			    struct vm_area_struct *vma);
void dataspace_mapping_remove(struct dataspace_mapping *mapping);

/* walk.c */
int dataspace_walk(struct dataspace *root, dataspace_visit_t visit, void *arg,
		   unsigned int flags);
bool dataspace_walk_comes_to(const struct dataspace *ds);
void dataspace_walk_help(struct dataspace *ds);
void dataspace_walk_skip(struct dataspace *ds);

/* lazy.c */
int dataspace_lazy_fill_hole(struct dataspace *ds, unsigned long start,
			     unsigned long end, unsigned long index);
int dataspace_lazy_fill(struct dataspace *ds, loff_t offset, loff_t length);
int dataspace_lazy_punch(struct dataspace *ds, loff_t offset, loff_t length);
int dataspace_lazy_wait_for_punches(struct dataspace *ds);
loff_t dataspace_lazy_seek(const struct dataspace *ds, loff_t offset,
			   int whence);

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

void dataspace_vm_write_protect(struct vm_area_struct *vma);

/* dmabuf.c */
int dataspace_dmabuf_init(void);
void dataspace_dmabuf_exit(void);
u64 dataspace_count_devices(struct dataspace *ds);
void dataspace_revoke_exports(struct dataspace *ds);

/*
 * The ioctls, each in a file of its name but for the last two of info.c, and
 * EXPORT_DMABUF in dmabuf.c
 */
struct dataspace *dataspace_ioctl_alloc(struct file *device, void *arg);
struct dataspace *dataspace_ioctl_alias(struct file *file, void *arg);
int dataspace_ioctl_revoke(struct file *file, void *arg);
int dataspace_revoke_init(void);
void dataspace_revoke_exit(void);
void dataspace_revoke_prepare(struct backing *backing);
int dataspace_ioctl_seal(struct file *file, void *arg);
int dataspace_ioctl_export_dmabuf(struct file *file, void *arg);
int dataspace_ioctl_info(struct file *file, void *arg);
int dataspace_ioctl_set_name(struct file *file, void *arg);
int dataspace_ioctl_query(struct file *device, void *arg);
void dataspace_get_info(struct dataspace *ds, struct dataspace_info *info);
void dataspace_show_rights(struct seq_file *m, u32 rights, char separator);
void dataspace_show_state(struct seq_file *m, u32 state, char separator);
void dataspace_show_fdinfo(struct seq_file *m, struct file *file);

/* Whether a memory error has hit a page of a folio */
static inline bool folio_has_lost_page(struct folio *folio)
{
	return folio_test_large(folio) ? folio_test_has_hwpoisoned(folio) :
					 folio_test_hwpoison(folio);
}

/* What is left of the rights; with the backing's lock held, for sure */
static inline u32 dataspace_rights(const struct dataspace *ds)
{
	return READ_ONCE(ds->seal) & SEAL_FUTURE ?
		       ds->rights & ~DATASPACE_WRITE :
		       ds->rights;
}

/* Let a dataspace wait for a SEAL_NOW to be decided, or for none */
static inline void dataspace_set_seal_pending(struct dataspace *ds,
					      struct dataspace_sealing *sealing)
{
	struct dataspace_sealing *before = ds->seal_pending;

	lockdep_assert_held(&ds->backing->lock);
	WRITE_ONCE(ds->seal_pending, sealing);
	if (sealing)
		WRITE_ONCE(sealing->nr_marked, sealing->nr_marked + 1);
	if (before)
		WRITE_ONCE(before->nr_marked, before->nr_marked - 1);
}

/* Whether its range is in the backing's range tree */
static inline bool dataspace_is_covered(const struct dataspace *ds)
{
	return ds->covers || ds->nr_sharing_cover;
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

/* Those whose turn is over are at the end of the list */
static inline struct dataspace_mapping *
dataspace_first_mapping(struct dataspace *ds)
{
	return list_first_entry_or_null(&ds->mappings, struct dataspace_mapping,
					node);
}

static inline struct dataspace *to_dataspace(struct lineage_member *member)
{
	return container_of(member, struct dataspace, member);
}

#endif /* _PRIVATE_H */
