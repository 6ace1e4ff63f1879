// SPDX-License-Identifier: GPL-2.0-only
/*
 * Telling about dataspaces: INFO and fdinfo, names, and what QUERY says about
 * the module.
 */
#include <linux/build_bug.h>
#include <linux/ctype.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "private.h"

#define FIELD(name) sizeof_field(struct dataspace_info, name)
static_assert(FIELD(size) + FIELD(flags) + FIELD(rights) + FIELD(state) +
		      FIELD(length) + FIELD(id) + FIELD(exclusive) +
		      FIELD(aliases) + FIELD(mappings) + FIELD(granule) +
		      FIELD(derived_mappings) + FIELD(devices) +
		      FIELD(resident) ==
	      88);
static_assert(sizeof(struct dataspace_info) == 88);
#undef FIELD

#define FIELD(name) sizeof_field(struct dataspace_query, name)
static_assert(FIELD(size) + FIELD(flags) + FIELD(version) + FIELD(rights) +
		      FIELD(alloc_flags) + FIELD(alias_flags) +
		      FIELD(seal_flags) + FIELD(__reserved) + FIELD(ioctls) +
		      FIELD(limit) + FIELD(in_use) + FIELD(pool) +
		      FIELD(pool_free) ==
	      72);
static_assert(sizeof(struct dataspace_query) == 72);
#undef FIELD

#define FIELD(name) sizeof_field(struct dataspace_name, name)
static_assert(FIELD(size) + FIELD(flags) + FIELD(name) == 40);
static_assert(sizeof(struct dataspace_name) == 40);
#undef FIELD

/* EXPORT_DMABUF is there if the kernel has dma-bufs */
#define DATASPACE_IOCTLS                                   \
	(BIT_ULL(_IOC_NR(DATASPACE_IOC_VERSION)) |         \
	 BIT_ULL(_IOC_NR(DATASPACE_IOC_ALLOC)) |           \
	 BIT_ULL(_IOC_NR(DATASPACE_IOC_ALIAS)) |           \
	 BIT_ULL(_IOC_NR(DATASPACE_IOC_INFO)) |            \
	 BIT_ULL(_IOC_NR(DATASPACE_IOC_REVOKE)) |          \
	 BIT_ULL(_IOC_NR(DATASPACE_IOC_SEAL)) |            \
	 (u64)IS_ENABLED(CONFIG_DMA_SHARED_BUFFER)         \
		 << _IOC_NR(DATASPACE_IOC_EXPORT_DMABUF) | \
	 BIT_ULL(_IOC_NR(DATASPACE_IOC_QUERY)) |           \
	 BIT_ULL(_IOC_NR(DATASPACE_IOC_SET_NAME)))

/*
 * Pages never move, so that it is found out once; but pages of lazy memory come and
 * go, so that it is never called contiguous. This may look at every folio of the
 * range, and so is not done with a lock held.
 */
static void dataspace_find_contiguity(struct dataspace *ds)
{
	bool contiguous = ds->backing->contiguous;

	if (READ_ONCE(ds->contiguity) != CONTIGUITY_UNKNOWN)
		return;
	if (!contiguous && !ds->backing->lazy) {
		if (READ_ONCE(ds->revoked))
			return;
		contiguous =
			backing_is_contiguous(ds->backing, ds->start, ds->end);
	}
	WRITE_ONCE(ds->contiguity,
		   contiguous ? CONTIGUITY_ONE_RUN : CONTIGUITY_SCATTERED);
}

static u32 dataspace_state(const struct dataspace *ds)
{
	u32 state = ds->alias ? DATASPACE_STATE_ALIAS : 0;

	if (READ_ONCE(ds->contiguity) == CONTIGUITY_ONE_RUN)
		state |= DATASPACE_STATE_CONTIGUOUS;
	if (READ_ONCE(ds->seal) & SEAL_FUTURE)
		state |= DATASPACE_STATE_SEALED;
	if (READ_ONCE(ds->revoked))
		state |= DATASPACE_STATE_REVOKED;
	return state;
}

/**
 * dataspace_get_info - describe a dataspace
 * @ds: the dataspace, which need not live
 * @info: filled in but for the size
 */
void dataspace_get_info(struct dataspace *ds, struct dataspace_info *info)
{
	struct backing *backing = ds->backing;
	unsigned long exclusive, resident;

	*info = (struct dataspace_info){
		.length = dataspace_length(ds),
		.id = dataspace_id(ds),
		.granule = PAGE_SIZE,
	};
	dataspace_find_contiguity(ds);
	exclusive = backing_exclusive(backing, ds->start, ds->end);
	resident = backing_resident(backing, ds->start, ds->end);
	spin_lock(&backing->lock);
	if (ds->linked && !ds->revoked) {
		struct lineage_count derived = lineage_count(&ds->member);

		if (ds->live && list_empty(&ds->exports) &&
		    !ds->nr_sharing_cover)
			info->exclusive = (u64)exclusive << PAGE_SHIFT;
		info->aliases = derived.live;
		info->derived_mappings = derived.mappings;
		info->mappings = ds->nr_mappings;
		info->devices = dataspace_count_devices(ds);
		info->resident = (u64)resident << PAGE_SHIFT;
	}
	info->rights = dataspace_rights(ds);
	info->state = dataspace_state(ds);
	spin_unlock(&backing->lock);
}

/**
 * dataspace_ioctl_info - describe a dataspace to a program
 * @file: its file
 * @arg: struct dataspace_info, filled in but for the size
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int dataspace_ioctl_info(struct file *file, void *arg)
{
	struct dataspace_info *info = arg;

	if (info->flags)
		return -EOPNOTSUPP;
	dataspace_get_info(dataspace_of(file), info);
	return 0;
}

static void dataspace_show_words(struct seq_file *m, unsigned long bits,
				 const char *const *names, unsigned int count,
				 char separator)
{
	unsigned int bit;

	for_each_set_bit(bit, &bits, count)
		seq_printf(m, "%c%s", separator, names[bit]);
}

/**
 * dataspace_show_rights - tell rights by their names
 * @m: where to
 * @rights: the rights, DATASPACE_READ among them
 * @separator: what stands between the names
 */
void dataspace_show_rights(struct seq_file *m, u32 rights, char separator)
{
	static const char *const names[] = {
		"read", "write", "exec", "map", "derive", "export",
	};

	seq_puts(m, names[0]);
	dataspace_show_words(m, rights & ~DATASPACE_READ, names,
			     ARRAY_SIZE(names), separator);
}

/**
 * dataspace_show_state - tell a state by names
 * @m: where to
 * @state: DATASPACE_STATE_*
 * @separator: what stands between the names
 */
void dataspace_show_state(struct seq_file *m, u32 state, char separator)
{
	static const char *const names[] = {
		"contiguous",
		"sealed",
		"revoked",
	};

	seq_puts(m, state & DATASPACE_STATE_ALIAS ? "alias" : "root");
	dataspace_show_words(m, state, names, ARRAY_SIZE(names), separator);
}

/**
 * dataspace_show_fdinfo - describe a dataspace in /proc/PID/fdinfo
 * @m: where to
 * @file: its file
 */
void dataspace_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct dataspace *ds = dataspace_of(file);
	char name[DATASPACE_NAME_MAX];
	struct dataspace_info info;

	dataspace_get_info(ds, &info);
	dataspace_get_name(ds, name);
	seq_printf(m, "dataspace-id:\t%llu\n", info.id);
	seq_printf(m, "dataspace-length:\t%llu\n", info.length);
	seq_puts(m, "dataspace-rights:\t");
	dataspace_show_rights(m, info.rights, ' ');
	seq_puts(m, "\ndataspace-state:\t");
	dataspace_show_state(m, info.state, ' ');
	seq_printf(m, "\ndataspace-exclusive:\t%llu\n", info.exclusive);
	seq_printf(m, "dataspace-mappings:\t%llu\n", info.mappings);
	if (name[0])
		seq_printf(m, "dataspace-name:\t%s\n", name);
}

/* Those of ASCII, and those beyond it as UTF-8 encodes them (C2 80 to C2 9F) */
static bool dataspace_name_has_control(const char *name)
{
	for (; *name; name++) {
		if (iscntrl(*name))
			return true;
		if ((u8)name[0] == 0xc2 && ((u8)name[1] & 0xe0) == 0x80)
			return true;
	}
	return false;
}

/**
 * dataspace_ioctl_set_name - give a dataspace a name
 * @file: its file
 * @arg: struct dataspace_name
 *
 * Return: 0, -EOPNOTSUPP, -EINVAL or -ESTALE.
 */
int dataspace_ioctl_set_name(struct file *file, void *arg)
{
	struct dataspace *ds = dataspace_of(file);
	const struct dataspace_name *args = arg;

	if (args->flags)
		return -EOPNOTSUPP;
	if (strnlen(args->name, sizeof(args->name)) == sizeof(args->name) ||
	    dataspace_name_has_control(args->name))
		return -EINVAL;
	if (READ_ONCE(ds->revoked))
		return -ESTALE;
	spin_lock(&ds->name_lock);
	strscpy(ds->name, args->name, sizeof(ds->name));
	spin_unlock(&ds->name_lock);
	return 0;
}

/**
 * dataspace_ioctl_query - describe the module
 * @device: the open device
 * @arg: struct dataspace_query, filled in but for the size
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int dataspace_ioctl_query(struct file *device, void *arg)
{
	struct dataspace_query *query = arg;

	if (query->flags)
		return -EOPNOTSUPP;
	*query = (struct dataspace_query){
		.version = DATASPACE_ABI_VERSION,
		.rights = DATASPACE_RIGHTS,
		.alloc_flags = DATASPACE_ALLOC_FLAGS,
		.alias_flags = DATASPACE_ALIAS_FLAGS,
		.seal_flags = DATASPACE_SEAL_FLAGS,
		.ioctls = DATASPACE_IOCTLS,
		.limit = backing_limit_bytes(),
		.in_use = backing_in_use_bytes(),
		.pool = pool_size_bytes(),
		.pool_free = pool_free_bytes(),
	};
	return 0;
}
