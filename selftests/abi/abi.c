// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad input: every malformed request gets the errno that the header names, and
 * leaves descriptors, pages and counts as they were. abi_32 is the same as a
 * 32-bit program, where the compiler can make one.
 */
#include <kselftest_harness.h>

#include <assert.h>
#include <linux/fs.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common.h"
#include "pages.h"

#define ROOT_PAGES 8

/* The first version of the interface, for programs of 32 and of 64 bits. */
static_assert(sizeof(struct dataspace_alloc) == 32, "alloc");
static_assert(offsetof(struct dataspace_alloc, length) == 8, "length");
static_assert(offsetof(struct dataspace_alloc, rights) == 16, "rights");
static_assert(offsetof(struct dataspace_alloc, align) == 24, "align");
static_assert(sizeof(struct dataspace_alias) == 32, "alias");
static_assert(offsetof(struct dataspace_alias, offset) == 8, "offset");
static_assert(offsetof(struct dataspace_alias, length) == 16, "length");
static_assert(offsetof(struct dataspace_alias, rights) == 24, "rights");
static_assert(sizeof(struct dataspace_info) == 88, "info");
static_assert(offsetof(struct dataspace_info, length) == 16, "length");
static_assert(offsetof(struct dataspace_info, granule) == 56, "granule");
static_assert(sizeof(struct dataspace_revoke) == 8, "revoke");
static_assert(sizeof(struct dataspace_seal) == 16, "seal");

/* What a failed call must leave as it was. */
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

/* One ioctl with a request that succeeds. */
FIXTURE_VARIANT(abi)
{
	unsigned int cmd;
	__u32 size;
};

/* clang-format off */
FIXTURE_VARIANT_ADD(abi, alloc) {
	.cmd = DATASPACE_IOC_ALLOC,
	.size = sizeof(struct dataspace_alloc),
};

FIXTURE_VARIANT_ADD(abi, alias) {
	.cmd = DATASPACE_IOC_ALIAS,
	.size = sizeof(struct dataspace_alias),
};

FIXTURE_VARIANT_ADD(abi, info) {
	.cmd = DATASPACE_IOC_INFO,
	.size = sizeof(struct dataspace_info),
};

FIXTURE_VARIANT_ADD(abi, revoke) {
	.cmd = DATASPACE_IOC_REVOKE,
	.size = sizeof(struct dataspace_revoke),
};

FIXTURE_VARIANT_ADD(abi, seal) {
	.cmd = DATASPACE_IOC_SEAL,
	.size = sizeof(struct dataspace_seal),
};

/* clang-format on */

static bool makes_descriptor(unsigned int cmd)
{
	return cmd == DATASPACE_IOC_ALLOC || cmd == DATASPACE_IOC_ALIAS;
}

/*
 * Counting the pages of all files takes longer than all the rest, so it is done
 * only for ioctls that make a descriptor, and not in the 32-bit program.
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
	char *map = mmap(NULL, 2 * page, READ_WRITE,
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

/* Requests that are a size and zeros. */
static void good_plain(void *arg, __u32 size)
{
	memset(arg, 0, size);
	memcpy(arg, &size, sizeof(size));
}

static void good_request(unsigned int cmd, void *arg)
{
	struct dataspace_alias alias = good_alias;

	alias.length = page_size();
	if (cmd == DATASPACE_IOC_ALLOC)
		memcpy(arg, &good_alloc, sizeof(good_alloc));
	else if (cmd == DATASPACE_IOC_ALIAS)
		memcpy(arg, &alias, sizeof(alias));
	else if (cmd == DATASPACE_IOC_INFO)
		good_plain(arg, sizeof(struct dataspace_info));
	else
		good_plain(arg, sizeof(struct dataspace_seal));
}

/* REVOKE is called on an alias from which nothing is derived. */
static int target(FIXTURE_DATA(abi) * self, unsigned int cmd)
{
	if (cmd == DATASPACE_IOC_ALLOC)
		return self->device;
	if (cmd == DATASPACE_IOC_SEAL || cmd == DATASPACE_IOC_REVOKE)
		return self->spare;
	return self->root;
}

/*
 * Makes the call and closes a descriptor that it returns: what counts is the
 * result, and what the call leaves.
 */
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
	good_request(variant->cmd, self->guarded);
	EXPECT_EQ(0, call(self, variant->cmd, self->guarded));
}

TEST_F(abi, shorter_than_the_first_version_is_EINVAL)
{
	__u32 size;

	good_request(variant->cmd, self->guarded);
	for (size = 0; size < variant->size; size++)
		EXPECT_EQ(-EINVAL, call_with_size(self, variant->cmd,
						  self->guarded, size));
}

TEST_F(abi, longer_with_a_tail_of_zeros_works)
{
	__u32 size;

	for (size = variant->size + 1; size <= variant->size + 64; size++) {
		memset(self->guarded, 0, page_size());
		good_request(variant->cmd, self->guarded);
		EXPECT_EQ(0, call_with_size(self, variant->cmd, self->guarded,
					    size));
	}
}

TEST_F(abi, longer_with_any_other_tail_is_E2BIG)
{
	const __u32 size = variant->size + 24;
	__u32 i;

	for (i = variant->size; i < size; i++) {
		memset(self->guarded, 0, page_size());
		good_request(variant->cmd, self->guarded);
		self->guarded[i] = 1;
		EXPECT_EQ(-E2BIG, call_with_size(self, variant->cmd,
						 self->guarded, size));
	}
}

TEST_F(abi, nothing_beyond_the_struct_is_read)
{
	char *arg = self->guarded + page_size() - variant->size;

	good_request(variant->cmd, arg);
	EXPECT_EQ(0, call(self, variant->cmd, arg));
}

TEST_F(abi, a_struct_that_ends_beyond_readable_memory_is_EFAULT)
{
	__u32 there;
	char *arg;

	for (there = 4; there < variant->size; there += 4) {
		char request[256];

		good_request(variant->cmd, request);
		arg = self->guarded + page_size() - there;
		memcpy(arg, request, there);
		EXPECT_EQ(-EFAULT, call(self, variant->cmd, arg));
	}
}

TEST_F(abi, a_tail_beyond_readable_memory_is_EFAULT)
{
	char *arg = self->guarded + page_size() - variant->size;

	good_request(variant->cmd, arg);
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

	good_request(variant->cmd, self->guarded);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &none));
	EXPECT_EQ(makes_descriptor(variant->cmd) ? -EMFILE : 0,
		  call(self, variant->cmd, self->guarded));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
}

static long without_privilege(FIXTURE_DATA(abi) * self, unsigned int cmd)
{
	if (setresuid(65534, 65534, 65534))
		return errno;
	return -call(self, cmd, self->guarded);
}

#define FILE_MAX "/proc/sys/fs/file-max"

TEST_F(abi, a_full_file_table_is_ENFILE)
{
	long long max = number_in_file(FILE_MAX, "");
	pid_t child;

	good_request(variant->cmd, self->guarded);
	ASSERT_EQ(0, number_to_file(FILE_MAX, 0));
	child = fork();
	if (!child)
		_exit(without_privilege(self, variant->cmd));
	EXPECT_EQ(W_EXITCODE(makes_descriptor(variant->cmd) ? ENFILE : 0, 0),
		  wait_for(child));
	ASSERT_EQ(0, number_to_file(FILE_MAX, max));
}

TEST_F(abi, of_the_device_or_of_a_dataspace_is_ENOTTY_on_the_other)
{
	int other = variant->cmd == DATASPACE_IOC_ALLOC ? self->root :
							  self->device;

	good_request(variant->cmd, self->guarded);
	EXPECT_EQ(-ENOTTY, result(ioctl(other, variant->cmd, self->guarded)));
}

TEST_F(abi, the_same_number_with_a_size_in_it_is_ENOTTY)
{
	const unsigned int nr = _IOC_NR(variant->cmd);
	int on = target(self, variant->cmd);

	good_request(variant->cmd, self->guarded);
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

	good_request(variant->cmd, self->guarded);
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

TEST_F(fields, unknown_flags_are_EINVAL_one_by_one)
{
	int bit;

	for (bit = 1; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL,
			  alloc_with(self->device, 1U << bit, RIGHTS_R, 0));
		EXPECT_EQ(-EINVAL,
			  alloc_with(self->device, 1U << bit | 1, RIGHTS_R, 0));
		EXPECT_EQ(-EINVAL,
			  alias_with(self->root, 1U << bit, RIGHTS_R, 0));
		EXPECT_EQ(-EINVAL,
			  alias_with(self->root, 1U << bit | 1, RIGHTS_R, 0));
	}
}

TEST_F(fields, unknown_rights_are_EINVAL_one_by_one_also_with_CLIP)
{
	int bit;

	for (bit = 3; bit < 32; bit++) {
		const __u32 rights = 1U << bit | RIGHTS_R;

		EXPECT_EQ(-EINVAL, alloc_with(self->device, 0, rights, 0));
		EXPECT_EQ(-EINVAL, alias_with(self->root, 0, rights, 0));
		EXPECT_EQ(-EINVAL, alias_with(self->root, DATASPACE_ALIAS_CLIP,
					      rights, 0));
	}
}

TEST_F(fields, rights_without_READ_are_EINVAL)
{
	const __u32 rights[] = { 0, DATASPACE_WRITE, DATASPACE_EXEC,
				 DATASPACE_WRITE | DATASPACE_EXEC };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(rights); i++) {
		EXPECT_EQ(-EINVAL, alloc_with(self->device, 0, rights[i], 0));
		EXPECT_EQ(-EINVAL, alias_with(self->root, 0, rights[i], 0));
		EXPECT_EQ(-EINVAL, alias_with(self->root, DATASPACE_ALIAS_CLIP,
					      rights[i], 0));
	}
}

/* The arguments of REVOKE and SEAL are both a size and flags. */
static long flagged(int ds, unsigned int cmd, __u32 flags)
{
	struct dataspace_seal arg = { .size = sizeof(arg), .flags = flags };

	return result(ioctl(ds, cmd, &arg));
}

TEST_F(fields, unknown_flags_of_REVOKE_and_SEAL_are_EINVAL_one_by_one)
{
	const __u32 now = DATASPACE_SEAL_NOW;
	int bit;

	for (bit = 0; bit < 32; bit++)
		EXPECT_EQ(-EINVAL,
			  flagged(self->root, DATASPACE_IOC_REVOKE, 1U << bit));
	for (bit = 1; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL,
			  flagged(self->root, DATASPACE_IOC_SEAL, 1U << bit));
		EXPECT_EQ(-EINVAL, flagged(self->root, DATASPACE_IOC_SEAL,
					   1U << bit | now));
	}
}

TEST_F(fields, reserved_bits_are_EINVAL_one_by_one)
{
	int bit;

	for (bit = 0; bit < 32; bit++)
		EXPECT_EQ(-EINVAL,
			  alias_with(self->root, 0, RIGHTS_R, 1U << bit));
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

TEST_F(fields, an_alignment_that_no_memory_has_is_refused)
{
	const __u64 most = (__u64)1 << 63;
	long ret = alloc_with(self->device, 0, RIGHTS_R, most);

	EXPECT_TRUE(ret == -ENOMEM || ret == -EINVAL);
}

TEST_F(fields, an_alignment_with_SCATTERED_is_EINVAL)
{
	EXPECT_EQ(-EINVAL, alloc_with(self->device, DATASPACE_ALLOC_SCATTERED,
				      RIGHTS_R, page_size()));
}

TEST_F(fields, a_malformed_alias_is_EINVAL_before_it_is_EPERM)
{
	int ds = ds_alias(self->root, 0, page_size(), RIGHTS_R);

	ASSERT_LE(0, ds);
	EXPECT_EQ(-EINVAL, alias_with(ds, 1U << 31, RIGHTS_RW, 0));
	EXPECT_EQ(-EINVAL, alias_with(ds, 0, RIGHTS_RW, 1));
	EXPECT_EQ(-EINVAL, alias_with(ds, 0, RIGHTS_RW | 1U << 31, 0));
	EXPECT_EQ(-EPERM, alias_with(ds, 0, RIGHTS_RW, 0));
	close(ds);
}

TEST_F(fields, INFO_ignores_what_it_fills_in)
{
	struct dataspace_info info;

	memset(&info, 0xff, sizeof(info));
	info.size = sizeof(info);
	EXPECT_EQ(0, ioctl(self->root, DATASPACE_IOC_INFO, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(RIGHTS_RWX, info.rights);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(ROOT_PAGES * page_size(), info.length);
}

TEST_F(fields, INFO_fills_in_its_struct_and_no_more)
{
	struct dataspace_info info[2];

	memset(info, 0xcc, sizeof(info));
	info->size = sizeof(*info);
	EXPECT_EQ(0, ioctl(self->root, DATASPACE_IOC_INFO, info));
	EXPECT_EQ(0, info->flags);
	EXPECT_EQ(0, info->aliases);
	EXPECT_EQ(0, info->mappings);
	EXPECT_EQ(page_size(), info->granule);
	EXPECT_TRUE(bytes_are(info + 1, sizeof(*info), 0xcc));
}

TEST_F(fields, INFO_leaves_a_longer_tail_zero)
{
	struct dataspace_info info[2];

	memset(info, 0, sizeof(info));
	info->size = sizeof(info);
	EXPECT_EQ(0, ioctl(self->root, DATASPACE_IOC_INFO, info));
	EXPECT_EQ(sizeof(info), info->size);
	EXPECT_EQ(page_size(), info->granule);
	EXPECT_TRUE(bytes_are(info + 1, sizeof(*info), 0));
}

TEST_F(fields, INFO_that_is_refused_fills_in_nothing)
{
	struct dataspace_info info[2], before[2];

	memset(info, 0xcc, sizeof(info));
	info->size = sizeof(info);
	memcpy(before, info, sizeof(info));
	EXPECT_EQ(-E2BIG, result(ioctl(self->root, DATASPACE_IOC_INFO, info)));
	EXPECT_EQ(0, memcmp(before, info, sizeof(info)));
	info->size = sizeof(*info) - 1;
	memcpy(before, info, sizeof(info));
	EXPECT_EQ(-EINVAL, result(ioctl(self->root, DATASPACE_IOC_INFO, info)));
	EXPECT_EQ(0, memcmp(before, info, sizeof(info)));
}

TEST_F(fields, INFO_into_memory_that_is_not_writable_is_EFAULT)
{
	struct dataspace_info *info = mmap(NULL, page_size(), READ_WRITE,
					   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, info);
	info->size = sizeof(*info);
	ASSERT_EQ(0, mprotect(info, page_size(), PROT_READ));
	EXPECT_EQ(-EFAULT, result(ioctl(self->root, DATASPACE_IOC_INFO, info)));
	munmap(info, page_size());
}

TEST_F(fields, VERSION_is_1_whatever_the_argument)
{
	EXPECT_EQ(DATASPACE_ABI_VERSION,
		  ioctl(self->device, DATASPACE_IOC_VERSION));
	EXPECT_EQ(DATASPACE_ABI_VERSION,
		  ioctl(self->device, DATASPACE_IOC_VERSION, -1L));
	EXPECT_EQ(-ENOTTY, result(ioctl(self->root, DATASPACE_IOC_VERSION)));
}

/* Whether the device, or a dataspace, has this ioctl. */
static bool is_known(unsigned int cmd, bool device)
{
	if (device)
		return cmd == DATASPACE_IOC_VERSION ||
		       cmd == DATASPACE_IOC_ALLOC;
	return cmd >= DATASPACE_IOC_ALIAS && cmd <= DATASPACE_IOC_EXPORT_DMABUF;
}

/*
 * How many numbers of the module's type, with that direction and size, are not
 * ENOTTY.
 */
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

/* A 32-bit kernel has no use for the upper half. */
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

/* rules 1 and 14: an allocation that fails half way gives back what it had */
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
