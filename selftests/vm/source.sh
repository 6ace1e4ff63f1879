#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Puts a part of the kernel's source into the cache, and prints the folder: the
# kselftest harness, the tests of mm/, checkpatch and kernel-doc.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

version=6.12
dir=$CACHE/source

unpack()
{
	name=linux-source-$version
	deb=$("$HERE/fetch.sh" "$name" "./usr/src/$name.tar.xz")
	say "unpacking $name"
	rm -rf "$dir.tmp"
	mkdir -p "$dir.tmp"
	tar -xJf "$deb/usr/src/$name.tar.xz" -C "$dir.tmp" \
		--strip-components=1 --wildcards --no-wildcards-match-slash \
		"$name/scripts" "$name/tools/testing/selftests/lib.mk" \
		"$name/tools/testing/selftests/kselftest*" \
		"$name/tools/testing/selftests/mm" "$name/mm/gup_test.h" \
		"$name/tools/include/uapi" "$name/tools/arch/x86/include/uapi" \
		"$name/Documentation/dev-tools"
	rm -rf "$dir" "$deb"
	mv "$dir.tmp" "$dir"
}

[ -e "$dir/mm/gup_test.h" ] || unpack
echo "$dir"
