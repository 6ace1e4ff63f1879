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
 * is not.
 */
#ifndef DATASPACE_EXPLAIN_H
#define DATASPACE_EXPLAIN_H

#include <errno.h>
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
	switch (error < 0 ? -error : error) {
	case EACCES:
	case EPERM:
		return "no permission to open /dev/dataspace: are you in the group dataspace?";
	case EDQUOT:
		return "all dataspaces together would be over the module's limit_mb";
	case EINVAL:
		if (!length)
			return "the length is 0";
		if (!(rights & DATASPACE_READ))
			return "the right to read is missing";
		return strerror(EINVAL);
	case ENODEV:
	case ENOENT:
	case ENXIO:
		return "there is no /dev/dataspace: the module is not loaded";
	case ENOMEM:
		if (flags & DATASPACE_ALLOC_SCATTERED)
			return "not enough memory, or over the limit of the memory cgroup";
		return "no such run of memory (see dmesg), or over the limit of the memory cgroup";
	default:
		return dataspace_explain(error);
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

#endif /* DATASPACE_EXPLAIN_H */
