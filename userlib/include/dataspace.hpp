/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * Dataspaces in C++17: descriptors and mappings that close themselves, and
 * exceptions that say why. A header only; link with libdataspace.
 */
#ifndef DATASPACE_HPP
#define DATASPACE_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>

#include <sys/mman.h>
#include <unistd.h>

#include <dataspace_explain.h>

namespace dataspace
{

/* What a call returned, and why, in words. */
class error : public std::system_error {
public:
	error(int code, const char *reason)
		: std::system_error(code < 0 ? -code : code,
				    std::generic_category(), reason)
	{
	}
};

/* Memory of a dataspace that is mapped, until this is destroyed. */
class mapping {
public:
	mapping() = default;
	mapping(int fd, std::size_t length, std::uint64_t offset, int protection)
		: address_(::mmap(nullptr, length, protection, MAP_SHARED, fd,
				  offset)),
		  length_(length)
	{
		if (address_ == MAP_FAILED)
			throw error(errno, "mmap");
	}
	mapping(mapping &&other) noexcept
		: address_(std::exchange(other.address_, nullptr)),
		  length_(std::exchange(other.length_, 0))
	{
	}
	mapping &operator=(mapping &&other) noexcept
	{
		std::swap(address_, other.address_);
		std::swap(length_, other.length_);
		return *this;
	}
	~mapping()
	{
		if (length_)
			::munmap(address_, length_);
	}

	std::byte *data() const noexcept
	{
		return static_cast<std::byte *>(address_);
	}
	std::size_t size() const noexcept { return length_; }
	std::byte *begin() const noexcept { return data(); }
	std::byte *end() const noexcept { return data() + length_; }

private:
	void *address_ = nullptr;
	std::size_t length_ = 0;
};

/* The descriptor of a dataspace, which is closed when this is destroyed. */
class handle {
public:
	handle() = default;
	/* Takes over a descriptor. */
	explicit handle(int fd) noexcept : fd_(fd) {}
	handle(handle &&other) noexcept : fd_(other.release()) {}
	handle &operator=(handle &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~handle()
	{
		if (fd_ >= 0)
			::close(fd_);
	}

	static handle alloc(std::uint64_t length,
			    std::uint32_t rights = DATASPACE_RW,
			    std::uint32_t flags = 0)
	{
		int fd = ::dataspace_alloc(length, rights, flags);

		if (fd < 0)
			throw error(fd, ::dataspace_explain_alloc(length, rights,
								  flags, fd));
		return handle(fd);
	}
	static handle receive(int socket)
	{
		return handle(check(::dataspace_recv(socket)));
	}

	handle alias(std::uint64_t offset, std::uint64_t length,
		     std::uint32_t rights = DATASPACE_RO,
		     std::uint32_t flags = 0) const
	{
		int fd = ::dataspace_alias(fd_, offset, length, rights, flags);

		if (fd < 0)
			throw error(fd, ::dataspace_explain_alias(
						fd_, offset, length, rights, fd));
		return handle(fd);
	}
	struct ::dataspace_info info() const
	{
		struct ::dataspace_info info;

		check(::dataspace_info(fd_, &info, sizeof(info)));
		return info;
	}
	std::uint64_t size() const { return info().length; }
	void revoke(std::uint32_t flags = 0) const
	{
		check(::dataspace_revoke(fd_, flags));
	}
	void seal(std::uint32_t flags = 0) const
	{
		int ret = ::dataspace_seal(fd_, flags);

		if (ret < 0)
			throw error(ret, ::dataspace_explain_seal(ret));
	}
	void name(const std::string &name) const
	{
		int ret = ::dataspace_set_name(fd_, name.c_str());

		if (ret < 0)
			throw error(ret, ::dataspace_explain_set_name(
						 name.c_str(), ret));
	}
	void send(int socket) const { check(::dataspace_send(socket, fd_)); }

	/* All of it, to be read; or a part, or to be written. */
	mapping map(int protection = PROT_READ) const
	{
		return mapping(fd_, size(), 0, protection);
	}
	mapping map(std::uint64_t offset, std::size_t length,
		    int protection = PROT_READ) const
	{
		return mapping(fd_, length, offset, protection);
	}

	int get() const noexcept { return fd_; }
	/* The descriptor, which is the caller's to close from now on. */
	int release() noexcept { return std::exchange(fd_, -1); }
	explicit operator bool() const noexcept { return fd_ >= 0; }

private:
	static int check(int ret)
	{
		if (ret < 0)
			throw error(ret, ::dataspace_explain(ret));
		return ret;
	}

	int fd_ = -1;
};

} /* namespace dataspace */

#endif /* DATASPACE_HPP */
