// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sealing what others are writing to at that moment: rule 18. Once SEAL with
 * NOW has returned 0, no write arrives; when it has returned EBUSY, no writer
 * has noticed. RACE_SECONDS=<number> in the environment sets how long each of
 * the races goes on.
 */
#include <kselftest_harness.h>

#include <sys/uio.h>

#include "common.h"
#include "control.h"
#include "race.h"
#include "sigbus.h"

#define NOW DATASPACE_SEAL_NOW

/* What is in the word after the strike. */
#define AFTER 0xdeadULL

/* How often SEAL is tried in a round in which it must fail. */
#define TRIES 3

static size_t length(void)
{
	return GRANT_PAGES * page_size();
}

static void use_stores(struct race_user *user)
{
	if (!user->map)
		return race_refused(user);
	use_map(user, user->map);
}

/* Each time by new entries in the page table. */
static void use_faults(struct race_user *user)
{
	use_stores(user);
	if (user->map)
		use_result(user,
			   result(madvise(user->map, length(), MADV_DONTNEED)),
			   __LINE__);
}

static void use_new_mappings(struct race_user *user)
{
	char *map = ds_map(user->ds, length(), READ_WRITE);

	if (map == MAP_FAILED)
		return use_result(user, -errno, __LINE__);
	use_map(user, map);
	munmap(map, length());
}

/* A mapping that is made writable only now. */
static void use_mprotect(struct race_user *user)
{
	char *map = ds_map(user->ds, length(), PROT_READ);
	long ret;

	if (map == MAP_FAILED)
		return use_result(user, -errno, __LINE__);
	use_load(user, map);
	ret = result(mprotect(map, length(), READ_WRITE));
	use_result(user, ret, __LINE__);
	if (!ret)
		use_map(user, map);
	munmap(map, length());
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

static void use_descriptor(struct race_user *user)
{
	use_fd(user, user->ds);
}

static void use_aliases(struct race_user *user)
{
	int first = ds_alias(user->ds, 0, length(), RIGHTS_RW);
	int second = ds_alias(first, 0, length(), RIGHTS_RW);

	if (second < 0) {
		use_result(user, first < 0 ? first : second, __LINE__);
	} else {
		use_fd(user, second);
		close(second);
	}
	close(first);
}

/* The kernel writes for the user; a page that is gone is -EFAULT. */
static void use_kernel(struct race_user *user)
{
	struct iovec from = { &user->uses, sizeof(__u64) };
	struct iovec to = { user->map + WORD_WRITTEN * sizeof(__u64),
			    sizeof(__u64) };
	long ret;

	if (!user->map)
		return race_refused(user);
	user->uses++;
	ret = result(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
	use_result(user, ret == -EFAULT ? -EPERM : ret, __LINE__);
	use_stores(user);
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

static int begin(struct race *race)
{
	int ds = ds_alias(race->root, 0, length(), RIGHTS_RW);
	int grant = ds_alias(ds, 0, length(), RIGHTS_RW);
	int ret = race_round_begin(race, grant);

	close(grant);
	race_pause(race);
	return ret ? ret : ds;
}

static void end(struct race *race, int ds)
{
	race_round_end(race);
	close(ds);
}

/* From when it has returned on, the word is the ancestor's alone. */
static int round_of_success(struct race *race)
{
	int ds = begin(race);
	int ret = ds < 0 ? ds : ds_seal(ds, NOW);

	if (!ret)
		race_set(race, WORD_WRITTEN, AFTER);
	race_pause(race);
	if (!ret)
		race_check(race, WORD_WRITTEN, AFTER, __LINE__);
	end(race, ds);
	if (!ret)
		race_check(race, WORD_WRITTEN, AFTER, __LINE__);
	return ret;
}

/* A plain one leaves who has a mapping alone, but nobody gets a new one. */
static int round_of_plain_seal(struct race *race)
{
	int ds = begin(race);
	int ret = ds < 0 ? ds : ds_seal(ds, 0);

	race_pause(race);
	end(race, ds);
	return ret;
}

/* Whoever was refused something has noticed: none may be. */
static int round_of_failure(struct race *race)
{
	int ds = begin(race);
	struct pin pin;
	int ret = pin_page(&pin, race->own);
	int i;

	for (i = 0; !ret && i < TRIES; i++)
		ret = ds_seal(ds, NOW) == -EBUSY ? 0 : -EIO;
	if (race->result->refused)
		race_wrong(race->result, __LINE__, race->result->refused);
	pin_close(&pin);
	end(race, ds);
	return ret;
}

static void run_race(struct __test_metadata *_metadata, struct race *race,
		     use_fn use, int (*one_round)(struct race *race))
{
	double over;

	race->use = use;
	ASSERT_EQ(0, race_start(race));
	over = seconds() + race_seconds();
	while (seconds() < over && !race->result->wrong_line)
		ASSERT_EQ(0, one_round(race));
	EXPECT_EQ(0, race_stop(race));
	EXPECT_EQ(0, race->result->wrong_line)
	{
		TH_LOG("%llx in round %llu", race->result->wrong_value,
		       race->round);
	}
	EXPECT_LT(0, race->result->succeeded);
	printf("# %llu race, %llu uses, %llu refused\n", race->round,
	       race->result->succeeded, race->result->refused);
}

static void race_now(struct __test_metadata *_metadata, struct race *race,
		     use_fn use)
{
	run_race(_metadata, race, use, round_of_success);
	EXPECT_LT(0, race->result->refused);
}

/* rule 18 */
TEST_F_TIMEOUT(race, NOW_with_stores, LONG_TIMEOUT)
{
	race_now(_metadata, &self->race, use_stores);
}

/* rule 18 */
TEST_F_TIMEOUT(race, NOW_with_faults, LONG_TIMEOUT)
{
	race_now(_metadata, &self->race, use_faults);
}

/* rule 18 */
TEST_F_TIMEOUT(race, NOW_with_mmap_and_munmap, LONG_TIMEOUT)
{
	race_now(_metadata, &self->race, use_new_mappings);
}

/* rule 18 */
TEST_F_TIMEOUT(race, NOW_with_mprotect, LONG_TIMEOUT)
{
	race_now(_metadata, &self->race, use_mprotect);
}

/* rule 18 */
TEST_F_TIMEOUT(race, NOW_with_fork, LONG_TIMEOUT)
{
	race_now(_metadata, &self->race, use_inherited_mappings);
}

/* rule 18 */
TEST_F_TIMEOUT(race, NOW_with_pread_and_pwrite, LONG_TIMEOUT)
{
	race_now(_metadata, &self->race, use_descriptor);
}

/* rule 18 */
TEST_F_TIMEOUT(race, NOW_with_ALIAS, LONG_TIMEOUT)
{
	race_now(_metadata, &self->race, use_aliases);
}

/* rule 18: what is on its way by descriptor is decided when it returns */
TEST_F_TIMEOUT(race, plain_with_mprotect, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_mprotect, round_of_plain_seal);
	EXPECT_LT(0, self->race.result->refused);
}

/* rule 18 */
TEST_F_TIMEOUT(race, EBUSY_is_not_noticed_by_stores, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_stores, round_of_failure);
}

/* rule 18 */
TEST_F_TIMEOUT(race, EBUSY_is_not_noticed_by_faults, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_faults, round_of_failure);
}

/* rule 18 */
TEST_F_TIMEOUT(race, EBUSY_is_not_noticed_by_mmap_and_mprotect, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_mprotect, round_of_failure);
}

/* rule 18 */
TEST_F_TIMEOUT(race, EBUSY_is_not_noticed_by_pread_and_pwrite, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_descriptor, round_of_failure);
}

/* rule 18 */
TEST_F_TIMEOUT(race, EBUSY_is_not_noticed_by_ALIAS, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_aliases, round_of_failure);
}

/* rule 18: writes of the kernel for a process, which hold a page meanwhile */
TEST_F_TIMEOUT(race, EBUSY_is_not_noticed_by_process_vm_writev, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_kernel, round_of_failure);
}

/*
 * Here the writers themselves may be what NOW fails for: it is tried until it
 * does not.
 */
static int round_against_pins(struct race *race)
{
	int ds = begin(race);
	int ret, tries = 0;

	do {
		ret = ds_seal(ds, NOW);
	} while (ret == -EBUSY && ++tries < 1000);
	race_set(race, WORD_WRITTEN, AFTER);
	race_pause(race);
	race_check(race, WORD_WRITTEN, AFTER, __LINE__);
	end(race, ds);
	return ret;
}

/* rule 18: a page that the kernel holds to write to it counts as pinned */
TEST_F_TIMEOUT(race, NOW_with_process_vm_writev, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_kernel, round_against_pins);
	EXPECT_LT(0, self->race.result->refused);
}

TEST_HARNESS_MAIN
