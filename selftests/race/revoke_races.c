// SPDX-License-Identifier: GPL-2.0-only
/*
 * REVOKE while others use the memory, in each way that there is: rule 17. Once
 * REVOKE has returned, no user reads what is written after it, and no user
 * changes a byte. RACE_SECONDS=<number> in the environment sets how long each
 * race goes on.
 */
#include <kselftest_harness.h>

#include "control.h"
#include "race_fixture.h"

static void use_populated_mappings(struct race_user *user)
{
	use_new_map(user, user->ds, MAP_SHARED | MAP_POPULATE);
}

static void use_moved_mappings(struct race_user *user)
{
	const size_t length = grant_length();
	char *map = ds_map(user->ds, length, READ_WRITE);
	char *to, *moved;

	if (map == MAP_FAILED)
		return race_count(user, -errno, __LINE__);
	use_map(user, map);
	to = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap(map, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	if (moved == MAP_FAILED)
		return race_count(user, -errno, __LINE__);
	use_map(user, moved);
	munmap(moved, length);
}

/* What is in the pipe was read before REVOKE. */
static void use_splice(struct race_user *user)
{
	char *bytes = malloc(grant_length());
	off_t offset = 0;
	int ends[2];
	long ret, i;

	if (pipe(ends))
		return race_wrong(user->race, __LINE__, errno);
	ret = splice(user->ds, &offset, ends[1], NULL, grant_length(), 0);
	race_count(user, result(ret), __LINE__);
	if (ret > 0)
		ret = read(ends[0], bytes, ret);
	for (i = 0; i < ret; i += page_size())
		race_compare(user, *(__u64 *)(bytes + i), __LINE__);
	close(ends[0]);
	close(ends[1]);
	free(bytes);
}

/* The user revokes what is derived from its grant. */
static void use_revoke(struct race_user *user)
{
	int alias = ds_alias(user->ds, 0, grant_length(), RIGHTS_RW);
	__u64 word;
	int ret;

	use_alias(user, alias);
	ret = ds_revoke(user->ds);
	race_count(user, ret, __LINE__);
	ret = result(pread(alias, &word, sizeof(word), 0));
	if (alias >= 0 && ret != -ESTALE)
		race_wrong(user->race, __LINE__, ret);
	close(alias);
}

/* One user revokes what is derived from the root; the others use their grants. */
static void use_revoke_root(struct race_user *user)
{
	use_faults(user);
	if (user != user->race->users)
		return;
	usleep(user->uses * 7 % 2000);
	race_count(user, ds_revoke(user->race->root), __LINE__);
}

static void use_seal(struct race_user *user)
{
	int alias = ds_alias(user->ds, 0, grant_length(), RIGHTS_RW);

	use_alias(user, alias);
	if (alias < 0)
		return;
	race_count(user, ds_seal(alias, 0), __LINE__);
	race_count(user, ds_seal(alias, DATASPACE_SEAL_NOW), __LINE__);
	use_fd(user, alias);
	close(alias);
}

/* The user closes an alias, and unmaps its mapping a little later. */
static void use_close(struct race_user *user)
{
	int alias = ds_alias(user->ds, 0, grant_length(), RIGHTS_RW);
	char *map = ds_map(alias, grant_length(), READ_WRITE);

	if (alias >= 0)
		close(alias);
	if (map == MAP_FAILED)
		return use_faults(user);
	use_map(user, map);
	munmap(map, grant_length());
}

/*
 * After REVOKE no user may read what is in the words now, or change it. If a user
 * revokes the root, that may come first.
 */
static int revoke_round(struct race *race)
{
	const bool root_too = race->use == use_revoke_root;
	int ds = ds_alias(race->root, 0, grant_length(), RIGHTS_RW);
	int grant = ds_alias(ds, 0, grant_length(), RIGHTS_RW);
	int ret;

	if (root_too && grant == -ESTALE)
		return close(ds);
	ret = race_round_begin(race, grant);
	close(grant);
	race_pause();
	if (!ret) {
		ret = ds_revoke(ds);
		if (root_too && ret == -ESTALE)
			ret = 0;
		race_set(race, WORD_ROUND, WORD_AFTER << 32);
		race_set(race, WORD_WRITTEN, WORD_AFTER);
	}
	race_pause();
	race_check(race, WORD_WRITTEN, WORD_AFTER, __LINE__);
	race_round_end(race);
	race_check(race, WORD_WRITTEN, WORD_AFTER, __LINE__);
	close(ds);
	return ret;
}

static void race_with(struct __test_metadata *_metadata, struct race *race,
		      race_use_fn use)
{
	run_race(_metadata, race, use, revoke_round);
	EXPECT_LT(0, race->result->refused);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_faults, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_faults);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_mmap_and_munmap, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_new_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_mmap_that_populates, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_populated_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_mremap, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_moved_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_fork, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_inherited_mappings);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_chains_of_ALIAS, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_aliases);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_pread_and_pwrite, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_descriptor);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_splice, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_splice);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_REVOKE_of_a_descendant, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_revoke);
}

/* rule 17 */
TEST_F_TIMEOUT(race, with_REVOKE_of_an_ancestor, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_revoke_root);
}

/* rules 17 and 18 */
TEST_F_TIMEOUT(race, with_SEAL_of_a_descendant, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_seal);
}

/* rules 13 and 17 */
TEST_F_TIMEOUT(race, with_close_and_munmap, LONG_TIMEOUT)
{
	race_with(_metadata, &self->race, use_close);
}

TEST_HARNESS_MAIN
