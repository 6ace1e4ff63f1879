#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the Debian packages that are missing, and says which.
# Usage: deps.sh build|vm|lint|deb|plot|kernel|root|image|compat|network ...

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

cross()
{
	case $KERNELS in
	*arm64*) echo gcc-aarch64-linux-gnu libc6-dev-arm64-cross ;;
	esac
}

packages()
{
	case $1 in
	build)
		echo gcc g++ libc6-dev make pkg-config rsync xz-utils
		# whose tests get a copy of them
		echo python3 python3-numpy
		# for the tests of RDMA
		echo libibverbs-dev
		# for 32-bit programs; gcc-multilib conflicts with the
		# packages of cross compilers
		echo libc6-dev-i386 lib32gcc-12-dev
		for kernel in $(all_series); do
			[ "$(release_of "$kernel")" != "$(release)" ] ||
				"$HERE/kernel.sh" "$kernel" package
		done
		cross
		;;
	vm)
		echo cpio gzip kmod qemu-system-x86 xz-utils
		case $KERNELS in
		*arm64*) echo qemu-system-arm ;;
		esac
		;;
	lint)
		echo clang-14 clang-format-14 git mandoc perl shellcheck sparse
		;;
	deb)
		echo debhelper dh-dkms dpkg-dev gcc git libc6-dev lintian make
		echo pkg-config systemd
		;;
	plot)
		echo gnuplot-nox
		;;
	kernel)
		echo bc bison flex gcc libc6-dev libelf-dev make perl xz-utils
		cross
		;;
	root)
		echo debootstrap
		;;
	compat)
		# for the kernel's tests of pinned memory
		echo liburing-dev
		;;
	image)
		echo e2fsprogs
		;;
	network)
		echo iproute2 libfabric-dev
		;;
	*)
		die "unknown group of packages: $1"
		;;
	esac
}

is_installed()
{
	dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null |
		grep -q '^install ok installed$'
}

missing=
for group; do
	for package in $(packages "$group"); do
		is_installed "$package" || missing="$missing $package"
	done
done
[ -n "$missing" ] || exit 0

apt_update
# shellcheck disable=SC2086
apt_install $missing
