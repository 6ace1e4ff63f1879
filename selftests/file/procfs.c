// SPDX-License-Identifier: GPL-2.0-only
/* What /proc shows of dataspaces, and what it does not: rule 24. */
#include <kselftest_harness.h>

#include <sys/prctl.h>

#include "common.h"
#include "pages.h"
#include "proc.h"

#define TEXT_SIZE 65536

FIXTURE(procfs)
{
	int root;
	int ds;
	char *map;
	size_t length;
	struct pages pages;
	char *text;
};

FIXTURE_SETUP(procfs)
{
	self->root = ds_alloc_pages(16);
	self->ds = ds_alias_pages(self->root, 3, 7, RIGHTS_R);
	ASSERT_LE(0, self->ds);
	self->length = 4 * page_size();
	self->map = ds_map(self->ds, self->length, PROT_READ);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, pages_of_map(&self->pages, self->map, self->length));
	self->text = malloc(TEXT_SIZE);
}

FIXTURE_TEARDOWN(procfs)
{
	pages_forget(&self->pages);
	free(self->text);
}

static long read_fdinfo(FIXTURE_DATA(procfs) * self, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return proc_read(path, self->text, TEXT_SIZE);
}

static long long fdinfo_number(int fd, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return number_in_file(path, key);
}

/* rule 24 */
TEST_F(procfs, fdinfo_tells_the_id_and_the_length)
{
	EXPECT_EQ(ds_id(self->ds), fdinfo_number(self->ds, "dataspace-id:"));
	EXPECT_EQ(ds_id(self->root),
		  fdinfo_number(self->root, "dataspace-id:"));
	EXPECT_EQ(self->length, fdinfo_number(self->ds, "dataspace-length:"));
	EXPECT_EQ(16 * page_size(),
		  fdinfo_number(self->root, "dataspace-length:"));
}

/* rule 24 */
TEST_F(procfs, fdinfo_tells_the_rights)
{
	ASSERT_LT(0, read_fdinfo(self, self->ds));
	EXPECT_NE(NULL, strstr(self->text,
			       "dataspace-rights:\tread map derive export\n"));
	ASSERT_LT(0, read_fdinfo(self, self->root));
	EXPECT_NE(NULL,
		  strstr(self->text,
			 "dataspace-rights:\tread write map derive export\n"));
}

/* rule 24 */
TEST_F(procfs, fdinfo_tells_what_is_exclusive_and_mapped)
{
	EXPECT_EQ(12 * page_size(),
		  fdinfo_number(self->root, "dataspace-exclusive:"));
	EXPECT_EQ(0, fdinfo_number(self->root, "dataspace-mappings:"));
	EXPECT_EQ(0, fdinfo_number(self->ds, "dataspace-exclusive:"));
	EXPECT_EQ(1, fdinfo_number(self->ds, "dataspace-mappings:"));
}

/* rule 24: what the header of the interface lists, in this order */
TEST_F(procfs, fdinfo_has_these_keys)
{
	static const char *const keys[] = {
		"id", "length", "rights", "state", "exclusive", "mappings",
	};
	char key[64];
	char *line;
	int i;

	ASSERT_LT(0, read_fdinfo(self, self->ds));
	line = strstr(self->text, "dataspace-");
	for (i = 0; i < ARRAY_LENGTH(keys); i++) {
		snprintf(key, sizeof(key), "dataspace-%s:\t", keys[i]);
		ASSERT_EQ(0, strncmp(line, key, strlen(key)));
		line = strchr(line, '\n') + 1;
	}
	EXPECT_EQ(NULL, strstr(line, "dataspace-"));
}

/* rule 24 */
TEST_F(procfs, fdinfo_tells_aliases_from_roots)
{
	ASSERT_LT(0, read_fdinfo(self, self->ds));
	EXPECT_NE(NULL, strstr(self->text, "dataspace-state:\talias"));
	ASSERT_LT(0, read_fdinfo(self, self->root));
	EXPECT_NE(NULL, strstr(self->text, "dataspace-state:\troot"));
}

/* rule 5: aliases of different pages have the same fdinfo but for the id */
TEST_F(procfs, fdinfo_does_not_tell_the_offset)
{
	int other = ds_alias_pages(self->root, 8, 12, RIGHTS_R);
	char *first, *id;

	ASSERT_NE(MAP_FAILED, ds_map(other, self->length, PROT_READ));
	ASSERT_LT(0, read_fdinfo(self, self->ds));
	id = strstr(self->text, "dataspace-id:");
	ASSERT_NE(NULL, id);
	first = strdup(strchr(id, '\n'));
	ASSERT_LT(0, read_fdinfo(self, other));
	id = strstr(self->text, "dataspace-id:");
	EXPECT_EQ(0, strcmp(first, strchr(id, '\n')));
	free(first);
}

static __u64 id_in_maps(const void *map)
{
	const char *name = "/dataspace:";
	char line[512];
	char *at;

	if (maps_line(map, line, sizeof(line)))
		return UINT64_MAX;
	at = strstr(line, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : UINT64_MAX;
}

/* rule 24 */
TEST_F(procfs, maps_names_the_dataspace_that_was_mapped)
{
	char *map = ds_map(self->root, 16 * page_size(), PROT_READ);

	EXPECT_EQ(ds_id(self->ds), id_in_maps(self->map));
	EXPECT_EQ(ds_id(self->root), id_in_maps(map));
	EXPECT_NE(ds_id(self->root), ds_id(self->ds));
}

/* rule 24: also when all descriptors are closed */
TEST_F(procfs, maps_names_a_dataspace_that_is_closed)
{
	__u64 id = ds_id(self->ds);

	close(self->ds);
	close(self->root);
	EXPECT_EQ(id, id_in_maps(self->map));
	munmap(self->map + page_size(), page_size());
	EXPECT_EQ(id, id_in_maps(self->map));
	EXPECT_EQ(id, id_in_maps(self->map + 2 * page_size()));
}

/* rule 24: a private mapping names the same dataspace */
TEST_F(procfs, maps_names_private_mappings_as_well)
{
	char *map =
		mmap(NULL, self->length, READ_WRITE, MAP_PRIVATE, self->ds, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(ds_id(self->ds), id_in_maps(map));
}

/* rule 24 */
TEST_F(procfs, the_link_of_the_descriptor_names_it_too)
{
	char path[64], target[256] = "", name[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->ds);
	ASSERT_LT(0, readlink(path, target, sizeof(target) - 1));
	snprintf(name, sizeof(name), "/dataspace:%llu (deleted)",
		 ds_id(self->ds));
	EXPECT_STREQ(name, target);
}

/* rule 24 */
TEST_F(procfs, an_alias_has_an_id_of_its_own_and_a_copy_the_same)
{
	__u64 last = ds_id(self->ds);
	int i;

	for (i = 0; i < 100; i++) {
		int ds = ds_alias_pages(self->root, 0, 1, RIGHTS_R);
		int copy = dup(ds);

		EXPECT_NE(last, ds_id(ds));
		EXPECT_EQ(ds_id(ds), ds_id(copy));
		last = ds_id(ds);
		close(ds);
		close(copy);
	}
}

/* Whether the text has an address of the kernel in it, or of one of @pages. */
static bool tells_an_address(const char *text, const struct pages *pages)
{
	const __u64 page = page_size();
	size_t i;

	while (*text) {
		const char *digits = text + strspn(text, "-");
		char *end;
		__u64 number = strtoull(digits, &end, 16);
		__u64 decimal = strtoull(digits, NULL, 10);

		if (number >= 1ULL << 63 && number != UINT64_MAX)
			return true;
		for (i = 0; i < pages->count; i++) {
			const __u64 pfn = pages->pfn[i];

			if (number == pfn || number / page == pfn ||
			    decimal == pfn || decimal / page == pfn)
				return true;
		}
		text = end == digits ? text + 1 : end;
	}
	return false;
}

/*
 * The columns after the addresses, of the mapping in the text of a maps file.
 */
static char *columns_of_mapping(char *text)
{
	char *name = strstr(text, "/dataspace:");

	if (!name)
		return NULL;
	name[strcspn(name, "\n")] = '\0';
	while (name > text && name[-1] != '\n')
		name--;
	return strchr(name, ' ');
}

/* Turns into another user, who may read its own files in /proc. */
static int become_nobody(void)
{
	return chdir("/proc") || setresuid(65534, 65534, 65534) ||
	       prctl(PR_SET_DUMPABLE, 1);
}

/* Looks for addresses as another user; 0, or the place of the first one. */
static int look_as_nobody(FIXTURE_DATA(procfs) * self)
{
	struct dataspace_info info;
	char path[64];

	if (become_nobody() || ds_info(self->ds, &info))
		return 1;
	snprintf(self->text, TEXT_SIZE, "%llx %llx %llx %llx", info.id,
		 info.exclusive, info.aliases, info.mappings);
	if (tells_an_address(self->text, &self->pages))
		return 2;
	snprintf(path, sizeof(path), "self/fdinfo/%d", self->ds);
	if (proc_read(path, self->text, TEXT_SIZE) <= 0)
		return 3;
	if (tells_an_address(self->text, &self->pages))
		return 4;
	if (proc_read("self/maps", self->text, TEXT_SIZE) <= 0)
		return 5;
	return tells_an_address(columns_of_mapping(self->text), &self->pages) ?
		       6 :
		       0;
}

/* rule 24 */
TEST_F(procfs, no_physical_address_is_told)
{
	pid_t child;

	ASSERT_LT(0, read_fdinfo(self, self->ds));
	EXPECT_FALSE(tells_an_address(self->text, &self->pages));
	ASSERT_LT(0, read_fdinfo(self, self->root));
	EXPECT_FALSE(tells_an_address(self->text, &self->pages));
	child = fork();
	if (!child)
		_exit(look_as_nobody(self));
	EXPECT_EQ(0, wait_for(child));
}

/* 0 if pagemap says that the page is present, but not where. */
static int look_at_pagemap(const void *map)
{
	const __u64 present = 1ULL << 63, pfn = (1ULL << 55) - 1;
	__u64 entry = 0;
	int fd;

	if (become_nobody())
		return 1;
	fd = open("self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pread(fd, &entry, sizeof(entry),
		  (uintptr_t)map / page_size() * sizeof(entry)) < 0)
		return 2;
	if (!(entry & present))
		return 3;
	return entry & pfn ? 4 : 0;
}

/* rule 24 */
TEST_F(procfs, pagemap_tells_no_physical_address_to_other_users)
{
	pid_t child = fork();

	if (!child) {
		memcpy(self->text, self->map, 1);
		_exit(look_at_pagemap(self->map));
	}
	EXPECT_EQ(0, wait_for(child));
}

/* rule 24: also the kernel log */
TEST_F(procfs, the_log_tells_no_address)
{
	int log = log_open();
	int ds = ds_alloc(1ULL << 50, RIGHTS_R, 0);

	EXPECT_EQ(-ENOMEM, ds);
	EXPECT_FALSE(log_has(log, "ffff8"));
	close(log);
}

TEST_HARNESS_MAIN
