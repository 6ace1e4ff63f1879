// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file system of the module: inodes that hold memory, and files on them.
 *
 * An inode (struct backing) holds the memory of one root and of everything
 * derived from it, in its page cache. Each dataspace has two files on that
 * inode, each with a dentry of its own: one that its descriptors refer to
 * (file.c), and one that the VMAs refer to that map it (vm.c). An inode can't
 * be opened: its files are made here and nowhere else.
 *
 * As all these files share the inode, whatever the VFS answers from the inode is
 * overridden here: one holder learns nothing about another. What the size of the
 * inode says does not matter, as long as all memory lies below it; it is the
 * same for all.
 */
#include <linux/blk_types.h>
#include <linux/file.h>
#include <linux/fs_context.h>
#include <linux/log2.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/string.h>

#include "kver.h"
#include "private.h"

#define DATASPACE_INODE_SIZE BIT_ULL(62)

static struct kmem_cache *dataspace_inode_cache;
static struct vfsmount *dataspace_mnt;

static struct backing *to_backing(struct inode *inode)
{
	return container_of(inode, struct backing, inode);
}

/*
 * can_do_mincore() and can_do_file_pageout() let the owner of an inode, and who
 * may write to it, see and evict pages that others use. The inode is owned by
 * nobody (backing_create()), and nobody may write to it. Nor may anybody read it,
 * which is what inotify asks for before it lets somebody watch the inode. None of
 * these asks with MAY_OPEN. To open the inode ends in ENXIO.
 */
static int dataspace_permission(struct mnt_idmap *idmap, struct inode *inode,
				int mask)
{
	if (mask & MAY_EXEC || !(mask & MAY_OPEN))
		return -EACCES;
	return 0;
}

/* Who holds what was revoked does not learn what others make of it */
static u64 dataspace_blocks(const struct dataspace *ds)
{
	unsigned long nr_pages;

	if (READ_ONCE(ds->revoked))
		return 0;
	nr_pages = backing_resident(ds->backing, ds->start, ds->end);
	return READ_ONCE(ds->revoked) ?
		       0 :
		       (u64)nr_pages << (PAGE_SHIFT - SECTOR_SHIFT);
}

static int dataspace_getattr(struct mnt_idmap *idmap, const struct path *path,
			     struct kstat *stat, u32 request_mask,
			     unsigned int query_flags)
{
	struct dataspace *ds = path->dentry->d_fsdata;

	kver_fillattr(idmap, request_mask, d_inode(path->dentry), stat);
	stat->ino = dataspace_id(ds);
	stat->nlink = 0;
	stat->uid = ds->backing->uid;
	stat->gid = ds->backing->gid;
	stat->atime = ktime_to_timespec64(ds->created);
	stat->mtime = stat->atime;
	stat->ctime = stat->atime;
	stat->size = dataspace_length(ds);
	stat->blocks = stat->size >> SECTOR_SHIFT;
	if (ds->backing->lazy)
		stat->blocks = dataspace_blocks(ds);
	if (!(dataspace_rights(ds) & DATASPACE_WRITE))
		stat->mode &= ~0222;
	return 0;
}

static int dataspace_setattr(struct mnt_idmap *idmap, struct dentry *dentry,
			     struct iattr *attr)
{
	const struct dataspace *ds = dentry->d_fsdata;

	if (!(attr->ia_valid & ATTR_SIZE))
		return -EPERM;
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	return attr->ia_size == dataspace_length(ds) ? 0 : -EINVAL;
}

static const struct inode_operations dataspace_iops = {
	.permission = dataspace_permission,
	.getattr = dataspace_getattr,
	.setattr = dataspace_setattr,
};

/*
 * The VFS expects the name at the end of the buffer. Debuggers take what is
 * mapped for memory, as opposed to a file, if its name ends like this.
 */
static char *dataspace_dname(struct dentry *dentry, char *buffer, int len)
{
	struct dataspace *ds = dentry->d_fsdata;
	char name[48];
	int size;

	size = snprintf(name, sizeof(name), "/dataspace:%llu (deleted)",
			dataspace_id(ds)) +
	       1;
	if (size > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + len - size, name, size);
}

static void dataspace_d_release(struct dentry *dentry)
{
	if (dentry->d_fsdata)
		dataspace_put(dentry->d_fsdata);
}

static const struct dentry_operations dataspace_dops = {
	.d_dname = dataspace_dname,
	.d_release = dataspace_d_release,
};

static void dataspace_inode_init_once(void *object)
{
	struct backing *backing = object;

	inode_init_once(&backing->inode);
}

static struct inode *dataspace_alloc_inode(struct super_block *sb)
{
	struct backing *backing =
		alloc_inode_sb(sb, dataspace_inode_cache, DATASPACE_GFP);

	if (!backing)
		return NULL;
	/* the cache constructs the inode only, all else may have been anybody's */
	memset_after(backing, 0, inode);
	xa_init(&backing->lost);
	RB_CLEAR_NODE(&backing->registered);
	spin_lock_init(&backing->walk_turn);
	spin_lock_init(&backing->lock);
	INIT_LIST_HEAD(&backing->readers);
	INIT_LIST_HEAD(&backing->revoked);
	INIT_LIST_HEAD(&backing->flushing);
	init_waitqueue_head(&backing->wait);
	return &backing->inode;
}

static void dataspace_free_inode(struct inode *inode)
{
	kmem_cache_free(dataspace_inode_cache, to_backing(inode));
}

static void dataspace_evict_inode(struct inode *inode)
{
	struct backing *backing = to_backing(inode);

	backing_unregister(backing);
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	xa_destroy(&backing->lost);
	backing_sweep_finish(backing);
	if (backing->device)
		fput(backing->device);
}

static const struct super_operations dataspace_sops = {
	.alloc_inode = dataspace_alloc_inode,
	.free_inode = dataspace_free_inode,
	.evict_inode = dataspace_evict_inode,
	.statfs = simple_statfs,
};

/* Whether memory can be executed is a right of each dataspace */
static int dataspace_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, DATASPACE_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &dataspace_sops;
	ctx->dops = &dataspace_dops;
	fc->s_iflags |= SB_I_NODEV;
	fc->s_iflags &= ~SB_I_NOEXEC;
	return 0;
}

static struct file_system_type dataspace_fs_type = {
	.name = "dataspace",
	.init_fs_context = dataspace_init_fs_context,
	.kill_sb = kill_anon_super,
};

/**
 * backing_create - make a backing that has no memory yet
 * @device: the open device on which it is asked for
 * @nr_pages: length in pages, not 0
 *
 * The inode keeps the file operations that new_inode() gives it, with which it
 * can't be opened. It has a link, as far as the VFS knows: it would tell those
 * who watch an inode without one of the death of each of its dentries (6.1).
 *
 * Return: a backing with a reference for the caller, or NULL.
 */
struct backing *backing_create(struct file *device, unsigned long nr_pages)
{
	struct inode *inode = new_inode(dataspace_mnt->mnt_sb);
	struct address_space *mapping;
	struct backing *backing;

	if (!inode)
		return NULL;
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0600;
	inode->i_uid = KUIDT_INIT(-2);
	inode->i_gid = KGIDT_INIT(-2);
	inode->i_op = &dataspace_iops;
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	i_size_write(inode, DATASPACE_INODE_SIZE);
	mapping = inode->i_mapping;
	mapping->a_ops = &backing_aops;
	mapping_set_gfp_mask(mapping,
			     GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	mapping_set_large_folios(mapping);
	mapping_set_unevictable(mapping);
	mapping_set_inaccessible(mapping);
	backing = to_backing(inode);
	backing->device = get_file(device);
	backing->start = min(roundup_pow_of_two(nr_pages), LARGE_FOLIO_PAGES);
	backing->nr_pages = nr_pages;
	backing->uid = current_fsuid();
	backing->gid = current_fsgid();
	backing_register(backing);
	return backing;
}

/**
 * dataspace_file_create - make a file of a dataspace
 * @ds: the dataspace; the dentry takes a reference of its own
 * @fops: what can be done with the file
 *
 * The file can write only if the dataspace has the right to. The VFS does not
 * tell those who watch the inode what is done with it, or of its end.
 *
 * Return: the file or ERR_PTR().
 */
struct file *dataspace_file_create(struct dataspace *ds,
				   const struct file_operations *fops)
{
	int mode = ds->rights & DATASPACE_WRITE ? O_RDWR : O_RDONLY;
	struct inode *inode = &ds->backing->inode;
	struct file *file;

	ihold(inode);
	file = alloc_file_pseudo(inode, dataspace_mnt, "dataspace",
				 mode | O_LARGEFILE, fops);
	if (IS_ERR(file)) {
		iput(inode);
		return file;
	}
	kref_get(&ds->ref);
	file->f_path.dentry->d_fsdata = ds;
	file->private_data = ds;
	file->f_mode |= FMODE_NONOTIFY;
	return file;
}

int __init dataspace_fs_init(void)
{
	const slab_flags_t flags = SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT;

	dataspace_inode_cache =
		kmem_cache_create("dataspace_backing", sizeof(struct backing),
				  0, flags, dataspace_inode_init_once);
	if (!dataspace_inode_cache)
		return -ENOMEM;
	dataspace_mnt = kern_mount(&dataspace_fs_type);
	if (!IS_ERR(dataspace_mnt))
		return 0;
	rcu_barrier(); /* a part of it may have been there, and be freed yet */
	kmem_cache_destroy(dataspace_inode_cache);
	return PTR_ERR(dataspace_mnt);
}

void dataspace_fs_exit(void)
{
	kern_unmount(dataspace_mnt);
	rcu_barrier();
	kmem_cache_destroy(dataspace_inode_cache);
}
