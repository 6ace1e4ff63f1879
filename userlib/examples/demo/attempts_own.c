// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * What a client does with its own memory. It works until the service takes the
 * memory back.
 */
#include <errno.h>
#include <sys/mman.h>

#include <dataspace.h>

#include "attempts.h"
#include "try.h"

static int map_readable(const struct part *part)
{
	return try_map(part, PROT_READ);
}

static int alias_readable(const struct part *part)
{
	return try_alias(part, DATASPACE_RO);
}

const struct attempt own_attempts[OWN_ATTEMPTS] = {
	{ "load through the mapping", try_load, OUTCOME_SIGBUS },
	{ "store through the mapping", try_store, OUTCOME_SIGBUS },
	{ "pread", try_pread, -ESTALE },
	{ "mmap", map_readable, -ESTALE },
	{ "alias", alias_readable, -ESTALE },
};
