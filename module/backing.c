// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a backing: taking it, accounting for it, looking for a page.
 *
 * The pages of a backing are put into the page cache of its inode when the root
 * is made, each at the index that is its place in the root, and never again. A
 * page stays there until it is released.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "kver.h"
#include "private.h"

/* How many single pages are added at a time */
#define BACKING_ADD_PAGES 15UL

static unsigned long limit_mb;
module_param(limit_mb, ulong, 0644);
MODULE_PARM_DESC(limit_mb,
		 "Memory of all dataspaces together in MiB (0: no limit)");

static atomic_long_t pages_in_use;

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

static int backing_reserve(unsigned long nr_pages)
{
	u64 limit = backing_limit_bytes() >> PAGE_SHIFT;
	long in_use = atomic_long_read(&pages_in_use);

	while (!limit || (nr_pages <= limit && in_use <= limit - nr_pages)) {
		if (atomic_long_try_cmpxchg(&pages_in_use, &in_use,
					    in_use + nr_pages))
			return 0;
	}
	pr_info_ratelimited("%lu KiB wanted, %ld KiB used, limit %llu KiB\n",
			    nr_pages << (PAGE_SHIFT - 10),
			    in_use << (PAGE_SHIFT - 10),
			    limit << (PAGE_SHIFT - 10));
	return -EDQUOT;
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

const struct address_space_operations backing_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = backing_migrate_folio,
	.free_folio = backing_free_folio,
	.error_remove_folio = generic_error_remove_folio,
};

/*
 * The LRU's batch of this CPU holds a reference to a single page that was just
 * added until the batch is full or a compound page is added; releasing any other
 * batch drains it. Without this a page could return to the kernel later than it
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

/* The page cache takes over the reference; the mm never drops a dirty folio */
static int backing_add_folio(struct address_space *mapping, struct folio *folio,
			     unsigned long index)
{
	const gfp_t gfp = GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	int ret = filemap_add_folio(mapping, folio, BACKING_START + index, gfp);

	if (ret)
		return ret;
	folio_mark_uptodate(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/*
 * Put the next folio of an extent into the page cache, or the next few if they
 * are single pages, on one CPU, whose batch is drained then.
 */
static int backing_add_some(struct backing *backing, struct extent *extent,
			    unsigned long *added, unsigned long index)
{
	unsigned long end = min(*added + BACKING_ADD_PAGES, extent->nr_pages);
	struct folio *folio;
	int ret;

	migrate_disable();
	do {
		folio = extent_folio(extent, *added);
		ret = backing_add_folio(backing->inode.i_mapping, folio,
					index + *added);
		if (ret)
			break;
		*added += folio_nr_pages(folio);
	} while (*added < end);
	if (!folio_test_large(folio))
		backing_drain_added(folio);
	migrate_enable();
	return ret;
}

/*
 * Hand an extent over to the page cache, at *@index, which moves on behind what
 * was added. On failure the rest is free.
 */
static int backing_add_extent(struct backing *backing, struct extent *extent,
			      unsigned long *index)
{
	unsigned long added = 0;
	int ret = 0;

	while (added < extent->nr_pages) {
		ret = fatal_signal_pending(current) ?
			      -EINTR :
			      backing_add_some(backing, extent, &added, *index);
		if (ret)
			break;
		cond_resched();
	}
	extent_free(extent, added);
	*index += added;
	return ret;
}

/*
 * Free what was added of a run that has turned out to be too short. It stays
 * reserved for the next run.
 */
static void backing_start_over(struct backing *backing, unsigned long *index)
{
	atomic_long_add(*index, &pages_in_use);
	truncate_inode_pages(backing->inode.i_mapping, 0);
	*index = 0;
}

static int backing_fill_contiguous(struct backing *backing,
				   const struct extent_request *request,
				   unsigned long *index)
{
	struct extent_run run;
	int ret = 0;

	extent_run_begin(&run, request);
	while (*index < request->nr_pages) {
		struct extent extent;

		ret = extent_run_take(&run, &extent);
		if (ret == -EAGAIN) {
			backing_start_over(backing, index);
			continue;
		}
		if (ret)
			break;
		ret = backing_add_extent(backing, &extent, index);
		if (ret)
			break;
	}
	extent_run_end(&run);
	return ret;
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
				  const struct extent_request *request,
				  unsigned long *index)
{
	struct extent_request piece = *request;
	unsigned long pfn = 0;

	if (extent_is_beyond_reach(request))
		return -ENOMEM;
	while (*index < request->nr_pages) {
		struct extent extent;
		unsigned long left;
		int ret;

		if (fatal_signal_pending(current))
			return -EINTR;
		left = request->nr_pages - *index;
		piece.nr_pages = backing_largest_piece(*index, left);
		ret = extent_alloc_scattered(&extent, &piece);
		if (ret)
			return ret;
		backing->contiguous &= !*index || extent.pfn == pfn;
		pfn = extent.pfn + extent.nr_pages;
		ret = backing_add_extent(backing, &extent, index);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * Whether so much can never be charged to the caller's memory cgroup, or to one
 * of those that it is in.
 */
static bool backing_exceeds_memcg(unsigned long nr_pages)
{
	struct mem_cgroup *own = get_mem_cgroup_from_mm(NULL);
	struct mem_cgroup *memcg = own;

	while (memcg && nr_pages <= kver_memcg_max(memcg))
		memcg = parent_mem_cgroup(memcg);
	mem_cgroup_put(own);
	return memcg;
}

/**
 * backing_fill - allocate the memory of a backing
 * @backing: the backing, which has no memory yet
 * @node: NUMA node to take it from, or NUMA_NO_NODE
 * @align: physical alignment in bytes, a power of two, or 0 for natural
 * @scattered: whether several extents will do
 *
 * All of the memory is zero and charged to the memory cgroup of the caller.
 *
 * Return: 0, -EDQUOT beyond limit_mb, -ENOMEM, or -EINTR if a fatal signal is
 * pending. On failure some of the memory can be there; it goes with the backing.
 */
int backing_fill(struct backing *backing, int node, u64 align, bool scattered)
{
	struct extent_request request = {
		.nr_pages = backing->nr_pages,
		.align = max_t(u64, align >> PAGE_SHIFT, 1),
		.node = node,
	};
	unsigned long filled = 0;
	int ret;

	if (!align)
		request.align = min(roundup_pow_of_two(backing->nr_pages),
				    LARGE_FOLIO_PAGES);
	backing->contiguous = true;
	ret = backing_reserve(backing->nr_pages);
	if (ret)
		return ret;
	if (backing_exceeds_memcg(backing->nr_pages))
		ret = -ENOMEM;
	else if (scattered)
		ret = backing_fill_scattered(backing, &request, &filled);
	else
		ret = backing_fill_contiguous(backing, &request, &filled);
	backing_unreserve(backing->nr_pages - filled);
	return ret;
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
 * backing_is_contiguous - find out whether a range is one physical run
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * One folio after the other is looked at, with the lock of the page cache, as it
 * may be being split. Nobody's reference count is touched.
 *
 * Return: whether all pages of the range are there and follow each other.
 */
bool backing_is_contiguous(struct backing *backing, unsigned long start,
			   unsigned long end)
{
	struct address_space *mapping = backing->inode.i_mapping;
	unsigned long index = start;
	unsigned long wanted = 0;

	while (index < end) {
		unsigned long distance = 0; /* from the index to the pfn */
		unsigned long next = 0;
		struct folio *folio;

		xa_lock_irq(&mapping->i_pages);
		folio = xa_load(&mapping->i_pages, index);
		if (folio) {
			distance = folio_pfn(folio) - folio->index;
			next = folio_next_index(folio);
		}
		xa_unlock_irq(&mapping->i_pages);
		if (!folio || (index > start && distance != wanted))
			return false;
		wanted = distance;
		index = next;
		cond_resched();
	}
	return true;
}
