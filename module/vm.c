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
 *
 * A fault looks at what has been taken away from the dataspace after it has
 * locked the page, mapping around it does so in an RCU read-side critical
 * section; see zap.c. Where SEAL_NOW has unmapped a writable area, the first
 * fault after it turns the area into one whose pages are mapped read-only and
 * whose writes end in sealed_mkwrite(). Several faults may do that at the same
 * time, and it makes no difference.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

#include "kver.h"
#include "private.h"

/* How many chunks one fault maps at most */
#define CHUNKS_AHEAD 16

static struct dataspace *area_dataspace(const struct vm_area_struct *vma)
{
	return vma->vm_private_data;
}

static bool is_shared_writable(vm_flags_t flags)
{
	return (flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE);
}

static const struct vm_operations_struct sealed_area_ops;

static void write_protect_area(struct vm_area_struct *vma)
{
	pgprot_t prot = vm_get_page_prot(vma->vm_flags & ~VM_SHARED);

	WRITE_ONCE(vma->vm_page_prot, prot);
	WRITE_ONCE(vma->vm_ops, &sealed_area_ops);
}

/* Whether a page may be mapped now, and how: 0 or a reason why not */
static vm_fault_t check_fault(struct vm_fault *vmf)
{
	struct dataspace *ds = area_dataspace(vmf->vma);
	u8 seal = READ_ONCE(ds->seal);

	if (READ_ONCE(ds->revoked))
		return VM_FAULT_SIGBUS;
	if (seal & SEAL_PENDING)
		return VM_FAULT_NOPAGE;
	if (seal & SEAL_NOW && is_shared_writable(vmf->vma->vm_flags)) {
		if (vmf->flags & FAULT_FLAG_WRITE)
			return VM_FAULT_SIGBUS;
		write_protect_area(vmf->vma);
	}
	return 0;
}

/* The fault is taken again after the seal that is pending has been decided */
static vm_fault_t wait_for_seal(struct dataspace *ds)
{
	mutex_lock(&ds->backing->lock);
	mutex_unlock(&ds->backing->lock);
	return VM_FAULT_NOPAGE;
}

/*
 * Map a chunk at a place where nothing is mapped and that shares a page table
 * with the fault. Core may fall back to single pages; if it needs a page table
 * for that it uses up the one that it allocated for the fault, and dereferences
 * it untested: so there has to be one.
 */
static bool map_chunk(struct vm_fault *vmf, unsigned long skip)
{
	struct vm_fault chunk = {
		.vma = vmf->vma,
		.gfp_mask = vmf->gfp_mask,
		.pgoff = vmf->pgoff + skip * LARGE_FOLIO_PAGES,
		.address = vmf->address + skip * PMD_SIZE,
		.flags = vmf->flags & ~FAULT_FLAG_WRITE,
		.pmd = vmf->pmd + skip,
		.prealloc_pte = vmf->prealloc_pte,
	};
	pgoff_t start = round_down(chunk.pgoff, LARGE_FOLIO_PAGES);

	if (!vmf->prealloc_pte)
		return false;
	if (pmd_none(READ_ONCE(*chunk.pmd)))
		filemap_map_pages(&chunk, start, start + LARGE_FOLIO_PAGES - 1);
	vmf->prealloc_pte = chunk.prealloc_pte;
	return true;
}

/* Memory is being gone through if what comes before is mapped */
static bool is_sequential(const struct vm_fault *vmf)
{
	return vmf->address & ~PUD_MASK & PMD_MASK &&
	       !pmd_none(READ_ONCE(vmf->pmd[-1]));
}

/* Where a whole chunk can be mapped at once, map some of those behind it, too */
static void map_ahead(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = vma->vm_start - (vma->vm_pgoff << PAGE_SHIFT);
	unsigned long addr = vmf->address & PMD_MASK;
	unsigned long limit = min(vma->vm_end, (addr | ~PUD_MASK) + 1);
	unsigned long skip;

	if (LARGE_FOLIO_PAGES << PAGE_SHIFT != PMD_SIZE || start & ~PMD_MASK ||
	    !is_sequential(vmf))
		return;
	for (skip = 1; skip < CHUNKS_AHEAD; skip++) {
		addr += PMD_SIZE;
		if (limit - addr < PMD_SIZE || addr >= limit ||
		    !map_chunk(vmf, skip))
			break;
	}
}

/*
 * Map all that shares a page table with the fault, or the chunk that needs none
 * and some of those behind it. All memory is there, so that this costs little
 * more than to map a part of it.
 */
static vm_fault_t map_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long first = max(vma->vm_start, vmf->address & PMD_MASK);
	unsigned long last = min(vma->vm_end - 1, vmf->address | ~PMD_MASK);
	pgoff_t start = vmf->pgoff - ((vmf->address - first) >> PAGE_SHIFT);
	vm_fault_t ret = 0;

	rcu_read_lock();
	if (!check_fault(vmf))
		ret = filemap_map_pages(vmf, start,
					start + ((last - first) >> PAGE_SHIFT));
	if (ret & VM_FAULT_NOPAGE && pmd_trans_huge(READ_ONCE(*vmf->pmd)))
		map_ahead(vmf);
	rcu_read_unlock();
	return ret;
}

/* Not if the area is sealed, or core wants to be asked for the first write */
static bool is_mapped_writable(struct vm_area_struct *vma)
{
	return is_shared_writable(vma->vm_flags) &&
	       pgprot_val(READ_ONCE(vma->vm_page_prot)) ==
		       pgprot_val(vm_get_page_prot(vma->vm_flags));
}

/*
 * Core asks for what is around a fault only if that reads, and only where pages
 * are smaller than what it wants to map. But then it maps a shared area writable
 * if it may, so that this does for a write, too.
 */
static vm_fault_t map_around_fault(struct vm_fault *vmf)
{
	struct vm_fault around = *vmf;
	pmd_t pmd = READ_ONCE(*vmf->pmd);
	vm_fault_t ret;

	if (vmf->flags & FAULT_FLAG_WRITE && !is_mapped_writable(vmf->vma))
		return 0;
	if (!vmf->prealloc_pte && (pmd_none(pmd) || pmd_trans_huge(pmd)))
		return 0;
	around.flags &= ~FAULT_FLAG_WRITE;
	ret = map_around(&around);
	vmf->prealloc_pte = around.prealloc_pte;
	return ret;
}

/*
 * What is covered and really not there was lost to a memory error. Pages of a
 * dataspace that is revoked go after it is marked so: it is looked at after them.
 */
static vm_fault_t missing_page(const struct dataspace *ds, pgoff_t index)
{
	if (backing_has_page(ds->backing, index))
		return VM_FAULT_NOPAGE;
	return READ_ONCE(ds->revoked) ? VM_FAULT_SIGBUS : VM_FAULT_HWPOISON;
}

/* Core maps the page, under the folio's lock */
static vm_fault_t map_locked(struct vm_fault *vmf)
{
	struct dataspace *ds = area_dataspace(vmf->vma);
	struct folio *folio;
	vm_fault_t ret;

	folio = filemap_lock_folio(ds->backing->inode.i_mapping, vmf->pgoff);
	if (IS_ERR_OR_NULL(folio))
		return missing_page(ds, vmf->pgoff);
	smp_mb(); /* pairs with synchronize_rcu() before backing_zap() */
	ret = check_fault(vmf);
	if (!ret) {
		vmf->page = folio_file_page(folio, vmf->pgoff);
		return VM_FAULT_LOCKED;
	}
	folio_unlock(folio);
	folio_put(folio);
	return ret == VM_FAULT_NOPAGE ? wait_for_seal(ds) : ret;
}

static vm_fault_t area_fault(struct vm_fault *vmf)
{
	struct dataspace *ds = area_dataspace(vmf->vma);
	vm_fault_t ret;

	if (vmf->pgoff < ds->start || vmf->pgoff >= ds->end)
		return VM_FAULT_SIGBUS;
	ret = map_around_fault(vmf);
	return ret & VM_FAULT_NOPAGE ? ret : map_locked(vmf);
}

/* What is not mapped here comes to area_fault() */
static vm_fault_t area_map_pages(struct vm_fault *vmf, pgoff_t start,
				 pgoff_t end)
{
	return map_around(vmf);
}

static int area_mprotect(struct vm_area_struct *vma, unsigned long start,
			 unsigned long end, unsigned long flags)
{
	if (is_shared_writable(flags) && !(vma->vm_flags & VM_WRITE) &&
	    READ_ONCE(area_dataspace(vma)->seal) & SEAL_FUTURE)
		return -EPERM;
	return 0;
}

static vm_fault_t sealed_mkwrite(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
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
	.mprotect = area_mprotect,
	.fault = area_fault,
	.map_pages = area_map_pages,
};

static const struct vm_operations_struct sealed_area_ops = {
	.open = area_open,
	.close = area_close,
	.mprotect = area_mprotect,
	.fault = area_fault,
	.map_pages = area_map_pages,
	.page_mkwrite = sealed_mkwrite,
};

static unsigned long
map_get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
		      unsigned long pgoff, unsigned long flags)
{
	return kver_get_unmapped_area(file, addr, len, pgoff, flags);
}

static int map_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
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
	.fsync = noop_fsync,
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
	file = dataspace_file_create(ds, &map_fops);
	if (IS_ERR(file))
		return file;
	other = cmpxchg(&ds->map, NULL, file);
	if (!other)
		return file;
	file->private_data = NULL;
	fput(file);
	return other;
}

static int check_range(const struct dataspace *ds, struct vm_area_struct *vma)
{
	unsigned long nr_pages = dataspace_nr_pages(ds);

	if (vma->vm_pgoff > nr_pages ||
	    vma_pages(vma) > nr_pages - vma->vm_pgoff)
		return -EINVAL;
	return 0;
}

/* Core has checked the right to write by the mode of the file */
static int check_rights(const struct dataspace *ds, vm_flags_t flags)
{
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (!(ds->rights & DATASPACE_MAP))
		return -EACCES;
	if (is_shared_writable(flags) && READ_ONCE(ds->seal) & SEAL_FUTURE)
		return -EPERM;
	if (flags & VM_EXEC && !(ds->rights & DATASPACE_EXEC))
		return -EACCES;
	return 0;
}

static void area_init(struct vm_area_struct *vma, struct dataspace *ds)
{
	vm_flags_set(vma, VM_DONTEXPAND);
	if (!(ds->rights & DATASPACE_EXEC))
		vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_pgoff += ds->start;
	vma->vm_private_data = ds;
	vma->vm_ops = &area_ops;
	area_open(vma);
}

/**
 * dataspace_mmap - map a part of a dataspace
 * @file: its file
 * @vma: the new area
 *
 * Return: 0, -ESTALE, -EINVAL if the area reaches beyond the end, -EPERM if it
 * would be writable and the dataspace is sealed, -EACCES without the right to
 * map at all, or to map it executable, or -ENOMEM.
 */
int dataspace_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dataspace *ds = dataspace_of(file);
	struct file *map;
	int ret = check_rights(ds, vma->vm_flags);

	if (!ret)
		ret = check_range(ds, vma);
	if (ret)
		return ret;
	map = dataspace_map_file(ds);
	if (IS_ERR(map))
		return PTR_ERR(map);
	area_init(vma, ds);
	vma_set_file(vma, map);
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
	return kver_get_unmapped_area(file, addr, len, pgoff, flags);
}
