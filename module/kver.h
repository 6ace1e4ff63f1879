/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the module builds on, probed by feature
 * (see Kbuild), each with the first kernel that has the thing. This is the only
 * place with conditional compilation.
 */
#ifndef _KVER_H
#define _KVER_H

#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

/* 6.3: inode operations take an id mapping instead of a user namespace */
#ifdef HAVE_MNT_IDMAP
#define kver_fillattr generic_fillattr
#else
#define mnt_idmap user_namespace
#define kver_fillattr(idmap, mask, inode, stat) \
	((void)(mask), generic_fillattr(idmap, inode, stat))
#endif

/* 6.3: the flags of an area are const and have setters */
#ifndef HAVE_VM_FLAGS_CLEAR
#define vm_flags_set(vma, flags) ((vma)->vm_flags |= (flags))
#define vm_flags_clear(vma, flags) ((vma)->vm_flags &= ~(flags))
#endif

/* 6.14: a worker of one's own is created, and then woken */
#ifndef kthread_run_worker
#define kthread_run_worker kthread_create_worker
#endif

/* 7.3: batches of folios have a header of their own */
#ifdef HAVE_FOLIO_BATCH_H
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

/* 7.3: a file without an operation of its own for leases has none */
#ifndef HAVE_SIMPLE_NOSETLEASE
#define simple_nosetlease NULL
#endif

/*
 * 6.5: splicing from a file by copying, whatever its ->read_iter() does. Before,
 * what is copied to is a pipe that allocates, and so sleeps.
 */
#ifdef HAVE_COPY_SPLICE_READ
#define kver_iter_sleeps(iter) ((void)(iter), false)
#else
#define copy_splice_read generic_file_splice_read
#define kver_iter_sleeps iov_iter_is_pipe
#endif

/* 6.8: what is lost to a memory error is a folio, no page */
#ifdef HAVE_ERROR_REMOVE_FOLIO
#define kver_lost folio
#else
#define kver_lost page
#define error_remove_folio error_remove_page
#define generic_error_remove_folio generic_error_remove_page
#endif

/* 6.12: pages that the kernel must neither migrate nor zero on truncation */
#ifndef HAVE_MAPPING_INACCESSIBLE
#define mapping_set_inaccessible(mapping) ((void)(mapping))
#endif

/*
 * The order of a large folio, and addresses at which one can be mapped by a
 * PMD. Where pages are larger than 4 KiB a PMD maps 32 or 512 MiB: that much is
 * rarely free in one piece, and a pin of any page would hold up the release of
 * all of it. So a large folio has 2 MiB there and is mapped page by page.
 */
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#define LARGE_FOLIO_ORDER min_t(unsigned int, HPAGE_PMD_ORDER, 21 - PAGE_SHIFT)
#define kver_get_unmapped_area thp_get_unmapped_area
#else
#define LARGE_FOLIO_ORDER 0
#ifdef HAVE_MM_GET_UNMAPPED_AREA
#define kver_get_unmapped_area(...) \
	mm_get_unmapped_area(current->mm, __VA_ARGS__)
#else
#define kver_get_unmapped_area(...) current->mm->get_unmapped_area(__VA_ARGS__)
#endif
#endif

/* 7.3: for whom a range is allocated is told by flags, not by a type */
#ifdef HAVE_ACR_FLAGS
#define KVER_MOVABLE ACR_FLAGS_NONE
#else
#define KVER_MOVABLE MIGRATE_MOVABLE
#endif

/*
 * 6.4: a fault may hold the lock of its VMA instead of that of the mm. What
 * release_fault_lock() does is in a header from 6.6 on.
 */
#ifndef HAVE_RELEASE_FAULT_LOCK
static inline void release_fault_lock(struct vm_fault *vmf)
{
	mmap_read_unlock(vmf->vma->vm_mm);
}
#endif

/*
 * 6.12: a folio has a count of all of its page table entries. Before, each page
 * has one, which an entry for all of a folio raises in every page, and that kind
 * of entry is counted on its own.
 */
#ifdef HAVE_FOLIO_MAPCOUNT
#define kver_folio_mapcount folio_mapcount
#else
static inline int kver_folio_mapcount(struct folio *folio)
{
	long nr_pages = folio_nr_pages(folio);
	int entire, count = 0;
	long i;

	for (i = 0; i < nr_pages; i++)
		count += atomic_read(&folio_page(folio, i)->_mapcount) + 1;
	if (nr_pages == 1)
		return count;
	entire = atomic_read(compound_mapcount_ptr(&folio->page)) + 1;
	return count - entire * (nr_pages - 1);
}
#endif

/*
 * Whether a pageblock is CMA's, which lends it for a while at most. The function
 * that tells this is not exported; the type of a pageblock is what the first
 * three of its bits say.
 */
#if defined(CONFIG_SPARSEMEM) && defined(CONFIG_CMA)
static inline bool kver_pageblock_is_cma(unsigned long pfn)
{
	const unsigned long *map = section_to_usemap(__pfn_to_section(pfn));
	unsigned long bit = ((pfn & ~PAGE_SECTION_MASK) >> pageblock_order) *
			    NR_PAGEBLOCK_BITS;
	unsigned long flags = READ_ONCE(map[BIT_WORD(bit)]) >>
			      bit % BITS_PER_LONG;

	return (flags & GENMASK(2, 0)) == MIGRATE_CMA;
}
#else
#define kver_pageblock_is_cma(pfn) ((void)(pfn), false)
#endif

/* 6.13: the namespace of exported symbols is named by a string */
#ifdef HAVE_IMPORT_NS_STRING
#define KVER_DMA_BUF_NS "DMA_BUF"
#else
#define KVER_DMA_BUF_NS DMA_BUF
#endif

/* 7.3: an importer may want to know of fences only, and not of this */
#ifdef HAVE_INVALIDATE_MAPPINGS
#define kver_dma_buf_tell dma_buf_invalidate_mappings
#define kver_dma_buf_can_tell dma_buf_attach_revocable
#else
#define kver_dma_buf_tell dma_buf_move_notify
#define kver_dma_buf_can_tell(attach) ((attach)->importer_ops)
#endif

/*
 * 6.3: who maps memory for an IOMMU says how page tables are allocated, here: by all
 * means. A page that is not there is an address that the DMA API can't unmap.
 */
#ifdef HAVE_IOMMU_MAP_ATOMIC
#define kver_iommu_map iommu_map
#else
#define kver_iommu_map(...) iommu_map(__VA_ARGS__, GFP_KERNEL | __GFP_NOFAIL)
#endif

/* A limit of a memory cgroup, in pages, and whether the cgroup was removed */
#ifdef CONFIG_MEMCG
#define kver_memcg_max(memcg) READ_ONCE((memcg)->memory.max)
#define kver_memcg_is_dying(memcg) css_is_dying(&(memcg)->css)
#else
#define kver_memcg_max(memcg) ((void)(memcg), ULONG_MAX)
#define kver_memcg_is_dying(memcg) ((void)(memcg), false)
#endif

#ifndef CONFIG_CONTIG_ALLOC
#define alloc_contig_range(...) (-EBUSY)
#define alloc_contig_frozen_range(...) (-EBUSY)
#endif

/* 7.3: compound pages come without a reference, and nobody else takes one */
#ifdef HAVE_CONTIG_FROZEN
#define kver_alloc_compound alloc_contig_frozen_range
#define kver_unfreeze(page) set_page_count(page, 1)
#else
#define kver_alloc_compound alloc_contig_range
#define kver_unfreeze(page) ((void)(page))
#endif

/*
 * 6.12: alloc_contig_range() can make a compound page. Before, single pages of
 * our own, of which nobody else knows yet, are made by hand what allocating them
 * as one compound page would have made of them; any number of them at once.
 */
#ifdef HAVE_CONTIG_COMP
#define LARGE_FOLIOS_AT_ONCE 1UL

static inline void kver_finish_large_folio(struct page *head)
{
	kver_unfreeze(head);
	folio_set_large_rmappable(page_folio(head));
}
#else
#define LARGE_FOLIOS_AT_ONCE 8UL

static inline void kver_finish_large_folio(struct page *head)
{
	unsigned long i;

	__folio_set_head(page_folio(head));
	for (i = 1; i < BIT(LARGE_FOLIO_ORDER); i++) {
		set_page_count(head + i, 0);
		head[i].mapping = TAIL_MAPPING;
		set_compound_head(head + i, head);
		set_page_private(head + i, 0);
	}
	set_compound_page_dtor(head, TRANSHUGE_PAGE_DTOR);
	set_compound_order(head, LARGE_FOLIO_ORDER);
	atomic_set(compound_mapcount_ptr(head), -1);
	atomic_set(compound_pincount_ptr(head), 0);
	INIT_LIST_HEAD(page_deferred_list(head));
}
#endif

#endif /* _KVER_H */
