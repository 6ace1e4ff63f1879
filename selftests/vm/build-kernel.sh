#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the folder of a kernel that Debian does not have: to build modules
# against, and with the image to boot in arch/x86/boot/bzImage or
# arch/arm64/boot/Image. It is built from the sources of Debian's kernel, unless
# the cache has it for just this configuration and version.
# Usage: build-kernel.sh [FLAVOUR]
# FLAVOUR: kasan (the default) and kcsan watch themselves; arm64-64k has large
# pages

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

flavour=${1:-kasan}
package=linux-source-6.12

candidate()
{
	apt-cache show --no-all-versions "$package" 2>/dev/null |
		sed -n 's/^Version: //p'
}

# Only the options; the comments may change without a new kernel.
options()
{
	for part in base $parts "$flavour"; do
		grep '^CONFIG_' "$HERE/$part.config"
	done
}

unpack()
{
	rm -rf "$CACHE/packages/$package"
	deb=$("$HERE/fetch.sh" "$package" "./usr/src/$package.tar.xz")
	say "unpacking $package"
	mkdir -p "$source.tmp"
	tar -xJf "$deb/usr/src/$package.tar.xz" -C "$source.tmp" \
		--strip-components=1 --exclude="$package/Documentation/*/*"
	rm -rf "$deb"
	mv "$source.tmp" "$source"
}

# An option that the kernel's Kconfig did not take is a mistake in our files.
configure()
{
	options >"$dir/options"
	KCONFIG_ALLCONFIG="$dir/options" \
		for_arch "$arch" make -s -C "$source" O="$dir" allnoconfig
	refused=$(grep -vxFf "$dir/.config" "$dir/options" || :)
	[ -z "$refused" ] || die "not possible in this kernel: $refused"
}

# What is half built from last time is built to its end.
build()
{
	say "building the $flavour kernel in $dir"
	mkdir -p "$dir"
	configure >&2
	for_arch "$arch" make -s -C "$source" O="$dir" -j"$(nproc)" \
		"$image" modules >&2
	find "$dir" -name '*.o' ! -path '*/scripts/*' ! -path '*/tools/*' \
		-delete
	touch "$dir/built"
}

case $flavour in
kasan | kcsan) arch=amd64 image=bzImage parts="x86 debug" ;;
arm64-64k) arch=arm64 image=Image parts=arm64 ;;
*) die "unknown flavour: $flavour" ;;
esac
[ -n "$(candidate)" ] || apt_update
version=$(candidate)
[ -n "$version" ] || die "there is no package $package"
hash=$({ options; cat "$0"; } | sha256sum | cut -c1-12)
source=$CACHE/kernels/source-$version
dir=$CACHE/kernels/$flavour-$version-$hash

mkdir -p "$CACHE/kernels"
exec 9>"$CACHE/kernels/lock"
flock 9
if [ ! -e "$dir/built" ]; then
	KERNELS=$arch "$HERE/deps.sh" kernel
	[ -e "$source" ] || unpack
	build
fi
echo "$dir"
