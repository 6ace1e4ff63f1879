// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping a dataspace.
 *
 * An area that maps a dataspace refers not to the file that it was mapped from
 * but to the map file of the dataspace, which is on the same inode, has the
 * same rights, can't be mapped itself and never gets a descriptor. Its offset
 * is translated to the index in the backing. So core's reverse mapping knows
 * every area by the pages that it maps, and the dataspace's own file is not
 * kept open by it.
 *
 * VM_DONTEXPAND is what keeps an area within its dataspace: without it core
 * would let it grow, and would merge into it a later one whose range nobody has
 * checked. It also keeps core from replacing the pages by others.
 *
 * The map file is made by the first mapping. It holds the dataspace object
 * through its dentry. Its release tells that nothing is mapped any more.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

#include "compat.h"
#include "dataspace.h"

static struct dataspace *area_dataspace(const struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

/* Core maps the page, or all of a large folio that fits, under the folio lock */
static vm_fault_t area_fault(struct vm_fault *vmf)
{
	struct dataspace *ds = area_dataspace(vmf->vma);
	struct folio *folio;

	if (vmf->pgoff < ds->start || vmf->pgoff >= ds->end)
		return VM_FAULT_SIGBUS;
	folio = filemap_lock_folio(vmf->vma->vm_file->f_mapping, vmf->pgoff);
	if (IS_ERR_OR_NULL(folio))
		return VM_FAULT_SIGBUS;
	vmf->page = folio_file_page(folio, vmf->pgoff);
	return VM_FAULT_LOCKED;
}

static void area_open(struct vm_area_struct *vma)
{
	atomic_inc(&area_dataspace(vma)->mappings);
}

/*
 * The area is out of the reverse mapping already. While its dataspace is live,
 * that covers all the pages; when it dies it sees that the area is gone.
 */
static void area_close(struct vm_area_struct *vma)
{
	struct dataspace *ds = area_dataspace(vma);
	struct backing *backing = ds->backing;

	atomic_dec(&ds->mappings);
	if (READ_ONCE(ds->live))
		return;
	mutex_lock(&backing->lock);
	backing_sweep(backing, vma->vm_pgoff, vma->vm_pgoff + vma_pages(vma));
	mutex_unlock(&backing->lock);
}

static const struct vm_operations_struct area_ops = {
	.open = area_open,
	.close = area_close,
	.fault = area_fault,
	.map_pages = filemap_map_pages,
};

static unsigned long map_get_unmapped_area(struct file *file,
					   unsigned long addr,
					   unsigned long len,
					   unsigned long pgoff,
					   unsigned long flags)
{
	return compat_get_unmapped_area(file, addr, len, pgoff, flags);
}

static int map_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	return 0;
}

static int map_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	return 0;
}

static int map_release(struct inode *inode, struct file *file)
{
	if (dataspace_of(file))
		dataspace_unmapped(dataspace_of(file));
	return 0;
}

static const struct file_operations map_fops = {
	.get_unmapped_area = map_get_unmapped_area,
	.fadvise = map_fadvise,
	.fsync = map_fsync,
	.release = map_release,
};

/*
 * The caller's hold on the dataspace's file keeps it live, so that the map file
 * stays once it is there.
 */
static struct file *dataspace_map_file(struct dataspace *ds)
{
	struct file *file = READ_ONCE(ds->map);
	struct file *other;

	if (file)
		return file;
	file = backing_open(ds->backing, ds, &map_fops);
	if (IS_ERR(file))
		return file;
	file->private_data = ds;
	other = cmpxchg(&ds->map, NULL, file);
	if (!other)
		return file;
	file->private_data = NULL;
	fput(file);
	return other;
}

/**
 * dataspace_mmap - map a part of a dataspace
 * @file: its file
 * @vma: the new area
 *
 * Return: 0, -EINVAL if the area reaches beyond the end, -EACCES if it would be
 * executable without the right to that, or -ENOMEM.
 */
int dataspace_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dataspace *ds = dataspace_of(file);
	unsigned long nr_pages = dataspace_nr_pages(ds);
	struct file *map;

	if (vma->vm_pgoff > nr_pages ||
	    vma_pages(vma) > nr_pages - vma->vm_pgoff)
		return -EINVAL;
	if (!(ds->rights & DATASPACE_EXEC)) {
		if (vma->vm_flags & VM_EXEC)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYEXEC);
	}
	map = dataspace_map_file(ds);
	if (IS_ERR(map))
		return PTR_ERR(map);
	vm_flags_set(vma, VM_DONTEXPAND);
	vma->vm_pgoff += ds->start;
	vma->vm_private_data = ds;
	vma->vm_ops = &area_ops;
	vma_set_file(vma, map);
	area_open(vma);
	return 0;
}

/**
 * dataspace_get_unmapped_area - choose an address that allows huge mappings
 * @file: the file of a dataspace
 * @addr: where the caller would like it
 * @len: length in bytes
 * @pgoff: offset into the dataspace in pages
 * @flags: those of mmap()
 *
 * Return: an address or a negative errno.
 */
unsigned long dataspace_get_unmapped_area(struct file *file, unsigned long addr,
					  unsigned long len,
					  unsigned long pgoff,
					  unsigned long flags)
{
	pgoff += dataspace_of(file)->start;
	return compat_get_unmapped_area(file, addr, len, pgoff, flags);
}
