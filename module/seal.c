// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SEAL ioctl: take the right to write from a dataspace and all derived ones.
 *
 * A plain seal is a flag that is read wherever writing could begin: when a VMA is
 * made or made writable, when an alias is made, and by each piece of a write.
 *
 * To seal what is mapped writable already, everything is unmapped, and comes back
 * read-only (vm.c). But a page that a driver has pinned may be written at any
 * time, so none may be. SEAL_NOW goes on in steps, of which the first two cost
 * nobody else anything:
 *
 *  1. Nothing is to be done if the dataspace was sealed so before.
 *  2. The counts of the folios tell of pins, without unmapping anything. What holds
 *     a reference for a moment only is waited for.
 *  3. The dataspaces are marked: whoever wants to use one waits until it is clear
 *     what becomes of it. Waiters hold no lock.
 *  4. After a grace period, and when nobody is punching a hole into the memory any
 *     more (lazy.c), the counts are looked at once more: threads that fault
 *     and unmap all the time may have held a reference between them whenever step 2
 *     looked, and they wait now. What has seemed pinned all through both looks is:
 *     EBUSY. What only seems so in this one may be held by a thread that was about
 *     to drop it and did not get a processor: the caller tries again as in step 5.
 *  5. All is unmapped. Now it can be told for certain whether a page is pinned. If
 *     one is, the marks are taken back, and the caller tries again from step 2 a few
 *     times.
 *  6. Else that is decided: the dataspaces are sealed and their VMAs told, and the
 *     marks taken back.
 *
 * Until it is decided a SEAL_NOW of an ancestor takes over the marks of one that it
 * meets, which then fails with EBUSY, unless that of the ancestor has sealed all that
 * it was to seal. From then on it leaves them alone: what is marked is sealed before
 * anybody uses it again, whatever becomes of the other call. REVOKE takes marks away:
 * who has waited for one finds that the dataspace was revoked. So does who takes a
 * dataspace out of the lineage.
 */
#include <linux/build_bug.h>
#include <linux/delay.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "private.h"
#include "trace.h"

/* How long a reference may be held before it counts as a pin, in milliseconds */
#define SEAL_PIN_WAIT_MAX_MS 128

/* The same while others wait, in microseconds */
#define SEAL_TEST_WAIT_MAX_US 12800

/* How often a pin may come up between the first look and the test */
#define SEAL_TRIES 8

#define FIELD(name) sizeof_field(struct dataspace_seal, name)
static_assert(FIELD(size) + FIELD(flags) + FIELD(rights) + FIELD(__reserved) ==
	      16);
static_assert(sizeof(struct dataspace_seal) == 16);
#undef FIELD

static bool seal_visit_mark(struct dataspace *ds, void *arg)
{
	struct dataspace_sealing *sealing = arg;
	struct dataspace_sealing *other = ds->seal_pending;

	lockdep_assert_held(&ds->backing->lock);
	if (ds == sealing->root)
		sealing->blocked = other && other != sealing;
	if (!ds->revoked && !sealing->blocked && !(other && other->decided))
		dataspace_set_seal_pending(ds, sealing);
	return true;
}

static bool seal_visit_unmark(struct dataspace *ds, void *arg)
{
	lockdep_assert_held(&ds->backing->lock);
	if (ds->seal_pending == arg)
		dataspace_set_seal_pending(ds, NULL);
	return true;
}

/* Tells the VMA of one mapping at a time; mappings that were told are behind */
static bool seal_visit(struct dataspace *ds, void *arg)
{
	struct dataspace_sealing *sealing = arg;
	struct dataspace_mapping *mapping;

	lockdep_assert_held(&ds->backing->lock);
	if (ds->revoked)
		return true;
	if (sealing->set & ~ds->seal)
		WRITE_ONCE(ds->seal, ds->seal | sealing->set);
	if (sealing->set & SEAL_NOW) {
		mapping = dataspace_first_mapping(ds);
		if (mapping && !mapping->write_protected) {
			mapping->write_protected = true;
			dataspace_vm_write_protect(mapping->vma);
			list_move_tail(&mapping->node, &ds->mappings);
			return false;
		}
	}
	if (ds->seal_pending == sealing)
		dataspace_set_seal_pending(ds, NULL);
	return true;
}

/*
 * Give those who hold a reference for a moment only the time to drop it. Tell whether
 * one was seen whenever this looked.
 */
static int seal_wait_for_pins(struct dataspace *ds, bool *seen)
{
	unsigned int wait_ms;

	*seen = true;
	for (wait_ms = 1; backing_seems_pinned(ds->backing, ds->start, ds->end);
	     wait_ms *= 2) {
		if (wait_ms > SEAL_PIN_WAIT_MAX_MS)
			return 0;
		if (wait_ms == 4)
			backing_drain_cpus();
		schedule_timeout_killable(msecs_to_jiffies(wait_ms));
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	*seen = false;
	return 0;
}

/* Whether a test for pins stays true. Nobody can get at what is marked meanwhile */
static bool seal_stays_pinned(struct dataspace *ds,
			      bool (*test)(struct backing *backing,
					   unsigned long start,
					   unsigned long end))
{
	unsigned int wait_us;

	for (wait_us = 50; test(ds->backing, ds->start, ds->end);
	     wait_us *= 2) {
		if (wait_us > SEAL_TEST_WAIT_MAX_US)
			return true;
		usleep_range(wait_us, 2 * wait_us);
	}
	return false;
}

/* Unless another call has taken the marks over, or the dataspace was revoked */
static bool seal_decide(struct dataspace *ds, struct dataspace_sealing *sealing,
			bool pinned)
{
	bool ours;

	spin_lock(&ds->backing->lock);
	ours = ds->seal_pending == sealing;
	sealing->decided = ours && !pinned;
	spin_unlock(&ds->backing->lock);
	return ours;
}

/* What has become of a dataspace that the caller has not sealed itself */
static int seal_result(const struct dataspace *ds)
{
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	return READ_ONCE(ds->seal) & SEAL_NOW ? 0 : -EBUSY;
}

static int seal_now(struct dataspace *ds, struct dataspace_sealing *sealing)
{
	unsigned int tries = 0;
	bool pinned = true, hopeless = false;
	bool seemed_pinned, seems_pinned;
	int ret;

	while (pinned && !hopeless && tries < SEAL_TRIES) {
		if (READ_ONCE(ds->seal) & SEAL_NOW)
			return 0;
		ret = seal_wait_for_pins(ds, &seemed_pinned);
		if (ret)
			return ret;
		ret = dataspace_walk(ds, seal_visit_mark, sealing,
				     DATASPACE_WALK_KILLABLE);
		if (ret)
			return ret;
		if (sealing->blocked) {
			if (wait_event_killable(ds->backing->wait,
						!READ_ONCE(ds->seal_pending)))
				return -EINTR;
			continue;
		}
		backing_grace_period();
		seems_pinned = dataspace_lazy_wait_for_punches(ds) ||
			       seal_stays_pinned(ds, backing_seems_pinned);
		hopeless = seemed_pinned && seems_pinned;
		if (!seems_pinned) {
			backing_zap(ds->backing, ds->start, ds->end);
			pinned = seal_stays_pinned(ds,
						   backing_unmap_and_test_pin);
		}
		if (!seal_decide(ds, sealing, pinned))
			return seal_result(ds);
		ret = dataspace_walk(ds,
				     pinned ? seal_visit_unmark : seal_visit,
				     sealing, 0);
		if (ret)
			return ret;
		tries++;
	}
	return pinned ? seal_result(ds) : 0;
}

/* Another call may have come by here and still be on its way to what is derived */
static int seal_future(struct dataspace *ds, struct dataspace_sealing *sealing)
{
	int ret;

	if (READ_ONCE(ds->seal) & SEAL_DONE)
		return 0;
	ret = dataspace_walk(ds, seal_visit, sealing, DATASPACE_WALK_KILLABLE);
	if (ret)
		return ret;
	backing_grace_period();
	ret = dataspace_lazy_wait_for_punches(ds);
	if (ret)
		return ret;
	spin_lock(&ds->backing->lock);
	WRITE_ONCE(ds->seal, ds->seal | SEAL_DONE);
	spin_unlock(&ds->backing->lock);
	return 0;
}

/**
 * dataspace_ioctl_seal - seal a dataspace and everything derived from it
 * @file: its file
 * @arg: struct dataspace_seal
 *
 * Return: 0 or a negative errno.
 */
int dataspace_ioctl_seal(struct file *file, void *arg)
{
	struct dataspace *ds = dataspace_of(file);
	const struct dataspace_seal *args = arg;
	struct dataspace_sealing sealing = { .root = ds, .set = SEAL_FUTURE };
	int ret;

	if (args->flags & ~DATASPACE_SEAL_FLAGS ||
	    args->rights & ~DATASPACE_WRITE || args->__reserved)
		return -EOPNOTSUPP;
	if (!args->rights)
		return -EINVAL;
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	if (!(ds->rights & DATASPACE_WRITE))
		return -EPERM;
	if (args->flags & DATASPACE_SEAL_NOW) {
		sealing.set |= SEAL_NOW;
		ret = seal_now(ds, &sealing);
		/* who has taken marks over, or revokes, may have yet to come to some */
		wait_event(ds->backing->wait, !READ_ONCE(sealing.nr_marked));
	} else {
		ret = seal_future(ds, &sealing);
	}
	trace_dataspace_seal(ds, args->flags, ret);
	return ret;
}
