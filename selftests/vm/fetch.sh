#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a folder of the cache that holds the given files of a Debian package.
# The package is only unpacked, not installed: nobody's boot loader or busybox
# is touched by running tests.
# Usage: fetch.sh PACKAGE [PATTERN...]

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

package=$1
shift
dir=$CACHE/packages/$package

download()
{
	apt-get download -qq -o APT::Sandbox::User=root "$package" >&2
}

if [ ! -d "$dir" ]; then
	mkdir -p "$CACHE/packages"
	tmp=$(mktemp -d "$CACHE/packages/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	cd "$tmp"
	say "fetching package $package"
	download || { apt_update && download; } ||
		die "cannot fetch package $package"
	mkdir root
	dpkg-deb --fsys-tarfile ./*.deb | tar -x -C root --wildcards "$@"
	mv -T root "$dir" 2>/dev/null || [ -d "$dir" ]
fi
echo "$dir"
