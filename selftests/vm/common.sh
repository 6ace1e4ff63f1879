# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Variables and functions that the scripts here share. A script that sources this
# file has set $HERE to the folder of it.

TOP=$(cd "$HERE/../.." && pwd)
BUILD=${BUILD:-$TOP/.build}
CACHE=${DATASPACE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/dataspace}
KERNELS=${KERNELS:-6.1 6.12 7.3}

# depmod and modprobe are not on the path of a user who is not root.
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

# KERNELS names series of kernels (see kernel.sh), or a series and a variant of
# the machine or of the programs, "SERIES+VARIANT":
#   1cpu, 4cpus    a machine with as many processors
#   2nodes         a machine with memory on two NUMA nodes
#   init_on_free   a kernel that zeroes memory when it is freed, not when it is
#                  allocated
#   poison         a kernel that fills free memory with a pattern and zeroes none
#   lockdown       a kernel that is locked down once the module is loaded
#   swiotlb        a kernel that gives devices bounce buffers, and only the
#                  programs about those
#   nodebugfs      a kernel that has no debugfs for anybody, and only some programs
#   cma            a kernel that keeps 256 MiB for devices (of 6.1 and 6.12 Debian's
#                  cannot on amd64)
#   kvm            a machine that can have guests of its own; one processor, as
#                  KVM patches the kernel's code, and processors that are
#                  emulated at the same time do not get along with that
#   i386           programs of 32 bits on a 64-bit kernel
#   trixie         programs built with the compiler of Debian 13
series_of()
{
	echo "${1%%+*}"
}

variant_of()
{
	case $1 in
	*+*) echo "${1#*+}" ;;
	esac
}

all_series()
{
	for kernel in $KERNELS; do
		series_of "$kernel"
	done | awk '!seen[$0]++'
}

# The Debian release that this runs on: Debian 12, or Debian 13 in the root that
# root.sh makes.
release()
{
	if [ -n "${DATASPACE_ROOT:-}" ]; then
		echo trixie
	else
		echo bookworm
	fi
}

# The Debian release that has a series of kernels, as its own or as a backport.
release_of()
{
	case $1 in
	7.*) echo trixie ;;
	*) echo bookworm ;;
	esac
}

# The architecture, as Debian calls it, of a series of kernels or of an image.
arch_of()
{
	case $1 in
	*-arm64 | *-arm64[-+]* | */arch/arm64/*) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

# for_arch ARCH|i386|trixie COMMAND...: runs a command that builds for another
# architecture, for 32-bit programs, or with the compiler of Debian 13. Debian's
# compiler does not look for asm/ in the folder of x86-64 when it makes 32-bit
# programs, and the kselftest harness has casts that it warns of.
for_arch()
{
	(
		case $1 in
		arm64) export ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- ;;
		i386)
			CFLAGS="-O2 -g -m32 -D_FILE_OFFSET_BITS=64"
			CFLAGS="$CFLAGS -Wno-pointer-to-int-cast"
			CFLAGS="$CFLAGS -idirafter /usr/include/x86_64-linux-gnu"
			export CFLAGS
			;;
		trixie)
			shift
			set -- trixie "$HERE/root.sh" "$@"
			;;
		esac
		shift
		"$@"
	)
}

# with_compiler_of KERNEL COMMAND...: runs a command that builds for a kernel, in
# the Debian release that has that kernel.
with_compiler_of()
{
	kernel=$1
	shift
	if [ "$(release_of "$kernel")" = "$(release)" ]; then
		for_arch "$(arch_of "$kernel")" "$@"
	else
		"$HERE/root.sh" "$@"
	fi
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# apt_of ARCH apt-get|apt-cache ARGUMENT...: runs it for an architecture. One that
# is not this machine's has package lists of its own in the cache, so that those
# of the system do not change.
apt_of()
{
	arch=$1
	command=$2
	shift 2
	if [ "$arch" != amd64 ]; then
		lists=$CACHE/apt-$arch
		mkdir -p "$lists/lists/partial" "$lists/archives/partial"
		set -- -o APT::Architecture="$arch" \
			-o APT::Architectures="$arch" \
			-o Dir::State::lists="$lists/lists" \
			-o Dir::Cache="$lists" "$@"
	fi
	"$command" -o APT::Sandbox::User=root "$@"
}

apt_update()
{
	say "apt-get update"
	as_root apt-get update -qq ||
		say "could not update the package lists, going on with the old ones"
}

# apt_update_of ARCH
apt_update_of()
{
	if [ "$1" = amd64 ]; then
		apt_update
	else
		say "apt-get update for $1"
		apt_of "$1" apt-get update -qq >&2
	fi
}

apt_install()
{
	say "installing $*"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
		--no-install-recommends -o DPkg::Lock::Timeout=300 "$@" \
		</dev/null >&2
}

# copy_programs ROOT FILE...: copies them with the libraries that they need to the
# places in ROOT where they are here.
copy_programs()
{
	to=$1
	shift
	{
		printf '%s\n' "$@"
		ldd "$@" | awk '$2 == "=>" { print $3 } $1 ~ /^\/.*ld-/ { print $1 }'
	} | sort -u | while read -r file; do
		mkdir -p "$to${file%/*}"
		cp -L "$file" "$to$file"
	done
}

# make_disk FILE: a disk whose first sector runs the guest of demo-vm
make_disk()
{
	gcc -m32 -c -o "$1.o" "$HERE/demo-vm/disk.S"
	ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$1" "$1.o"
	rm "$1.o"
	truncate -s 1M "$1"
}
