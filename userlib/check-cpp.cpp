// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Tests of dataspace.hpp.
 *
 *	check-cpp		needs /dev/dataspace
 */
#include <dataspace.hpp>

#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <sys/socket.h>

using dataspace::error;
using dataspace::handle;
using dataspace::mapping;

static unsigned int count, failed;

static void test(const char *name, const std::function<bool()> &body)
{
	bool good = false;

	try {
		good = body();
	} catch (const std::exception &exception) {
		std::printf("# %s\n", exception.what());
	}
	failed += !good;
	std::printf("%sok %u %s\n", good ? "" : "not ", ++count, name);
}

static bool throws(int code, const char *reason,
		   const std::function<void()> &body)
{
	try {
		body();
	} catch (const error &error) {
		return error.code().value() == code &&
		       std::strstr(error.what(), reason);
	}
	return false;
}

static bool is_open(int fd)
{
	return ::fcntl(fd, F_GETFD) >= 0;
}

static bool closes_itself()
{
	int fd;

	{
		handle ds = handle::alloc(65536);
		handle moved = std::move(ds);

		fd = moved.get();
		if (ds || !moved || !is_open(fd))
			return false;
	}
	return !is_open(fd);
}

static bool shares_memory()
{
	handle root = handle::alloc(65536);
	mapping all = root.map(PROT_READ | PROT_WRITE);
	mapping part = root.alias(4096, 8192).map();

	all.data()[4096] = std::byte{ 42 };
	return part.size() == 8192 && *part.begin() == std::byte{ 42 };
}

static bool unmaps_itself()
{
	handle root = handle::alloc(4096);

	{
		mapping memory = root.map();

		if (root.info().mappings != 1)
			return false;
	}
	return root.info().mappings == 0;
}

static bool sends_and_receives()
{
	handle root = handle::alloc(12288);
	int ends[2];

	if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		return false;
	root.send(ends[0]);
	return handle::receive(ends[1]).info().id == root.info().id;
}

/* Each mistake, and a part of the words for it. */
static const struct mistake {
	struct dataspace_alloc args;
	std::size_t size;
	int code;
	const char *reason;
} mistakes[] = {
	{ { 0, 0, 4096, DATASPACE_RO, 0, 0 }, 8, EINVAL, "the size is less" },
	{ { 0, 0, 0, DATASPACE_RO, 0, 0 }, 32, EINVAL, "the length is 0" },
	{ { 0, 0, 4096, DATASPACE_MAP, 0, 0 }, 32, EINVAL, "right to read" },
	{ { 0, 0, 4096, DATASPACE_RO, 1, 0 }, 32, EINVAL,
	  "there is a node, but not DATASPACE_ALLOC_NODE" },
	{ { 0, DATASPACE_ALLOC_NODE, 4096, DATASPACE_RO, 999, 0 }, 32, EINVAL,
	  "the node has no memory" },
	{ { 0, DATASPACE_ALLOC_NODE, 4096, DATASPACE_RO, 0, 12288 }, 32, EINVAL,
	  "not a power of two" },
	{ { 0, DATASPACE_ALLOC_SCATTERED, 4096, DATASPACE_RO, 0, 65536 }, 32,
	  EINVAL, "memory that is not contiguous" },
	{ { 0, DATASPACE_ALLOC_LAZY, 4096, DATASPACE_RO, 0, 65536 }, 32, EINVAL,
	  "memory that is not contiguous" },
	{ { 0, 1U << 31, 4096, DATASPACE_RO, 0, 0 }, 32, EOPNOTSUPP,
	  "does not know that flag" },
	{ { 0, 0, 1ULL << 60, DATASPACE_RO, 0, 0 }, 32, ENOMEM, "no such run" },
	{ { 0, 0, 4096, DATASPACE_RO, 0, 1ULL << 60 }, 32, ENOMEM, "no such run" },
	{ { 0, DATASPACE_ALLOC_SCATTERED, 1ULL << 60, DATASPACE_RO, 0, 0 }, 32,
	  ENOMEM, "not enough memory" },
	{ { 0, 0, 4096, DATASPACE_RO, 0, 0 }, 1 << 20, E2BIG,
	  "the library or the module does not know" },
};

static bool explains_each_mistake()
{
	int device = ::open("/dev/dataspace", O_RDWR | O_CLOEXEC);
	bool good = device >= 0;

	for (const mistake &m : mistakes) {
		int ret = ::dataspace_alloc_from(device, &m.args, m.size);
		const char *reason =
			::dataspace_explain_alloc_from(&m.args, m.size, ret);

		if (ret == -m.code && std::strstr(reason, m.reason))
			continue;
		std::printf("# %d \"%s\", not \"%s\"\n", ret, reason,
			    m.reason);
		good = false;
	}
	::close(device);
	return good;
}

int main()
{
	std::printf("TAP version 13\n1..11\n");
	test("closes itself", closes_itself);
	test("shares memory", shares_memory);
	test("unmaps itself", unmaps_itself);
	test("sends and receives", sends_and_receives);
	test("names", [] {
		handle root = handle::alloc(4096);

		root.name("from C++");
		return throws(EINVAL, "control", [&] { root.name("\n"); }) &&
		       throws(EINVAL, "31 bytes", [&] {
			       root.name(std::string(32, 'x'));
		       });
	});
	test("seals", [] {
		handle root = handle::alloc(4096);

		root.seal(DATASPACE_SEAL_NOW);
		return throws(EACCES, "mmap", [&] { root.map(PROT_WRITE); }) ||
		       throws(EPERM, "mmap", [&] { root.map(PROT_WRITE); });
	});
	test("says why it has not sealed", [] {
		handle root = handle::alloc(4096, DATASPACE_RO);

		return throws(EPERM, "lacks the right to write",
			      [&] { root.seal(); });
	});
	test("revokes", [] {
		handle root = handle::alloc(4096);
		handle alias = root.alias(0, 4096);

		root.revoke();
		return throws(ESTALE, "revoked", [&] { alias.alias(0, 4096); });
	});
	test("says why it has not allocated", [] {
		return throws(EINVAL, "the length is 0",
			      [] { handle::alloc(0); });
	});
	test("says why there is no alias", [] {
		handle root = handle::alloc(4096);

		return throws(EINVAL, "does not lie in",
			      [&] { root.alias(4096, 4096); });
	});
	test("explains each mistake", explains_each_mistake);
	return failed ? 1 : 0;
}
