// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Attempts to write a sealed dataspace, by one who has all rights to it and has
 * had it mapped writable since before the seal.
 */
#include <errno.h>
#include <sys/mman.h>

#include <dataspace.h>

#include "attempts.h"
#include "try.h"

static int map_writable(const struct part *part)
{
	return try_map(part, PROT_READ | PROT_WRITE);
}

static int alias_writable(const struct part *part)
{
	return try_alias(part, DATASPACE_RW);
}

const struct attempt seal_attempts[SEAL_ATTEMPTS] = {
	{ "store, mapped earlier", try_store, OUTCOME_SIGBUS },
	{ "mmap writable", map_writable, -EPERM },
	{ "mprotect writable", try_protect_writable, -EPERM },
	{ "pwrite", try_pwrite, -EPERM },
	{ "alias with WRITE", alias_writable, -EPERM },
};
