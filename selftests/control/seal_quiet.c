// SPDX-License-Identifier: GPL-2.0-only
/*
 * A SEAL that changes nothing disturbs nobody: what is mapped stays mapped, which
 * is told by the number of faults. Rules 18 and 25.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "control.h"
#include "proc.h"
#include "seal_chain.h"

#define NOW DATASPACE_SEAL_NOW

FIXTURE(quiet)
{
	struct chain chain;
};

FIXTURE_VARIANT(quiet)
{
	size_t pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(quiet, pages) {
	.pages = 12,
};

FIXTURE_VARIANT_ADD(quiet, huge) {
	.pages = 1024,
};

/* clang-format on */

/* How many faults it takes to load from each page. */
static long faults_of(const char *map, size_t pages)
{
	const long before = minor_faults();
	size_t i;

	for (i = 0; i < pages; i++)
		*(const volatile char *)(map + i * page_size());
	return minor_faults() - before;
}

static long faults_of_all(const struct chain *chain)
{
	return faults_of(chain->root_map, chain->pages) +
	       faults_of(chain->map, chain->pages) +
	       faults_of(chain->child_map, chain->pages);
}

FIXTURE_SETUP(quiet)
{
	ASSERT_TRUE(chain_make(&self->chain, variant->pages));
	faults_of_all(&self->chain);
	ASSERT_EQ(0, faults_of_all(&self->chain));
}

FIXTURE_TEARDOWN(quiet)
{
	EXPECT_EQ(0, pattern_wrong(self->chain.root_map, self->chain.pages, 0));
}

/* rule 18: what is sealed now is unmapped, so that the others can be told */
TEST_F(quiet, NOW_costs_faults_when_it_succeeds)
{
	EXPECT_EQ(0, ds_seal(self->chain.ds, NOW));
	EXPECT_LT(0, faults_of_all(&self->chain));
}

/* rules 18 and 25: a pin is found without unmapping anything */
TEST_F(quiet, EBUSY_has_unmapped_nothing)
{
	struct chain *chain = &self->chain;
	struct pin pin;

	ASSERT_EQ(0, pin_page(&pin, chain->map + 3 * page_size()));
	EXPECT_EQ(-EBUSY, ds_seal(chain->ds, NOW));
	EXPECT_EQ(0, faults_of_all(chain));
	EXPECT_EQ(-EBUSY, ds_seal(chain->child, NOW));
	EXPECT_EQ(0, faults_of_all(chain));
	pin_close(&pin);
}

/* rules 18 and 25: not even a pin is looked for */
TEST_F(quiet, NOW_again_changes_nothing)
{
	struct chain *chain = &self->chain;
	struct pin pin;

	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	faults_of_all(chain);
	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(0, faults_of_all(chain));
	EXPECT_EQ(0, ds_seal(chain->child, NOW));
	EXPECT_EQ(0, faults_of_all(chain));
	ASSERT_EQ(0, pin_page(&pin, chain->map));
	EXPECT_EQ(0, ds_seal(chain->ds, NOW));
	EXPECT_EQ(0, ds_seal(chain->ds, 0));
	EXPECT_EQ(0, faults_of_all(chain));
	pin_close(&pin);
}

/* rules 18 and 25 */
TEST_F(quiet, without_NOW_nothing_is_unmapped)
{
	EXPECT_EQ(0, ds_seal(self->chain.ds, 0));
	EXPECT_EQ(0, faults_of_all(&self->chain));
	EXPECT_EQ(0, ds_seal(self->chain.ds, 0));
	EXPECT_EQ(0, faults_of_all(&self->chain));
}

/* rules 18 and 25: mappings of other large folios stay as they are */
TEST(NOW_disturbs_nobody_outside_of_its_folio)
{
	const size_t pages = huge_size() / page_size();
	int root = ds_alloc(2 * huge_size(), RIGHTS_RW, 0);
	int ds = ds_alias(root, 0, huge_size(), RIGHTS_RW);
	int neighbour = ds_alias(root, huge_size(), huge_size(), RIGHTS_RW);
	char *own = ds_map(ds, huge_size(), READ_WRITE);
	char *map = ds_map(neighbour, huge_size(), READ_WRITE);

	ASSERT_NE(MAP_FAILED, own);
	ASSERT_NE(MAP_FAILED, map);
	pattern_write(own, pages, 0);
	pattern_write(map, pages, 0);
	ASSERT_EQ(0, faults_of(map, pages));
	EXPECT_EQ(0, ds_seal(ds, NOW));
	EXPECT_EQ(0, faults_of(map, pages));
	EXPECT_LT(0, faults_of(own, pages));
}

TEST_HARNESS_MAIN
