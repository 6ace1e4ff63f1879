// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping a dataspace.
 *
 * A VMA that maps a dataspace refers not to the file that it was mapped from but
 * to the VMA file of the dataspace, which is on the same inode, has the same
 * rights, can't be mapped itself and never gets a descriptor. Its offset is
 * translated to the index in the page cache. So the reverse mapping knows every VMA
 * by the pages that it maps, and the dataspace's own file is not kept open by it.
 * The VMA file is made by the first mapping and holds the dataspace object and the
 * backing through its dentry.
 *
 * VM_DONTEXPAND is what keeps a VMA within its dataspace: without it the mm would
 * let it grow, and would merge into it a later one whose range nobody has checked.
 * It also keeps the kernel from replacing the pages by others.
 *
 * A fault looks at what has been taken away from the dataspace after it has locked
 * the page, mapping around it does so in an RCU read-side critical section; see
 * zap.c. A fault that meets a SEAL_NOW that is being decided lets go of the mm and
 * waits, so that nobody else has to wait for it.
 *
 * SEAL_NOW gives a VMA that is shared and may become writable a table of operations
 * with ->page_mkwrite(), so that its pages are mapped read-only and the mm asks
 * before the first write to each. All that is done through the mappings of the
 * dataspace (mapping.c), so that no VMA is missed: one that is being copied asks in
 * ->open(), under the same lock. A fault does it once more, as mprotect() may have
 * computed the protection before and stored it since. Whoever does it stores the
 * same values, and they are never changed back.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>

#include "kver.h"
#include "private.h"

/* How many large folios one fault maps at most */
#define LARGE_FOLIOS_AHEAD 16

static struct dataspace *dataspace_of_vma(const struct vm_area_struct *vma)
{
	const struct dataspace_mapping *mapping = vma->vm_private_data;

	return mapping->ds;
}

static bool is_shared_writable(vm_flags_t flags)
{
	return (flags & (VM_SHARED | VM_WRITE)) == (VM_SHARED | VM_WRITE);
}

/* What may be written to by way of mprotect(), sooner or later */
static bool may_be_shared_writable(vm_flags_t flags)
{
	return (flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
}

static const struct vm_operations_struct dataspace_sealed_vm_ops;

/**
 * dataspace_vm_write_protect - make writes through a VMA end in SIGBUS
 * @vma: the VMA of a dataspace that was sealed with SEAL_NOW
 *
 * Its pages must not be mapped writable.
 */
void dataspace_vm_write_protect(struct vm_area_struct *vma)
{
	pgprot_t prot = vm_get_page_prot(vma->vm_flags & ~VM_SHARED);

	if (!may_be_shared_writable(vma->vm_flags))
		return;
	WRITE_ONCE(vma->vm_page_prot, prot);
	WRITE_ONCE(vma->vm_ops, &dataspace_sealed_vm_ops);
}

/* Whether a page may be mapped now, and how: 0 or a reason why not */
static vm_fault_t dataspace_check_fault(struct vm_fault *vmf)
{
	struct dataspace *ds = dataspace_of_vma(vmf->vma);

	if (READ_ONCE(ds->revoked))
		return VM_FAULT_SIGBUS;
	if (READ_ONCE(ds->seal_pending))
		return VM_FAULT_RETRY;
	if (!(READ_ONCE(ds->seal) & SEAL_NOW) ||
	    !may_be_shared_writable(vmf->vma->vm_flags))
		return 0;
	if (vmf->flags & FAULT_FLAG_WRITE)
		return VM_FAULT_SIGBUS;
	dataspace_vm_write_protect(vmf->vma);
	return 0;
}

/*
 * Wait until the seal that is pending has been decided. The fault is taken again
 * after that. A caller that can't take it again waits with what it holds.
 */
static vm_fault_t dataspace_wait_for_seal(struct vm_fault *vmf)
{
	struct dataspace *ds = dataspace_of_vma(vmf->vma);
	struct file *file;

	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY)) {
		wait_event_killable(ds->backing->wait,
				    !READ_ONCE(ds->seal_pending));
		return VM_FAULT_NOPAGE;
	}
	file = get_file(vmf->vma->vm_file);
	release_fault_lock(vmf);
	wait_event_killable(ds->backing->wait, !READ_ONCE(ds->seal_pending));
	fput(file);
	return VM_FAULT_RETRY;
}

/*
 * Map a large folio at a place where nothing is mapped and that shares a page table
 * with the fault. The mm may fall back to single pages; if it needs a page table
 * for that it uses up the one that it allocated for the fault, and dereferences it
 * untested: so there has to be one.
 */
static bool dataspace_map_pmd(struct vm_fault *vmf, unsigned long skip)
{
	struct vm_fault ahead = {
		.vma = vmf->vma,
		.gfp_mask = vmf->gfp_mask,
		.pgoff = vmf->pgoff + skip * LARGE_FOLIO_PAGES,
		.address = vmf->address + skip * PMD_SIZE,
		.flags = vmf->flags & ~FAULT_FLAG_WRITE,
		.pmd = vmf->pmd + skip,
		.prealloc_pte = vmf->prealloc_pte,
	};
	pgoff_t start = round_down(ahead.pgoff, LARGE_FOLIO_PAGES);

	if (!vmf->prealloc_pte)
		return false;
	if (pmd_none(READ_ONCE(*ahead.pmd)))
		filemap_map_pages(&ahead, start, start + LARGE_FOLIO_PAGES - 1);
	vmf->prealloc_pte = ahead.prealloc_pte;
	return true;
}

/* Memory is being gone through if what comes before is mapped */
static bool dataspace_is_sequential(const struct vm_fault *vmf)
{
	return vmf->address & ~PUD_MASK & PMD_MASK &&
	       !pmd_none(READ_ONCE(vmf->pmd[-1]));
}

/* Where a large folio can be mapped as a whole, map some of those behind it, too */
static void dataspace_map_ahead(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = vma->vm_start - (vma->vm_pgoff << PAGE_SHIFT);
	unsigned long addr = vmf->address & PMD_MASK;
	unsigned long limit = min(vma->vm_end, (addr | ~PUD_MASK) + 1);
	unsigned long skip;

	if (LARGE_FOLIO_PAGES << PAGE_SHIFT != PMD_SIZE || start & ~PMD_MASK ||
	    !dataspace_is_sequential(vmf))
		return;
	for (skip = 1; skip < LARGE_FOLIOS_AHEAD; skip++) {
		addr += PMD_SIZE;
		if (limit - addr < PMD_SIZE || addr >= limit ||
		    !dataspace_map_pmd(vmf, skip))
			break;
	}
}

/*
 * Map all that shares a page table with the fault, or the folio that needs none
 * and some of those behind it. What is there costs little more to map than a part
 * of it, and a hole is left alone.
 */
static vm_fault_t dataspace_map_around(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long first = max(vma->vm_start, vmf->address & PMD_MASK);
	unsigned long last = min(vma->vm_end - 1, vmf->address | ~PMD_MASK);
	pgoff_t start = vmf->pgoff - ((vmf->address - first) >> PAGE_SHIFT);
	vm_fault_t ret = 0;

	rcu_read_lock();
	if (!dataspace_check_fault(vmf))
		ret = filemap_map_pages(vmf, start,
					start + ((last - first) >> PAGE_SHIFT));
	if (ret & VM_FAULT_NOPAGE && pmd_trans_huge(READ_ONCE(*vmf->pmd)))
		dataspace_map_ahead(vmf);
	rcu_read_unlock();
	return ret;
}

/* Not if the VMA is sealed, or the mm wants to be asked for the first write */
static bool dataspace_is_mapped_writable(struct vm_area_struct *vma)
{
	return is_shared_writable(vma->vm_flags) &&
	       pgprot_val(READ_ONCE(vma->vm_page_prot)) ==
		       pgprot_val(vm_get_page_prot(vma->vm_flags));
}

/*
 * The mm asks for what is around a fault only if that reads, and only where pages
 * are smaller than what it wants to map. But then it maps a shared VMA writable
 * if it may, so that this does for a write, too.
 */
static vm_fault_t dataspace_map_around_fault(struct vm_fault *vmf)
{
	struct vm_fault around = *vmf;
	pmd_t pmd = READ_ONCE(*vmf->pmd);
	vm_fault_t ret;

	if (vmf->flags & FAULT_FLAG_WRITE &&
	    !dataspace_is_mapped_writable(vmf->vma))
		return 0;
	if (!vmf->prealloc_pte && (pmd_none(pmd) || pmd_trans_huge(pmd)))
		return 0;
	around.flags &= ~FAULT_FLAG_WRITE;
	ret = dataspace_map_around(&around);
	vmf->prealloc_pte = around.prealloc_pte;
	return ret;
}

/* As much of it as the VMA maps; return 0 if there is a page now */
static vm_fault_t dataspace_fault_fill_hole(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t ret = dataspace_check_fault(vmf);
	int err;

	if (ret)
		return ret == VM_FAULT_RETRY ? dataspace_wait_for_seal(vmf) :
					       ret;
	err = dataspace_lazy_fill_hole(dataspace_of_vma(vma), vma->vm_pgoff,
				       vma->vm_pgoff + vma_pages(vma),
				       vmf->pgoff);
	if (err)
		return err == -EIO ? VM_FAULT_HWPOISON : VM_FAULT_SIGBUS;
	return 0;
}

/*
 * What is covered and really not there is a hole of lazy memory, or was lost to a
 * memory error. Pages of a dataspace that is revoked are released after the flag
 * is set, so the flag is looked at after the page.
 */
static vm_fault_t dataspace_missing_page(struct vm_fault *vmf)
{
	struct dataspace *ds = dataspace_of_vma(vmf->vma);

	if (backing_has_page(ds->backing, vmf->pgoff))
		return VM_FAULT_NOPAGE;
	if (READ_ONCE(ds->revoked))
		return VM_FAULT_SIGBUS;
	return ds->backing->lazy ? dataspace_fault_fill_hole(vmf) :
				   VM_FAULT_HWPOISON;
}

/* The mm maps the page, under the folio's lock */
static vm_fault_t dataspace_fault_lock_page(struct vm_fault *vmf)
{
	struct dataspace *ds = dataspace_of_vma(vmf->vma);
	struct address_space *mapping = ds->backing->inode.i_mapping;
	struct folio *folio;
	vm_fault_t ret;

	folio = filemap_lock_folio(mapping, vmf->pgoff);
	if (IS_ERR_OR_NULL(folio)) {
		ret = dataspace_missing_page(vmf);
		if (ret)
			return ret;
		folio = filemap_lock_folio(mapping, vmf->pgoff);
		if (IS_ERR_OR_NULL(folio))
			return VM_FAULT_NOPAGE;
	}
	smp_mb(); /* pairs with backing_grace_period() before backing_zap() */
	ret = dataspace_check_fault(vmf);
	if (!ret) {
		vmf->page = folio_file_page(folio, vmf->pgoff);
		return VM_FAULT_LOCKED;
	}
	folio_unlock(folio);
	folio_put(folio);
	return ret == VM_FAULT_RETRY ? dataspace_wait_for_seal(vmf) : ret;
}

static vm_fault_t dataspace_vm_fault(struct vm_fault *vmf)
{
	struct dataspace *ds = dataspace_of_vma(vmf->vma);
	vm_fault_t ret;

	if (vmf->pgoff < ds->start || vmf->pgoff >= ds->end)
		return VM_FAULT_SIGBUS;
	ret = dataspace_map_around_fault(vmf);
	return ret & VM_FAULT_NOPAGE ? ret : dataspace_fault_lock_page(vmf);
}

/* What is not mapped here comes to dataspace_vm_fault() */
static vm_fault_t dataspace_vm_map_pages(struct vm_fault *vmf, pgoff_t start,
					 pgoff_t end)
{
	return dataspace_map_around(vmf);
}

static int dataspace_vm_mprotect(struct vm_area_struct *vma,
				 unsigned long start, unsigned long end,
				 unsigned long flags)
{
	if (is_shared_writable(flags) && !(vma->vm_flags & VM_WRITE) &&
	    READ_ONCE(dataspace_of_vma(vma)->seal))
		return -EPERM;
	return 0;
}

static vm_fault_t dataspace_sealed_mkwrite(struct vm_fault *vmf)
{
	return VM_FAULT_SIGBUS;
}

/* A copy can't be refused; the mm has allocated more for it just before */
static void dataspace_vm_open(struct vm_area_struct *vma)
{
	struct dataspace_mapping *mapping =
		dataspace_mapping_create(GFP_KERNEL | __GFP_NOFAIL);

	dataspace_mapping_copy(mapping, vma);
	vma->vm_private_data = mapping;
	if (mapping->write_protected)
		dataspace_vm_write_protect(vma);
}

static void dataspace_vm_close(struct vm_area_struct *vma)
{
	dataspace_mapping_remove(vma->vm_private_data);
}

static const struct vm_operations_struct dataspace_vm_ops = {
	.open = dataspace_vm_open,
	.close = dataspace_vm_close,
	.mprotect = dataspace_vm_mprotect,
	.fault = dataspace_vm_fault,
	.map_pages = dataspace_vm_map_pages,
};

static const struct vm_operations_struct dataspace_sealed_vm_ops = {
	.open = dataspace_vm_open,
	.close = dataspace_vm_close,
	.mprotect = dataspace_vm_mprotect,
	.fault = dataspace_vm_fault,
	.map_pages = dataspace_vm_map_pages,
	.page_mkwrite = dataspace_sealed_mkwrite,
};

static unsigned long dataspace_vma_file_get_unmapped_area(struct file *file,
							  unsigned long addr,
							  unsigned long len,
							  unsigned long pgoff,
							  unsigned long flags)
{
	return kver_get_unmapped_area(file, addr, len, pgoff, flags);
}

static int dataspace_vma_file_fadvise(struct file *file, loff_t offset,
				      loff_t len, int advice)
{
	return 0;
}

static const struct file_operations dataspace_vma_fops = {
	.get_unmapped_area = dataspace_vma_file_get_unmapped_area,
	.fadvise = dataspace_vma_file_fadvise,
	.fsync = noop_fsync,
};

/*
 * The caller's hold on the dataspace's file keeps it live, so that the VMA file
 * stays once it is there.
 */
static struct file *dataspace_vma_file(struct dataspace *ds)
{
	struct file *file = READ_ONCE(ds->vma_file);
	struct file *other;

	if (file)
		return file;
	file = dataspace_file_create(ds, &dataspace_vma_fops);
	if (IS_ERR(file))
		return file;
	other = cmpxchg(&ds->vma_file, NULL, file);
	if (!other)
		return file;
	fput(file);
	return other;
}

/**
 * dataspace_mmap - map a part of a dataspace
 * @file: its file
 * @vma: the new VMA
 *
 * The VFS has checked the right to write by the mode of the file.
 *
 * Return: 0, -ESTALE, -EINVAL if the VMA reaches beyond the end, -EPERM if it
 * would be writable and the dataspace is sealed, -EACCES without the right to map
 * at all, or to map it executable, or -ENOMEM.
 */
int dataspace_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dataspace *ds = dataspace_of(file);
	unsigned long nr_pages = dataspace_nr_pages(ds);
	struct dataspace_mapping *mapping;
	struct file *vma_file;
	int ret;

	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (!(ds->rights & DATASPACE_MAP))
		return -EACCES;
	if (READ_ONCE(ds->seal) && is_shared_writable(vma->vm_flags))
		return -EPERM;
	if (vma->vm_flags & VM_EXEC && !(ds->rights & DATASPACE_EXEC))
		return -EACCES;
	if (vma->vm_pgoff > nr_pages ||
	    vma_pages(vma) > nr_pages - vma->vm_pgoff)
		return -EINVAL;
	vma_file = dataspace_vma_file(ds);
	if (IS_ERR(vma_file))
		return PTR_ERR(vma_file);
	mapping = dataspace_mapping_create(GFP_KERNEL);
	if (!mapping)
		return -ENOMEM;
	vm_flags_set(vma, VM_DONTEXPAND);
	if (!(ds->rights & DATASPACE_EXEC))
		vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_pgoff += ds->start;
	vma->vm_ops = &dataspace_vm_ops;
	ret = dataspace_mapping_add(mapping, ds, vma);
	if (ret) {
		vma->vm_ops = NULL;
		vma->vm_pgoff -= ds->start;
		dataspace_mapping_destroy(mapping);
		return ret;
	}
	vma->vm_private_data = mapping;
	if (mapping->write_protected)
		dataspace_vm_write_protect(vma);
	vma_set_file(vma, vma_file);
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
