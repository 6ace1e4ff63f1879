#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs a command in a root of Debian 13, for kernels that have to be built with
# its compiler. This tree, the cache and the build folder have the same paths
# there as outside. The root is made once, and kept in the cache. Only root can
# run this.
# Usage: root.sh COMMAND...

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

release=trixie
root=$CACHE/roots/$release

in_root()
{
	# shellcheck disable=SC2016 # to be expanded in there
	unshare --mount --propagation private sh -eu -c '
		root=$1
		shift
		for folder in "$TOP" "$CACHE" "$BUILD"; do
			mkdir -p "$folder" "$root$folder"
			mount --bind "$folder" "$root$folder"
		done
		mount -t proc proc "$root/proc"
		exec chroot "$root" env -C "$TOP" DATASPACE_ROOT=yes \
			DATASPACE_CACHE="$CACHE" "$@"
	' root.sh "$root" "$@" </dev/null
}

apt_in_root()
{
	in_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >>"$root.log"
}

# The packages come from the mirror that this machine uses.
make_root()
{
	"$HERE/deps.sh" root
	mirror=$(apt-get indextargets --format "\$(REPO_URI)" 'Label: Debian' |
		sort -u | head -n 1)
	say "making a root of $release"
	rm -rf "$root"
	mkdir -p "$root"
	debootstrap --variant=minbase \
		--include=gcc,kmod,libc6-dev,make,pkg-config,rsync,xz-utils \
		"$release" "$root" ${mirror:+"$mirror"} >"$root.log" ||
		die "it failed, see $root.log"
	sed "s/ $release / $release-backports /" "$root/etc/apt/sources.list" \
		>"$root/etc/apt/sources.list.d/backports.list"
	apt_in_root update
	apt_in_root install -y --no-install-recommends \
		-t "$release-backports" linux-headers-amd64
	touch "$root/ready"
}

[ "$(id -u)" -eq 0 ] || die "only root can use another release's compiler"
mkdir -p "$CACHE/roots"
if [ ! -e "$root/ready" ]; then
	(
		flock 9
		[ -e "$root/ready" ] || make_root
	) 9>"$CACHE/roots/lock"
fi
in_root "$@"
