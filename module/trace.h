/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints. Each is passed once for each thing that has happened, after it is
 * certain: alloc and alias before anybody can use the new descriptor, release after
 * pages have gone back, export after the dma-buf was made, revoke and seal when the
 * call returns, whatever its result. Lengths and offsets are in bytes, and there are
 * no addresses.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM dataspace

#if !defined(_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_H

#include <linux/tracepoint.h>

#include "private.h"

/* clang-format off */

#define show_rights(rights)				\
	__print_flags(rights, "|",			\
		      { DATASPACE_READ, "read" },	\
		      { DATASPACE_WRITE, "write" },	\
		      { DATASPACE_EXEC, "exec" },	\
		      { DATASPACE_MAP, "map" },		\
		      { DATASPACE_DERIVE, "derive" },	\
		      { DATASPACE_EXPORT, "export" })

TRACE_EVENT(dataspace_alloc,
	TP_PROTO(const struct dataspace *ds),

	TP_ARGS(ds),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, length)
		__field(u32, rights)
		__field(int, node)
		__field(bool, contiguous)
		__field(bool, lazy)
	),

	TP_fast_assign(
		__entry->id = dataspace_id(ds);
		__entry->length = dataspace_length(ds);
		__entry->rights = ds->rights;
		__entry->node = ds->backing->node;
		__entry->contiguous = ds->backing->contiguous;
		__entry->lazy = ds->backing->lazy;
	),

	TP_printk("id=%llu length=%llu rights=%s node=%d contiguous=%d lazy=%d",
		  __entry->id, __entry->length, show_rights(__entry->rights),
		  __entry->node, __entry->contiguous, __entry->lazy)
);

TRACE_EVENT(dataspace_alias,
	TP_PROTO(const struct dataspace *ds, const struct dataspace *source),

	TP_ARGS(ds, source),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, source)
		__field(u64, offset)
		__field(u64, length)
		__field(u32, rights)
	),

	TP_fast_assign(
		__entry->id = dataspace_id(ds);
		__entry->source = dataspace_id(source);
		__entry->offset = (u64)(ds->start - source->start)
				  << PAGE_SHIFT;
		__entry->length = dataspace_length(ds);
		__entry->rights = ds->rights;
	),

	TP_printk("id=%llu source=%llu offset=%llu length=%llu rights=%s",
		  __entry->id, __entry->source, __entry->offset,
		  __entry->length, show_rights(__entry->rights))
);

TRACE_EVENT(dataspace_release,
	TP_PROTO(const struct dataspace *ds),

	TP_ARGS(ds),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, length)
		__field(u32, mappings)
		__field(bool, revoked)
	),

	TP_fast_assign(
		__entry->id = dataspace_id(ds);
		__entry->length = dataspace_length(ds);
		__entry->mappings = READ_ONCE(ds->nr_mappings);
		__entry->revoked = READ_ONCE(ds->revoked);
	),

	TP_printk("id=%llu length=%llu mappings=%u revoked=%d",
		  __entry->id, __entry->length, __entry->mappings,
		  __entry->revoked)
);

TRACE_EVENT(dataspace_revoke,
	TP_PROTO(const struct dataspace *ds, u32 flags, u32 revoked, int ret),

	TP_ARGS(ds, flags, revoked, ret),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, flags)
		__field(u32, revoked)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->id = dataspace_id(ds);
		__entry->flags = flags;
		__entry->revoked = revoked;
		__entry->ret = ret;
	),

	TP_printk("id=%llu flags=%s revoked=%u ret=%d", __entry->id,
		  __print_flags(__entry->flags, "|",
				{ DATASPACE_REVOKE_SELF, "self" }),
		  __entry->revoked, __entry->ret)
);

TRACE_EVENT(dataspace_seal,
	TP_PROTO(const struct dataspace *ds, u32 flags, int ret),

	TP_ARGS(ds, flags, ret),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, flags)
		__field(int, ret)
	),

	TP_fast_assign(
		__entry->id = dataspace_id(ds);
		__entry->flags = flags;
		__entry->ret = ret;
	),

	TP_printk("id=%llu flags=%s ret=%d", __entry->id,
		  __print_flags(__entry->flags, "|",
				{ DATASPACE_SEAL_NOW, "now" }),
		  __entry->ret)
);

TRACE_EVENT(dataspace_export,
	TP_PROTO(const struct dataspace *ds, u32 flags),

	TP_ARGS(ds, flags),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, length)
		__field(u32, rights)
		__field(u32, flags)
	),

	TP_fast_assign(
		__entry->id = dataspace_id(ds);
		__entry->length = dataspace_length(ds);
		__entry->rights = dataspace_rights(ds);
		__entry->flags = flags;
	),

	TP_printk("id=%llu length=%llu rights=%s flags=%s", __entry->id,
		  __entry->length, show_rights(__entry->rights),
		  __print_flags(__entry->flags, "|",
				{ DATASPACE_EXPORT_REVOCABLE, "revocable" }))
);

/* clang-format on */

#endif /* _TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
