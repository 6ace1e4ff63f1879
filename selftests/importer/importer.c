// SPDX-License-Identifier: GPL-2.0-only
/*
 * Imports dma-bufs as drivers do, so that tests can do with them what drivers do.
 * Devices are two that do not exist, which the CPU stands in for, and QEMU's
 * "edu", which copies between memory and a buffer of its own.
 */
#include <linux/delay.h>
#include <linux/dma-buf.h>
#include <linux/dma-direct.h>
#include <linux/dma-fence.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iosys-map.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "importer.h"

/* Registers of "edu". */
#define EDU_DMA_FROM 0x80
#define EDU_DMA_TO 0x88
#define EDU_DMA_COUNT 0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_RUN 1
#define EDU_TO_MEMORY 2
#define EDU_BUFFER 0x40000

/* 6.13: the namespace is a string */
#ifdef HAVE_IMPORT_NS_STRING
MODULE_IMPORT_NS("DMA_BUF");
#else
MODULE_IMPORT_NS(DMA_BUF);
#endif

/* 7.3: another name */
#ifdef HAVE_INVALIDATE_MAPPINGS
#define MOVE_NOTIFY invalidate_mappings
#else
#define MOVE_NOTIFY move_notify
#endif

/* 6.2: functions that take the lock which nobody needed before */
#ifndef HAVE_UNLOCKED
#define dma_buf_map_attachment_unlocked dma_buf_map_attachment
#define dma_buf_unmap_attachment_unlocked dma_buf_unmap_attachment
#define dma_buf_vmap_unlocked dma_buf_vmap
#define dma_buf_vunmap_unlocked dma_buf_vunmap
#endif

struct import {
	struct mutex lock; /* all of it */
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	enum dma_data_direction dir;
	u32 flags;
	struct dma_fence *fence;
	struct iosys_map kernel;
	atomic_t told;
};

static DEFINE_SPINLOCK(importer_fence_lock);

static struct platform_device *importer_long;
static struct platform_device *importer_short;

static DEFINE_MUTEX(edu_lock);
static struct pci_dev *edu;
static void __iomem *edu_registers;
static void *edu_ours;
static dma_addr_t edu_ours_addr;

static int edu_run(u64 to, u64 from, u32 count, u32 command)
{
	unsigned int tries;

	writeq(from, edu_registers + EDU_DMA_FROM);
	writeq(to, edu_registers + EDU_DMA_TO);
	writeq(count, edu_registers + EDU_DMA_COUNT);
	writeq(EDU_RUN | command, edu_registers + EDU_DMA_COMMAND);
	for (tries = 0; tries < 2000; tries++) {
		if (!(readq(edu_registers + EDU_DMA_COMMAND) & EDU_RUN))
			return 0;
		msleep(20);
	}
	return -ETIMEDOUT;
}

static int edu_copy(dma_addr_t to, dma_addr_t from, u32 count)
{
	int ret = edu_run(EDU_BUFFER, from, count, 0);

	return ret ? ret : edu_run(to, EDU_BUFFER, count, EDU_TO_MEMORY);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret = pcim_enable_device(pdev);

	if (ret)
		return ret;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(28));
	if (ret)
		return ret;
	edu_registers = pcim_iomap(pdev, 0, 0);
	edu_ours = dmam_alloc_coherent(&pdev->dev, PAGE_SIZE, &edu_ours_addr,
				       GFP_KERNEL);
	if (!edu_registers || !edu_ours)
		return -ENOMEM;
	pci_set_master(pdev);
	edu = pdev;
	return 0;
}

static void edu_remove(struct pci_dev *pdev)
{
	edu = NULL;
	pci_clear_master(pdev);
}

static const struct pci_device_id edu_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{},
};

static struct pci_driver edu_driver = {
	.name = "dataspace_importer",
	.id_table = edu_ids,
	.probe = edu_probe,
	.remove = edu_remove,
};

static void importer_told(struct dma_buf_attachment *attach)
{
	struct import *import = attach->importer_priv;

	atomic_inc(&import->told);
}

static const struct dma_buf_attach_ops importer_ops = {
	.MOVE_NOTIFY = importer_told,
};

static struct device *importer_device(u32 flags)
{
	if (flags & IMPORTER_EDU) {
		if (!edu)
			return NULL;
		dma_set_max_seg_size(&edu->dev, flags & IMPORTER_SHORT ?
							60 * SZ_1K :
							UINT_MAX);
		dma_set_seg_boundary(&edu->dev, flags & IMPORTER_SHORT ?
							SZ_64K - 1 :
							UINT_MAX);
		return &edu->dev;
	}
	return flags & IMPORTER_SHORT ? &importer_short->dev :
					&importer_long->dev;
}

static int importer_attach(struct import *import, void __user *user)
{
	const struct dma_buf_attach_ops *ops = NULL;
	struct dma_buf_attachment *attach;
	struct importer_attach arg;
	struct dma_buf *dmabuf;
	struct device *dev;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	dev = importer_device(arg.flags);
	if (!dev)
		return -ENODEV;
	if (import->dmabuf)
		return -EEXIST;
	dmabuf = dma_buf_get(arg.dmabuf);
	if (IS_ERR(dmabuf))
		return PTR_ERR(dmabuf);
	if (arg.flags & IMPORTER_TOLD)
		ops = &importer_ops;
	attach = dma_buf_dynamic_attach(dmabuf, dev, ops, import);
	if (IS_ERR(attach)) {
		dma_buf_put(dmabuf);
		return PTR_ERR(attach);
	}
	import->dmabuf = dmabuf;
	import->attach = attach;
	import->flags = arg.flags;
	return 0;
}

static int importer_map(struct import *import, unsigned long dir)
{
	struct sg_table *sgt;

	if (!import->attach || import->sgt)
		return -EEXIST;
	if (import->flags & IMPORTER_TOLD) {
		dma_resv_lock(import->dmabuf->resv, NULL);
		sgt = dma_buf_map_attachment(import->attach, dir);
		dma_resv_unlock(import->dmabuf->resv);
	} else {
		sgt = dma_buf_map_attachment_unlocked(import->attach, dir);
	}
	if (IS_ERR(sgt))
		return PTR_ERR(sgt);
	import->sgt = sgt;
	import->dir = dir;
	return 0;
}

static int importer_unmap(struct import *import, struct sg_table *sgt)
{
	if (!sgt)
		return -ENOENT;
	if (import->flags & IMPORTER_TOLD) {
		dma_resv_lock(import->dmabuf->resv, NULL);
		dma_buf_unmap_attachment(import->attach, sgt, import->dir);
		dma_resv_unlock(import->dmabuf->resv);
	} else {
		dma_buf_unmap_attachment_unlocked(import->attach, sgt,
						  import->dir);
	}
	if (import->sgt == sgt)
		import->sgt = NULL;
	return 0;
}

/*
 * The direction is wrong, too. To unmap twice is a use after free with exporters
 * that look into the table.
 */
static int importer_unmap_wrong(struct import *import)
{
	struct sg_table *sgt = import->sgt;
	struct sg_table other = {};
	int ret;

	import->dir = import->dir == DMA_TO_DEVICE ? DMA_FROM_DEVICE :
						     DMA_TO_DEVICE;
	importer_unmap(import, &other);
	ret = importer_unmap(import, sgt);
	importer_unmap(import, sgt);
	return ret;
}

/* As a driver that takes its time; a signal ends it */
static int importer_hold(struct import *import, unsigned long ms)
{
	if (!import->dmabuf)
		return -ENOENT;
	dma_resv_lock(import->dmabuf->resv, NULL);
	msleep_interruptible(ms);
	dma_resv_unlock(import->dmabuf->resv);
	return 0;
}

static const char *importer_fence_name(struct dma_fence *fence)
{
	return "dataspace_importer";
}

static const struct dma_fence_ops importer_fence_ops = {
	.get_driver_name = importer_fence_name,
	.get_timeline_name = importer_fence_name,
};

/* As a driver that has queued something for its device */
static int importer_queue(struct import *import)
{
	struct dma_fence *fence;
	int ret;

	if (!import->dmabuf || import->fence)
		return -EEXIST;
	fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	if (!fence)
		return -ENOMEM;
	dma_fence_init(fence, &importer_fence_ops, &importer_fence_lock,
		       dma_fence_context_alloc(1), 1);
	dma_resv_lock(import->dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(import->dmabuf->resv, 1);
	if (!ret)
		dma_resv_add_fence(import->dmabuf->resv, fence,
				   DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(import->dmabuf->resv);
	if (ret)
		dma_fence_put(fence);
	else
		import->fence = fence;
	return ret;
}

/* The dma-buf must not refer to a fence of this module any longer */
static int importer_signal(struct import *import)
{
	struct dma_fence *signaled;

	if (!import->fence)
		return -ENOENT;
	dma_fence_signal(import->fence);
	signaled = dma_fence_get_stub();
	dma_resv_lock(import->dmabuf->resv, NULL);
	dma_resv_replace_fences(import->dmabuf->resv, import->fence->context,
				signaled, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(import->dmabuf->resv);
	dma_fence_put(signaled);
	dma_fence_put(import->fence);
	import->fence = NULL;
	return 0;
}

static int importer_vunmap(struct import *import)
{
	if (iosys_map_is_null(&import->kernel))
		return -ENOENT;
	dma_buf_vunmap_unlocked(import->dmabuf, &import->kernel);
	iosys_map_clear(&import->kernel);
	return 0;
}

static int importer_detach(struct import *import)
{
	if (!import->dmabuf)
		return -ENOENT;
	importer_signal(import);
	importer_vunmap(import);
	if (import->sgt)
		importer_unmap(import, import->sgt);
	dma_buf_detach(import->dmabuf, import->attach);
	dma_buf_put(import->dmabuf);
	import->dmabuf = NULL;
	import->attach = NULL;
	return 0;
}

static int importer_longest(const struct import *import)
{
	struct scatterlist *sg;
	unsigned int longest = 0;
	int i;

	if (!import->sgt)
		return -ENOENT;
	for_each_sgtable_sg(import->sgt, sg, i)
		longest = max(longest, sg->length);
	return min_t(unsigned int, longest, INT_MAX);
}

/* Where the device finds the byte at @offset; 0 if nowhere */
static dma_addr_t importer_addr(const struct import *import, u64 offset)
{
	struct scatterlist *sg;
	int i;

	for_each_sgtable_dma_sg(import->sgt, sg, i) {
		if (offset < sg_dma_len(sg))
			return sg_dma_address(sg) + offset;
		offset -= sg_dma_len(sg);
	}
	return 0;
}

static int edu_access(struct import *import, struct importer_access *arg,
		      bool write)
{
	dma_addr_t addr = importer_addr(import, arg->offset) + arg->behind;
	int ret;

	mutex_lock(&edu_lock);
	memset(edu_ours, arg->byte, arg->length);
	ret = write ? edu_copy(addr, edu_ours_addr, arg->length) :
		      edu_copy(edu_ours_addr, addr, arg->length);
	arg->byte = *(u8 *)edu_ours;
	if (!ret && memchr_inv(edu_ours, arg->byte, arg->length))
		ret = -EILSEQ;
	mutex_unlock(&edu_lock);
	return ret;
}

static int access_at(char *at, struct importer_access *arg, bool write)
{
	if (write)
		memset(at, arg->byte, arg->length);
	arg->byte = (u8)at[0];
	return memchr_inv(at, arg->byte, arg->length) ? -EILSEQ : 0;
}

/* Where the device would, be it a bounce buffer: no IOMMU translates for it */
static int cpu_access(struct import *import, struct importer_access *arg,
		      bool write)
{
	dma_addr_t addr = importer_addr(import, arg->offset);
	phys_addr_t phys = dma_to_phys(import->attach->dev, addr);
	struct page *page = pfn_to_page(PHYS_PFN(phys));
	char *at = kmap_local_page(page);
	int ret;

	ret = access_at(at + offset_in_page(arg->offset), arg, write);
	kunmap_local(at);
	return ret;
}

static int importer_access(struct import *import, void __user *user, bool write)
{
	struct importer_access arg;
	int ret;

	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;
	if (!import->dmabuf || arg.offset >= import->dmabuf->size ||
	    offset_in_page(arg.offset) + arg.length > PAGE_SIZE ||
	    !arg.length || arg.length > IMPORTER_ACCESS_MAX)
		return -EINVAL;
	if (iosys_map_is_set(&import->kernel))
		ret = access_at(import->kernel.vaddr + arg.offset, &arg, write);
	else if (!import->sgt)
		ret = -EINVAL;
	else if (import->flags & IMPORTER_EDU)
		ret = edu_access(import, &arg, write);
	else
		ret = cpu_access(import, &arg, write);
	if (!ret && copy_to_user(user, &arg, sizeof(arg)))
		return -EFAULT;
	return ret;
}

static int importer_vmap(struct import *import)
{
	if (!import->dmabuf || iosys_map_is_set(&import->kernel))
		return -EEXIST;
	return dma_buf_vmap_unlocked(import->dmabuf, &import->kernel);
}

static long importer_do(struct import *import, unsigned int cmd,
			unsigned long arg)
{
	switch (cmd) {
	case IMPORTER_ATTACH:
		return importer_attach(import, (void __user *)arg);
	case IMPORTER_DETACH:
		return importer_detach(import);
	case IMPORTER_MAP:
		return importer_map(import, arg);
	case IMPORTER_UNMAP:
		return importer_unmap(import, import->sgt);
	case IMPORTER_UNMAP_WRONG:
		return importer_unmap_wrong(import);
	case IMPORTER_SEGMENTS:
		return import->sgt ? import->sgt->orig_nents : -ENOENT;
	case IMPORTER_LONGEST:
		return importer_longest(import);
	case IMPORTER_COUNT_TOLD:
		return atomic_read(&import->told);
	case IMPORTER_WRITE:
		return importer_access(import, (void __user *)arg, true);
	case IMPORTER_READ:
		return importer_access(import, (void __user *)arg, false);
	case IMPORTER_VMAP:
		return importer_vmap(import);
	case IMPORTER_VUNMAP:
		return importer_vunmap(import);
	case IMPORTER_HOLD:
		return importer_hold(import, arg);
	case IMPORTER_QUEUE:
		return importer_queue(import);
	case IMPORTER_SIGNAL:
		return importer_signal(import);
	default:
		return -ENOTTY;
	}
}

static long importer_ioctl(struct file *file, unsigned int cmd,
			   unsigned long arg)
{
	struct import *import = file->private_data;
	long ret;

	mutex_lock(&import->lock);
	ret = importer_do(import, cmd, arg);
	mutex_unlock(&import->lock);
	return ret;
}

/* As drivers do that let their own files map what they have imported */
static int importer_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct import *import = file->private_data;

	if (!import->dmabuf)
		return -ENOENT;
	return dma_buf_mmap(import->dmabuf, vma, vma->vm_pgoff);
}

static int importer_open(struct inode *inode, struct file *file)
{
	struct import *import = kzalloc(sizeof(*import), GFP_KERNEL);

	if (!import)
		return -ENOMEM;
	mutex_init(&import->lock);
	file->private_data = import;
	return 0;
}

static int importer_release(struct inode *inode, struct file *file)
{
	importer_detach(file->private_data);
	kfree(file->private_data);
	return 0;
}

static const struct file_operations importer_fops = {
	.owner = THIS_MODULE,
	.open = importer_open,
	.release = importer_release,
	.unlocked_ioctl = importer_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = importer_mmap,
};

static struct miscdevice importer_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "dataspace_importer",
	.fops = &importer_fops,
};

static int __init importer_init(void)
{
	int ret;

	importer_long = platform_device_register_simple("importer", 0, NULL, 0);
	if (IS_ERR(importer_long))
		return PTR_ERR(importer_long);
	importer_short =
		platform_device_register_simple("importer", 1, NULL, 0);
	if (IS_ERR(importer_short)) {
		platform_device_unregister(importer_long);
		return PTR_ERR(importer_short);
	}
	dma_coerce_mask_and_coherent(&importer_long->dev, DMA_BIT_MASK(64));
	dma_coerce_mask_and_coherent(&importer_short->dev, DMA_BIT_MASK(64));
	dma_set_max_seg_size(&importer_long->dev, UINT_MAX);
	dma_set_max_seg_size(&importer_short->dev, SZ_64K);
	ret = pci_register_driver(&edu_driver);
	if (ret)
		goto out_devices;
	ret = misc_register(&importer_misc);
	if (ret)
		goto out_driver;
	return 0;

out_driver:
	pci_unregister_driver(&edu_driver);
out_devices:
	platform_device_unregister(importer_short);
	platform_device_unregister(importer_long);
	return ret;
}

static void __exit importer_exit(void)
{
	misc_deregister(&importer_misc);
	pci_unregister_driver(&edu_driver);
	platform_device_unregister(importer_short);
	platform_device_unregister(importer_long);
}

module_init(importer_init);
module_exit(importer_exit);

MODULE_DESCRIPTION("Importer of dma-bufs for tests");
MODULE_LICENSE("GPL");
