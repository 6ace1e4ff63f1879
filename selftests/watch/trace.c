// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints, as tracefs shows them: rule 24. */
#include <kselftest_harness.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common.h"
#include "control.h"
#include "dmabuf.h"
#include "proc.h"

#define TRACEFS "/sys/kernel/tracing"
#define EVENTS TRACEFS "/events/dataspace"
#define INSTANCE TRACEFS "/instances/dataspace-test"
#define TEXT_SIZE MEG

static const char alloc_event[] =
	"dataspace_alloc: id=%llu length=%zu rights=%s node=-1 contiguous=1 lazy=0\n";
static const char alias_event[] =
	"dataspace_alias: id=%llu source=%llu offset=%zu length=%zu rights=%s\n";
static const char export_event[] =
	"dataspace_export: id=%llu length=%zu rights=%s flags=revocable\n";

#define RO_NAMES "read|map|derive|export"
#define RW_NAMES "read|write|map|derive|export"

/* A trace of its own, which others do not write to. */
FIXTURE(trace)
{
	char *text;
	int root;
};

FIXTURE_SETUP(trace)
{
	if (access(EVENTS, F_OK))
		SKIP(return, "this kernel has no events in tracefs");
	self->text = malloc(TEXT_SIZE);
	ASSERT_EQ(0, result(mkdir(INSTANCE, 0700)));
	ASSERT_EQ(0, text_to_file(INSTANCE "/events/dataspace/enable", "1"));
	self->root = ds_alloc_pages(16);
	ASSERT_LE(0, self->root);
}

FIXTURE_TEARDOWN(trace)
{
	EXPECT_EQ(0, result(rmdir(INSTANCE)));
	free(self->text);
}

/* How many lines there are that contain @text. */
static int count_in_trace(char *buffer, const char *text)
{
	int count = 0;

	if (proc_read(INSTANCE "/trace", buffer, TEXT_SIZE) <= 0)
		return -1;
	while ((buffer = strstr(buffer, text))) {
		buffer += strlen(text);
		count++;
	}
	return count;
}

/* rule 24 */
TEST_F(trace, tells_of_alloc)
{
	char event[256];

	snprintf(event, sizeof(event), alloc_event, ds_id(self->root),
		 16 * page_size(), RW_NAMES);
	EXPECT_EQ(1, count_in_trace(self->text, event));
}

/* rule 24: of no other memory than of the alias's own is anything told */
TEST_F(trace, tells_of_alias)
{
	int alias = ds_alias_pages(self->root, 3, 7, RIGHTS_R);
	int derived = ds_alias_pages(alias, 1, 2, DATASPACE_READ);
	char event[256];

	snprintf(event, sizeof(event), alias_event, ds_id(alias),
		 ds_id(self->root), 3 * page_size(), 4 * page_size(), RO_NAMES);
	EXPECT_EQ(1, count_in_trace(self->text, event));
	snprintf(event, sizeof(event), alias_event, ds_id(derived),
		 ds_id(alias), page_size(), page_size(), "read");
	EXPECT_EQ(1, count_in_trace(self->text, event));
}

/* rule 24: not of one that was never made */
TEST_F(trace, tells_of_no_alias_that_was_refused)
{
	EXPECT_EQ(-EINVAL, ds_alias(self->root, 1, page_size(), RIGHTS_R));
	EXPECT_EQ(0, count_in_trace(self->text, "dataspace_alias:"));
}

/* rule 24: at the last close, whether or not a mapping is left */
TEST_F(trace, tells_of_release)
{
	int alias = ds_alias_pages(self->root, 3, 7, RIGHTS_R);
	char *map = ds_map(alias, 4 * page_size(), PROT_READ);
	int copy = dup(alias);
	char event[256];

	ASSERT_NE(MAP_FAILED, map);
	snprintf(event, sizeof(event),
		 "dataspace_release: id=%llu length=%zu mappings=1 revoked=0\n",
		 ds_id(alias), 4 * page_size());
	close(alias);
	EXPECT_EQ(0, count_in_trace(self->text, event));
	close(copy);
	EXPECT_EQ(1, count_in_trace(self->text, event));
	munmap(map, 4 * page_size());
	EXPECT_EQ(1, count_in_trace(self->text, "dataspace_release:"));
}

/* rule 24: with the number of those that were revoked */
TEST_F(trace, tells_of_revoke)
{
	int alias = ds_alias_pages(self->root, 0, 8, RIGHTS_RW);
	char event[256];

	ASSERT_LE(0, ds_alias_pages(alias, 0, 4, RIGHTS_RW));
	ASSERT_LE(0, ds_alias_pages(alias, 2, 6, RIGHTS_RW));
	ASSERT_EQ(0, ds_revoke(alias));
	snprintf(event, sizeof(event),
		 "dataspace_revoke: id=%llu flags= revoked=2 ret=0\n",
		 ds_id(alias));
	EXPECT_EQ(1, count_in_trace(self->text, event));
	ASSERT_EQ(0, ds_revoke_flags(self->root, DATASPACE_REVOKE_SELF));
	snprintf(event, sizeof(event),
		 "dataspace_revoke: id=%llu flags=self revoked=2 ret=0\n",
		 ds_id(self->root));
	EXPECT_EQ(1, count_in_trace(self->text, event));
	EXPECT_EQ(-ESTALE, ds_revoke(alias));
	snprintf(event, sizeof(event),
		 "dataspace_revoke: id=%llu flags= revoked=0 ret=-116\n",
		 ds_id(alias));
	EXPECT_EQ(1, count_in_trace(self->text, event));
}

/* rule 24 */
TEST_F(trace, tells_of_seal)
{
	char *map = ds_map(self->root, 16 * page_size(), READ_WRITE);
	char event[256];
	struct pin pin;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, pin_page(&pin, map));
	EXPECT_EQ(-EBUSY, ds_seal(self->root, DATASPACE_SEAL_NOW));
	snprintf(event, sizeof(event),
		 "dataspace_seal: id=%llu flags=now ret=-16\n",
		 ds_id(self->root));
	EXPECT_EQ(1, count_in_trace(self->text, event));
	pin_close(&pin);
	EXPECT_EQ(0, ds_seal(self->root, 0));
	snprintf(event, sizeof(event), "dataspace_seal: id=%llu flags= ret=0\n",
		 ds_id(self->root));
	EXPECT_EQ(1, count_in_trace(self->text, event));
}

/* rule 24 */
TEST_F(trace, tells_of_export)
{
	int alias = ds_alias_pages(self->root, 3, 7, RIGHTS_R);
	int dmabuf = ds_export(alias, DATASPACE_EXPORT_REVOCABLE);
	char event[256];

	if (dmabuf == -ENOTTY)
		SKIP(return, "this kernel has no dma-bufs");
	ASSERT_LE(0, dmabuf);
	snprintf(event, sizeof(event), export_event, ds_id(alias),
		 4 * page_size(), RO_NAMES);
	EXPECT_EQ(1, count_in_trace(self->text, event));
}

/* rule 24: the manual's filter */
TEST_F(trace, can_be_filtered)
{
	int alias = ds_alias_pages(self->root, 0, 8, RIGHTS_RW);

	ASSERT_LE(0, alias);
	ASSERT_EQ(0, text_to_file(INSTANCE
				  "/events/dataspace/dataspace_revoke/filter",
				  "revoked > 0"));
	ASSERT_EQ(0, ds_revoke(alias));
	EXPECT_EQ(0, count_in_trace(self->text, "dataspace_revoke:"));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(1, count_in_trace(self->text, "dataspace_revoke:"));
}

#define ALLOC_TRIGGER INSTANCE "/events/dataspace/dataspace_alloc/trigger"
#define ALLOC_HIST INSTANCE "/events/dataspace/dataspace_alloc/hist"

/* rule 24: the manual's sum of what each process has allocated */
TEST_F(trace, can_be_summed_up_by_process)
{
	char sum[64];
	char *line;

	if (access(ALLOC_HIST, F_OK))
		SKIP(return, "this kernel has no histograms of events");
	ASSERT_EQ(0, text_to_file(ALLOC_TRIGGER,
				  "hist:keys=common_pid:vals=length"));
	close(ds_alloc_pages(3));
	close(ds_alloc_pages(4));
	ASSERT_LT(0, proc_read(ALLOC_HIST, self->text, TEXT_SIZE));
	snprintf(sum, sizeof(sum), "length: %10zu", 7 * page_size());
	line = strstr(self->text, sum);
	EXPECT_NE(NULL, line);
	EXPECT_EQ(0, text_to_file(ALLOC_TRIGGER,
				  "!hist:keys=common_pid:vals=length"));
}

TEST_HARNESS_MAIN
