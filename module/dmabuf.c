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
 * There are two tables of operations. Kernels before 7.3 map the dma-buf in all
 * directions when it is attached, if either it or the importer can do without pins
 * (->pin()) but not both, and use that for all requests. So with ->pin() hardly
 * anybody could attach to a dma-buf that is only to be read, and without it an
 * importer that can be told of REVOKE would keep its mapping. Those importers
 * always ask for all directions. So ->pin() is for what can be written to.
 *
 * There is no ->vmap(): such a mapping has no direction, the dma-buf core hands it
 * to others without asking, and nothing can take it away.
 *
 * Locks: an importer holds the reservation lock or, before 6.2, none. Within it
 * export->lock, which is for the mappings of one dma-buf, and within that the
 * backing's. The reservation lock is never taken under either.
 */
#include <linux/build_bug.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "kver.h"
#include "private.h"

MODULE_IMPORT_NS(KVER_DMA_BUF_NS);

static_assert(sizeof(struct dataspace_export_dmabuf) == 8);
static_assert(sizeof_field(struct dataspace_export_dmabuf, size) +
		      sizeof_field(struct dataspace_export_dmabuf, flags) ==
	      8);

/**
 * struct dmabuf_export - a dma-buf of a dataspace
 * @file: the file of the dataspace, with a reference
 * @node: place in the list of the dataspace, under the backing's lock
 * @lock: for @mappings and what is in them
 * @mappings: all mappings that devices have by it
 */
struct dmabuf_export {
	struct file *file;
	struct list_head node;
	struct mutex lock; /* for mappings */
	struct list_head mappings;
};

/**
 * struct dmabuf_mapping - a mapping of a dma-buf for a device
 * @sgt: what the importer gets
 * @node: place in the list of the export
 * @dev: the device
 * @dir: the direction that it was made for
 * @pages: the pages of the dataspace, with a reference to each folio
 * @start: place in the backing's tree of device mappings that start
 * @end: place in the backing's tree of device mappings that end
 */
struct dmabuf_mapping {
	struct sg_table sgt;
	struct list_head node;
	struct device *dev;
	enum dma_data_direction dir;
	struct page **pages;
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

/* Pages with a reference to their folio can't become those of another one */
static void dmabuf_put_pages(struct page **pages, unsigned long nr_pages)
{
	unsigned long i = 0;

	while (i < nr_pages) {
		struct folio *folio = page_folio(pages[i]);

		i += folio_nr_pages(folio) - folio_page_idx(folio, pages[i]);
		folio_put(folio);
		cond_resched();
	}
}

/* Look up all pages of a dataspace, with a reference to each folio */
static int dmabuf_get_pages(const struct dataspace *ds, struct page **pages)
{
	unsigned long index = ds->start;
	bool lost = false;

	while (index < ds->end && !lost) {
		struct folio *folio =
			filemap_get_folio(ds->backing->inode.i_mapping, index);
		unsigned long end;

		if (IS_ERR_OR_NULL(folio)) {
			lost = !backing_has_page(ds->backing, index);
			continue;
		}
		end = min(ds->end, folio_next_index(folio));
		for (; index < end; index++) {
			struct page *page = folio_file_page(folio, index);

			pages[index - ds->start] = page;
			lost |= PageHWPoison(page);
		}
		cond_resched();
	}
	if (!lost)
		return 0;
	dmabuf_put_pages(pages, index - ds->start);
	return READ_ONCE(ds->revoked) ? -ESTALE : -EIO;
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
	unsigned long limit = BACKING_START + backing->nr_pages + 1;

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

static struct dmabuf_mapping *dmabuf_mapping_create(unsigned long nr_pages)
{
	struct dmabuf_mapping *mapping =
		kzalloc(sizeof(*mapping), GFP_KERNEL_ACCOUNT);

	if (!mapping)
		return NULL;
	mapping->pages = kvmalloc_array(nr_pages, sizeof(*mapping->pages),
					GFP_KERNEL_ACCOUNT);
	if (mapping->pages)
		return mapping;
	kfree(mapping);
	return NULL;
}

static void dmabuf_mapping_destroy(struct dmabuf_mapping *mapping)
{
	kvfree(mapping->pages);
	kfree(mapping);
}

static int dmabuf_make_table(struct dmabuf_mapping *mapping,
			     unsigned long nr_pages)
{
	int ret;

	ret = sg_alloc_table_from_pages_segment(
		&mapping->sgt, mapping->pages, nr_pages, 0,
		nr_pages << PAGE_SHIFT, dmabuf_max_segment(mapping->dev),
		GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	ret = dma_map_sgtable(mapping->dev, &mapping->sgt, mapping->dir, 0);
	if (ret)
		sg_free_table(&mapping->sgt);
	return ret;
}

/* Map pages that are referred to; -EAGAIN while a SEAL_NOW is being decided */
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
	ret = dmabuf_make_table(mapping, dataspace_nr_pages(ds));
	if (ret)
		return ret;
	list_add(&mapping->node, &export->mappings);
	dmabuf_count(ds, mapping);
	return 0;
}

static int dmabuf_try_map(struct dmabuf_export *export,
			  struct dmabuf_mapping *mapping)
{
	struct dataspace *ds = dmabuf_dataspace(export);
	int ret;

	ret = dmabuf_get_pages(ds, mapping->pages);
	if (ret)
		return ret;
	smp_mb(); /* pairs with backing_grace_period() before looking for pins */
	mutex_lock(&export->lock);
	ret = dmabuf_map_pages(export, mapping);
	mutex_unlock(&export->lock);
	if (ret)
		dmabuf_put_pages(mapping->pages, dataspace_nr_pages(ds));
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
	mapping = dmabuf_mapping_create(dataspace_nr_pages(ds));
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

/* The direction is that of the mapping, not what the importer says */
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
	}
	mutex_unlock(&export->lock);
	if (!mapping)
		return;
	dmabuf_uncount(ds, mapping);
	sg_free_table(&mapping->sgt);
	dmabuf_put_pages(mapping->pages, dataspace_nr_pages(ds));
	dmabuf_mapping_destroy(mapping);
}

static int dmabuf_attach(struct dma_buf *dmabuf,
			 struct dma_buf_attachment *attach)
{
	return dmabuf_check(dmabuf_dataspace(dmabuf->priv), false);
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
static int dmabuf_begin_cpu_access(struct dma_buf *dmabuf,
				   enum dma_data_direction dir)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct dmabuf_mapping *mapping;
	int ret;

	ret = dmabuf_check(dmabuf_dataspace(export), dir != DMA_FROM_DEVICE);
	if (ret)
		return ret;
	mutex_lock(&export->lock);
	list_for_each_entry(mapping, &export->mappings, node)
		dma_sync_sgtable_for_cpu(mapping->dev, &mapping->sgt,
					 mapping->dir);
	mutex_unlock(&export->lock);
	return 0;
}

static int dmabuf_end_cpu_access(struct dma_buf *dmabuf,
				 enum dma_data_direction dir)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct dmabuf_mapping *mapping;
	int ret;

	ret = dmabuf_check(dmabuf_dataspace(export), dir != DMA_FROM_DEVICE);
	if (ret)
		return ret;
	mutex_lock(&export->lock);
	list_for_each_entry(mapping, &export->mappings, node)
		dma_sync_sgtable_for_device(mapping->dev, &mapping->sgt,
					    mapping->dir);
	mutex_unlock(&export->lock);
	return 0;
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

/* Nobody refers to the dma-buf any more, so that there are no mappings */
static void dmabuf_release(struct dma_buf *dmabuf)
{
	struct dmabuf_export *export = dmabuf->priv;
	struct backing *backing = dmabuf_dataspace(export)->backing;

	spin_lock(&backing->lock);
	list_del(&export->node);
	spin_unlock(&backing->lock);
	fput(export->file);
	kfree(export);
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
	.release = dmabuf_release,
};

static struct dma_buf *dmabuf_create(struct file *file)
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
	INIT_LIST_HEAD(&export->node);
	INIT_LIST_HEAD(&export->mappings);
	mutex_init(&export->lock);
	info.ops = write ? &dmabuf_write_ops : &dmabuf_read_ops;
	info.size = dataspace_length(ds);
	info.flags = write ? O_RDWR : O_RDONLY;
	info.priv = export;
	dmabuf = dma_buf_export(&info);
	if (!IS_ERR(dmabuf))
		return dmabuf;
	fput(export->file);
	kfree(export);
	return dmabuf;
}

/* From now on REVOKE knows of it */
static int dmabuf_link(struct dmabuf_export *export)
{
	struct dataspace *ds = dmabuf_dataspace(export);
	int ret;

	spin_lock(&ds->backing->lock);
	ret = ds->revoked ? -ESTALE : 0;
	if (!ret)
		list_add(&export->node, &ds->exports);
	spin_unlock(&ds->backing->lock);
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

	if (!IS_ENABLED(CONFIG_DMA_SHARED_BUFFER))
		return -ENOTTY;
	if (args->flags)
		return -EOPNOTSUPP;
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (!(ds->rights & DATASPACE_EXPORT))
		return -EPERM;
	dmabuf = dmabuf_create(file);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	ret = dmabuf_link(dmabuf->priv);
	if (!ret)
		ret = dma_buf_fd(dmabuf, O_CLOEXEC);
	if (ret < 0)
		dma_buf_put(dmabuf);
	return ret;
}
