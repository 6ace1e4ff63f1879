// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad input: every malformed request gets the errno that the header names, and
 * leaves descriptors, pages and counts as they were.
 */
#include <kselftest_harness.h>

#include <linux/fs.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common.h"
#include "pages.h"

#define ROOT_PAGES 8

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
	struct state before;
	/* Two pages; the second one cannot be accessed. */
	char *guarded;
};

static void take_state(struct state *state, int root)
{
	memset(state, 0, sizeof(*state));
	state->fds = count_fds();
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
	self->guarded = map_guarded();
	ASSERT_NE(NULL, self->guarded);
	take_state(&self->before, self->root);
}

/* Every test ends with nothing changed. */
FIXTURE_TEARDOWN(abi)
{
	struct state after;

	take_state(&after, self->root);
	EXPECT_EQ(self->before.fds, after.fds);
	EXPECT_EQ(self->before.held, after.held);
	EXPECT_EQ(0,
		  memcmp(&self->before.root, &after.root, sizeof(after.root)));
}

/* One ioctl with a request that is right. */
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

/* clang-format on */

static const struct dataspace_alloc good_alloc = {
	.size = sizeof(good_alloc),
	.length = 1,
	.rights = RIGHTS_RW,
	.node = DATASPACE_NODE_ANY,
};

static const struct dataspace_alias good_alias = {
	.size = sizeof(good_alias),
	.rights = RIGHTS_RW,
};

static void good_request(unsigned int cmd, void *arg)
{
	struct dataspace_alias alias = good_alias;
	struct dataspace_info info = { .size = sizeof(info) };

	alias.length = page_size();
	if (cmd == DATASPACE_IOC_ALLOC)
		memcpy(arg, &good_alloc, sizeof(good_alloc));
	else if (cmd == DATASPACE_IOC_ALIAS)
		memcpy(arg, &alias, sizeof(alias));
	else
		memcpy(arg, &info, sizeof(info));
}

/* What makes a descriptor is undone: the call counts, and what it leaves. */
static long call(FIXTURE_DATA(abi) * self, unsigned int cmd, void *arg)
{
	int on = cmd == DATASPACE_IOC_ALLOC ? self->device : self->root;
	int ret = ioctl(on, cmd, arg);

	if (ret < 0)
		return -errno;
	if (cmd != DATASPACE_IOC_INFO) {
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

	for (there = 8; there < variant->size; there += 8) {
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
	EXPECT_EQ(variant->cmd == DATASPACE_IOC_INFO ? 0 : -EMFILE,
		  call(self, variant->cmd, self->guarded));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
}

static long without_privilege(FIXTURE_DATA(abi) * self, unsigned int cmd)
{
	if (setresuid(65534, 65534, 65534))
		return errno;
	return -call(self, cmd, self->guarded);
}

static int write_file_max(long long value)
{
	char text[32];
	int fd = open("/proc/sys/fs/file-max", O_WRONLY | O_CLOEXEC);
	int length = snprintf(text, sizeof(text), "%lld", value);
	int ret = write(fd, text, length) == length ? 0 : -errno;

	close(fd);
	return ret;
}

TEST_F(abi, a_full_file_table_is_ENFILE)
{
	long long max = number_in_file("/proc/sys/fs/file-max", "");
	pid_t child;

	good_request(variant->cmd, self->guarded);
	ASSERT_EQ(0, write_file_max(0));
	child = fork();
	if (!child)
		_exit(without_privilege(self, variant->cmd));
	EXPECT_EQ(W_EXITCODE(variant->cmd == DATASPACE_IOC_INFO ? 0 : ENFILE,
			     0),
		  wait_for(child));
	ASSERT_EQ(0, write_file_max(max));
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
	int on = variant->cmd == DATASPACE_IOC_ALLOC ? self->device :
						       self->root;

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
	take_state(&self->before, self->root);
}

FIXTURE_TEARDOWN(fields)
{
	struct state after;

	take_state(&after, self->root);
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
	EXPECT_EQ(0, info.__reserved);
	EXPECT_EQ(ROOT_PAGES * page_size(), info.length);
}

TEST_F(fields, INFO_into_memory_that_is_not_writable_is_EFAULT)
{
	struct dataspace_info *info = mmap(NULL, page_size(),
					   PROT_READ | PROT_WRITE,
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

TEST_F(fields, unknown_ioctls_are_ENOTTY)
{
	unsigned int nr;

	for (nr = 2; nr < 256; nr++)
		EXPECT_EQ(-ENOTTY,
			  result(ioctl(self->device,
				       _IO(DATASPACE_IOC_TYPE, nr), NULL)));
	for (nr = _IOC_NR(DATASPACE_IOC_EXPORT_DMABUF) + 1; nr < 256; nr++)
		EXPECT_EQ(-ENOTTY,
			  result(ioctl(self->root, _IO(DATASPACE_IOC_TYPE, nr),
				       NULL)));
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
