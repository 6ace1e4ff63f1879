// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices get at a dataspace and let go of it, or dma-bufs are made and closed,
 * while REVOKE, SEAL_NOW or the end of everything comes: rules 14, 16 to 18 and
 * 23. After each round the memory is back with the kernel, no device has any of
 * it, and the importer is not in use. RACE_SECONDS=<number> in the environment
 * sets how long a race goes on; the default is short, as there are many.
 */
#include <kselftest_harness.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "kmod.h"
#include "race.h"

#define NOW DATASPACE_SEAL_NOW

#define IMPORTER_REFCNT "/sys/module/dataspace_importer/refcnt"

#define PAGES 16
#define USERS 2

/* The last dma-bufs of a user, which stay open until its round is over. */
#define KEPT 8

/* The bytes that devices write to, at the beginning of each page. */
#define DEVICE_BYTES 64
#define BY_DEVICE 'd'
#define BY_OWNER 'o'

struct dmabuf_race;

struct user {
	struct dmabuf_race *race;
	pthread_t thread;
	unsigned long uses;
	int kept[KEPT];
};

/*
 * @use: what users do, over and over, or NULL if there are none
 * @act: what the owner does meanwhile; 0 or -errno
 * @flags: what kind of importers there are
 * @refusal: what @act leads to for users
 * @root, @grant, @ds, @dmabuf: made anew in each round, each from the one before
 * @map: the owner's mapping of the root
 */
struct dmabuf_race {
	void (*use)(struct user *user);
	int (*act)(struct dmabuf_race *race);
	__u32 flags;
	int refusal;
	long long in_use;
	int root;
	int grant;
	int ds;
	int dmabuf;
	char *map;
	struct user users[USERS];
	atomic_bool over;
	atomic_ulong rounds, succeeded, refused;
	atomic_int wrong_line;
	atomic_long wrong_value;
};

static void wrong(struct dmabuf_race *race, int line, long value)
{
	int none = 0;

	if (atomic_compare_exchange_strong(&race->wrong_line, &none, line))
		race->wrong_value = value;
}

static void count(struct dmabuf_race *race, long ret, int line)
{
	if (ret >= 0)
		race->succeeded++;
	else if (ret == race->refusal)
		race->refused++;
	else
		wrong(race, line, ret);
}

/* "edu" is so slow that there would be no race if it accessed memory each time. */
static int use_import(struct user *user, int fd)
{
	const __u64 offset = user->uses % PAGES * page_size();
	int ret = import_map(fd, BOTH_WAYS);

	if (ret)
		return ret;
	if (!(user->race->flags & IMPORTER_EDU))
		ret = import_write(fd, offset, BY_DEVICE);
	return ret || user->uses % 2 ? ret : import_unmap(fd);
}

/* Every other time, the mapping goes because the importer is closed. */
static void use_dmabuf(struct user *user, int dmabuf)
{
	int fd = import(dmabuf, user->race->flags);

	user->uses++;
	count(user->race, fd < 0 ? fd : use_import(user, fd), __LINE__);
	if (fd >= 0)
		close(fd);
}

static void use_devices(struct user *user)
{
	use_dmabuf(user, user->race->dmabuf);
}

static void use_exports(struct user *user)
{
	int *kept = &user->kept[user->uses % KEPT];
	int dmabuf = ds_export(user->race->ds, 0);

	if (*kept >= 0)
		close(*kept);
	*kept = dmabuf;
	if (dmabuf >= 0)
		use_dmabuf(user, dmabuf);
	else
		count(user->race, dmabuf, __LINE__);
}

/* What a user has kept is of no use to it any more. */
static void drop_kept(struct user *user)
{
	struct dmabuf_race *race = user->race;
	int i;

	for (i = 0; i < KEPT; i++) {
		int fd, ret;

		if (user->kept[i] < 0)
			continue;
		fd = import(user->kept[i], race->flags);
		ret = fd < 0 ? fd : import_map(fd, FROM_DEVICE);
		if (ret != race->refusal)
			wrong(race, __LINE__, ret);
		if (fd >= 0)
			close(fd);
		close(user->kept[i]);
	}
}

static void *user_main(void *arg)
{
	struct user *user = arg;
	int i;

	user->uses = 0;
	for (i = 0; i < KEPT; i++)
		user->kept[i] = -1;
	do {
		user->race->use(user);
	} while (!user->race->over);
	drop_kept(user);
	return NULL;
}

/* Waits until all that the round has used is free. */
static void check_nothing_is_left(struct dmabuf_race *race)
{
	const double end = seconds() + SOON;
	long long importers, in_use;

	do {
		importers = number_in_file(IMPORTER_REFCNT, "");
		in_use = number_in_file(KMOD_PARAMETERS "in_use", "");
	} while ((importers || in_use != race->in_use) && seconds() < end &&
		 !usleep(1000));
	if (importers)
		wrong(race, __LINE__, importers);
	if (in_use != race->in_use)
		wrong(race, __LINE__, in_use - race->in_use);
}

static int make(struct dmabuf_race *race)
{
	race->root = ds_alloc_pages(PAGES);
	race->map = ds_map(race->root, PAGES * page_size(), READ_WRITE);
	if (race->map == MAP_FAILED)
		return -errno;
	pattern_write(race->map, PAGES, 0);
	race->grant = ds_alias_pages(race->root, 0, PAGES, RIGHTS_RW);
	race->ds = ds_alias_pages(race->grant, 0, PAGES, RIGHTS_RW);
	race->dmabuf = ds_export(race->ds, 0);
	return race->dmabuf < 0 ? race->dmabuf : 0;
}

static void drop(struct dmabuf_race *race)
{
	munmap(race->map, PAGES * page_size());
	close(race->dmabuf);
	close(race->ds);
	close(race->grant);
	close(race->root);
}

static int run_round(struct dmabuf_race *race)
{
	int ret = make(race);
	int i;

	race->over = false;
	for (i = 0; !ret && race->use && i < USERS; i++) {
		race->users[i].race = race;
		ret = -pthread_create(&race->users[i].thread, NULL, user_main,
				      &race->users[i]);
	}
	if (ret)
		return ret;
	race_pause();
	ret = race->act(race);
	race->over = true;
	for (i = 0; race->use && i < USERS; i++)
		pthread_join(race->users[i].thread, NULL);
	if (race->map && ds_devices(race->root))
		wrong(race, __LINE__, ds_devices(race->root));
	return ret;
}

static int race_prepare(struct dmabuf_race *race, __u32 flags)
{
	int ret = importer_load();

	importer_may_overlap(true);
	race->flags = flags;
	race->in_use = number_in_file(KMOD_PARAMETERS "in_use", "");
	if (ret || !(flags & IMPORTER_EDU))
		return ret;
	ret = make(race);
	if (!ret)
		ret = import(race->dmabuf, flags);
	drop(race);
	if (ret < 0) {
		importer_unload();
		importer_may_overlap(false);
		return ret;
	}
	close(ret);
	return 0;
}

static void set_bytes(struct dmabuf_race *race, char byte)
{
	int i;

	for (i = 0; i < PAGES; i++)
		memset(race->map + i * page_size(), byte, DEVICE_BYTES);
}

static void check_bytes(struct dmabuf_race *race, char byte, int line)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		const char *page = race->map + i * page_size();

		if (!bytes_are(page, DEVICE_BYTES, byte)) {
			printf("# page %d is %.*s\n", i, DEVICE_BYTES, page);
			wrong(race, line, *page);
		}
	}
}

/* A device behind an IOMMU is cut off when REVOKE returns; others let go later. */
static int revoke_grant(struct dmabuf_race *race)
{
	int ret = ds_revoke(race->grant);
	int fd = import(race->dmabuf, race->flags);

	if (fd != -ESTALE)
		wrong(race, __LINE__, fd);
	if (race->flags & IMPORTER_EDU && ds_devices(race->root))
		wrong(race, __LINE__, ds_devices(race->root));
	race_pause();
	return ret;
}

/* Users that have it mapped are in the way, but not for long. */
static int seal_now(struct dmabuf_race *race)
{
	int ret, tries = 0;

	do {
		ret = ds_seal(race->grant, NOW);
	} while (ret == -EBUSY && ++tries < 100);
	if (ds_devices(race->root))
		wrong(race, __LINE__, ds_devices(race->root));
	set_bytes(race, BY_OWNER);
	race_pause();
	check_bytes(race, BY_OWNER, __LINE__);
	return ret;
}

/* A device has it mapped, so SEAL_NOW fails, and users are not refused anything. */
static int fail_to_seal_now(struct dmabuf_race *race)
{
	int fd = import(race->dmabuf, race->flags);
	int ret = fd < 0 ? fd : import_map(fd, BOTH_WAYS);

	if (!ret)
		ret = ds_seal(race->grant, NOW) == -EBUSY ? 0 : -EIO;
	if (ds_state(race->grant) & DATASPACE_STATE_SEALED)
		wrong(race, __LINE__, ds_state(race->grant));
	if (fd >= 0)
		close(fd);
	return ret;
}

static void *revoke_one(void *arg)
{
	return (void *)(long)ds_revoke(*(int *)arg);
}

/*
 * The importer has something queued, so that both wait for it while it lets go. What
 * was revoked by the other one is ESTALE.
 */
static int revoke_twice(struct dmabuf_race *race)
{
	int fd = import(race->dmabuf, race->flags);
	pthread_t one, other;
	void *root, *grant;

	if (fd < 0 || import_map(fd, BOTH_WAYS) || ioctl(fd, IMPORTER_QUEUE) ||
	    pthread_create(&one, NULL, revoke_one, &race->root) ||
	    pthread_create(&other, NULL, revoke_one, &race->grant))
		return -EIO;
	race_pause();
	close(race->dmabuf);
	race->dmabuf = -1;
	close(fd);
	pthread_join(one, &root);
	pthread_join(other, &grant);
	if ((long)root)
		wrong(race, __LINE__, (long)root);
	if ((long)grant && (long)grant != -ESTALE)
		wrong(race, __LINE__, (long)grant);
	race->succeeded++;
	return 0;
}

/* The process that uses a device is the last one that has any of it. */
static int close_all(struct dmabuf_race *race)
{
	pid_t child = fork();

	if (!child) {
		struct user user = { .race = race };

		while (!race->wrong_line)
			use_devices(&user);
		_exit(1);
	}
	race_pause();
	drop(race);
	race->map = NULL;
	race_pause();
	kill(child, SIGKILL);
	race->succeeded++;
	return wait_for(child) == SIGKILL ? 0 : -EIO;
}

FIXTURE(importer)
{
	struct dmabuf_race race;
};

FIXTURE_VARIANT(importer)
{
	__u32 flags;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(importer, that_is_not_told) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(importer, that_is_told) {
	.flags = IMPORTER_TOLD,
};

FIXTURE_VARIANT_ADD(importer, behind_an_IOMMU) {
	.flags = IMPORTER_TOLD | IMPORTER_EDU,
};

/* clang-format on */

FIXTURE_SETUP(importer)
{
	int ret = race_prepare(&self->race, variant->flags);

	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "there is no such importer");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(importer)
{
	EXPECT_EQ(0, importer_unload());
	importer_may_overlap(false);
}

static void run(struct __test_metadata *_metadata, struct dmabuf_race *race,
		double length)
{
	const double end = seconds() + length;

	while (seconds() < end && !race->wrong_line) {
		ASSERT_EQ(0, run_round(race));
		if (race->map)
			drop(race);
		check_nothing_is_left(race);
		race->rounds++;
	}
	EXPECT_EQ(0, atomic_load(&race->wrong_line))
	{
		TH_LOG("%ld in round %lu", race->wrong_value, race->rounds);
	}
	EXPECT_LT(0, atomic_load(&race->succeeded));
	printf("# %lu rounds, %lu uses, %lu refused\n", race->rounds,
	       race->succeeded, race->refused);
}

static void run_race(struct __test_metadata *_metadata,
		     struct dmabuf_race *race, void (*use)(struct user *user),
		     int (*act)(struct dmabuf_race *race), int refusal)
{
	race->use = use;
	race->act = act;
	race->refusal = refusal;
	run(_metadata, race, race_seconds() / 3);
	if (refusal)
		EXPECT_LT(0, atomic_load(&race->refused));
}

/* rules 17 and 23 */
TEST_F_TIMEOUT(importer, map_and_unmap_and_REVOKE, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_devices, revoke_grant, -ESTALE);
}

/* rules 18 and 23 */
TEST_F_TIMEOUT(importer, map_and_unmap_and_SEAL_NOW, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_devices, seal_now, -EACCES);
}

/* rules 18 and 23 */
TEST_F_TIMEOUT(importer, map_and_unmap_and_SEAL_NOW_that_fails, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_devices, fail_to_seal_now, 0);
}

/* rules 14, 16 and 23 */
TEST_F_TIMEOUT(importer, map_and_unmap_and_close_of_all, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, NULL, close_all, 0);
}

/* rules 14, 17 and 23 */
TEST_F_TIMEOUT(importer, two_REVOKEs_and_the_release, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, NULL, revoke_twice, 0);
}

/* rules 17 and 23 */
TEST_F_TIMEOUT(importer, EXPORT_and_REVOKE, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_exports, revoke_grant, -ESTALE);
}

/* rules 18 and 23 */
TEST_F_TIMEOUT(importer, EXPORT_and_SEAL_NOW, LONG_TIMEOUT)
{
	run_race(_metadata, &self->race, use_exports, seal_now, -EACCES);
}

static void *let_the_device_write(void *arg)
{
	return (void *)(long)import_write(*(int *)arg, page_size(), BY_DEVICE);
}

/* If something is wrong: whether the device still gets at the page, and at others. */
static void tell_what_it_reads(struct dmabuf_race *race, int fd)
{
	memset(race->map + page_size(), 'x', DEVICE_BYTES);
	printf("# the device reads %d in page 1 and",
	       import_read(fd, page_size()));
	printf(" %d in page 2\n", import_read(fd, 2 * page_size()));
}

/*
 * What the device has begun before has no effect after REVOKE has returned. It writes
 * 200 ms after it was told to, or somewhat later.
 */
static int revoke_while_it_writes(struct dmabuf_race *race)
{
	unsigned int wait = rand() % 300;
	int fd = import(race->dmabuf, race->flags);
	pthread_t thread;
	void *written;
	int ret;

	if (fd < 0 || import_map(fd, BOTH_WAYS) ||
	    pthread_create(&thread, NULL, let_the_device_write, &fd))
		return -EIO;
	usleep(wait * 1000);
	ret = ds_revoke(race->grant);
	if (ds_devices(race->root))
		wrong(race, __LINE__, ds_devices(race->root));
	set_bytes(race, BY_OWNER);
	check_bytes(race, BY_OWNER, __LINE__);
	pthread_join(thread, &written);
	if (written)
		wrong(race, __LINE__, (long)written);
	check_bytes(race, BY_OWNER, __LINE__);
	if (race->wrong_line) {
		printf("# after %u ms, line %d\n", wait, race->wrong_line);
		tell_what_it_reads(race, fd);
	}
	close(fd);
	race->succeeded++;
	return ret;
}

/* rules 17 and 23 */
TEST(a_write_of_a_device_and_REVOKE)
{
	static struct dmabuf_race race = { .act = revoke_while_it_writes };
	int ret = race_prepare(&race, IMPORTER_EDU);

	if (ret == -ENOENT || ret == -ENODEV)
		SKIP(return, "there is no such importer");
	ASSERT_EQ(0, ret);
	srand(random_seed());
	run(_metadata, &race, race_seconds());
	EXPECT_EQ(0, importer_unload());
	importer_may_overlap(false);
}

TEST_HARNESS_MAIN
