#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a folder of the cache with files of a Debian package, all of them that
# match a pattern. The package is unpacked, not installed: no boot loader and no
# busybox of this machine changes.
# Usage: fetch.sh PACKAGE[:ARCHITECTURE] [PATTERN...]

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

package=${1%:*}
arch=amd64
[ "$package" = "$1" ] || arch=${1#*:}
dir=$CACHE/packages/$(echo "$1" | tr : _)
shift

download()
{
	apt_of "$arch" apt-get download -qq "$package" >&2
}

if [ ! -d "$dir" ]; then
	mkdir -p "$CACHE/packages"
	tmp=$(mktemp -d "$CACHE/packages/tmp.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	cd "$tmp"
	say "fetching package $package"
	download || { apt_update_of "$arch" && download; } ||
		die "cannot fetch package $package"
	mkdir root
	dpkg-deb --fsys-tarfile ./*.deb | tar -x -C root --wildcards "$@"
	mv -T root "$dir" 2>/dev/null || [ -d "$dir" ]
fi
echo "$dir"
