/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the module builds on, probed by feature
 * (see Kbuild), each with the first kernel that has the thing. This is the only
 * place with conditional compilation.
 */
#ifndef _COMPAT_H
#define _COMPAT_H

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

/* 6.3: inode operations take an id mapping instead of a user namespace */
#ifdef HAVE_MNT_IDMAP
#define compat_fillattr generic_fillattr
#else
#define mnt_idmap user_namespace
static inline void compat_fillattr(struct mnt_idmap *idmap, u32 mask,
				   struct inode *inode, struct kstat *stat)
{
	generic_fillattr(idmap, inode, stat);
}
#endif

/* 6.3: the flags of an area are const and have setters */
#ifndef HAVE_VM_FLAGS_CLEAR
static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	vma->vm_flags &= ~flags;
}
#endif

/* 6.5: splicing from a file by copying, whatever its ->read_iter() does */
#ifndef HAVE_COPY_SPLICE_READ
#define copy_splice_read generic_file_splice_read
#endif

/* 6.5: an iterator over a pipe that allocates, and so sleeps, when copied to */
static inline bool compat_iter_sleeps(const struct iov_iter *iter)
{
#ifdef HAVE_COPY_SPLICE_READ
	return false;
#else
	return iov_iter_is_pipe(iter);
#endif
}

/* 6.12: pages that the kernel must neither migrate nor zero on truncation */
#ifndef HAVE_MAPPING_INACCESSIBLE
#define mapping_set_inaccessible mapping_set_unevictable
#endif

/* 6.8: MAX_ORDER was first made inclusive, then renamed */
#ifndef MAX_PAGE_ORDER
#define MAX_PAGE_ORDER (MAX_ORDER - 1)
#endif

/* Large folios, and areas that begin where they can be mapped as such */
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
#define CHUNK_ORDER HPAGE_PMD_ORDER
#define compat_get_unmapped_area thp_get_unmapped_area
#else
#define CHUNK_ORDER 0
static inline unsigned long compat_get_unmapped_area(struct file *file,
						     unsigned long addr,
						     unsigned long len,
						     unsigned long pgoff,
						     unsigned long flags)
{
#ifdef HAVE_MM_GET_UNMAPPED_AREA
	return mm_get_unmapped_area(current->mm, file, addr, len, pgoff, flags);
#else
	return current->mm->get_unmapped_area(file, addr, len, pgoff, flags);
#endif
}
#endif

#ifndef CONFIG_CONTIG_ALLOC
static inline int compat_alloc_chunk(unsigned long pfn)
{
	return -EBUSY;
}

static inline int compat_alloc_pages_at(unsigned long pfn, unsigned long nr)
{
	return -EBUSY;
}
#else
/* Allocate single pages at a given place; their contents are undefined */
static inline int compat_alloc_pages_at(unsigned long pfn, unsigned long nr)
{
	return alloc_contig_range(pfn, pfn + nr, MIGRATE_MOVABLE,
				  GFP_KERNEL | __GFP_NOWARN);
}

/* 6.12: alloc_contig_range() can make a compound page */
#ifdef HAVE_CONTIG_COMP
static inline int compat_alloc_chunk(unsigned long pfn)
{
	int ret = alloc_contig_range(pfn, pfn + (1UL << CHUNK_ORDER),
				     MIGRATE_MOVABLE,
				     GFP_KERNEL | __GFP_NOWARN | __GFP_COMP);

	if (!ret && CHUNK_ORDER > 0)
		folio_set_large_rmappable(page_folio(pfn_to_page(pfn)));
	return ret;
}
#else
static inline void compat_join_tail(struct page *page, struct page *head)
{
	set_page_count(page, 0);
	page->mapping = TAIL_MAPPING;
	set_compound_head(page, head);
	set_page_private(page, 0);
}

/*
 * Single pages of our own, of which nobody else knows yet, become what
 * allocating them as one compound page would have made of them. The page
 * allocator does this in a function that is not exported.
 */
static inline int compat_alloc_chunk(unsigned long pfn)
{
	struct page *head = pfn_to_page(pfn);
	unsigned long i;
	int ret = compat_alloc_pages_at(pfn, 1UL << CHUNK_ORDER);

	if (ret || CHUNK_ORDER == 0)
		return ret;
	__folio_set_head(page_folio(head));
	for (i = 1; i < 1UL << CHUNK_ORDER; i++)
		compat_join_tail(head + i, head);
	set_compound_page_dtor(head, TRANSHUGE_PAGE_DTOR);
	set_compound_order(head, CHUNK_ORDER);
	atomic_set(compound_mapcount_ptr(head), -1);
	atomic_set(compound_pincount_ptr(head), 0);
	INIT_LIST_HEAD(page_deferred_list(head));
	return 0;
}
#endif
#endif

#endif /* _COMPAT_H */
