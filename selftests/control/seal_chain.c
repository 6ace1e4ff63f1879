// SPDX-License-Identifier: GPL-2.0-only
/* What both programs about SEAL set up. */
#include "seal_chain.h"

#include "common.h"
#include "sigbus.h"

bool chain_make(struct chain *chain, size_t pages)
{
	sigbus_init();
	chain->pages = pages;
	chain->length = pages * page_size();
	chain->root = ds_alloc_pages(pages);
	chain->ds = ds_alias(chain->root, 0, chain->length, RIGHTS_RW);
	chain->child = ds_alias(chain->ds, 0, chain->length, RIGHTS_RW);
	chain->root_map = ds_map(chain->root, chain->length, READ_WRITE);
	chain->map = ds_map(chain->ds, chain->length, READ_WRITE);
	chain->child_map = ds_map(chain->child, chain->length, READ_WRITE);
	if (chain->root_map == MAP_FAILED || chain->map == MAP_FAILED ||
	    chain->child_map == MAP_FAILED)
		return false;
	pattern_write(chain->child_map, pages, 0);
	return !pattern_wrong(chain->map, pages, 0) &&
	       !pattern_wrong(chain->root_map, pages, 0);
}

bool chain_has(const struct chain *chain, __u64 first)
{
	return !pattern_wrong(chain->root_map, chain->pages, first) &&
	       !pattern_wrong(chain->map, chain->pages, first) &&
	       !pattern_wrong(chain->child_map, chain->pages, first);
}

size_t pages_stored(char *map, size_t pages)
{
	size_t stored = 0;
	__u64 value;
	size_t i;

	for (i = 0; i < pages; i++)
		stored += !try_load(map + i * page_size(), &value) &&
			  !try_store(map + i * page_size(), value);
	return stored;
}
