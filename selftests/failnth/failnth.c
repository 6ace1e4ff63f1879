// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory runs out in the middle of an operation. Each operation is repeated while
 * its first, second, ... allocation fails, until there is no further one. After
 * each failure nothing has changed, as the errors of all rules say, and another
 * try succeeds.
 */
#include <kselftest_harness.h>

#include "common.h"
#include "dmabuf.h"
#include "failpoint.h"
#include "operation.h"
#include "sigbus.h"

/* An operation that fails more often than this does not end. */
#define POINTS_MAX 2000

FIXTURE_VARIANT(failing)
{
	const struct operation *op;
};

/* Failures of all operations; shared, as the harness forks for each test. */
static unsigned int *total;

static void __attribute__((constructor)) share_total(void)
{
	total = mmap(NULL, sizeof(*total), READ_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

FIXTURE(failing)
{
	unsigned int points;
	long long level;
};

/* clang-format off */
#define OPERATION(name) FIXTURE_VARIANT_ADD(failing, name) { .op = &op_##name }

OPERATION(alloc_page);
OPERATION(alloc_2m);
OPERATION(alloc_3m);
OPERATION(alloc_page_scattered);
OPERATION(alloc_3m_scattered);
OPERATION(alloc_8m);
OPERATION(alloc_page_for_the_opener);
OPERATION(alloc_3m_for_the_opener);
OPERATION(open_of_the_device);
OPERATION(alias);
OPERATION(info);
OPERATION(fdinfo);
OPERATION(maps);
OPERATION(first_mmap);
OPERATION(second_mmap);
OPERATION(mmap_populate);
OPERATION(first_load);
OPERATION(first_store);
OPERATION(first_load_of_several_large_folios);
OPERATION(first_private_store);
OPERATION(mremap);
OPERATION(pread);
OPERATION(pwrite);
OPERATION(splice);
OPERATION(splice_into);
OPERATION(lazy_store);
OPERATION(lazy_store_to_a_page);
OPERATION(lazy_write);
OPERATION(lazy_fill);
OPERATION(lazy_punch);
OPERATION(export);
OPERATION(export_with_a_name);
OPERATION(export_of_a_hole);
OPERATION(mmap_of_the_dmabuf);
OPERATION(mmap_of_the_importer);
OPERATION(attach);
OPERATION(attach_to_be_told);
OPERATION(device_map);
OPERATION(device_map_behind_an_IOMMU);
OPERATION(device_unmap);
OPERATION(device_unmap_behind_an_IOMMU);
OPERATION(revoke_from_a_device);
OPERATION(munmap_of_a_part);
OPERATION(close_of_a_part);
OPERATION(close_of_all);
OPERATION(mprotect_of_a_part);
OPERATION(fork);
OPERATION(dup);
OPERATION(pass);
OPERATION(revoke);
OPERATION(revoke_of_parts);
OPERATION(seal);
OPERATION(seal_now);
OPERATION(poll);
OPERATION(epoll_add);
/* clang-format on */

FIXTURE_SETUP(failing)
{
	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
	sigbus_init();
	ASSERT_EQ(0, failpoint_arm(0));
	if (!variant->op->kernel_warns)
		return;
	self->level = failpoint_hush();
}

FIXTURE_TEARDOWN(failing)
{
	if (self->level)
		failpoint_speak(self->level);
	importer_unload(); /* if the operation has loaded it */
}

static bool may_return(const struct operation *op, int error)
{
	return error == ENOMEM || error == EFAULT || error == op->errors[0] ||
	       error == op->errors[1];
}

static const char *judge_failure(const struct operation *op,
				 struct fixture *fixture,
				 const struct fixture_state *before, long ret)
{
	struct fixture_state after;
	const char *difference;

	if (!may_return(op, -ret))
		return "the operation failed with another errno";
	fixture_snapshot(fixture, &after);
	difference = fixture_difference(before, &after);
	if (difference)
		return difference;
	return op->run(fixture) < 0 ? "another try failed" : NULL;
}

static const char *try_operation(const struct operation *op,
				 struct fixture *fixture, unsigned int nth,
				 bool *hit, long *ret)
{
	struct fixture_state before;
	const char *problem = NULL;

	if (op->prepare && !op->prepare(fixture))
		return "the operation could not be prepared";
	fixture_snapshot(fixture, &before);
	if (failpoint_arm(nth))
		return "fail-nth could not be set";
	*ret = op->run(fixture);
	*hit = failpoint_disarm();
	if (*ret < 0)
		problem = judge_failure(op, fixture, &before, *ret);
	if (!problem && op->works && !op->works(fixture))
		problem = "the operation did not do what it should";
	return problem;
}

/* Each failure has a fixture of its own, so that it can't cause the next one. */
static const char *fail_once(const struct operation *op, unsigned int nth,
			     bool *hit, long *ret)
{
	struct fixture fixture;
	const char *problem;

	*hit = false;
	*ret = 0;
	if (fixture_open(&fixture))
		return "no memory for the fixture";
	problem = try_operation(op, &fixture, nth, hit, ret);
	if (!fixture_close(&fixture, SOON) && !problem)
		problem = "a page, descriptor or backing is left";
	return problem;
}

TEST_F(failing, nothing_has_changed)
{
	const char *problem = NULL;
	bool hit = true;
	long ret = 0;

	while (!problem && hit && self->points < POINTS_MAX) {
		problem = fail_once(variant->op, self->points + 1, &hit, &ret);
		self->points += hit;
	}
	TH_LOG("%u failure points", self->points);
	*total += self->points;
	EXPECT_EQ(NULL, problem)
	{
		TH_LOG("failure %u, result %ld: %s", self->points, ret,
		       problem);
	}
	EXPECT_FALSE(hit && !problem);
	EXPECT_LE(variant->op->least, self->points);
}

FIXTURE(all)
{
	int unused;
};

FIXTURE_SETUP(all)
{
	if (!failpoint_possible())
		SKIP(return, "no /proc/self/fail-nth in this kernel");
}

FIXTURE_TEARDOWN(all)
{
}

/* The last test: if the other ones met hardly any failure they tested nothing. */
TEST_F(all, have_met_failures)
{
	TH_LOG("note: %u failure points of all operations", *total);
	EXPECT_LT(300, *total);
}

TEST_HARNESS_MAIN
