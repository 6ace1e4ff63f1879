// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad input: every malformed request gets the errno that the header names, and
 * leaves descriptors, pages and counts as they were. Where the compiler can, it
 * makes a 32-bit program of this as well, abi_32: that must see the same.
 */
#include <kselftest_harness.h>

#include <assert.h>
#include <linux/fs.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common.h"
#include "control.h"
#include "pages.h"

#define ROOT_PAGES 8

#define FILE_MAX "/proc/sys/fs/file-max"

/* What SET_NAME takes for a control character in UTF-8 ends in 80 to 9f. */
#define UTF8_CONTROL "\xc2"

/* The first version of the interface, for programs of 32 and of 64 bits. */
#define AT(type, field, offset) \
	static_assert(offsetof(struct type, field) == (offset), #type)

static_assert(sizeof(struct dataspace_alloc) == 32, "alloc");
AT(dataspace_alloc, size, 0);
AT(dataspace_alloc, flags, 4);
AT(dataspace_alloc, length, 8);
AT(dataspace_alloc, rights, 16);
AT(dataspace_alloc, node, 20);
AT(dataspace_alloc, align, 24);

static_assert(sizeof(struct dataspace_alias) == 32, "alias");
AT(dataspace_alias, size, 0);
AT(dataspace_alias, flags, 4);
AT(dataspace_alias, offset, 8);
AT(dataspace_alias, length, 16);
AT(dataspace_alias, rights, 24);
AT(dataspace_alias, __reserved, 28);

static_assert(sizeof(struct dataspace_info) == 88, "info");
AT(dataspace_info, size, 0);
AT(dataspace_info, flags, 4);
AT(dataspace_info, rights, 8);
AT(dataspace_info, state, 12);
AT(dataspace_info, length, 16);
AT(dataspace_info, id, 24);
AT(dataspace_info, exclusive, 32);
AT(dataspace_info, aliases, 40);
AT(dataspace_info, mappings, 48);
AT(dataspace_info, granule, 56);
AT(dataspace_info, derived_mappings, 64);
AT(dataspace_info, devices, 72);
AT(dataspace_info, resident, 80);

static_assert(sizeof(struct dataspace_query) == 72, "query");
AT(dataspace_query, size, 0);
AT(dataspace_query, flags, 4);
AT(dataspace_query, version, 8);
AT(dataspace_query, rights, 12);
AT(dataspace_query, alloc_flags, 16);
AT(dataspace_query, alias_flags, 20);
AT(dataspace_query, seal_flags, 24);
AT(dataspace_query, __reserved, 28);
AT(dataspace_query, ioctls, 32);
AT(dataspace_query, limit, 40);
AT(dataspace_query, in_use, 48);
AT(dataspace_query, pool, 56);
AT(dataspace_query, pool_free, 64);

static_assert(sizeof(struct dataspace_revoke) == 8, "revoke");
AT(dataspace_revoke, size, 0);
AT(dataspace_revoke, flags, 4);

static_assert(sizeof(struct dataspace_seal) == 16, "seal");
AT(dataspace_seal, size, 0);
AT(dataspace_seal, flags, 4);
AT(dataspace_seal, rights, 8);
AT(dataspace_seal, __reserved, 12);

static_assert(sizeof(struct dataspace_export_dmabuf) == 8, "export_dmabuf");
AT(dataspace_export_dmabuf, size, 0);
AT(dataspace_export_dmabuf, flags, 4);

static_assert(sizeof(struct dataspace_name) == 40, "name");
AT(dataspace_name, size, 0);
AT(dataspace_name, flags, 4);
AT(dataspace_name, name, 8);

/* What a failed call must leave alone. */
struct state {
	int fds;
	long held;
	struct dataspace_info root;
};

FIXTURE(abi)
{
	int device;
	int root;
	/* an alias that can be sealed without changing the root */
	int spare;
	struct state before;
	/* Two pages; the second one cannot be accessed. */
	char *guarded;
};

/*
 * One ioctl. Its struct is as long as in its first version, so that this is the
 * least size, too.
 */
FIXTURE_VARIANT(abi)
{
	unsigned int cmd;
	__u32 size;
	/* the flags that the module knows */
	__u32 flags;
	/* whether the struct is filled in */
	bool fills_in;
	/* what a request gets that is right */
	long want;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(abi, alloc) {
	.cmd = DATASPACE_IOC_ALLOC,
	.size = sizeof(struct dataspace_alloc),
	.flags = DATASPACE_ALLOC_SCATTERED | DATASPACE_ALLOC_NODE |
		 DATASPACE_ALLOC_LAZY | DATASPACE_ALLOC_CHARGE_OPENER,
};

FIXTURE_VARIANT_ADD(abi, alias) {
	.cmd = DATASPACE_IOC_ALIAS,
	.size = sizeof(struct dataspace_alias),
	.flags = DATASPACE_ALIAS_CLIP,
};

FIXTURE_VARIANT_ADD(abi, info) {
	.cmd = DATASPACE_IOC_INFO,
	.size = sizeof(struct dataspace_info),
	.fills_in = true,
};

FIXTURE_VARIANT_ADD(abi, query) {
	.cmd = DATASPACE_IOC_QUERY,
	.size = sizeof(struct dataspace_query),
	.fills_in = true,
};

FIXTURE_VARIANT_ADD(abi, revoke) {
	.cmd = DATASPACE_IOC_REVOKE,
	.size = sizeof(struct dataspace_revoke),
	.flags = DATASPACE_REVOKE_SELF,
};

FIXTURE_VARIANT_ADD(abi, seal) {
	.cmd = DATASPACE_IOC_SEAL,
	.size = sizeof(struct dataspace_seal),
	.flags = DATASPACE_SEAL_NOW,
};

FIXTURE_VARIANT_ADD(abi, export_dmabuf) {
	.cmd = DATASPACE_IOC_EXPORT_DMABUF,
	.size = sizeof(struct dataspace_export_dmabuf),
	.flags = DATASPACE_EXPORT_REVOCABLE,
};

FIXTURE_VARIANT_ADD(abi, set_name) {
	.cmd = DATASPACE_IOC_SET_NAME,
	.size = sizeof(struct dataspace_name),
};

/* clang-format on */

static bool makes_descriptor(unsigned int cmd)
{
	return cmd == DATASPACE_IOC_ALLOC || cmd == DATASPACE_IOC_ALIAS ||
	       cmd == DATASPACE_IOC_EXPORT_DMABUF;
}

/*
 * To look at all pages takes longer than all the rest, so it is not done where
 * nothing is made, nor twice for the two kinds of program.
 */
static void take_state(struct state *state, int root, unsigned int cmd)
{
	memset(state, 0, sizeof(*state));
	state->fds = count_fds();
	if (makes_descriptor(cmd) && sizeof(long) == 8)
		state->held = pages_held_by_anyone();
	ds_info(root, &state->root);
}

static char *map_guarded(void)
{
	size_t page = page_size();
	char *map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map + page, page, PROT_NONE))
		return NULL;
	return map;
}

FIXTURE_SETUP(abi)
{
	self->device = ds_device();
	ASSERT_LE(0, self->device);
	self->root = ds_alloc_pages(ROOT_PAGES);
	ASSERT_LE(0, self->root);
	self->spare = ds_alias(self->root, 0, page_size(), RIGHTS_RW);
	ASSERT_LE(0, self->spare);
	self->guarded = map_guarded();
	ASSERT_NE(NULL, self->guarded);
	take_state(&self->before, self->root, variant->cmd);
}

/* Every test ends with nothing changed. */
FIXTURE_TEARDOWN(abi)
{
	struct state after;

	take_state(&after, self->root, variant->cmd);
	EXPECT_EQ(self->before.fds, after.fds);
	EXPECT_EQ(self->before.held, after.held);
	EXPECT_EQ(0,
		  memcmp(&self->before.root, &after.root, sizeof(after.root)));
}

static const struct dataspace_alloc good_alloc = {
	.size = sizeof(good_alloc),
	.length = 1,
	.rights = RIGHTS_RW,
};

static const struct dataspace_alias good_alias = {
	.size = sizeof(good_alias),
	.rights = RIGHTS_RW,
};

static const struct dataspace_seal good_seal = {
	.size = sizeof(good_seal),
	.rights = DATASPACE_WRITE,
};

static const struct dataspace_name good_name = {
	.size = sizeof(good_name),
	.name = "name",
};

/* The others ask for nothing but that it be done: a size and zeros. */
static void good_request(unsigned int cmd, __u32 size, void *arg)
{
	struct dataspace_alias alias = good_alias;

	alias.length = page_size();
	if (cmd == DATASPACE_IOC_ALLOC) {
		memcpy(arg, &good_alloc, size);
	} else if (cmd == DATASPACE_IOC_ALIAS) {
		memcpy(arg, &alias, size);
	} else if (cmd == DATASPACE_IOC_SEAL) {
		memcpy(arg, &good_seal, size);
	} else if (cmd == DATASPACE_IOC_SET_NAME) {
		memcpy(arg, &good_name, size);
	} else {
		memset(arg, 0, size);
		memcpy(arg, &size, sizeof(size));
	}
}

static bool is_of_device(unsigned int cmd)
{
	return cmd == DATASPACE_IOC_ALLOC || cmd == DATASPACE_IOC_QUERY;
}

/* REVOKE goes to where nothing is to be revoked. */
static int target(FIXTURE_DATA(abi) * self, unsigned int cmd)
{
	if (is_of_device(cmd))
		return self->device;
	if (cmd == DATASPACE_IOC_SEAL || cmd == DATASPACE_IOC_REVOKE)
		return self->spare;
	return self->root;
}

/* What makes a descriptor is undone: the call counts, and what it leaves. */
static long call(FIXTURE_DATA(abi) * self, unsigned int cmd, void *arg)
{
	int ret = ioctl(target(self, cmd), cmd, arg);

	if (ret < 0)
		return -errno;
	if (makes_descriptor(cmd)) {
		close(ret);
		ret = 0;
	}
	return ret;
}

static long call_with_size(FIXTURE_DATA(abi) * self, unsigned int cmd,
			   void *arg, __u32 size)
{
	memcpy(arg, &size, sizeof(size));
	return call(self, cmd, arg);
}

TEST_F(abi, the_right_request_works)
{
	good_request(variant->cmd, variant->size, self->guarded);
	EXPECT_EQ(variant->want, call(self, variant->cmd, self->guarded));
}

TEST_F(abi, shorter_than_the_first_version_is_EINVAL)
{
	__u32 size;

	good_request(variant->cmd, variant->size, self->guarded);
	for (size = 0; size < variant->size; size++)
		EXPECT_EQ(-EINVAL, call_with_size(self, variant->cmd,
						  self->guarded, size));
}

TEST_F(abi, up_to_a_page_with_a_tail_of_zeros_works)
{
	__u32 size = variant->size + 1;

	while (size <= page_size()) {
		memset(self->guarded, 0, page_size());
		good_request(variant->cmd, variant->size, self->guarded);
		EXPECT_EQ(variant->want, call_with_size(self, variant->cmd,
							self->guarded, size));
		size = size == variant->size + 64 ? page_size() : size + 1;
	}
}

/* Where the struct is filled in, what a newer program left there is ignored. */
TEST_F(abi, longer_with_any_other_tail_is_E2BIG_unless_it_is_filled_in)
{
	const long want = variant->fills_in ? 0 : -E2BIG;
	const __u32 size = variant->size + 24;
	__u32 i;

	for (i = variant->size; i < size; i++) {
		memset(self->guarded, 0, page_size());
		good_request(variant->cmd, variant->size, self->guarded);
		self->guarded[i] = 1;
		EXPECT_EQ(want, call_with_size(self, variant->cmd,
					       self->guarded, size));
	}
	memset(self->guarded, 0, page_size());
	good_request(variant->cmd, variant->size, self->guarded);
	self->guarded[page_size() - 1] = 1;
	EXPECT_EQ(want, call_with_size(self, variant->cmd, self->guarded,
				       page_size()));
}

/* Nobody looks whether the rest is zero, so that it need not even be there. */
TEST_F(abi, longer_than_a_page_is_E2BIG_at_once)
{
	const __u32 sizes[] = { page_size() + 1, 1U << 30, UINT32_MAX };
	char *arg = self->guarded + page_size() - variant->size;
	size_t i;

	good_request(variant->cmd, variant->size, arg);
	for (i = 0; i < ARRAY_LENGTH(sizes); i++)
		EXPECT_EQ(-E2BIG,
			  call_with_size(self, variant->cmd, arg, sizes[i]));
}

/* A newer program can tell an older module from its own mistake. */
TEST_F(abi, unknown_flags_are_EOPNOTSUPP_one_by_one)
{
	int bit;

	for (bit = 0; bit < 32; bit++) {
		const __u32 flags = 1U << bit | variant->flags;

		if (flags == variant->flags)
			continue;
		good_request(variant->cmd, variant->size, self->guarded);
		memcpy(self->guarded + sizeof(__u32), &flags, sizeof(flags));
		EXPECT_EQ(-EOPNOTSUPP, call(self, variant->cmd, self->guarded));
	}
}

/* Of what is filled in only the flags are read, and what is unknown is cleared. */
TEST_F(abi, is_filled_in_as_far_as_it_is_known_or_not_at_all)
{
	const __u32 inputs = variant->fills_in ? 2 * sizeof(__u32) :
						 variant->size;
	const __u32 known = variant->fills_in ? variant->size + 64 : inputs;
	char before[256];
	__u32 told;

	memset(self->guarded, 0xcc, page_size());
	good_request(variant->cmd, inputs, self->guarded);
	memcpy(self->guarded, &known, sizeof(known));
	memcpy(before, self->guarded, sizeof(before));
	EXPECT_EQ(variant->want, call(self, variant->cmd, self->guarded));
	memcpy(&told, self->guarded, sizeof(told));
	EXPECT_EQ(variant->size, told);
	EXPECT_TRUE(bytes_are(self->guarded + known, 64, 0xcc));
	EXPECT_TRUE(variant->fills_in ?
			    bytes_are(self->guarded + variant->size, 64, 0) :
			    !memcmp(before, self->guarded, known));
}

TEST_F(abi, what_is_refused_is_not_filled_in)
{
	const __u32 flags = 1U << 31;
	char before[256];

	memset(self->guarded, 0xcc, page_size());
	good_request(variant->cmd, 2 * sizeof(__u32), self->guarded);
	memcpy(self->guarded, &variant->size, sizeof(variant->size));
	memcpy(self->guarded + sizeof(__u32), &flags, sizeof(flags));
	memcpy(before, self->guarded, sizeof(before));
	EXPECT_EQ(-EOPNOTSUPP, call(self, variant->cmd, self->guarded));
	EXPECT_EQ(0, memcmp(before, self->guarded, sizeof(before)));
}

/* rule 17; those of the device are not concerned */
TEST_F(abi, on_a_revoked_dataspace_is_ESTALE_but_for_INFO)
{
	const bool works = variant->fills_in || is_of_device(variant->cmd);
	const int root = self->root, spare = self->spare;
	int ds = ds_alias(self->spare, 0, page_size(), RIGHTS_R);

	ASSERT_LE(0, ds);
	ASSERT_EQ(0, ds_revoke(self->spare));
	self->root = ds;
	self->spare = ds;
	good_request(variant->cmd, variant->size, self->guarded);
	EXPECT_EQ(works ? 0 : -ESTALE, call(self, variant->cmd, self->guarded));
	self->root = root;
	self->spare = spare;
	close(ds);
}

TEST_F(abi, nothing_beyond_the_struct_is_read)
{
	char *arg = self->guarded + page_size() - variant->size;

	good_request(variant->cmd, variant->size, arg);
	EXPECT_EQ(variant->want, call(self, variant->cmd, arg));
}

TEST_F(abi, a_struct_that_ends_beyond_readable_memory_is_EFAULT)
{
	__u32 there;
	char *arg;

	for (there = 4; there < variant->size; there += 4) {
		char request[256];

		good_request(variant->cmd, variant->size, request);
		arg = self->guarded + page_size() - there;
		memcpy(arg, request, there);
		EXPECT_EQ(-EFAULT, call(self, variant->cmd, arg));
	}
}

TEST_F(abi, a_tail_beyond_readable_memory_is_EFAULT)
{
	char *arg = self->guarded + page_size() - variant->size;

	good_request(variant->cmd, variant->size, arg);
	EXPECT_EQ(-EFAULT,
		  call_with_size(self, variant->cmd, arg, variant->size + 8));
}

TEST_F(abi, bad_pointers_are_EFAULT)
{
	void *const bad[] = {
		NULL,	     (void *)1,	     self->guarded + page_size(),
		(void *)-1L, (void *)-4096L, (void *)0xffff888000000000UL
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(bad); i++)
		EXPECT_EQ(-EFAULT, call(self, variant->cmd, bad[i]));
}

TEST_F(abi, a_full_descriptor_table_is_EMFILE)
{
	struct rlimit old, none;

	good_request(variant->cmd, variant->size, self->guarded);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(makes_descriptor(variant->cmd) ? -EMFILE : variant->want,
		  call(self, variant->cmd, self->guarded));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
}

static long without_privilege(FIXTURE_DATA(abi) * self, unsigned int cmd)
{
	if (setresuid(65534, 65534, 65534))
		return errno;
	return -call(self, cmd, self->guarded);
}

TEST_F(abi, a_full_file_table_is_ENFILE)
{
	long long max = number_in_file(FILE_MAX, "");
	pid_t child;

	good_request(variant->cmd, variant->size, self->guarded);
	ASSERT_EQ(0, number_to_file(FILE_MAX, 0));
	child = fork();
	if (!child)
		_exit(without_privilege(self, variant->cmd));
	EXPECT_EQ(W_EXITCODE(makes_descriptor(variant->cmd) ? ENFILE :
							      -variant->want,
			     0),
		  wait_for(child));
	ASSERT_EQ(0, number_to_file(FILE_MAX, max));
}

TEST_F(abi, of_the_device_or_of_a_dataspace_is_ENOTTY_on_the_other)
{
	int other = is_of_device(variant->cmd) ? self->root : self->device;

	good_request(variant->cmd, variant->size, self->guarded);
	EXPECT_EQ(-ENOTTY, result(ioctl(other, variant->cmd, self->guarded)));
}

TEST_F(abi, the_same_number_with_a_size_in_it_is_ENOTTY)
{
	const unsigned int nr = _IOC_NR(variant->cmd);
	int on = target(self, variant->cmd);

	good_request(variant->cmd, variant->size, self->guarded);
	EXPECT_EQ(-ENOTTY,
		  result(ioctl(on,
			       _IOC(_IOC_READ | _IOC_WRITE, DATASPACE_IOC_TYPE,
				    nr, variant->size),
			       self->guarded)));
	EXPECT_EQ(-ENOTTY, result(ioctl(on, _IO(DATASPACE_IOC_TYPE + 1, nr),
					self->guarded)));
}

TEST_F(abi, on_other_files_it_is_refused)
{
	int path = open(DEVICE, O_PATH | O_CLOEXEC);
	int memory = memfd_create("other", MFD_CLOEXEC);

	good_request(variant->cmd, variant->size, self->guarded);
	EXPECT_EQ(-EBADF, result(ioctl(-1, variant->cmd, self->guarded)));
	EXPECT_EQ(-EBADF, result(ioctl(path, variant->cmd, self->guarded)));
	EXPECT_EQ(-ENOTTY, result(ioctl(memory, variant->cmd, self->guarded)));
	close(path);
	close(memory);
}

FIXTURE(fields)
{
	int device;
	int root;
	struct state before;
};

FIXTURE_SETUP(fields)
{
	self->device = ds_device();
	ASSERT_LE(0, self->device);
	self->root = ds_alloc(ROOT_PAGES * page_size(), RIGHTS_RWX, 0);
	ASSERT_LE(0, self->root);
	take_state(&self->before, self->root, DATASPACE_IOC_ALLOC);
}

FIXTURE_TEARDOWN(fields)
{
	struct state after;

	take_state(&after, self->root, DATASPACE_IOC_ALLOC);
	EXPECT_EQ(self->before.fds, after.fds);
	EXPECT_EQ(self->before.held, after.held);
	EXPECT_EQ(0,
		  memcmp(&self->before.root, &after.root, sizeof(after.root)));
}

static long alias_with(int ds, __u32 flags, __u32 rights, __u32 reserved)
{
	struct dataspace_alias arg = good_alias;

	arg.length = page_size();
	arg.flags = flags;
	arg.rights = rights;
	arg.__reserved = reserved;
	return result(ioctl(ds, DATASPACE_IOC_ALIAS, &arg));
}

static long alloc_with(int device, __u32 flags, __u32 rights, __u64 align)
{
	struct dataspace_alloc arg = good_alloc;

	arg.flags = flags;
	arg.rights = rights;
	arg.align = align;
	return ds_alloc_on(device, &arg);
}

TEST_F(fields, unknown_rights_are_EOPNOTSUPP_one_by_one_also_with_CLIP)
{
	int bit;

	for (bit = 6; bit < 32; bit++) {
		const __u32 rights = 1U << bit | RIGHTS_R;

		EXPECT_EQ(-EOPNOTSUPP, alloc_with(self->device, 0, rights, 0));
		EXPECT_EQ(-EOPNOTSUPP, alias_with(self->root, 0, rights, 0));
		EXPECT_EQ(-EOPNOTSUPP,
			  alias_with(self->root, DATASPACE_ALIAS_CLIP, rights,
				     0));
	}
}

TEST_F(fields, rights_without_READ_are_EINVAL)
{
	const __u32 rights[] = { 0, DATASPACE_WRITE, DATASPACE_EXEC,
				 DATASPACE_WRITE | DATASPACE_EXEC,
				 RIGHTS_RWX & ~DATASPACE_READ };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rights); i++) {
		EXPECT_EQ(-EINVAL, alloc_with(self->device, 0, rights[i], 0));
		EXPECT_EQ(-EINVAL, alias_with(self->root, 0, rights[i], 0));
		EXPECT_EQ(-EINVAL, alias_with(self->root, DATASPACE_ALIAS_CLIP,
					      rights[i], 0));
	}
}

static long seal_with(int ds, __u32 rights, __u32 reserved)
{
	struct dataspace_seal arg = good_seal;

	arg.rights = rights;
	arg.__reserved = reserved;
	return result(ioctl(ds, DATASPACE_IOC_SEAL, &arg));
}

TEST_F(fields, SEAL_takes_WRITE_and_no_other_right)
{
	int bit;

	EXPECT_EQ(-EINVAL, seal_with(self->root, 0, 0));
	for (bit = 0; bit < 32; bit++) {
		const __u32 right = 1U << bit;

		if (right == DATASPACE_WRITE)
			continue;
		EXPECT_EQ(-EOPNOTSUPP, seal_with(self->root, right, 0));
		EXPECT_EQ(-EOPNOTSUPP,
			  seal_with(self->root, right | DATASPACE_WRITE, 0));
	}
}

TEST_F(fields, reserved_bits_are_EOPNOTSUPP_one_by_one)
{
	int bit;

	for (bit = 0; bit < 32; bit++) {
		EXPECT_EQ(-EOPNOTSUPP,
			  alias_with(self->root, 0, RIGHTS_R, 1U << bit));
		EXPECT_EQ(-EOPNOTSUPP,
			  seal_with(self->root, DATASPACE_WRITE, 1U << bit));
	}
}

static long alloc_on_node(int device, __u32 flags, __s32 node)
{
	struct dataspace_alloc arg = good_alloc;

	arg.flags = flags;
	arg.node = node;
	return ds_alloc_on(device, &arg);
}

TEST_F(fields, a_node_is_EINVAL_without_NODE)
{
	EXPECT_EQ(-EINVAL, alloc_on_node(self->device, 0, 1));
	EXPECT_EQ(-EINVAL, alloc_on_node(self->device, 0, -1));
	EXPECT_EQ(-EINVAL, alloc_on_node(self->device, 0, INT32_MIN));
}

TEST_F(fields, a_node_that_is_not_there_is_EINVAL_with_NODE)
{
	const __s32 nodes[] = { -1, INT32_MIN, 1023, 1 << 20, INT32_MAX };
	size_t i;
	int ds;

	for (i = 0; i < ARRAY_LENGTH(nodes); i++)
		EXPECT_EQ(-EINVAL,
			  alloc_on_node(self->device, DATASPACE_ALLOC_NODE,
					nodes[i]));
	ds = alloc_on_node(self->device, DATASPACE_ALLOC_NODE, 0);
	EXPECT_LE(0, ds);
	close(ds);
}

TEST_F(fields, an_alignment_that_is_no_power_of_two_is_EINVAL)
{
	const __u64 align[] = { 3, page_size() + 1, 3 * page_size(),
				UINT64_MAX };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(align); i++)
		EXPECT_EQ(-EINVAL,
			  alloc_with(self->device, 0, RIGHTS_R, align[i]));
}

TEST_F(fields, an_alignment_that_no_memory_has_is_ENOMEM)
{
	const __u64 most = (__u64)1 << 63;

	EXPECT_EQ(-ENOMEM, alloc_with(self->device, 0, RIGHTS_R, most));
}

TEST_F(fields, an_alignment_with_SCATTERED_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, alloc_with(self->device, DATASPACE_ALLOC_SCATTERED,
				      RIGHTS_R, page_size()));
}

/* What is unknown comes first, then what is malformed, then ESTALE, then EPERM. */
TEST_F(fields, of_several_errors_the_first_in_order_is_told)
{
	const __u32 unknown = 1U << 31;
	struct dataspace_alloc empty = good_alloc;
	int ds = ds_alias(self->root, 0, page_size(), DATASPACE_READ);
	int old = ds_alias(self->root, 0, page_size(), DATASPACE_READ);

	ASSERT_LE(0, ds);
	ASSERT_LE(0, old);
	empty.length = 0;
	EXPECT_EQ(-EINVAL, ds_alloc_on(self->device, &empty));
	empty.flags = unknown;
	EXPECT_EQ(-EOPNOTSUPP, ds_alloc_on(self->device, &empty));
	EXPECT_EQ(-EOPNOTSUPP, alias_with(ds, 0, unknown, 0));
	EXPECT_EQ(-EOPNOTSUPP, alias_with(ds, 0, 0, 1));
	EXPECT_EQ(-EINVAL, alias_with(ds, 0, DATASPACE_WRITE, 0));
	EXPECT_EQ(-EPERM, alias_with(ds, 0, RIGHTS_RW, 0));
	EXPECT_EQ(-EINVAL, seal_with(ds, 0, 0));
	EXPECT_EQ(-EPERM, seal_with(ds, DATASPACE_WRITE, 0));
	ASSERT_EQ(0, ds_revoke(self->root));
	EXPECT_EQ(-EOPNOTSUPP, alias_with(old, 0, unknown, 0));
	EXPECT_EQ(-EINVAL, alias_with(old, 0, DATASPACE_WRITE, 0));
	EXPECT_EQ(-ESTALE, alias_with(old, 0, RIGHTS_RW, 0));
	EXPECT_EQ(-EINVAL, seal_with(old, 0, 0));
	EXPECT_EQ(-ESTALE, seal_with(old, DATASPACE_WRITE, 0));
	close(ds);
	close(old);
}

/* rule 8 */
TEST_F(fields, ALIAS_without_DERIVE_is_EPERM_also_with_CLIP)
{
	const __u32 rights = RIGHTS_RWX & ~DATASPACE_DERIVE;
	int ds = ds_alias(self->root, 0, page_size(), rights);

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EPERM, alias_with(ds, 0, DATASPACE_READ, 0));
	EXPECT_EQ(-EPERM,
		  alias_with(ds, DATASPACE_ALIAS_CLIP, DATASPACE_READ, 0));
	close(ds);
}

/* rule 10 */
TEST_F(fields, mmap_without_MAP_is_EACCES)
{
	const __u32 rights = RIGHTS_RWX & ~DATASPACE_MAP;
	int ds = ds_alias(self->root, 0, page_size(), rights);
	char byte = 'x';

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EACCES,
		  ds_try_map(ds, page_size(), PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(-EACCES,
		  ds_try_map(ds, page_size(), PROT_READ, MAP_PRIVATE, 0));
	EXPECT_EQ(-EACCES,
		  ds_try_map(ds, page_size(), PROT_NONE, MAP_SHARED, 0));
	EXPECT_EQ(1, pwrite(ds, &byte, 1, 7));
	byte = 0;
	EXPECT_EQ(1, pread(ds, &byte, 1, 7));
	EXPECT_EQ('x', byte);
	close(ds);
}

/* rule 23 */
TEST_F(fields, EXPORT_DMABUF_without_EXPORT_is_EPERM)
{
	struct dataspace_export_dmabuf arg = { .size = sizeof(arg) };
	const __u32 rights = RIGHTS_RWX & ~DATASPACE_EXPORT;
	int ds = ds_alias(self->root, 0, page_size(), rights);

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EPERM, result(ioctl(ds, DATASPACE_IOC_EXPORT_DMABUF, &arg)));
	arg.flags = DATASPACE_EXPORT_REVOCABLE;
	EXPECT_EQ(-EPERM, result(ioctl(ds, DATASPACE_IOC_EXPORT_DMABUF, &arg)));
	close(ds);
}

TEST_F(fields, INFO_fills_in_every_field)
{
	struct dataspace_info info;

	memset(&info, 0xff, sizeof(info));
	info.size = sizeof(info);
	info.flags = 0;
	EXPECT_EQ(0, ioctl(self->root, DATASPACE_IOC_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(RIGHTS_RWX, info.rights);
	EXPECT_EQ(DATASPACE_STATE_CONTIGUOUS, info.state);
	EXPECT_EQ(ROOT_PAGES * page_size(), info.length);
	EXPECT_LT(0, info.id);
	EXPECT_EQ(info.length, info.exclusive);
	EXPECT_EQ(0, info.aliases);
	EXPECT_EQ(0, info.mappings);
	EXPECT_EQ(page_size(), info.granule);
	EXPECT_EQ(0, info.derived_mappings);
	EXPECT_EQ(0, info.devices);
	EXPECT_EQ(info.length, info.resident);
}

#define POOL_MB "/sys/module/dataspace/parameters/pool_mb"
#define LIMIT_MB "/sys/module/dataspace/parameters/limit_mb"

TEST_F(fields, QUERY_fills_in_every_field)
{
	const __u64 ioctls = 0x1ff;
	struct dataspace_query query;

	memset(&query, 0xff, sizeof(query));
	query.size = sizeof(query);
	query.flags = 0;
	ASSERT_EQ(0, ioctl(self->device, DATASPACE_IOC_QUERY, &query));
	EXPECT_EQ(sizeof(query), query.size);
	EXPECT_EQ(0, query.flags);
	EXPECT_EQ(DATASPACE_ABI_VERSION, query.version);
	EXPECT_EQ(RIGHTS_RWX, query.rights);
	EXPECT_EQ(DATASPACE_ALLOC_SCATTERED | DATASPACE_ALLOC_NODE |
			  DATASPACE_ALLOC_LAZY | DATASPACE_ALLOC_CHARGE_OPENER,
		  query.alloc_flags);
	EXPECT_EQ(DATASPACE_ALIAS_CLIP, query.alias_flags);
	EXPECT_EQ(DATASPACE_SEAL_NOW, query.seal_flags);
	EXPECT_EQ(0, query.__reserved);
	EXPECT_EQ(ioctls, query.ioctls);
	EXPECT_EQ(number_in_file(LIMIT_MB, ""), query.limit >> 20);
	EXPECT_EQ(number_in_file(POOL_MB, ""), query.pool >> 20);
	EXPECT_GE(query.pool, query.pool_free);
}

static __u64 in_use(int device)
{
	struct dataspace_query query = { .size = sizeof(query) };

	return ioctl(device, DATASPACE_IOC_QUERY, &query) ? UINT64_MAX :
							    query.in_use;
}

TEST_F(fields, QUERY_counts_what_is_in_use)
{
	const __u64 before = in_use(self->device);
	int ds = ds_alloc(5 * page_size(), RIGHTS_R, 0);
	int alias = ds_alias_pages(ds, 1, 2, RIGHTS_R);

	EXPECT_LE(ROOT_PAGES * page_size(), before);
	ASSERT_LE(0, alias);
	EXPECT_EQ(before + 5 * page_size(), in_use(self->device));
	close(ds);
	EXPECT_EQ(before + page_size(), in_use(self->device));
	close(alias);
	EXPECT_EQ(before, in_use(self->device));
}

static long set_name(int ds, const char *name, size_t bytes)
{
	struct dataspace_name arg = { .size = sizeof(arg) };

	memcpy(arg.name, name, bytes);
	return result(ioctl(ds, DATASPACE_IOC_SET_NAME, &arg));
}

/* rule 24: the name as fdinfo shows it, or an empty one if it does not */
static void read_name(int ds, char name[64])
{
	char line[256];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/self/fdinfo/%d", ds);
	file = fopen(line, "r");
	name[0] = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "dataspace-name:\t%63[^\n]", name) == 1)
			break;
	if (file)
		fclose(file);
}

/* rule 24 */
TEST_F(fields, a_name_is_shown_until_another_one_is_set)
{
	char name[64];

	read_name(self->root, name);
	EXPECT_STREQ("", name);
	EXPECT_EQ(0, set_name(self->root, "a buffer", 8));
	read_name(self->root, name);
	EXPECT_STREQ("a buffer", name);
	EXPECT_EQ(0, set_name(self->root, "b\0junk", 6));
	read_name(self->root, name);
	EXPECT_STREQ("b", name);
	EXPECT_EQ(0, set_name(self->root, "\xc3\xa4", 2));
	read_name(self->root, name);
	EXPECT_STREQ("\xc3\xa4", name);
	EXPECT_EQ(0, set_name(self->root, "", 0));
	read_name(self->root, name);
	EXPECT_STREQ("", name);
}

/* rule 24: each dataspace has one of its own */
TEST_F(fields, a_name_is_not_that_of_the_source)
{
	int ds = ds_alias_pages(self->root, 0, 1, RIGHTS_R);
	char name[64];

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, set_name(self->root, "root", 4));
	EXPECT_EQ(0, set_name(ds, "alias", 5));
	read_name(self->root, name);
	EXPECT_STREQ("root", name);
	read_name(ds, name);
	EXPECT_STREQ("alias", name);
	close(ds);
}

TEST_F(fields, a_name_has_31_bytes_at_most)
{
	char longest[DATASPACE_NAME_MAX];
	char name[64];

	memset(longest, 'x', sizeof(longest));
	EXPECT_EQ(-EINVAL, set_name(self->root, longest, sizeof(longest)));
	read_name(self->root, name);
	EXPECT_STREQ("", name);
	EXPECT_EQ(0, set_name(self->root, longest, sizeof(longest) - 1));
	read_name(self->root, name);
	EXPECT_EQ(sizeof(longest) - 1, strlen(name));
}

TEST_F(fields, a_name_with_a_control_character_is_EINVAL)
{
	int byte;

	for (byte = 1; byte < 256; byte++) {
		const char plain[] = { 'a', byte };
		const char utf8[] = { UTF8_CONTROL[0], byte };
		const bool control = byte < 0x20 || byte == 0x7f;
		const bool upper = byte >= 0x80 && byte < 0xa0;

		EXPECT_EQ(control ? -EINVAL : 0,
			  set_name(self->root, plain, sizeof(plain)));
		EXPECT_EQ(control || upper ? -EINVAL : 0,
			  set_name(self->root, utf8, sizeof(utf8)));
	}
}

TEST_F(fields, INFO_into_memory_that_is_not_writable_is_EFAULT)
{
	struct dataspace_info *info = mmap(NULL, page_size(),
					   PROT_READ | PROT_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, info);
	info->size = sizeof(*info);
	info->flags = 0;
	ASSERT_EQ(0, mprotect(info, page_size(), PROT_READ));
	EXPECT_EQ(-EFAULT, result(ioctl(self->root, DATASPACE_IOC_INFO, info)));
	munmap(info, page_size());
}

TEST_F(fields, VERSION_is_1_on_both_and_wants_0)
{
	const int fds[] = { self->device, self->root };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(fds); i++) {
		EXPECT_EQ(DATASPACE_ABI_VERSION,
			  ioctl(fds[i], DATASPACE_IOC_VERSION, 0L));
		EXPECT_EQ(-EINVAL,
			  result(ioctl(fds[i], DATASPACE_IOC_VERSION, 1L)));
		EXPECT_EQ(-EINVAL,
			  result(ioctl(fds[i], DATASPACE_IOC_VERSION, -1L)));
		EXPECT_EQ(-EINVAL,
			  result(ioctl(fds[i], DATASPACE_IOC_VERSION, fds)));
	}
}

/* Whether one of the ioctls on the device, or on a dataspace, is called so. */
static bool is_known(unsigned int cmd, bool device)
{
	return cmd == DATASPACE_IOC_VERSION ||
	       (cmd >= DATASPACE_IOC_ALLOC && cmd <= DATASPACE_IOC_SET_NAME &&
		is_of_device(cmd) == device);
}

/* How many numbers of our type, with that direction and size, are taken. */
static unsigned int count_taken(int fd, bool device, int direction, int size)
{
	unsigned int taken = 0;
	unsigned int nr, cmd;

	for (nr = 0; nr < 256; nr++) {
		cmd = _IOC(direction, DATASPACE_IOC_TYPE, nr, size);
		if (!is_known(cmd, device))
			taken += result(ioctl(fd, cmd, NULL)) != -ENOTTY;
	}
	return taken;
}

TEST_F(fields, unknown_ioctls_are_ENOTTY)
{
	const int sizes[] = { 0, 1, 2, 4, 8, 16, 32, 64, 4096, _IOC_SIZEMASK };
	int direction;
	size_t i;

	for (direction = 0; direction <= _IOC_DIRMASK; direction++) {
		for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
			EXPECT_EQ(0, count_taken(self->device, true, direction,
						 sizes[i]));
			EXPECT_EQ(0, count_taken(self->root, false, direction,
						 sizes[i]));
		}
	}
}

/* A 32-bit kernel would not even see the upper half. */
TEST_F(fields, values_beyond_32_bits_are_not_cut_off)
{
	const __u64 beyond = 1ULL << 32;

	EXPECT_EQ(-EINVAL, ds_alias(self->root, beyond, page_size(), RIGHTS_R));
	EXPECT_EQ(-EINVAL,
		  ds_alias(self->root, 0, beyond + page_size(), RIGHTS_R));
	EXPECT_EQ(-ENOMEM, ds_alloc((1ULL << 48) + 1, RIGHTS_R, 0));
	EXPECT_EQ(-ENOMEM, alloc_with(self->device, 0, RIGHTS_R, 1ULL << 48));
}

TEST_F(fields, what_is_described_can_be_mapped)
{
	int ds = ds_alias_pages(self->root, 2, 5, RIGHTS_RW);

	ASSERT_LE(0, ds);
	EXPECT_EQ(0, pattern_write_fd(self->root, ROOT_PAGES, 0));
	EXPECT_EQ(0, pattern_wrong_fd(ds, 3, 2));
	close(ds);
}

TEST_F(fields, new_descriptors_are_close_on_exec)
{
	int root = alloc_with(self->device, 0, RIGHTS_R, 0);
	int alias = alias_with(root, 0, RIGHTS_R, 0);

	ASSERT_LE(0, root);
	ASSERT_LE(0, alias);
	EXPECT_EQ(FD_CLOEXEC, fcntl(root, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(alias, F_GETFD));
	close(root);
	close(alias);
}

/* An allocation that fails half way gives back what it had. */
TEST_F_TIMEOUT(fields, a_failed_allocation_leaves_nothing, 240)
{
	struct dataspace_alloc arg = good_alloc;
	int i;

	arg.length = number_in_file("/proc/meminfo", "MemTotal:") * 1024;
	arg.flags = DATASPACE_ALLOC_SCATTERED;
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-ENOMEM, ds_alloc_on(self->device, &arg));
}

TEST_HARNESS_MAIN
