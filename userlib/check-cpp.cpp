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

int main()
{
	std::printf("TAP version 13\n1..9\n");
	test("closes itself", closes_itself);
	test("shares memory", shares_memory);
	test("unmaps itself", unmaps_itself);
	test("sends and receives", sends_and_receives);
	test("names", [] {
		handle root = handle::alloc(4096);

		root.name("from C++");
		return throws(EINVAL, "", [&] { root.name("\n"); });
	});
	test("seals", [] {
		handle root = handle::alloc(4096);

		root.seal(DATASPACE_SEAL_NOW);
		return throws(EACCES, "mmap", [&] { root.map(PROT_WRITE); }) ||
		       throws(EPERM, "mmap", [&] { root.map(PROT_WRITE); });
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
	return failed ? 1 : 0;
}
