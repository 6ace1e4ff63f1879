// SPDX-License-Identifier: GPL-2.0-only
/*
 * The EXPORT_DMABUF ioctl: dma-bufs, by which devices get at a dataspace.
 *
 * A dma-buf holds the dataspace's own file, so that the dataspace lives as long
 * as the dma-buf does. Each call makes a dma-buf with a reservation object of its
 * own: holders could make each other wait by the fences in a common one.
 *
 * What a device may do is looked at whenever an importer maps the dma-buf. If
 * the dataspace may not be written to, only DMA_TO_DEVICE is possible, which an
 * IOMMU enforces. An importer gets a table of its own each time, which it may
 * edit, and a reference to each folio, so that the memory stays where it is until
 * the device is done with it: whoever closes, revokes or seals the dataspace finds
 * a pin like any other. Mapping is like a fault here: the folios are referred to
 * before the flags are looked at (zap.c), and a SEAL_NOW that is being decided is
 * waited for without references.
 *
 * Whether there is ->pin() depends on the right to write. Kernels before 7.3 map the
 * dma-buf in all directions when it is attached, if either it or the importer can do
 * without pins (->pin()) but not both, and use that for all requests. So with ->pin()
 * hardly anybody could attach to a dma-buf that is only to be read, and without it an
 * importer that can be told of REVOKE would keep its mapping. Those importers always
 * ask for all directions. So ->pin() is for what can be written to.
 *
 * REVOKE has each dma-buf of what it revokes dealt with by a work of its own. It
 * tells importers that want to know, and gives them a second at most to bring to
 * an end what they have queued. An importer can hold the locks, and its fences back,
 * as long as it likes: the work waits for neither, but looks again, less and less
 * often. So a thousand importers that do so hold up only who revokes from them, and
 * those have no thread of the workqueue that others need.
 *
 * Where an IOMMU translates for the device by page tables of the DMA API, each
 * address of each mapping is made to lead to a scratch page: so the device goes on
 * with nothing, and the importer can undo the mapping as ever. All else stays as it
 * is, and INFO counts it.
 *
 * A mapping into the kernel has no direction, the dma-buf core hands it to others
 * without asking, and nothing can take it away. So ->vmap() is only for what can be
 * written to, and not where REVOKE has to have an effect on all importers. It counts
 * as a device's, with references to all folios. The core complains in the log of a
 * ->vmap() that fails, which no holder may bring about at will: what was sealed or
 * revoked since the dma-buf was made, and who is being killed while it waits, gets a
 * mapping that leads to a scratch page everywhere. Only if there is no memory, or a
 * page was lost, does it fail.
 *
 * Locks: an importer holds the reservation lock or, before 6.2, none. Within it
 * export->lock, which is for the mappings of one dma-buf, and within that the
 * backing's. The reservation lock is never taken under either. Both locks of a
 * dma-buf are waited for only by those who use that dma-buf; REVOKE tries them. Those
 * who release a dma-buf wait for its work with nothing of ours held.
 */
#include <linux/build_bug.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/iosys-map.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "kver.h"
#include "private.h"
#include "trace.h"

MODULE_IMPORT_NS(KVER_DMA_BUF_NS);

static_assert(sizeof(struct dataspace_export_dmabuf) == 8);
static_assert(sizeof_field(struct dataspace_export_dmabuf, size) +
		      sizeof_field(struct dataspace_export_dmabuf, flags) ==
	      8);

/* How long REVOKE waits for what importers have queued */
#define DMABUF_FENCES_MAX_MS 1000

/* It looks again after a tick, then after twice as long, up to this */
#define DMABUF_LOOK_MAX_MS 100

static struct workqueue_struct *dmabuf_wq;

/**
 * struct dmabuf_export - a dma-buf of a dataspace
 * @file: the file of the dataspace, with a reference
 * @dmabuf: the dma-buf
 * @revocable: whether importers must be such that REVOKE has an effect on them
 * @node: place in the list of the dataspace; those that are revoked are at its end
 * @revoked: whether @revoke_work was queued because of REVOKE
 * @busy: whether @revoke_work has not come to its end yet
 * @deadline: until when it waits for fences, in jiffies
 * @delay: how long it waits until it looks again, in jiffies
 * @told: whether importers were told
 * @cut_off: whether devices were cut off
 * @revoke_work: cuts off devices; holds the inode
 * @lock: for what follows
 * @mappings: all mappings that devices have by it
 * @scratch: a page that devices are left with if there is an IOMMU, or the kernel;
 *	or NULL as long as there was no use for it
 * @kernel: what a mapping into the kernel refers to, or NULL; under the lock that the
 *	dma-buf core holds for its calls
 *
 * @node, @revoked and @busy are under the backing's lock. From @delay to @cut_off
 * only @revoke_work has use for it.
 */
struct dmabuf_export {
	struct file *file;
	struct dma_buf *dmabuf;
	bool revocable;
	struct list_head node;
	bool revoked;
	bool busy;
	unsigned long deadline;
	unsigned long delay;
	bool told;
	bool cut_off;
	struct delayed_work revoke_work;
	struct mutex lock; /* everything below */
	struct list_head mappings;
	struct page *scratch;
	struct dmabuf_mapping *kernel;
};

/**
 * struct dmabuf_range - what is contiguous for a device
 * @addr: where it begins, for the device
 * @bytes: its length
 */
struct dmabuf_range {
	dma_addr_t addr;
	size_t bytes;
};

/**
 * struct dmabuf_mapping - a mapping of a dma-buf for a device, or into the kernel
 * @sgt: what the importer gets
 * @node: place in the list of the export
 * @dev: the device, or NULL; @sgt, @node and @dir are only for one of a device
 * @dir: the direction that it was made for
 * @folios: all folios of the dataspace in order, with a reference to each
 * @nr_folios: how many there are
 * @max_folios: how many there is room for
 * @domain: what the IOMMU does for the device, or NULL
 * @ranges: all addresses of the mapping, if there is a @domain
 * @nr_ranges: how many there are
 * @cut_off: whether they lead to the scratch page, and it counts no more
 * @start: place in the backing's tree of device mappings that start
 * @end: place in the backing's tree of device mappings that end
 */
struct dmabuf_mapping {
	struct sg_table sgt;
	struct list_head node;
	struct device *dev;
	enum dma_data_direction dir;
	struct folio **folios;
	unsigned long nr_folios;
	unsigned long max_folios;
	struct iommu_domain *domain;
	struct dmabuf_range *ranges;
	unsigned int nr_ranges;
	bool cut_off;
	struct range_tree_entry start;
	struct range_tree_entry end;
};

static struct dataspace *dmabuf_dataspace(const struct dmabuf_export *export)
{
	return dataspace_of(export->file);
}

static int dmabuf_check(const struct dataspace *ds, bool write)
{
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (write && !(dataspace_rights(ds) & DATASPACE_WRITE))
		return -EACCES;
	return 0;
}

static int dmabuf_add_folio(struct dmabuf_mapping *mapping, struct folio *folio)
{
	unsigned long max = max(2 * mapping->max_folios, 16UL);
	struct folio **folios;

	if (mapping->nr_folios == mapping->max_folios) {
		folios = kvmalloc_array(max, sizeof(*folios),
					GFP_KERNEL_ACCOUNT);
		if (!folios)
			return -ENOMEM;
		if (mapping->nr_folios)
			memcpy(folios, mapping->folios,
			       mapping->nr_folios * sizeof(*folios));
		kvfree(mapping->folios);
		mapping->folios = folios;
		mapping->max_folios = max;
	}
	mapping->folios[mapping->nr_folios++] = folio;
	return 0;
}

static void dmabuf_put_folios(struct dmabuf_mapping *mapping)
{
	while (mapping->nr_folios) {
		folio_put(mapping->folios[--mapping->nr_folios]);
		cond_resched();
	}
}

static bool dmabuf_has_lost_page(struct folio *folio, unsigned long start,
				 unsigned long end)
{
	if (!folio_has_lost_page(folio))
		return false;
	for (; start < end; start++) {
		if (PageHWPoison(folio_file_page(folio, start)))
			return true;
	}
	return false;
}

/* Why there is no page; -EAGAIN if it was punched out since it was filled */
static int dmabuf_missing_page(const struct dataspace *ds, unsigned long index)
{
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (!ds->backing->lazy ||
	    backing_has_lost(ds->backing, index, index + 1))
		return -EIO;
	return -EAGAIN;
}

/* Refer to all folios of a dataspace, which keeps them as they are and in place */
static int dmabuf_get_folios(struct dataspace *ds,
			     struct dmabuf_mapping *mapping)
{
	unsigned long index = ds->start;
	int ret;

	ret = dataspace_lazy_fill(ds, 0, dataspace_length(ds));
	while (index < ds->end && !ret) {
		struct folio *folio =
			filemap_get_folio(ds->backing->inode.i_mapping, index);
		unsigned long end;

		if (IS_ERR_OR_NULL(folio)) {
			if (!backing_has_page(ds->backing, index))
				ret = dmabuf_missing_page(ds, index);
			continue;
		}
		ret = dmabuf_add_folio(mapping, folio);
		if (ret) {
			folio_put(folio);
			break;
		}
		end = min(ds->end, folio_next_index(folio));
		if (dmabuf_has_lost_page(folio, index, end))
			ret = -EIO;
		index = end;
		cond_resched();
	}
	if (ret)
		dmabuf_put_folios(mapping);
	smp_mb(); /* pairs with backing_grace_period() before looking for pins */
	return ret;
}

/* How long a segment may be for a device, in bytes */
static unsigned int dmabuf_max_segment(struct device *dev)
{
	size_t max = min_t(size_t, dma_get_max_seg_size(dev),
			   dma_max_mapping_size(dev));

	return max_t(size_t, min_t(size_t, max, UINT_MAX) & PAGE_MASK,
		     PAGE_SIZE);
}

/*
 * A device mapping starts or ends in two trees, in ranges up to the end of the
 * backing. What overlaps a range has started before its end, but has not ended
 * before its start.
 */
static void dmabuf_count(struct dataspace *ds, struct dmabuf_mapping *mapping)
{
	struct backing *backing = ds->backing;
	unsigned long limit = backing->start + backing->nr_pages + 1;

	spin_lock(&backing->lock);
	range_tree_add(&backing->device_starts, &mapping->start, ds->start,
		       limit);
	range_tree_add(&backing->device_ends, &mapping->end, ds->end, limit);
	spin_unlock(&backing->lock);
}

static void dmabuf_uncount(struct dataspace *ds, struct dmabuf_mapping *mapping)
{
	struct backing *backing = ds->backing;

	spin_lock(&backing->lock);
	range_tree_remove(&backing->device_starts, &mapping->start);
	range_tree_remove(&backing->device_ends, &mapping->end);
	spin_unlock(&backing->lock);
}

/**
 * dataspace_count_devices - count device mappings of pages of a dataspace
 * @ds: the dataspace; the backing is locked
 *
 * Return: how many there are, whatever dataspace they were made through.
 */
u64 dataspace_count_devices(struct dataspace *ds)
{
	struct backing *backing = ds->backing;

	lockdep_assert_held(&backing->lock);
	return range_tree_count(&backing->device_starts, ds->end - 1) -
	       range_tree_count(&backing->device_ends, ds->start);
}

static void dmabuf_mapping_destroy(struct dmabuf_mapping *mapping)
{
	kvfree(mapping->ranges);
	kvfree(mapping->folios);
	kfree(mapping);
}

/*
 * The domain in which the DMA API maps memory for a device page by page, or NULL.
 * If the IOMMU's pages are larger than the kernel's, bounce buffers are in the way.
 */
static struct iommu_domain *dmabuf_domain(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (!domain || !(domain->type & __IOMMU_DOMAIN_DMA_API) ||
	    !(domain->pgsize_bitmap & PAGE_SIZE))
		return NULL;
	return domain;
}

/*
 * Whether the DMA API has mapped what lies between the end of a range and @addr: so
 * that no segment crosses a boundary that the device has, it maps a segment longer
 * than it tells, and with it what follows in memory.
 */
static bool dmabuf_is_padded(struct iommu_domain *domain,
			     const struct dmabuf_range *range, dma_addr_t addr)
{
	dma_addr_t end = range->addr + range->bytes;

	return addr > end && iommu_iova_to_phys(domain, end) ==
				     iommu_iova_to_phys(domain, end - 1) + 1;
}

/*
 * What is one range for the device is unmapped at once, however many segments it
 * has: the IOMMU may map it by large pages, no part of which can be unmapped.
 */
static void dmabuf_add_range(struct dmabuf_mapping *mapping, dma_addr_t addr,
			     size_t bytes)
{
	struct dmabuf_range *next = &mapping->ranges[mapping->nr_ranges];
	struct dmabuf_range *last = next - 1;

	if (mapping->nr_ranges &&
	    (addr == last->addr + last->bytes ||
	     dmabuf_is_padded(mapping->domain, last, addr))) {
		last->bytes = addr + bytes - last->addr;
		return;
	}
	next->addr = addr;
	next->bytes = bytes;
	mapping->nr_ranges++;
}

/* A device that does not look into caches finds zeroes in memory */
static int dmabuf_clean_scratch(struct device *dev, struct page *scratch)
{
	dma_addr_t addr =
		dma_map_page(dev, scratch, 0, PAGE_SIZE, DMA_TO_DEVICE);

	if (dma_mapping_error(dev, addr))
		return -ENOMEM;
	dma_unmap_page(dev, addr, PAGE_SIZE, DMA_TO_DEVICE);
	return 0;
}

static void dmabuf_prepare_scratch(struct dmabuf_export *export)
{
	lockdep_assert_held(&export->lock);
	if (!export->scratch)
		export->scratch = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
}

/* Have ready what it takes to cut the device off, as REVOKE must not fail */
static int dmabuf_prepare_cut(struct dmabuf_export *export,
			      struct dmabuf_mapping *mapping)
{
	struct sg_table *sgt = &mapping->sgt;
	struct scatterlist *sg;
	int i;

	mapping->domain = dmabuf_domain(mapping->dev);
	if (!mapping->domain)
		return 0;
	dmabuf_prepare_scratch(export);
	mapping->ranges = kvcalloc(sgt->nents, sizeof(*mapping->ranges),
				   GFP_KERNEL_ACCOUNT);
	if (!export->scratch || !mapping->ranges)
		return -ENOMEM;
	for_each_sgtable_dma_sg(sgt, sg, i)
		dmabuf_add_range(mapping, sg_dma_address(sg), sg_dma_len(sg));
	return dmabuf_clean_scratch(mapping->dev, export->scratch);
}

/*
 * Cut the pages of a dataspace into segments of up to @max pages: folios that are
 * neighbours in memory share some. They are only counted if there is no table.
 */
static unsigned int dmabuf_cut(const struct dataspace *ds,
			       const struct dmabuf_mapping *mapping,
			       unsigned int max, struct scatterlist *sg)
{
	unsigned long index = ds->start, next_pfn = 0, i;
	unsigned int nr_segments = 0, nr_pages = max;

	for (i = 0; i < mapping->nr_folios; i++) {
		struct folio *folio = mapping->folios[i];
		unsigned long end = min(ds->end, folio_next_index(folio));
		unsigned long pfn = page_to_pfn(folio_file_page(folio, index));

		while (index < end) {
			unsigned int part;

			if (nr_pages == max || pfn != next_pfn) {
				if (sg && nr_segments)
					sg = sg_next(sg);
				nr_segments++;
				nr_pages = 0;
				if (sg)
					sg_set_page(sg, pfn_to_page(pfn), 0, 0);
			}
			part = min_t(unsigned long, end - index,
				     max - nr_pages);
			nr_pages += part;
			index += part;
			pfn += part;
			next_pfn = pfn;
			if (sg)
				sg->length = nr_pages << PAGE_SHIFT;
		}
		cond_resched();
	}
	return nr_segments;
}

static int dmabuf_make_table(const struct dataspace *ds,
			     struct dmabuf_mapping *mapping)
{
	/* asked for once, as drivers may change it at any time */
	unsigned int max = dmabuf_max_segment(mapping->dev) >> PAGE_SHIFT;
	struct sg_table *sgt = &mapping->sgt;
	int ret;

	ret = sg_alloc_table(sgt, dmabuf_cut(ds, mapping, max, NULL),
			     GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	dmabuf_cut(ds, mapping, max, sgt->sgl);
	ret = dma_map_sgtable(mapping->dev, sgt, mapping->dir, 0);
	if (ret)
		sg_free_table(sgt);
	return ret;
}

/* Map folios that are referred to; -EAGAIN while a SEAL_NOW is being decided */
static int dmabuf_map_pages(struct dmabuf_export *export,
			    struct dmabuf_mapping *mapping)
{
	struct dataspace *ds = dmabuf_dataspace(export);
	int ret;

	lockdep_assert_held(&export->lock);
	if (READ_ONCE(ds->seal_pending))
		return -EAGAIN;
	ret = dmabuf_check(ds, mapping->dir != DMA_TO_DEVICE);
	if (ret)
		return ret;
	ret = dmabuf_make_table(ds, mapping);
	if (ret)
		return ret;
	ret = dmabuf_prepare_cut(export, mapping);
	if (ret) {
		dma_unmap_sgtable(mapping->dev, &mapping->sgt, mapping->dir, 0);
		sg_free_table(&mapping->sgt);
		return ret;
	}
	list_add(&mapping->node, &export->mappings);
	dmabuf_count(ds, mapping);
	return 0;
}

static int dmabuf_try_map(struct dmabuf_export *export,
			  struct dmabuf_mapping *mapping)
{
	struct dataspace *ds = dmabuf_dataspace(export);
	int ret;

	ret = dmabuf_get_folios(ds, mapping);
	if (ret)
		return ret;
	mutex_lock(&export->lock);
	ret = dmabuf_map_pages(export, mapping);
	mutex_unlock(&export->lock);
	if (ret)
		dmabuf_put_folios(mapping);
	return ret;
}

static struct sg_table *dmabuf_map(struct dma_buf_attachment *attach,
				   enum dma_data_direction dir)
{
	struct dmabuf_export *export = attach->dmabuf->priv;
	struct dataspace *ds = dmabuf_dataspace(export);
	struct dmabuf_mapping *mapping;
	int ret;

	if (!valid_dma_direction(dir))
		return ERR_PTR(-EINVAL);
	ret = dmabuf_check(ds, dir != DMA_TO_DEVICE);
	if (ret)
		return ERR_PTR(ret);
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return ERR_PTR(-ENOMEM);
	mapping->dev = attach->dev;
	mapping->dir = dir;
	while ((ret = dmabuf_try_map(export, mapping)) == -EAGAIN) {
		ret = wait_event_killable(ds->backing->wait,
					  !READ_ONCE(ds->seal_pending));
		if (ret)
			break;
	}
	if (!ret)
		return &mapping->sgt;
	dmabuf_mapping_destroy(mapping);
	return ERR_PTR(ret == -ERESTARTSYS ? -EINTR : ret);
}

static struct dmabuf_mapping *dmabuf_find(struct dmabuf_export *export,
					  const struct sg_table *sgt)
{
	struct dmabuf_mapping *mapping;

	list_for_each_entry(mapping, &export->mappings, node) {
		if (&mapping->sgt == sgt)
			return mapping;
	}
	return NULL;
}

/*
 * The direction is that of the mapping, not what the importer says. Once it is not in
 * the list any more REVOKE does not wait for it: so the TLB of the IOMMU must have
 * been flushed by then, which the DMA API puts off if the domain has a flush queue.
 */
static void dmabuf_unmap(struct dma_buf_attachment *attach,
			 struct sg_table *sgt, enum dma_data_direction dir)
{
	struct dmabuf_export *export = attach->dmabuf->priv;
	struct dataspace *ds = dmabuf_dataspace(export);
	struct dmabuf_mapping *mapping;

	mutex_lock(&export->lock);
	mapping = dmabuf_find(export, sgt);
	if (mapping) {
		list_del(&mapping->node);
		dma_unmap_sgtable(mapping->dev, &mapping->sgt, mapping->dir, 0);
		if (mapping->domain &&
		    mapping->domain->type == IOMMU_DOMAIN_DMA_FQ)
			iommu_flush_iotlb_all(mapping->domain);
	}
	mutex_unlock(&export->lock);
	if (!mapping)
		return;
	if (!mapping->cut_off)
		dmabuf_uncount(ds, mapping);
	sg_free_table(&mapping->sgt);
	dmabuf_put_folios(mapping);
	dmabuf_mapping_destroy(mapping);
}

static int dmabuf_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attach)
{
	struct dmabuf_export *export = dmabuf->priv;

	if (export->revocable && !kver_dma_buf_can_tell(attach) &&
	    !dmabuf_domain(attach->dev))
		return -EOPNOTSUPP;
	return dmabuf_check(dmabuf_dataspace(export), false);
}

/* The memory never moves */
static int dmabuf_pin(struct dma_buf_attachment *attach)
{
	return dmabuf_check(dmabuf_dataspace(attach->dmabuf->priv), false);
}

static void dmabuf_unpin(struct dma_buf_attachment *attach)
{
}

/*
 * The direction tells what the CPU does. What the device does is known from each
 * mapping: with another direction a bounce buffer would be copied over memory that
 * is only to be read.
 */
static int dmabuf_sync(struct dma_buf *dmabuf, enum dma_data_direction dir,
		       void (*sync)(struct device *dev, struct sg_table *sgt,
				    enum dma_data_direction dir))
{
	struct dmabuf_export *export = dmabuf->priv;
	struct dmabuf_mapping *mapping;
	int ret;

	ret = dmabuf_check(dmabuf_dataspace(export), dir != DMA_FROM_DEVICE);
	if (ret)
		return ret;
	mutex_lock(&export->lock);
	list_for_each_entry(mapping, &export->mappings, node)
		sync(mapping->dev, &mapping->sgt, mapping->dir);
	mutex_unlock(&export->lock);
	return 0;
}

static int dmabuf_begin_cpu_access(struct dma_buf *dmabuf,
				   enum dma_data_direction dir)
{
	return dmabuf_sync(dmabuf, dir, dma_sync_sgtable_for_cpu);
}

static int dmabuf_end_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir)
{
	return dmabuf_sync(dmabuf, dir, dma_sync_sgtable_for_device);
}

/*
 * The VMA may have been made through the file of an importer, which the mode of
 * ours says nothing about.
 */
static int dmabuf_mmap(struct dma_buf *dmabuf, struct vm_area_struct *vma)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct dataspace *ds = dmabuf_dataspace(export);

	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (vma->vm_flags & VM_SHARED && !(ds->rights & DATASPACE_WRITE)) {
		if (vma->vm_flags & VM_WRITE)
			return -EACCES;
		vm_flags_clear(vma, VM_MAYWRITE);
	}
	return dataspace_mmap(export->file, vma);
}

/* As for a device: the references come first, then a look at the flags */
static int dmabuf_try_vmap(struct dataspace *ds, struct dmabuf_mapping *mapping)
{
	int ret;

	ret = dmabuf_get_folios(ds, mapping);
	if (ret)
		return ret;
	ret = READ_ONCE(ds->seal_pending) ? -EAGAIN : dmabuf_check(ds, true);
	if (ret)
		dmabuf_put_folios(mapping);
	return ret;
}

/* All pages that are referred to, and the scratch page where none is */
static void *dmabuf_vmap_pages(const struct dataspace *ds,
			       const struct dmabuf_mapping *mapping,
			       struct page *scratch)
{
	unsigned long index = ds->start, nr_pages = ds->end - ds->start, i;
	struct page **pages;
	void *addr;

	pages = kvmalloc_array(nr_pages, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < mapping->nr_folios; i++) {
		struct folio *folio = mapping->folios[i];
		unsigned long end = min(ds->end, folio_next_index(folio));

		for (; index < end; index++)
			pages[index - ds->start] =
				folio_file_page(folio, index);
		cond_resched();
	}
	for (; index < ds->end; index++)
		pages[index - ds->start] = scratch;
	addr = vmap(pages, nr_pages, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	return addr;
}

static int dmabuf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct dataspace *ds = dmabuf_dataspace(export);
	struct dmabuf_mapping *mapping;
	void *addr;
	int ret;

	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);
	if (!mapping)
		return -ENOMEM;
	while ((ret = dmabuf_try_vmap(ds, mapping)) == -EAGAIN) {
		ret = wait_event_killable(ds->backing->wait,
					  !READ_ONCE(ds->seal_pending));
		if (ret)
			break;
	}
	if (ret == -ESTALE || ret == -EACCES ||
	    (ret && fatal_signal_pending(current))) {
		mutex_lock(&export->lock);
		dmabuf_prepare_scratch(export);
		mutex_unlock(&export->lock);
		ret = export->scratch ? 0 : -ENOMEM;
	}
	if (ret)
		goto destroy;
	addr = dmabuf_vmap_pages(ds, mapping, export->scratch);
	if (!addr) {
		ret = -ENOMEM;
		goto destroy;
	}
	if (mapping->nr_folios)
		dmabuf_count(ds, mapping);
	export->kernel = mapping;
	iosys_map_set_vaddr(map, addr);
	return 0;

destroy:
	dmabuf_put_folios(mapping);
	dmabuf_mapping_destroy(mapping);
	return ret;
}

static void dmabuf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct dmabuf_mapping *mapping = export->kernel;

	export->kernel = NULL;
	vunmap(map->vaddr);
	if (mapping->nr_folios)
		dmabuf_uncount(dmabuf_dataspace(export), mapping);
	dmabuf_put_folios(mapping);
	dmabuf_mapping_destroy(mapping);
}

static void dmabuf_free(struct dmabuf_export *export)
{
	if (export->scratch)
		__free_page(export->scratch);
	fput(export->file);
	kfree(export);
}

/* Have the work come to its end; it must not be queued again when it has */
static void dmabuf_hurry(struct dmabuf_export *export)
{
	struct backing *backing = dmabuf_dataspace(export)->backing;

	WRITE_ONCE(export->deadline, jiffies);
	while (!wait_event_timeout(backing->wait, !READ_ONCE(export->busy),
				   1)) {
		if (cancel_delayed_work(&export->revoke_work))
			queue_delayed_work(dmabuf_wq, &export->revoke_work, 0);
	}
}

/*
 * Nobody refers to the dma-buf any more, so that there are no mappings and
 * nothing is queued that REVOKE would have to wait for.
 */
static void dmabuf_release(struct dma_buf *dmabuf)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct backing *backing = dmabuf_dataspace(export)->backing;

	spin_lock(&backing->lock);
	while (export->busy) {
		spin_unlock(&backing->lock);
		dmabuf_hurry(export);
		spin_lock(&backing->lock);
	}
	if (!list_empty(&export->node))
		WRITE_ONCE(backing->nr_exports, backing->nr_exports - 1);
	list_del(&export->node);
	spin_unlock(&backing->lock);
	dmabuf_free(export);
}

static const struct dma_buf_ops dmabuf_read_ops = {
	.attach = dmabuf_attach,
	.map_dma_buf = dmabuf_map,
	.unmap_dma_buf = dmabuf_unmap,
	.begin_cpu_access = dmabuf_begin_cpu_access,
	.end_cpu_access = dmabuf_end_cpu_access,
	.mmap = dmabuf_mmap,
	.release = dmabuf_release,
};

static const struct dma_buf_ops dmabuf_write_ops = {
	.attach = dmabuf_attach,
	.pin = dmabuf_pin,
	.unpin = dmabuf_unpin,
	.map_dma_buf = dmabuf_map,
	.unmap_dma_buf = dmabuf_unmap,
	.begin_cpu_access = dmabuf_begin_cpu_access,
	.end_cpu_access = dmabuf_end_cpu_access,
	.mmap = dmabuf_mmap,
	.vmap = dmabuf_vmap,
	.vunmap = dmabuf_vunmap,
	.release = dmabuf_release,
};

static const struct dma_buf_ops dmabuf_revocable_write_ops = {
	.attach = dmabuf_attach,
	.pin = dmabuf_pin,
	.unpin = dmabuf_unpin,
	.map_dma_buf = dmabuf_map,
	.unmap_dma_buf = dmabuf_unmap,
	.begin_cpu_access = dmabuf_begin_cpu_access,
	.end_cpu_access = dmabuf_end_cpu_access,
	.mmap = dmabuf_mmap,
	.release = dmabuf_release,
};

/*
 * Let all addresses of a mapping lead to the scratch page. What the device does
 * while there is none is an error that the IOMMU tells. There may be no memory for
 * page tables: then that stays so for the rest of a range. Returns whether nothing
 * leads to the memory any more.
 */
static bool dmabuf_cut_off(struct dmabuf_export *export,
			   struct dmabuf_mapping *mapping)
{
	const phys_addr_t scratch = page_to_phys(export->scratch);
	int prot = IOMMU_CACHE;
	bool gone = true;
	unsigned int i;

	if (mapping->dir != DMA_FROM_DEVICE)
		prot |= IOMMU_READ;
	if (mapping->dir != DMA_TO_DEVICE)
		prot |= IOMMU_WRITE;
	for (i = 0; i < mapping->nr_ranges; i++) {
		const struct dmabuf_range *range = &mapping->ranges[i];
		size_t done;

		done = iommu_unmap(mapping->domain, range->addr, range->bytes);
		if (WARN_ON_ONCE(done < range->bytes))
			gone = false;
		for (done = 0; done < range->bytes; done += PAGE_SIZE) {
			if (kver_iommu_map(mapping->domain, range->addr + done,
					   scratch, PAGE_SIZE, prot))
				break;
			cond_resched();
		}
	}
	return gone;
}

/* From when this has been done there are no new mappings, as all was revoked */
static bool dmabuf_cut_off_devices(struct dmabuf_export *export)
{
	struct dataspace *ds = dmabuf_dataspace(export);
	struct dmabuf_mapping *mapping;

	if (!mutex_trylock(&export->lock))
		return false;
	list_for_each_entry(mapping, &export->mappings, node) {
		if (!mapping->domain || !dmabuf_cut_off(export, mapping))
			continue;
		mapping->cut_off = true;
		dmabuf_uncount(ds, mapping);
	}
	mutex_unlock(&export->lock);
	return true;
}

/* Importers may undo mappings when they are told; false if it is not done yet */
static bool dmabuf_tell_and_cut_off(struct dmabuf_export *export)
{
	if (export->cut_off)
		return true;
	if (!dma_resv_trylock(export->dmabuf->resv))
		return false;
	if (!export->told)
		kver_dma_buf_tell(export->dmabuf);
	export->told = true;
	export->cut_off = dmabuf_cut_off_devices(export);
	dma_resv_unlock(export->dmabuf->resv);
	return export->cut_off;
}

static bool dmabuf_is_idle(struct dmabuf_export *export)
{
	return dma_resv_test_signaled(export->dmabuf->resv,
				      DMA_RESV_USAGE_BOOKKEEP) ||
	       !time_before(jiffies, READ_ONCE(export->deadline));
}

/* When this is not busy any more the export may go at any time */
static void dmabuf_revoke_work(struct work_struct *work)
{
	struct delayed_work *delayed = to_delayed_work(work);
	struct dmabuf_export *export =
		container_of(delayed, struct dmabuf_export, revoke_work);
	struct dataspace *ds = dmabuf_dataspace(export);
	struct backing *backing = ds->backing;

	if (!dmabuf_tell_and_cut_off(export) || !dmabuf_is_idle(export)) {
		export->delay = clamp(2 * export->delay, 1UL,
				      msecs_to_jiffies(DMABUF_LOOK_MAX_MS));
		queue_delayed_work(dmabuf_wq, delayed, export->delay);
		return;
	}
	spin_lock(&backing->lock);
	export->busy = false;
	ds->nr_exports_busy--;
	spin_unlock(&backing->lock);
	wake_up_all(&backing->wait);
	iput(&backing->inode);
}

/**
 * dataspace_revoke_exports - begin to cut off what has got at a dataspace by dma-bufs
 * @ds: the dataspace, which was revoked, so that there will be no more of them
 *
 * Does not wait: ds->nr_exports_busy is 0 when all is done. It is called once.
 */
void dataspace_revoke_exports(struct dataspace *ds)
{
	struct backing *backing = ds->backing;
	struct dmabuf_export *export;

	spin_lock(&backing->lock);
	for (;;) {
		export = list_first_entry_or_null(&ds->exports,
						  struct dmabuf_export, node);
		if (!export || export->revoked)
			break;
		export->revoked = true;
		export->busy = true;
		export->deadline =
			jiffies + msecs_to_jiffies(DMABUF_FENCES_MAX_MS);
		ds->nr_exports_busy++;
		list_move_tail(&export->node, &ds->exports);
		spin_unlock(&backing->lock);
		ihold(&backing->inode);
		queue_delayed_work(dmabuf_wq, &export->revoke_work, 0);
		cond_resched();
		spin_lock(&backing->lock);
	}
	spin_unlock(&backing->lock);
}

/* The dma-buf has the name that the dataspace has now, and frees it */
static int dmabuf_set_name(struct dma_buf *dmabuf, struct dataspace *ds)
{
	char name[DATASPACE_NAME_MAX];
	char *copy;

	dataspace_get_name(ds, name);
	if (!name[0])
		return 0;
	copy = kstrdup(name, GFP_KERNEL_ACCOUNT);
	if (!copy)
		return -ENOMEM;
	spin_lock(&dmabuf->name_lock);
	dmabuf->name = copy;
	spin_unlock(&dmabuf->name_lock);
	return 0;
}

static struct dma_buf *dmabuf_create(struct file *file, bool revocable)
{
	struct dataspace *ds = dataspace_of(file);
	bool write = dataspace_rights(ds) & DATASPACE_WRITE;
	struct dmabuf_export *export =
		kzalloc(sizeof(*export), GFP_KERNEL_ACCOUNT);
	DEFINE_DMA_BUF_EXPORT_INFO(info);
	struct dma_buf *dmabuf;

	if (!export)
		return ERR_PTR(-ENOMEM);
	export->file = get_file(file);
	export->revocable = revocable;
	INIT_DELAYED_WORK(&export->revoke_work, dmabuf_revoke_work);
	INIT_LIST_HEAD(&export->node);
	INIT_LIST_HEAD(&export->mappings);
	mutex_init(&export->lock);
	info.ops = &dmabuf_read_ops;
	if (write)
		info.ops = revocable ? &dmabuf_revocable_write_ops :
				       &dmabuf_write_ops;
	info.size = dataspace_length(ds);
	info.flags = write ? O_RDWR : O_RDONLY;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (IS_ERR(dmabuf))
		dmabuf_free(export);
	else
		export->dmabuf = dmabuf;
	return dmabuf;
}

/* From now on REVOKE knows of it */
static int dmabuf_link(struct dmabuf_export *export)
{
	struct dataspace *ds = dmabuf_dataspace(export);
	struct backing *backing = ds->backing;
	int ret;

	spin_lock(&backing->lock);
	ret = ds->revoked ? -ESTALE : 0;
	if (!ret) {
		list_add(&export->node, &ds->exports);
		WRITE_ONCE(backing->nr_exports, backing->nr_exports + 1);
	}
	spin_unlock(&backing->lock);
	return ret;
}

/**
 * dataspace_ioctl_export_dmabuf - make a dma-buf
 * @file: the file of the dataspace
 * @arg: struct dataspace_export_dmabuf
 *
 * Return: a descriptor or a negative errno.
 */
int dataspace_ioctl_export_dmabuf(struct file *file, void *arg)
{
	const struct dataspace_export_dmabuf *args = arg;
	struct dataspace *ds = dataspace_of(file);
	struct dma_buf *dmabuf;
	int ret;
	int fd;

	if (!IS_ENABLED(CONFIG_DMA_SHARED_BUFFER))
		return -ENOTTY;
	if (args->flags & ~DATASPACE_EXPORT_FLAGS)
		return -EOPNOTSUPP;
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (!(ds->rights & DATASPACE_EXPORT))
		return -EPERM;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	dmabuf = dmabuf_create(file, args->flags & DATASPACE_EXPORT_REVOCABLE);
	if (IS_ERR(dmabuf)) {
		ret = PTR_ERR(dmabuf);
		goto put_fd;
	}
	ret = dmabuf_set_name(dmabuf, ds);
	if (ret)
		goto put_dmabuf;
	ret = dataspace_lazy_fill(ds, 0, dataspace_length(ds));
	if (ret)
		goto put_dmabuf;
	ret = dmabuf_link(dmabuf->priv);
	if (ret)
		goto put_dmabuf;
	trace_dataspace_export(ds, args->flags);
	fd_install(fd, dmabuf->file);
	return fd;

put_dmabuf:
	dma_buf_put(dmabuf);
put_fd:
	put_unused_fd(fd);
	return ret;
}

int __init dataspace_dmabuf_init(void)
{
	dmabuf_wq = alloc_workqueue("dataspace_dmabuf", WQ_UNBOUND, 0);
	return dmabuf_wq ? 0 : -ENOMEM;
}

void dataspace_dmabuf_exit(void)
{
	destroy_workqueue(dmabuf_wq);
}
