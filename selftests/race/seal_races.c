// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEAL while others write to the memory: rule 18. Once SEAL with NOW has returned
 * 0, no write changes a byte; if it has returned EBUSY, no user was refused
 * anything. RACE_SECONDS=<number> in the environment sets how long each race goes
 * on.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <sys/uio.h>

#include "control.h"
#include "race_fixture.h"

#define NOW DATASPACE_SEAL_NOW

/* How often SEAL is tried in a round in which it must fail. */
#define TRIES 3

/* Makes a mapping that is to be read writable. */
static void use_mprotect(struct race_user *user)
{
	char *map = ds_map(user->ds, grant_length(), PROT_READ);
	long ret;

	if (map == MAP_FAILED)
		return race_count(user, -errno, __LINE__);
	use_load(user, map);
	ret = result(mprotect(map, grant_length(), READ_WRITE));
	race_count(user, ret, __LINE__);
	if (!ret)
		use_map(user, map);
	munmap(map, grant_length());
}

/* The kernel writes for the user; a page that is sealed is -EFAULT. */
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
	race_count(user, ret == -EFAULT ? -EPERM : ret, __LINE__);
	use_stores(user);
}

/* The alias that is going to be sealed, of which the grant is derived. */
static int begin(struct race *race)
{
	int ds = ds_alias(race->root, 0, grant_length(), RIGHTS_RW);
	int grant = ds_alias(ds, 0, grant_length(), RIGHTS_RW);
	int ret = race_round_begin(race, grant);

	close(grant);
	race_pause();
	return ret ? ret : ds;
}

static void end(struct race *race, int ds)
{
	race_round_end(race);
	close(ds);
}

/* Once SEAL has returned, only the owner changes the word. */
static int round_of_success(struct race *race)
{
	int ds = begin(race);
	int ret = ds < 0 ? ds : ds_seal(ds, NOW);

	if (!ret)
		race_set(race, WORD_WRITTEN, WORD_AFTER);
	race_pause();
	if (!ret)
		race_check(race, WORD_WRITTEN, WORD_AFTER, __LINE__);
	end(race, ds);
	if (!ret)
		race_check(race, WORD_WRITTEN, WORD_AFTER, __LINE__);
	return ret;
}

/* A plain seal leaves mappings as they are, but nobody gets a new one. */
static int round_of_plain_seal(struct race *race)
{
	int ds = begin(race);
	int ret = ds < 0 ? ds : ds_seal(ds, 0);

	race_pause();
	end(race, ds);
	return ret;
}

/* The owner has pinned a page, so SEAL fails, and no user may notice it. */
static int round_of_failure(struct race *race)
{
	int ds = begin(race);
	struct pin pin;
	int ret = pin_page(&pin, race->map);
	int i;

	for (i = 0; !ret && i < TRIES; i++)
		ret = ds_seal(ds, NOW) == -EBUSY ? 0 : -EIO;
	if (race->result->refused)
		race_wrong(race, __LINE__, race->result->refused);
	pin_close(&pin);
	end(race, ds);
	return ret;
}

/* The users pin pages themselves; SEAL is tried until it does not fail. */
static int round_against_pins(struct race *race)
{
	int ds = begin(race);
	int ret, tries = 0;

	do {
		ret = ds_seal(ds, NOW);
	} while (ret == -EBUSY && ++tries < 1000);
	race_set(race, WORD_WRITTEN, WORD_AFTER);
	race_pause();
	race_check(race, WORD_WRITTEN, WORD_AFTER, __LINE__);
	end(race, ds);
	return ret;
}

static void *seal_now(void *arg)
{
	return (void *)(long)ds_seal(*(int *)arg, NOW);
}

/*
 * The owner has pinned a page. REVOKE comes at about the time at which SEAL is to
 * decide, when the users wait for that.
 */
static int round_of_revoke(struct race *race)
{
	int ds = begin(race);
	pthread_t thread;
	struct pin pin;
	void *sealed;
	int ret = pin_page(&pin, race->map);

	if (ret || pthread_create(&thread, NULL, seal_now, &ds))
		return -EIO;
	usleep((250 + rand() % 200) * 1000);
	ret = ds_revoke(race->root);
	pthread_join(thread, &sealed);
	if ((long)sealed != -EBUSY && (long)sealed != -ESTALE)
		race_wrong(race, __LINE__, (long)sealed);
	race_set(race, WORD_WRITTEN, WORD_AFTER);
	race_pause();
	end(race, ds);
	race_check(race, WORD_WRITTEN, WORD_AFTER, __LINE__);
	pin_close(&pin);
	return ret;
}

static void race_now(struct __test_metadata *_metadata, struct race *race,
		     race_use_fn use)
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

/* rule 18: writes by a descriptor end before SEAL returns */
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

/* rule 18: the kernel pins a page while it writes for a process */
TEST_F_TIMEOUT(race, EBUSY_is_not_noticed_by_process_vm_writev, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_kernel, round_of_failure);
}

/* rule 18: SEAL succeeds once the kernel does not pin a page to write to it */
TEST_F_TIMEOUT(race, NOW_with_process_vm_writev, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_kernel, round_against_pins);
	EXPECT_LT(0, self->race.result->refused);
}

/* rules 17 and 18: who waits for what becomes of NOW finds that all was revoked */
TEST_F_TIMEOUT(race, NOW_with_REVOKE_of_an_ancestor, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_faults, round_of_revoke);
	EXPECT_LT(0, self->race.result->refused);
}

TEST_HARNESS_MAIN
