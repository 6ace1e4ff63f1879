// SPDX-License-Identifier: GPL-2.0-only
/*
 * perf looks for a build id at the beginning of each file that is mapped. It finds
 * none through a dataspace, also if the first page of the root has one: rules 5
 * and 24.
 */
#include <kselftest_harness.h>

#include <linux/elf.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>

#include "common.h"
#include "control.h"

#define ID "an id of twenty byte"
#define ID_BYTES 20

/* The type of the note, which is not in all versions of the header. */
#ifndef NT_GNU_BUILD_ID
#define NT_GNU_BUILD_ID 3
#endif

/* Pages of perf's ring buffer, behind its first page. */
#define RING_PAGES 8

struct note {
	struct elf64_note head;
	char name[4];
	char id[ID_BYTES];
};

/* A file with no more than a header and a note. */
struct image {
	struct elf64_hdr head;
	struct elf64_phdr program;
	struct note note;
};

/* Records of perf as they are in memory. */
struct mapped {
	struct perf_event_header head;
	__u32 pid, tid;
	__u64 address, length, offset;
	__u8 id_bytes;
	__u8 reserved[3];
	__u8 id[ID_BYTES];
};

static void image_write(void *at)
{
	const struct image image = {
		.head = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3,
				     ELFCLASS64,
				     ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct image, program),
			.e_phentsize = sizeof(struct elf64_phdr),
			.e_phnum = 1,
		},
		.program = {
			.p_type = PT_NOTE,
			.p_offset = offsetof(struct image, note),
			.p_filesz = sizeof(struct note),
			.p_align = 4,
		},
		.note = {
			.head = { 4, ID_BYTES, NT_GNU_BUILD_ID },
			.name = "GNU",
		},
	};

	memcpy(at, &image, sizeof(image));
	memcpy((char *)at + offsetof(struct image, note.id), ID, ID_BYTES);
}

FIXTURE(buildid)
{
	int event;
	struct perf_event_mmap_page *ring;
	/* a root with the image in its first page, and an alias of another page */
	int root;
	char *root_map;
	int alias;
};

FIXTURE_SETUP(buildid)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.mmap2 = 1,
		.mmap_data = 1,
		.build_id = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	self->root = ds_alloc_pages(4);
	self->root_map = ds_map(self->root, 4 * page_size(), READ_WRITE);
	ASSERT_NE(MAP_FAILED, self->root_map);
	image_write(self->root_map);
	self->alias = ds_alias_pages(self->root, 2, 3, RIGHTS_R);
	ASSERT_LE(0, self->alias);
	self->event = syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			      PERF_FLAG_FD_CLOEXEC);
	if (self->event < 0)
		SKIP(return, "perf_event_open: %s", strerror(errno));
	self->ring = mmap(NULL, (RING_PAGES + 1) * page_size(), READ_WRITE,
			  MAP_SHARED, self->event, 0);
	ASSERT_NE(MAP_FAILED, self->ring);
}

FIXTURE_TEARDOWN(buildid)
{
	close(self->event);
	close(self->alias);
	close(self->root);
}

/*
 * Goes through the records since the last time. Returns how many there are of a
 * mapping at @map, and in @ids how many of these have an id.
 */
static int count_records(FIXTURE_DATA(buildid) * self, const void *map,
			 int *ids)
{
	const char *data = (char *)self->ring + page_size();
	const size_t size = RING_PAGES * page_size();
	const __u64 head =
		__atomic_load_n(&self->ring->data_head, __ATOMIC_ACQUIRE);
	__u64 tail = self->ring->data_tail;
	int count = 0;

	for (*ids = 0; tail < head;) {
		const struct mapped *record = (void *)(data + tail % size);

		tail += record->head.size;
		if (record->head.type != PERF_RECORD_MMAP2 ||
		    record->address != (uintptr_t)map)
			continue;
		count++;
		*ids += !!(record->head.misc & PERF_RECORD_MISC_MMAP_BUILD_ID);
	}
	__atomic_store_n(&self->ring->data_tail, tail, __ATOMIC_RELEASE);
	return count;
}

/* Whether perf finds the id in a file that has it: whether it looks at all. */
static bool perf_finds_ids(FIXTURE_DATA(buildid) * self)
{
	int file = memfd_create("image", MFD_CLOEXEC);
	void *map;
	int ids;

	if (ftruncate(file, page_size()))
		return false;
	map = ds_map(file, page_size(), READ_WRITE);
	if (map == MAP_FAILED)
		return false;
	image_write(map);
	munmap(map, page_size());
	map = ds_map(file, page_size(), PROT_READ);
	count_records(self, map, &ids);
	munmap(map, page_size());
	close(file);
	return ids > 0;
}

/* rules 5 and 24 */
TEST_F(buildid, an_alias_of_another_page_has_none)
{
	void *map;
	int ids;

	if (!perf_finds_ids(self))
		SKIP(return, "perf finds no build id in a file either");
	map = ds_map(self->alias, page_size(), PROT_READ);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(1, count_records(self, map, &ids));
	EXPECT_EQ(0, ids);
}

/* rules 5, 17 and 24: mprotect() makes perf look again */
TEST_F(buildid, a_revoked_mapping_has_none)
{
	void *map;
	int ids;

	if (!perf_finds_ids(self))
		SKIP(return, "perf finds no build id in a file either");
	map = ds_map(self->alias, page_size(), PROT_READ);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(1, count_records(self, map, &ids));
	ASSERT_EQ(0, ds_revoke(self->root));
	ASSERT_EQ(0, mprotect(map, page_size(), PROT_NONE));
	EXPECT_EQ(1, count_records(self, map, &ids));
	EXPECT_EQ(0, ids);
}

TEST_HARNESS_MAIN
