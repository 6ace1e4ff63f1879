# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts here share: where things are, and how to say something.
# To be sourced by a script that has set $HERE to the folder of this file.

TOP=$(cd "$HERE/../.." && pwd)
BUILD=${BUILD:-$TOP/.build}
CACHE=${DATASPACE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/dataspace}
KERNELS=${KERNELS:-6.1 6.12}

# depmod and modprobe are not on the path of an ordinary user.
PATH=$PATH:/usr/sbin:/sbin
export TOP BUILD CACHE KERNELS PATH

say()
{
	echo "== $*" >&2
}

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_update()
{
	say "apt-get update"
	as_root apt-get update -qq ||
		say "could not update the package lists, going on with the old ones"
}

apt_install()
{
	say "installing $*"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
		--no-install-recommends -o DPkg::Lock::Timeout=300 "$@" \
		</dev/null >&2
}
