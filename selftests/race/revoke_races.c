// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revoking what others are using at that moment, in all the ways there are:
 * rule 17. Once REVOKE has returned, nothing that was derived reads what is
 * written after it, and nothing that is derived can write any more.
 * RACE_SECONDS=<number> in the environment sets how long each goes on.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "control.h"
#include "race.h"

/* What is in the words after the strike. */
#define AFTER 0xdeadULL

static size_t length(void)
{
	return GRANT_PAGES * page_size();
}

/* Each time by new entries in the page table. */
static void use_faults(struct race_user *user)
{
	if (!user->map)
		return race_refused(user);
	use_map(user, user->map);
	use_result(user, result(madvise(user->map, length(), MADV_DONTNEED)),
		   __LINE__);
}

static void use_mapping_with(struct race_user *user, int ds, int flags)
{
	char *map = mmap(NULL, length(), READ_WRITE, flags, ds, 0);

	if (map == MAP_FAILED)
		return use_result(user, -errno, __LINE__);
	use_map(user, map);
	munmap(map, length());
}

static void use_new_mappings(struct race_user *user)
{
	use_mapping_with(user, user->ds, MAP_SHARED);
}

static void use_populated_mappings(struct race_user *user)
{
	use_mapping_with(user, user->ds, MAP_SHARED | MAP_POPULATE);
}

static void use_moved(struct race_user *user, char *map, char *to)
{
	char *moved = mremap(map, length(), length(),
			     MREMAP_MAYMOVE | MREMAP_FIXED, to);

	if (moved == MAP_FAILED)
		return use_result(user, -errno, __LINE__);
	use_map(user, moved);
	munmap(moved, length());
}

static void use_moved_mappings(struct race_user *user)
{
	char *map = ds_map(user->ds, length(), READ_WRITE);
	char *to;

	if (map == MAP_FAILED)
		return use_result(user, -errno, __LINE__);
	use_map(user, map);
	to = mmap(NULL, length(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		  0);
	use_moved(user, map, to);
}

static void use_inherited_mappings(struct race_user *user)
{
	pid_t child = fork();
	int i;

	if (child)
		return use_result(user, -wait_for(child), __LINE__);
	for (i = 0; user->map && i < 200; i++)
		use_map(user, user->map);
	_exit(0);
}

static void use_alias(struct race_user *user, int ds)
{
	if (ds < 0)
		return use_result(user, ds, __LINE__);
	use_fd(user, ds);
	use_mapping_with(user, ds, MAP_SHARED);
}

static void use_aliases(struct race_user *user)
{
	int chain[6];
	int last = user->ds;
	int i;

	for (i = 0; i < ARRAY_LENGTH(chain); i++) {
		chain[i] = ds_alias(last, 0, length(), RIGHTS_RW);
		if (chain[i] >= 0)
			last = chain[i];
	}
	use_alias(user, chain[ARRAY_LENGTH(chain) - 1]);
	for (i = 0; i < ARRAY_LENGTH(chain); i++) {
		if (chain[i] >= 0)
			close(chain[i]);
	}
}

static void use_descriptor(struct race_user *user)
{
	use_fd(user, user->ds);
}

/* What went into the pipe is from before the strike. */
static void use_splice(struct race_user *user)
{
	off_t offset = 0;
	char *bytes = malloc(length());
	int ends[2];
	long ret, i;

	if (pipe(ends))
		return race_wrong(user->race->result, __LINE__, errno);
	ret = result(splice(user->ds, &offset, ends[1], NULL, length(), 0));
	use_result(user, ret, __LINE__);
	if (ret > 0)
		ret = read(ends[0], bytes, ret);
	for (i = 0; i < ret; i += page_size())
		use_value(user, *(__u64 *)(bytes + i), __LINE__);
	close(ends[0]);
	close(ends[1]);
	free(bytes);
}

/* A descendant that revokes on its own. */
static void use_revoke(struct race_user *user)
{
	int alias = ds_alias(user->ds, 0, length(), RIGHTS_RW);
	__u64 word;
	int ret;

	use_alias(user, alias);
	ret = ds_revoke(user->ds);
	use_result(user, ret, __LINE__);
	ret = result(pread(alias, &word, sizeof(word), 0));
	if (alias >= 0 && ret != -ESTALE)
		race_wrong(user->race->result, __LINE__, ret);
	close(alias);
}

/* An ancestor that revokes on its own, while the others use their grants. */
static void use_revoke_root(struct race_user *user)
{
	if (user != user->race->users)
		return use_faults(user);
	use_faults(user);
	usleep(user->uses * 7 % 2000);
	use_result(user, ds_revoke(user->race->root), __LINE__);
}

static void use_seal(struct race_user *user)
{
	int alias = ds_alias(user->ds, 0, length(), RIGHTS_RW);

	use_alias(user, alias);
	if (alias < 0)
		return;
	use_result(user, ds_seal(alias, 0), __LINE__);
	use_result(user, ds_seal(alias, DATASPACE_SEAL_NOW), __LINE__);
	use_fd(user, alias);
	close(alias);
}

/* The life of an alias ends by itself, its mapping's a little later. */
static void use_close(struct race_user *user)
{
	int alias = ds_alias(user->ds, 0, length(), RIGHTS_RW);
	char *map = ds_map(alias, length(), READ_WRITE);

	if (alias >= 0)
		close(alias);
	if (map == MAP_FAILED)
		return use_faults(user);
	use_map(user, map);
	munmap(map, length());
}

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

/* After this nobody may notice what is in the words now, or change it. */
static int revoke_and_write(struct race *race, int ds, bool alone)
{
	int ret = ds_revoke(ds);

	race_set(race, WORD_GENERATION, AFTER << 32);
	race_set(race, WORD_WRITTEN, AFTER);
	return alone || ret != -ESTALE ? ret : 0;
}

static int one_round(struct race *race, bool alone)
{
	int ds = ds_alias(race->root, 0, length(), RIGHTS_RW);
	int grant = ds_alias(ds, 0, length(), RIGHTS_RW);
	int ret;

	/* the ancestor may be faster, from the second alias on */
	if (!alone && grant == -ESTALE)
		return close(ds);
	ret = race_round_begin(race, grant);
	close(grant);
	race_pause(race);
	if (!ret)
		ret = revoke_and_write(race, ds, alone);
	race_pause(race);
	race_check(race, WORD_WRITTEN, AFTER, __LINE__);
	race_round_end(race);
	race_check(race, WORD_WRITTEN, AFTER, __LINE__);
	close(ds);
	return ret;
}

static void run_race(struct __test_metadata *_metadata, struct race *race,
		     use_fn use)
{
	const bool alone = use != use_revoke_root;
	double end;

	race->use = use;
	ASSERT_EQ(0, race_start(race));
	end = seconds() + race_seconds();
	while (seconds() < end && !race->result->wrong_line)
		ASSERT_EQ(0, one_round(race, alone));
	EXPECT_EQ(0, race_stop(race));
	EXPECT_EQ(0, race->result->wrong_line)
	{
		TH_LOG("%llx in round %llu", race->result->wrong_value,
		       race->round);
	}
	EXPECT_LT(0, race->result->succeeded);
	EXPECT_LT(0, race->result->refused);
	printf("# %llu race, %llu uses, %llu refused\n", race->round,
	       race->result->succeeded, race->result->refused);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_faults, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_faults);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_mmap_and_munmap, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_new_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_mmap_that_populates, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_populated_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_mremap, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_moved_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_fork, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_inherited_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_chains_of_ALIAS, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_aliases);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_pread_and_pwrite, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_descriptor);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_splice, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_splice);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_REVOKE_of_a_descendant, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_revoke);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_REVOKE_of_an_ancestor, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_revoke_root);
}

/* rules 17 and 18 */
TEST_F_TIMEOUT(race, with_SEAL_of_a_descendant, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_seal);
}

/* rules 13 and 17 */
TEST_F_TIMEOUT(race, with_close_and_munmap, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_close);
}

TEST_HARNESS_MAIN
