// SPDX-License-Identifier: GPL-2.0-only
/*
 * Backings: the memory of a root and of everything derived from it.
 *
 * Theory of operation
 * -------------------
 *
 * A backing is an inode of a pseudo file system of our own. Its page cache
 * holds the memory, one page at the index that is its place in the root, put
 * there at once when the root is made and never again: a fault, a read or a
 * write finds a page or there is none. This is what makes get_user_pages(),
 * futexes, fork and huge mappings work without further help, and what charges
 * the memory to the memory cgroup of the creator, page by page.
 *
 * A dataspace (object.c), root or alias, is an open file with a dentry of
 * its own on that inode, and a range [start, end) of page indices. `start` is
 * inclusive and `end` exclusive throughout. The file's mode is the right to
 * write. Areas that map it refer to a second file, its map file (map.c), so
 * that the death of the descriptor is seen at once whatever is still mapped.
 *
 * A page is covered while it lies in the range of a live dataspace, which is
 * what the coverage tree (coverage.c) tells, or in an area that maps it, which
 * core knows exactly: it is in the mapping's tree of areas. Nothing else counts
 * references. When a dataspace dies or an area goes away, the pages that have
 * lost their last cover are computed from the two trees and cut out of the page
 * cache (release.c). So no count can drift, and doing it twice does no harm.
 *
 * References
 *   file of a dataspace -> its dentry -> inode (backing) and struct dataspace
 *   area (core's)       -> map file -> its dentry -> the same two
 *   dataspace           -> map file, while live
 *   backing             -> the device's file, which keeps the module loaded:
 *                          it is put when the inode is evicted, and fput()
 *                          defers the rest until that has returned
 *
 * Locks, outer to inner
 *   mmap_lock -> backing->lock -> folio lock -> i_mmap_rwsem -> i_pages' lock
 *   backing->control -> backing->lock
 *   backing->lock is a mutex that is taken to make and to end a dataspace and
 *   to release pages; faults, reads and writes do not take it. Nothing is
 *   allocated and no user memory is touched under it, except that core may
 *   allocate to split a large folio. That must not wait for memory, as a
 *   process that is killed to free some may need the lock to exit: the mapping
 *   forbids it, and a split that failed is tried again.
 *
 * A page with a memory error is taken out by core, which splits a large folio
 * first, and never comes back: to find no page where there is a cover means
 * that it was lost so. Where core can't split, as the folio is pinned, the page
 * stays, marked.
 *
 * What the size of the inode says does not matter, as long as all memory lies
 * below it; it is the same for all, so that no file operation that core answers
 * from the inode tells one holder about the rest of the memory.
 */
#include <linux/bitmap.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>

#include "kver.h"
#include "private.h"

#define DATASPACE_MAGIC 0x64617370
#define BACKING_I_SIZE BIT_ULL(62)

static unsigned long limit_mb;
module_param(limit_mb, ulong, 0644);
MODULE_PARM_DESC(limit_mb,
		 "Memory of all dataspaces together in MiB (0: no limit)");

static struct kmem_cache *backing_cache;
static struct vfsmount *backing_mnt;
static atomic_long_t pages_in_use;

static struct backing *to_backing(struct inode *inode)
{
	return container_of(inode, struct backing, inode);
}

static int backing_reserve(unsigned long nr_pages)
{
	unsigned long limit = READ_ONCE(limit_mb) << (20 - PAGE_SHIFT);

	if (atomic_long_add_return(nr_pages, &pages_in_use) <= limit || !limit)
		return 0;
	atomic_long_sub(nr_pages, &pages_in_use);
	return -ENOMEM;
}

static void backing_unreserve(unsigned long nr_pages)
{
	atomic_long_sub(nr_pages, &pages_in_use);
}

/**
 * backing_limit_bytes - tell how much memory all dataspaces together may have
 *
 * Return: bytes, or 0 if there is no limit.
 */
u64 backing_limit_bytes(void)
{
	return min_t(u64, READ_ONCE(limit_mb), U64_MAX >> 20) << 20;
}

/**
 * backing_in_use_bytes - tell how much memory all dataspaces together have
 *
 * Return: bytes, those of requests that are not served yet included.
 */
u64 backing_in_use_bytes(void)
{
	return (u64)atomic_long_read(&pages_in_use) << PAGE_SHIFT;
}

static int backing_get_in_use(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%llu\n", backing_in_use_bytes());
}

static int backing_set_in_use(const char *value, const struct kernel_param *kp)
{
	return -EPERM;
}

static const struct kernel_param_ops backing_in_use_ops = {
	.set = backing_set_in_use,
	.get = backing_get_in_use,
};

module_param_cb(in_use, &backing_in_use_ops, NULL, 0444);
MODULE_PARM_DESC(in_use, "Bytes that all dataspaces together have (read only)");

static void backing_free_folio(struct folio *folio)
{
	backing_unreserve(folio_nr_pages(folio));
	pool_notice_release(folio);
}

/* Contents, contiguity and pins are for as long as there is a cover */
static int backing_migrate_folio(struct address_space *mapping,
				 struct folio *dst, struct folio *src,
				 enum migrate_mode mode)
{
	return -EBUSY;
}

static const struct address_space_operations backing_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = backing_migrate_folio,
	.free_folio = backing_free_folio,
	.error_remove_folio = generic_error_remove_folio,
};

static int backing_getattr(struct mnt_idmap *idmap, const struct path *path,
			   struct kstat *stat, u32 request_mask,
			   unsigned int query_flags)
{
	struct dataspace *ds = path->dentry->d_fsdata;

	kver_fillattr(idmap, request_mask, d_inode(path->dentry), stat);
	stat->ino = ds->id;
	stat->size = dataspace_length(ds);
	stat->blocks = stat->size >> SECTOR_SHIFT;
	if (!(dataspace_rights(ds) & DATASPACE_WRITE))
		stat->mode &= ~0222;
	return 0;
}

static int backing_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			   struct iattr *attr)
{
	return attr->ia_valid & ATTR_SIZE ? -EINVAL : -EPERM;
}

static const struct inode_operations backing_iops = {
	.getattr = backing_getattr,
	.setattr = backing_setattr,
};

/* Core expects the name at the end of the buffer */
static char *backing_dname(struct dentry *dentry, char *buffer, int len)
{
	struct dataspace *ds = dentry->d_fsdata;
	char name[32];
	int size = snprintf(name, sizeof(name), "/dataspace:%llu", ds->id) + 1;

	if (size > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + len - size, name, size);
}

static void backing_d_release(struct dentry *dentry)
{
	if (dentry->d_fsdata)
		dataspace_put(dentry->d_fsdata);
}

static const struct dentry_operations backing_dops = {
	.d_dname = backing_dname,
	.d_release = backing_d_release,
};

static void backing_init_once(void *object)
{
	struct backing *backing = object;

	inode_init_once(&backing->inode);
}

static struct inode *backing_alloc_inode(struct super_block *sb)
{
	struct backing *backing = alloc_inode_sb(sb, backing_cache, GFP_KERNEL);

	if (!backing)
		return NULL;
	backing->nr_pages = 0;
	backing->contiguous = false;
	backing->device = NULL;
	backing->deferred = NULL;
	mutex_init(&backing->control);
	mutex_init(&backing->lock);
	backing->coverage.root = RB_ROOT;
	backing->lineage.root = RB_ROOT;
	backing_release_init(backing);
	return &backing->inode;
}

static void backing_free_inode(struct inode *inode)
{
	kmem_cache_free(backing_cache, to_backing(inode));
}

static void backing_evict_inode(struct inode *inode)
{
	struct backing *backing = to_backing(inode);

	cancel_delayed_work_sync(&backing->retry);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	bitmap_free(backing->deferred);
	if (backing->device)
		fput(backing->device);
}

static const struct super_operations backing_sops = {
	.alloc_inode = backing_alloc_inode,
	.free_inode = backing_free_inode,
	.evict_inode = backing_evict_inode,
	.statfs = simple_statfs,
};

/* Whether memory can be executed is a right of each dataspace */
static int backing_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, DATASPACE_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &backing_sops;
	ctx->dops = &backing_dops;
	fc->s_iflags |= SB_I_NODEV;
	fc->s_iflags &= ~SB_I_NOEXEC;
	return 0;
}

static struct file_system_type backing_fs_type = {
	.name = "dataspace",
	.init_fs_context = backing_init_fs_context,
	.kill_sb = kill_anon_super,
};

/* The inode's operations stay what core makes of it: it can't be opened */
static void backing_init_inode(struct inode *inode)
{
	struct address_space *mapping = inode->i_mapping;

	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0600;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	inode->i_op = &backing_iops;
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	i_size_write(inode, BACKING_I_SIZE);
	clear_nlink(inode);
	mapping->a_ops = &backing_aops;
	mapping_set_gfp_mask(mapping,
			     GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	mapping_set_large_folios(mapping);
	mapping_set_unevictable(mapping);
	mapping_set_inaccessible(mapping);
}

/*
 * Core keeps a reference to a single page that was just added until a batch of
 * them is full on this CPU, or a compound page is added; releasing any batch
 * sends it off. Without this a page could come back to the kernel later than it
 * is released.
 */
static void backing_drain_added(struct folio *folio)
{
	struct folio_batch batch;

	folio_batch_init(&batch);
	folio_get(folio);
	folio_batch_add(&batch, folio);
	folio_batch_release(&batch);
}

/* The page cache takes over the reference; dirty, core never drops a folio */
static int backing_add_folio(struct address_space *mapping, struct folio *folio,
			     unsigned long index)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	int ret = filemap_add_folio(mapping, folio, index, gfp);

	if (ret)
		return ret;
	folio_mark_uptodate(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/* Hand an extent over to the page cache; on failure nothing is left of it */
static int backing_add_extent(struct backing *backing, struct extent *extent,
			      unsigned long index)
{
	struct folio *folio = NULL;
	unsigned long i = 0;
	int ret = 0;

	migrate_disable();
	while (i < extent->nr_pages) {
		folio = extent_folio(extent, i);
		ret = backing_add_folio(backing->inode.i_mapping, folio,
					index + i);
		if (ret)
			break;
		i += folio_nr_pages(folio);
		cond_resched();
	}
	if (i && !folio_test_large(folio))
		backing_drain_added(folio);
	migrate_enable();
	if (ret)
		extent_free(extent, i);
	backing_unreserve(extent->nr_pages - i);
	return ret;
}

static int backing_fill_contiguous(struct backing *backing,
				   const struct extent_request *request)
{
	struct extent extent;
	int ret = extent_alloc(&extent, request);

	if (ret) {
		backing_unreserve(request->nr_pages);
		return ret;
	}
	return backing_add_extent(backing, &extent, 0);
}

/* A compound page lies at a multiple of its size */
static unsigned long backing_largest_piece(unsigned long index,
					   unsigned long left)
{
	unsigned long limit = index ? BIT(__ffs(index)) : LARGE_FOLIO_PAGES;

	return rounddown_pow_of_two(min3(left, limit, LARGE_FOLIO_PAGES));
}

/*
 * Rather than to take the last page and leave everybody else without, refuse
 * what can't be there. Extents may turn out to be adjacent.
 */
static int backing_fill_scattered(struct backing *backing,
				  struct extent_request *request)
{
	unsigned long left = request->nr_pages;
	unsigned long index = 0;
	unsigned long pfn = 0;
	int ret = 0;

	if (left > si_mem_available())
		ret = -ENOMEM;
	while (!ret && left) {
		struct extent extent;

		request->nr_pages = backing_largest_piece(index, left);
		ret = fatal_signal_pending(current) ?
			      -EINTR :
			      extent_alloc_scattered(&extent, request);
		if (ret)
			break;
		left -= extent.nr_pages;
		backing->contiguous &= !index || extent.pfn == pfn;
		pfn = extent.pfn + extent.nr_pages;
		ret = backing_add_extent(backing, &extent, index);
		index += extent.nr_pages;
		cond_resched();
	}
	backing_unreserve(left);
	return ret;
}

static int backing_fill(struct backing *backing, int node, u64 align,
			bool scattered)
{
	struct extent_request request = {
		.nr_pages = backing->nr_pages,
		.align = max_t(u64, align >> PAGE_SHIFT, 1),
		.node = node,
	};
	int ret;

	if (!align)
		request.align = min(roundup_pow_of_two(backing->nr_pages),
				    LARGE_FOLIO_PAGES);
	ret = backing_reserve(backing->nr_pages);
	if (ret)
		return ret;
	return scattered ? backing_fill_scattered(backing, &request) :
			   backing_fill_contiguous(backing, &request);
}

static int backing_alloc_deferred(struct backing *backing)
{
	unsigned long bits = DIV_ROUND_UP(backing->nr_pages, LARGE_FOLIO_PAGES);

	backing->deferred = bitmap_zalloc(bits, GFP_KERNEL_ACCOUNT);
	return backing->deferred ? 0 : -ENOMEM;
}

/**
 * backing_alloc - allocate memory
 * @device: the open device on which it is asked for
 * @nr_pages: length in pages, not 0
 * @node: NUMA node to take it from, or NUMA_NO_NODE
 * @align: physical alignment in bytes, a power of two, or 0 for natural
 * @scattered: whether several extents will do
 *
 * Return: a backing with a reference for the caller, all of it zero and charged
 * to the caller's memory cgroup, or ERR_PTR() of -ENOMEM, or of -EINTR if a
 * fatal signal is pending.
 */
struct backing *backing_alloc(struct file *device, u64 nr_pages, int node,
			      u64 align, bool scattered)
{
	struct inode *inode = new_inode(backing_mnt->mnt_sb);
	struct backing *backing;
	int ret;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	backing_init_inode(inode);
	backing = to_backing(inode);
	backing->device = get_file(device);
	backing->nr_pages = nr_pages;
	backing->contiguous = true;
	ret = backing_alloc_deferred(backing);
	if (!ret)
		ret = backing_fill(backing, node, align, scattered);
	if (!ret)
		return backing;
	iput(inode);
	return ERR_PTR(ret);
}

/**
 * backing_put - drop a reference to a backing
 * @backing: the backing; with the last reference go its pages
 */
void backing_put(struct backing *backing)
{
	iput(&backing->inode);
}

/**
 * backing_has_page - look for a page, and be sure
 * @backing: the backing
 * @index: index of the page
 *
 * A lookup without the lock can miss a page of a large folio that is being split
 * and of which a part goes: it may have been on its way through that part.
 *
 * Return: whether the page is there.
 */
bool backing_has_page(struct backing *backing, unsigned long index)
{
	struct address_space *mapping = backing->inode.i_mapping;
	bool found;

	xa_lock_irq(&mapping->i_pages);
	found = xa_load(&mapping->i_pages, index);
	xa_unlock_irq(&mapping->i_pages);
	return found;
}

/**
 * backing_open - make a file of a dataspace
 * @backing: the backing
 * @ds: the dataspace; the dentry takes a reference of its own
 * @fops: what can be done with the file
 *
 * The file can write only if the dataspace has the right to.
 *
 * Return: the file or ERR_PTR().
 */
struct file *backing_open(struct backing *backing, struct dataspace *ds,
			  const struct file_operations *fops)
{
	int flags = ds->rights & DATASPACE_WRITE ? O_RDWR : O_RDONLY;
	struct file *file;

	ihold(&backing->inode);
	file = alloc_file_pseudo(&backing->inode, backing_mnt, "dataspace",
				 flags, fops);
	if (IS_ERR(file)) {
		iput(&backing->inode);
		return file;
	}
	kref_get(&ds->ref);
	file->f_path.dentry->d_fsdata = ds;
	return file;
}

int __init backing_init(void)
{
	backing_cache = kmem_cache_create("dataspace_backing",
					  sizeof(struct backing), 0,
					  SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					  backing_init_once);
	if (!backing_cache)
		return -ENOMEM;
	backing_mnt = kern_mount(&backing_fs_type);
	if (!IS_ERR(backing_mnt))
		return 0;
	rcu_barrier(); /* a part of it may have been there, and be freed yet */
	kmem_cache_destroy(backing_cache);
	return PTR_ERR(backing_mnt);
}

void backing_exit(void)
{
	kern_unmount(backing_mnt);
	rcu_barrier();
	kmem_cache_destroy(backing_cache);
}
