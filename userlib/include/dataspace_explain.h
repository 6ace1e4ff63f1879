/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Why a call of libdataspace has failed, in words.
 *
 * One error number can have several reasons: each of five mistakes in
 * dataspace_alias() is EINVAL. These functions are called after a failure, with
 * the arguments of the call that has failed, and look which of the reasons it
 * was. They never return NULL. The texts are English, for people, and can change.
 *
 * They are inline: the library has no such functions. They use strerror(3) for
 * what has only one reason, and so are not for several threads at once where that
 * is not. dataspace_explain(3) is their manual.
 */
#ifndef DATASPACE_EXPLAIN_H
#define DATASPACE_EXPLAIN_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <dataspace.h>

/**
 * dataspace_explain - tell why a function with an argument ds has failed
 * @error: what it returned, or that without the sign
 *
 * Return: a text without an end of line.
 */
static inline const char *dataspace_explain(int error)
{
	switch (error < 0 ? -error : error) {
	case EBADFD:
		return "it is not a dataspace";
	case EBUSY:
		return "a page is pinned, as by I/O that is under way";
	case EOPNOTSUPP:
		return "the module that is loaded does not know that flag, right or operation";
	case EPERM:
		return "the dataspace lacks the right, or is sealed";
	case ESTALE:
		return "the dataspace was revoked";
	default:
		return strerror(error < 0 ? -error : error);
	}
}

/**
 * dataspace_explain_alloc_from - tell why dataspace_alloc_from() has failed
 * @args: its argument
 * @size: its argument
 * @error: what it returned
 *
 * Return: a text without an end of line.
 */
static inline const char *
dataspace_explain_alloc_from(const struct dataspace_alloc *args, size_t size,
			     int error)
{
	const uint32_t scattered = DATASPACE_ALLOC_SCATTERED |
				   DATASPACE_ALLOC_LAZY;

	if (!args)
		return dataspace_explain(error);
	switch (error < 0 ? -error : error) {
	case E2BIG:
		return "the arguments have a part that the library or the module does not know";
	case EDQUOT:
		return "all dataspaces together would be over the module's limit_mb";
	case EINVAL:
		if (size < offsetof(struct dataspace_alloc, align) +
				   sizeof(args->align))
			return "the size is less than that of the arguments";
		if (!args->length)
			return "the length is 0";
		if (!(args->rights & DATASPACE_READ))
			return "the right to read is missing";
		if (args->node && !(args->flags & DATASPACE_ALLOC_NODE))
			return "there is a node, but not DATASPACE_ALLOC_NODE";
		if (args->align & (args->align - 1))
			return "the alignment is not a power of two";
		if (args->align && args->flags & scattered)
			return "there is an alignment for memory that is not contiguous";
		if (args->flags & DATASPACE_ALLOC_NODE)
			return "the node has no memory, or is not in the cpuset of the process";
		return strerror(EINVAL);
	case ENOMEM:
		if (args->flags & scattered)
			return "not enough memory, or over the limit of the memory cgroup";
		return "no such run of memory (see dmesg), or over the limit of the memory cgroup";
	case ENOTTY:
		return "the device is not that of the module";
	case ESTALE:
		return "the memory cgroup that would be charged was removed";
	default:
		return dataspace_explain(error);
	}
}

/**
 * dataspace_explain_alloc - tell why dataspace_alloc() has failed
 * @length: its argument
 * @rights: its argument
 * @flags: its argument
 * @error: what it returned
 *
 * Return: a text without an end of line.
 */
static inline const char *dataspace_explain_alloc(uint64_t length,
						  uint32_t rights,
						  uint32_t flags, int error)
{
	struct dataspace_alloc args;

	switch (error < 0 ? -error : error) {
	case EACCES:
	case EPERM:
		return "no permission to open /dev/dataspace: are you in the group dataspace?";
	case ENODEV:
	case ENOENT:
	case ENXIO:
		return "there is no /dev/dataspace: the module is not loaded";
	default:
		memset(&args, 0, sizeof(args));
		args.flags = flags;
		args.length = length;
		args.rights = rights;
		return dataspace_explain_alloc_from(&args, sizeof(args), error);
	}
}

/**
 * dataspace_explain_alias - tell why dataspace_alias() has failed
 * @ds: its argument
 * @offset: its argument
 * @length: its argument
 * @rights: its argument
 * @error: what it returned
 *
 * Return: a text without an end of line.
 */
static inline const char *dataspace_explain_alias(int ds, uint64_t offset,
						  uint64_t length,
						  uint32_t rights, int error)
{
	struct dataspace_info info;

	if (dataspace_info(ds, &info, sizeof(info)) < 0)
		return dataspace_explain(error);
	switch (error < 0 ? -error : error) {
	case EINVAL:
		if (!length)
			return "the length is 0";
		if (offset % info.granule)
			return "the offset is not a multiple of the page size";
		if (length % info.granule)
			return "the length is not a multiple of the page size";
		if (offset > info.length || length > info.length - offset)
			return "the range does not lie in the dataspace";
		if (!(rights & DATASPACE_READ))
			return "the right to read is missing";
		return strerror(EINVAL);
	case EPERM:
		if (!(info.rights & DATASPACE_DERIVE))
			return "the dataspace lacks the right to derive";
		if (rights & DATASPACE_WRITE &&
		    info.state & DATASPACE_STATE_SEALED)
			return "the dataspace is sealed: no alias of it can be writable";
		return "an alias cannot have a right that the dataspace lacks";
	default:
		return dataspace_explain(error);
	}
}

/**
 * dataspace_explain_seal - tell why dataspace_seal() has failed
 * @error: what it returned
 *
 * Return: a text without an end of line.
 */
static inline const char *dataspace_explain_seal(int error)
{
	if (error == EPERM || error == -EPERM)
		return "the dataspace lacks the right to write";
	return dataspace_explain(error);
}

/**
 * dataspace_explain_set_name - tell why dataspace_set_name() has failed
 * @name: its argument
 * @error: what it returned
 *
 * Return: a text without an end of line.
 */
static inline const char *dataspace_explain_set_name(const char *name,
						     int error)
{
	if (error != EINVAL && error != -EINVAL)
		return dataspace_explain(error);
	if (strlen(name) >= DATASPACE_NAME_MAX)
		return "a name has at most 31 bytes";
	return "a name has no control characters";
}

#endif /* DATASPACE_EXPLAIN_H */
