/* SPDX-License-Identifier: GPL-2.0-only */
/* What revoke_races.c and seal_races.c have in common; after the harness. */
#ifndef DATASPACE_RACE_FIXTURE_H
#define DATASPACE_RACE_FIXTURE_H

#include <stdio.h>

#include "common.h"
#include "race.h"

FIXTURE(race)
{
	struct race race;
};

FIXTURE_VARIANT(race)
{
	bool processes;
	size_t root_pages;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(race, threads) {
	.processes = false,
	.root_pages = GRANT_PAGES,
};

FIXTURE_VARIANT_ADD(race, processes) {
	.processes = true,
	.root_pages = GRANT_PAGES,
};

FIXTURE_VARIANT_ADD(race, processes_within_a_huge_page) {
	.processes = true,
	.root_pages = 1024,
};

/* clang-format on */

FIXTURE_SETUP(race)
{
	self->race.nr_users = 3;
	self->race.processes = variant->processes;
	self->race.root_pages = variant->root_pages;
}

FIXTURE_TEARDOWN(race)
{
}

/* Repeats rounds for a while; @one_round returns 0 or -errno. */
static void run_race(struct __test_metadata *_metadata, struct race *race,
		     race_use_fn use, int (*one_round)(struct race *race))
{
	double end;

	race->use = use;
	ASSERT_EQ(0, race_start(race));
	end = seconds() + race_seconds();
	while (seconds() < end && !race->result->wrong_line)
		ASSERT_EQ(0, one_round(race));
	EXPECT_EQ(0, race_stop(race));
	EXPECT_EQ(0, race->result->wrong_line)
	{
		TH_LOG("%llx in round %llu", race->result->wrong_value,
		       race->round);
	}
	EXPECT_LT(0, race->result->succeeded);
	printf("# %llu rounds, %llu accesses, %llu refused\n", race->round,
	       race->result->succeeded, race->result->refused);
}

#endif
