#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints where a kernel is. Its series is "6.1" or "6.12" of Debian 12 and its
# backports, "7.3" of Debian 13's backports, "6.12-arm64" of Debian 12, or
# "6.12-arm64-64k", which is built from Debian's source.
# Usage: kernel.sh SERIES package   names of packages to build modules with
#        kernel.sh SERIES version   as uname -r prints it
#        kernel.sh SERIES headers   folder to build modules against
#        kernel.sh SERIES image     file to boot
#        kernel.sh SERIES modules   folder with lib/modules, depmod done, or
#                                   nothing if all drivers are built in

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

series=$1
if [ "$(release_of "$series")" != "$(release)" ]; then
	exec "$HERE/root.sh" "$HERE/kernel.sh" "$@"
fi

# Of 6.1 and 7.3 the names of the packages do not tell the series.
package()
{
	case $series in
	6.1 | 7.*) echo linux-headers-amd64 ;;
	*-arm64)
		kver=$(version)
		echo "linux-headers-${kver%-*}-common linux-kbuild-${kver%-*}"
		;;
	*-64k) ;;
	*) echo "linux-headers-$series-amd64" ;;
	esac
}

built()
{
	"$HERE/build-kernel.sh" "${series#*-}"
}

arm64_depends()
{
	apt_of arm64 apt-cache show --no-all-versions \
		"linux-headers-$series" 2>/dev/null | sed -n 's/^Depends: //p'
}

# Prints what the newest package of headers depends on; one of these packages has
# the version in its name.
depends()
{
	case $series in
	*-arm64)
		[ -n "$(arm64_depends)" ] || apt_update_of arm64
		arm64_depends
		;;
	*)
		dpkg-query -W -f '${Depends}' "$(package)" 2>/dev/null ||
			die "package $(package) is not installed"
		;;
	esac
}

version()
{
	case $series in
	*-64k) cat "$(built)/include/config/kernel.release" ;;
	*)
		depends=$(depends)
		echo "$depends" | tr ',' '\n' |
			sed -n 's/^ *linux-headers-\([^ ]*\).*/\1/p'
		;;
	esac
}

# unpack PACKAGE PATTERN...
unpack()
{
	"$HERE/fetch.sh" "$@" ||
		die "$1 is not there; apt-get install $(package) for a newer one"
}

# The headers for arm64 are used with kbuild's tools for this machine.
headers()
{
	case $series in
	*-64k) built ;;
	*-arm64)
		dir=$(unpack "linux-headers-$1:arm64" ./usr/src)/usr
		mkdir -p "$dir/lib"
		ln -sfn "/usr/lib/linux-kbuild-${1%-*}" "$dir/lib/"
		echo "$dir/src/linux-headers-$1"
		;;
	*) echo "/lib/modules/$1/build" ;;
	esac
}

image()
{
	case $series in
	*-64k) echo "$(built)/arch/arm64/boot/Image" ;;
	*-arm64)
		dir=$(unpack "linux-image-$1:arm64" ./boot ./lib)
		echo "$dir/boot/vmlinuz-$1"
		;;
	6.*) echo "$(unpack "linux-image-$1" ./boot ./lib)/boot/vmlinuz-$1" ;;
	*) echo "$(unpack "linux-binary-$1" ./usr)/usr/lib/modules/$1/vmlinuz" ;;
	esac
}

modules()
{
	case $series in
	*-64k) return ;;
	*-arm64) dir=$(unpack "linux-image-$1:arm64" ./boot ./lib) ;;
	6.*) dir=$(unpack "linux-image-$1" ./boot ./lib) ;;
	*)
		dir=$(unpack "linux-modules-$1" ./usr)
		base=$(unpack "linux-base-$1" ./usr)
		cp "$base/usr/lib/modules/$1"/modules.* \
			"$dir/usr/lib/modules/$1/"
		ln -sfn usr/lib "$dir/lib"
		;;
	esac
	[ -e "$dir/lib/modules/$1/modules.dep" ] || depmod -b "$dir" "$1"
	echo "$dir"
}

case $2 in
package) package ;;
version) version ;;
headers) headers "$(version)" ;;
image) image "$(version)" ;;
modules) modules "$(version)" ;;
*) die "unknown question: $2" ;;
esac
