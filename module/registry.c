// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry: all backings, and passes through all of their dataspaces.
 *
 * Only who may read debugfs makes such a pass (debugfs.c), and it disturbs nobody.
 * It takes each lock for a few steps and keeps no reference between two calls:
 * neither memory nor the backing itself goes later because somebody reads. Instead
 * the place that a reader has come to is known to those who take a dataspace out of
 * the lineage (dataspace_unlink()), who move it on, and to who evicts the backing,
 * who ends it. That costs them O(log n) for each reader, and nothing while nobody
 * reads.
 *
 * So a pass comes once to each dataspace that is there all the time, however many
 * come and go meanwhile. It leaves out what has come since it began, so that nobody
 * can draw it out.
 *
 * The lock of the registry is taken when a backing is made and when it goes, for
 * O(log n) with n backings, and by readers for each dataspace. The backing's lock is
 * taken within it, and the inode's.
 */
#include <linux/fs.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>

#include "private.h"

static DEFINE_SPINLOCK(registry_lock); /* what follows, and see backing_reader */
static struct rb_root registry = RB_ROOT;
static u64 registry_serial;

static struct backing *backing_of(const struct rb_node *rb)
{
	return rb_entry(rb, struct backing, registered);
}

/**
 * backing_register - let a backing be found
 * @backing: a new backing
 */
void backing_register(struct backing *backing)
{
	struct rb_node **link = &registry.rb_node;
	struct rb_node *parent = NULL;

	spin_lock(&registry_lock);
	backing->serial = ++registry_serial;
	while (*link) {
		parent = *link;
		link = &parent->rb_right;
	}
	rb_link_node(&backing->registered, parent, link);
	rb_insert_color(&backing->registered, &registry);
	spin_unlock(&registry_lock);
}

static void backing_reader_leave(struct backing_reader *reader)
{
	struct backing *backing = reader->backing;

	lockdep_assert_held(&registry_lock);
	if (!backing)
		return;
	spin_lock(&backing->lock);
	list_del(&reader->node);
	spin_unlock(&backing->lock);
	reader->backing = NULL;
}

/**
 * backing_unregister - let a backing not be found any more
 * @backing: a backing that has no dataspaces, or was never registered
 */
void backing_unregister(struct backing *backing)
{
	struct backing_reader *reader, *next;

	if (RB_EMPTY_NODE(&backing->registered))
		return;
	spin_lock(&registry_lock);
	rb_erase(&backing->registered, &registry);
	list_for_each_entry_safe(reader, next, &backing->readers, node)
		backing_reader_leave(reader);
	spin_unlock(&registry_lock);
}

/* The first backing from a number on that is not about to go, with a reference */
static struct backing *registry_get(u64 serial)
{
	struct rb_node *rb = registry.rb_node;
	struct rb_node *found = NULL;

	lockdep_assert_held(&registry_lock);
	while (rb) {
		if (backing_of(rb)->serial >= serial) {
			found = rb;
			rb = rb->rb_left;
		} else {
			rb = rb->rb_right;
		}
	}
	while (found && !igrab(&backing_of(found)->inode))
		found = rb_next(found);
	return found ? backing_of(found) : NULL;
}

static void backing_reader_enter(struct backing_reader *reader,
				 struct backing *backing)
{
	lockdep_assert_held(&registry_lock);
	reader->backing = backing;
	reader->serial = backing->serial;
	spin_lock(&backing->lock);
	list_add(&reader->node, &backing->readers);
	lineage_cursor_begin(&reader->cursor, &backing->lineage);
	spin_unlock(&backing->lock);
}

/* The backing that a pass is at, with a reference, or NULL at the end */
static struct backing *backing_reader_backing(struct backing_reader *reader)
{
	struct backing *backing;

	spin_lock(&registry_lock);
	backing = registry_get(reader->serial);
	if (!backing || backing != reader->backing)
		backing_reader_leave(reader);
	if (backing && !reader->backing)
		backing_reader_enter(reader, backing);
	spin_unlock(&registry_lock);
	return backing;
}

/**
 * backing_reader_rewind - begin a pass
 * @reader: zeroed, or a pass that is somewhere
 */
void backing_reader_rewind(struct backing_reader *reader)
{
	spin_lock(&registry_lock);
	backing_reader_leave(reader);
	reader->serial = 0;
	reader->last = registry_serial;
	spin_unlock(&registry_lock);
	reader->newest = dataspace_newest();
}

/**
 * backing_reader_end - end a pass, wherever it is
 * @reader: the pass
 */
void backing_reader_end(struct backing_reader *reader)
{
	spin_lock(&registry_lock);
	backing_reader_leave(reader);
	spin_unlock(&registry_lock);
}

/* Go on to a dataspace, a few steps at most; it is returned with a reference */
static struct dataspace *backing_reader_go_on(struct backing_reader *reader)
{
	struct lineage_cursor *cursor = &reader->cursor;
	int steps;

	for (steps = 0; cursor->next && steps < DATASPACE_BATCH; steps++) {
		struct lineage_member *member = lineage_cursor_member(cursor);

		if (member && to_dataspace(member)->serial <= reader->newest) {
			kref_get(&to_dataspace(member)->ref);
			return to_dataspace(member);
		}
		lineage_cursor_step(cursor);
	}
	return NULL;
}

static struct dataspace *backing_reader_find(struct backing_reader *reader,
					     struct backing *backing,
					     u32 *depth)
{
	struct dataspace *ds;
	bool more;

	do {
		spin_lock(&backing->lock);
		ds = backing_reader_go_on(reader);
		*depth = reader->cursor.depth;
		more = reader->cursor.next;
		spin_unlock(&backing->lock);
		cond_resched();
	} while (!ds && more && !fatal_signal_pending(current));
	return ds;
}

/**
 * backing_reader_get - get the dataspace that a pass is at
 * @reader: the pass
 * @depth: how many dataspaces there are that this one is derived from
 *
 * Return: the dataspace, with a reference, or NULL if there is none any more, or if
 * a fatal signal is pending.
 */
struct dataspace *backing_reader_get(struct backing_reader *reader, u32 *depth)
{
	struct dataspace *ds = NULL;

	while (!ds && reader->serial <= reader->last &&
	       !fatal_signal_pending(current)) {
		struct backing *backing = backing_reader_backing(reader);

		if (!backing)
			break;
		if (backing->serial <= reader->last)
			ds = backing_reader_find(reader, backing, depth);
		if (!ds)
			reader->serial = backing->serial + 1;
		iput(&backing->inode);
	}
	return ds;
}

/**
 * backing_reader_pass - go on behind a dataspace
 * @reader: the pass
 * @ds: what backing_reader_get() has returned, with the reference
 */
void backing_reader_pass(struct backing_reader *reader, struct dataspace *ds)
{
	spin_lock(&ds->backing->lock);
	if (reader->cursor.next == &ds->member.start)
		lineage_cursor_step(&reader->cursor);
	spin_unlock(&ds->backing->lock);
}
