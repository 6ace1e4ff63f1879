// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of a backing: taking it, accounting for it, looking for a page.
 *
 * The pages of a backing are put into the page cache of its inode when the root
 * is made, or when they are touched first if it is lazy (lazy.c), each at the
 * index that is its place in the root. A page stays there until it is released.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/memcontrol.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>

#include "kver.h"
#include "private.h"

/* How many single pages are added at a time */
#define BACKING_ADD_PAGES 15UL

static_assert(BACKING_ADD_PAGES <=
	      ARRAY_SIZE(((struct folio_batch *)NULL)->folios));

/* How often those who copy wait, 20 us at a time, for those who look for pins */
#define COPY_WAITS 50

/* What the log tells about a request that is refused, after what was wanted */
#define BACKING_NEVER_CHARGED "more than the limit of a memory cgroup"
#define BACKING_NOT_CHARGED "no room in the memory cgroup"
#define BACKING_NOT_AVAILABLE "more than is available"
#define BACKING_NO_MEMORY "no memory left"

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

static bool backing_limit_allows(unsigned long nr_pages, long in_use)
{
	u64 limit = backing_limit_bytes() >> PAGE_SHIFT;

	return !limit || (nr_pages <= limit && in_use <= limit - nr_pages);
}

static int backing_report_limit(unsigned long nr_pages, long in_use)
{
	pr_info_ratelimited("%lu KiB wanted, %ld KiB used, limit %llu KiB\n",
			    nr_pages << (PAGE_SHIFT - 10),
			    in_use << (PAGE_SHIFT - 10),
			    backing_limit_bytes() >> 10);
	return -EDQUOT;
}

static int backing_reserve(unsigned long nr_pages)
{
	long in_use = atomic_long_read(&pages_in_use);

	while (backing_limit_allows(nr_pages, in_use)) {
		if (atomic_long_try_cmpxchg(&pages_in_use, &in_use,
					    in_use + nr_pages))
			return 0;
	}
	return backing_report_limit(nr_pages, in_use);
}

/*
 * Of the reasons why there is no memory who asks learns only that. What is wrong
 * with a request, or forbidden by rights, is between a program and its author.
 */
static void backing_report(unsigned long nr_pages, const char *why)
{
	pr_info_ratelimited("%lu KiB wanted, %s\n",
			    nr_pages << (PAGE_SHIFT - 10), why);
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

/*
 * The page is locked and single, so it can be removed. In lazy memory it would be a
 * hole after that, so it is noted first. If there is no memory for the note, the
 * page stays, marked.
 */
static int backing_error_remove(struct address_space *mapping,
				struct kver_lost *lost)
{
	struct backing *backing =
		container_of(mapping->host, struct backing, inode);
	unsigned long index = lost->index;
	void *old;
	int ret;

	if (!backing->lazy)
		return generic_error_remove_folio(mapping, lost);
	old = xa_store(&backing->lost, index, xa_mk_value(1), GFP_KERNEL);
	ret = xa_err(old);
	return ret ? ret : generic_error_remove_folio(mapping, lost);
}

const struct address_space_operations backing_aops = {
	.dirty_folio = noop_dirty_folio,
	.migrate_folio = backing_migrate_folio,
	.free_folio = backing_free_folio,
	.error_remove_folio = backing_error_remove,
};

/* The page cache gets a reference of its own; the mm never drops a dirty folio */
static int backing_add_folio(struct backing *backing, struct folio *folio,
			     unsigned long index, gfp_t gfp)
{
	int ret = filemap_add_folio(backing->inode.i_mapping, folio, index,
				    gfp | __GFP_NOWARN);

	if (ret)
		return ret;
	folio_mark_uptodate(folio);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	return 0;
}

/*
 * Put the next folio of an extent into the page cache, or the next few if they
 * are single pages, on one CPU. The LRU's batch of that CPU holds a reference to a
 * single page that was just added until the batch is full or a compound page is
 * added; to release any other batch drains it. Without this a page could return to
 * the kernel later than it is released.
 */
static int backing_add_some(struct backing *backing, struct extent *extent,
			    unsigned long *added, unsigned long index)
{
	unsigned long end = min(*added + BACKING_ADD_PAGES, extent->nr_pages);
	struct folio_batch batch;
	struct folio *folio;
	int ret;

	folio_batch_init(&batch);
	migrate_disable();
	do {
		folio = extent_folio(extent, *added);
		ret = backing_add_folio(backing, folio,
					backing->start + index + *added,
					GFP_KERNEL | __GFP_RETRY_MAYFAIL);
		if (ret)
			break;
		folio_batch_add(&batch, folio);
		*added += folio_nr_pages(folio);
	} while (*added < end);
	folio_batch_release(&batch);
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
	if (ret == -ENOMEM)
		backing_report(backing->nr_pages, BACKING_NOT_CHARGED);
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

	if (extent_is_beyond_reach(request)) {
		backing_report(request->nr_pages, BACKING_NOT_AVAILABLE);
		return -ENOMEM;
	}
	while (*index < request->nr_pages) {
		struct extent extent;
		unsigned long left;
		int ret;

		if (fatal_signal_pending(current))
			return -EINTR;
		left = request->nr_pages - *index;
		piece.nr_pages = backing_largest_piece(*index, left);
		ret = extent_alloc_scattered(&extent, &piece);
		if (ret == -ENOMEM)
			backing_report(request->nr_pages, BACKING_NO_MEMORY);
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
	if (memcg)
		backing_report(nr_pages, BACKING_NEVER_CHARGED);
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
		.align = align ? max_t(u64, align >> PAGE_SHIFT, 1) :
				 backing->start,
		.node = node,
	};
	unsigned long filled = 0;
	int ret;

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

/* Until backing_end_charge() who has to pays for what appears later */
static struct mem_cgroup *backing_begin_charge(const struct backing *backing)
{
	return backing->payer ? set_active_memcg(backing->payer) : NULL;
}

static void backing_end_charge(const struct backing *backing,
			       struct mem_cgroup *before)
{
	if (backing->payer)
		set_active_memcg(before);
}

/**
 * backing_check_fill - tell whether so much more memory is worth an attempt
 * @backing: the backing
 * @nr_pages: how many pages are to be filled
 *
 * Return: 0, -EDQUOT beyond limit_mb, or -ENOMEM if it is beyond what is available
 * or more than can ever be charged.
 */
int backing_check_fill(struct backing *backing, unsigned long nr_pages)
{
	struct extent_request request = { nr_pages, 1, backing->node };
	long in_use = atomic_long_read(&pages_in_use);
	struct mem_cgroup *before;
	bool exceeds;

	if (!backing_limit_allows(nr_pages, in_use))
		return backing_report_limit(nr_pages, in_use);
	before = backing_begin_charge(backing);
	exceeds = backing_exceeds_memcg(nr_pages);
	backing_end_charge(backing, before);
	if (exceeds)
		return -ENOMEM;
	if (!extent_is_beyond_reach(&request))
		return 0;
	backing_report(nr_pages, BACKING_NOT_AVAILABLE);
	return -ENOMEM;
}

/*
 * To charge a single page the kernel reclaims in the caller's memory cgroup for a
 * while. For a large folio it does not: single pages will do instead. In neither
 * case it kills anybody. From the moment it is in the page cache others can punch the
 * folio out: the caller's reference is dropped last.
 */
static int backing_add_to_hole(struct backing *backing, struct folio *folio,
			       unsigned long index)
{
	gfp_t gfp = folio_test_large(folio) ? __GFP_NORETRY :
					      __GFP_RETRY_MAYFAIL;
	struct mem_cgroup *before = backing_begin_charge(backing);
	struct folio_batch batch;
	int ret;

	folio_batch_init(&batch);
	migrate_disable();
	ret = backing_add_folio(backing, folio, index, GFP_KERNEL | gfp);
	if (!ret)
		folio_batch_add(&batch, folio);
	folio_batch_release(&batch);
	migrate_enable();
	backing_end_charge(backing, before);
	return ret;
}

/**
 * backing_fill_hole - put a zeroed folio where there is a hole
 * @backing: the backing, which is lazy
 * @index: a page that is missing
 * @nr_pages: how many pages the folio has at most, a power of two; all that share
 *	that much with @index, aligned, are missing
 *
 * It is charged to the memory cgroup of the caller, or of who opened the device,
 * without killing anybody.
 *
 * Return: 0, -EEXIST if there is a page by now, -EIO if one was lost to a memory
 * error, -EDQUOT beyond limit_mb, or -ENOMEM.
 */
int backing_fill_hole(struct backing *backing, unsigned long index,
		      unsigned long nr_pages)
{
	struct extent_request request = { nr_pages, 1, backing->node };
	unsigned long first = round_down(index, nr_pages);
	struct extent extent;
	int ret;

	if (backing_has_lost(backing, first, first + nr_pages))
		return -EIO;
	ret = backing_reserve(nr_pages);
	if (ret)
		return ret;
	ret = extent_alloc_scattered(&extent, &request);
	if (ret) {
		backing_unreserve(nr_pages);
		if (ret == -ENOMEM && nr_pages == 1)
			backing_report(nr_pages, BACKING_NO_MEMORY);
		return ret;
	}
	backing_unreserve(nr_pages - extent.nr_pages);
	ret = backing_add_to_hole(backing, extent_folio(&extent, 0),
				  round_down(index, extent.nr_pages));
	if (ret) {
		backing_unreserve(extent.nr_pages);
		extent_free(&extent, 0);
	}
	if (ret == -ENOMEM && nr_pages == 1)
		backing_report(nr_pages, BACKING_NOT_CHARGED);
	return ret;
}

/**
 * backing_has_lost - tell whether a page of lazy memory was lost to a memory error
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * Call this after the page was looked for, see backing_has_page().
 *
 * Return: whether there is a page in the range that is missing for that reason.
 */
bool backing_has_lost(struct backing *backing, unsigned long start,
		      unsigned long end)
{
	return xa_find(&backing->lost, &start, end - 1, XA_PRESENT);
}

/**
 * backing_forget_lost - let pages be holes that were lost to a memory error
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 */
void backing_forget_lost(struct backing *backing, unsigned long start,
			 unsigned long end)
{
	unsigned long index;
	void *entry;

	xa_for_each_range(&backing->lost, index, entry, start, end - 1)
		xa_erase(&backing->lost, index);
}

/**
 * backing_next_present - find the next pages that are there
 * @backing: the backing
 * @start: where to begin; the first page that is there on return
 * @end: where to stop; the page after those found on return
 *
 * What is found is one folio or a part of it. It is looked at with the lock of the
 * page cache, as it may be being split; nobody's reference count is touched.
 *
 * Return: whether there is any.
 */
bool backing_next_present(struct backing *backing, unsigned long *start,
			  unsigned long *end)
{
	struct xarray *pages = &backing->inode.i_mapping->i_pages;
	unsigned long index = *start;
	struct folio *folio;

	if (*start >= *end)
		return false;
	xa_lock_irq(pages);
	folio = xa_find(pages, &index, *end - 1, XA_PRESENT);
	if (folio) {
		*start = max(*start, folio->index);
		*end = min(*end, folio_next_index(folio));
	}
	xa_unlock_irq(pages);
	return folio;
}

/**
 * backing_resident - count the pages of a range that are there
 * @backing: the backing
 * @start: first page
 * @end: page after the last one
 *
 * Return: the number of pages; a sum over moments if they come and go meanwhile.
 */
unsigned long backing_resident(struct backing *backing, unsigned long start,
			       unsigned long end)
{
	unsigned long nr_pages = 0;
	unsigned long limit = end;

	if (!backing->lazy)
		return end - start;
	while (backing_next_present(backing, &start, &limit)) {
		nr_pages += limit - start;
		start = limit;
		limit = end;
		cond_resched();
	}
	return nr_pages;
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

static void backing_add_looks(struct backing *backing, unsigned long start,
			      unsigned long end, int looks)
{
	unsigned long i = (start - backing->start) / LARGE_FOLIO_PAGES;
	unsigned long last = (end - 1 - backing->start) / LARGE_FOLIO_PAGES;

	if (!backing->lazy)
		return;
	for (; i <= last; i++)
		atomic_add(looks, &backing->looking[i]);
}

/**
 * backing_look_begin - ask those who copy to let go of folios for a moment
 * @backing: the backing
 * @start: first page of what is going to be looked at
 * @end: page after the last one
 */
void backing_look_begin(struct backing *backing, unsigned long start,
			unsigned long end)
{
	backing_add_looks(backing, start, end, 1);
}

/**
 * backing_look_end - let those who copy go on
 * @backing: the backing
 * @start: the same as before
 * @end: the same as before
 */
void backing_look_end(struct backing *backing, unsigned long start,
		      unsigned long end)
{
	backing_add_looks(backing, start, end, -1);
}

/**
 * backing_let_look - wait for those who look for pins, but not for long
 * @backing: the backing, which is lazy
 * @index: a page that is going to be copied, whose folio is not referred to yet
 *
 * Who looks all the time does not hold up others for good.
 */
void backing_let_look(const struct backing *backing, unsigned long index)
{
	const atomic_t *looking =
		&backing->looking[(index - backing->start) / LARGE_FOLIO_PAGES];
	unsigned int looks;

	for (looks = 0; looks < COPY_WAITS && atomic_read(looking); looks++)
		usleep_range(10, 20);
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
