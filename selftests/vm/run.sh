#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a virtual machine with the module and runs something in it.
#
# Usage: run.sh [OPTION]... tests FOLDER [PROGRAM...]
#        run.sh [OPTION]... tests FILE...
#        run.sh [OPTION]... program FILE [ARGUMENT...]
#        run.sh [OPTION]... shell [FILE...]
#        run.sh [OPTION]... root FOLDER|IMAGE "SCRIPT [ARGUMENT...]"
#        Options: -k KERNEL, -m MODULE, -r ROOT
#
# tests    runs the test programs that kselftest's "make install" has listed in
#          FOLDER, and each PROGRAM of those that it has not listed, or the test
#          programs named; prints a line for each test, and the totals
# program  runs one program, prints what it prints, and returns what it returns
# shell    boots to a prompt on this terminal, with the files in /selftests
# root     runs SCRIPT, a path in FOLDER, with FOLDER as its root, which it can
#          change, and without the module if -m names none; else as program. What
#          it changes in the IMAGE of a root, a file system ext4, is not kept
#
# With -r ROOT the guest has the files of that folder, too, from / on.
# KERNEL is SERIES[+VARIANT], see common.sh, or the path of an image that has the
# virtio drivers built in; then MODULE has to be given. VM_MEM, VM_CPUS,
# VM_TIMEOUT, VM_APPEND: see qemu.sh. VM_LIMIT: seconds that each test program may
# take; VM_DRIVERS: more drivers to load; VM_EXCEPT: a program in FOLDER not to run.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

kernel=6.12
module=
root=
while getopts k:m:r: option; do
	case $option in
	k) kernel=$OPTARG ;;
	m) module=$OPTARG ;;
	r) root=$OPTARG ;;
	*) die "see the head of this file for how to call it" ;;
	esac
done
shift $((OPTIND - 1))
mode=${1:?tests, program or shell}
shift

# If another run uses the folder, this one uses another.
dir=$BUILD/vm/${kernel##*/}-$mode
mkdir -p "$BUILD/vm"
exec 9>"$dir.lock"
flock -n 9 || dir=$dir.$$

payload=$dir/payload
initramfs=$dir/initramfs
rm -rf "$dir"
mkdir -p "$payload/etc" "$payload/selftests"
: >"$dir/tests"
more=$payload
[ "$mode" != root ] || more=$payload/more
[ -z "$root" ] || { mkdir -p "$more" && cp -R "$root/." "$more/"; }

# Prints the names of the programs to run.
test_names()
{
	if [ -d "$1" ]; then
		sed -n 's/^[^:]*://p' "$1/kselftest-list.txt" |
			grep -vx "${VM_EXCEPT:-}"
		shift
	fi
	for program; do
		basename "$program"
	done
}

put_tests()
{
	limit=$(sed -n 's/^timeout=//p' "$TOP/selftests/settings")
	test_names "$@" >"$dir/tests"
	[ -s "$dir/tests" ] || die "no tests in $1"
	sed "s/\$/ ${VM_LIMIT:-${limit:-45}}/" "$dir/tests" >"$payload/etc/tests"
	printf '%s\n' module-load module-unload >>"$dir/tests"
	if [ -d "$1" ]; then
		cp -R "$1/." "$payload/selftests/"
	else
		cp "$@" "$payload/selftests/"
	fi
	echo "mode=run_tests" >"$payload/etc/vm.conf"
}

put_program()
{
	cp "$1" "$payload/selftests/"
	name=${1##*/}
	shift
	printf 'mode=run_one\nprogram="%s"\n' \
		"$name ${VM_TIMEOUT:-170} $*" >"$payload/etc/vm.conf"
}

put_shell()
{
	[ $# -eq 0 ] || cp -R "$@" "$payload/selftests/"
	echo "mode=shell" >"$payload/etc/vm.conf"
}

put_root()
{
	printf 'mode=run_in_root\nprogram="%s"\n' "$2" >"$payload/etc/vm.conf"
	if [ -d "$1" ]; then
		export VM_SHARE="$1" VM_DRIVERS="9p 9pnet_virtio"
	else
		export VM_IMAGE="$1" VM_DRIVERS="ext4 ${VM_DRIVERS:-}"
	fi
}

# Kernels from 7 on have crashed while they booted on processors that were
# emulated at the same time.
emulation()
{
	case $1 in
	6.*) echo multi ;;
	*) echo single ;;
	esac
}

# Sets what a variant says of the machine.
prepare_machine()
{
	case $1 in
	1cpu) VM_CPUS=1 ;;
	4cpus) VM_CPUS=4 ;;
	2nodes) VM_NODES=2 VM_MEM=4096 ;;
	init_on_free) VM_APPEND="init_on_alloc=0 init_on_free=1" ;;
	poison) VM_APPEND="init_on_alloc=0 page_poison=1" ;;
	lockdown) VM_APPEND="LOCKDOWN=confidentiality" ;;
	swiotlb) VM_APPEND="swiotlb=force" ;;
	nodebugfs) VM_APPEND="debugfs=off" ;;
	cma) VM_APPEND="cma=256M" ;;
	kvm) VM_CPUS=1 VM_DRIVERS="kvm-amd kvm-intel" ;;
	i386 | trixie | "") ;;
	*) die "unknown variant: $1" ;;
	esac
	export VM_CPUS VM_NODES VM_MEM VM_APPEND VM_DRIVERS
}

# Sets $image.
prepare_image()
{
	VM_ARCH=$(arch_of "$kernel")
	export VM_ARCH
	if [ -f "$kernel" ]; then
		image=$kernel
		"$HERE/initramfs.sh" "$initramfs" "$payload" "$module"
		return
	fi
	prepare_machine "$(variant_of "$kernel")"
	series=$(series_of "$kernel")
	VM_THREAD=${VM_THREAD:-$(emulation "$series")}
	export VM_THREAD
	kver=$("$HERE/kernel.sh" "$series" version)
	image=$("$HERE/kernel.sh" "$series" image)
	modroot=$("$HERE/kernel.sh" "$series" modules)
	[ "$mode" = root ] || module=${module:-$BUILD/$kver/module/dataspace.ko}
	"$HERE/initramfs.sh" "$initramfs" "$payload" "$module" "$modroot" "$kver"
}

# A kernel that changes its own code while it boots has died of that now and then on
# processors that were emulated at the same time. If no program had begun yet, it
# boots once more, on processors that take turns.
boot()
{
	status=0
	"$HERE/qemu.sh" "$dir" "$image" "$initramfs" "$@" || status=$?
	if [ -e "$dir/result" ] && [ ! -s "$dir/result" ] &&
		[ "${VM_THREAD:-multi}" = multi ]; then
		cp "$dir/console" "$dir/console.first"
		say "the guest did not get to its first program: once more"
		VM_THREAD=single "$HERE/qemu.sh" "$dir" "$image" "$initramfs"
		return
	fi
	return "$status"
}

# Prints the output of the program while it runs.
show_program()
{
	boot &
	tail -F -s 0.2 --pid=$! "$dir/result" 2>/dev/null | grep -v '^@' || :
	wait $! || :
}

program_status()
{
	if awk -f "$HERE/console.awk" "$dir/console" | grep -v '^ok '; then
		die "the kernel complained"
	fi
	grep -qx '@done' "$dir/result" || die "the guest did not report its end"
	awk '$1 == "@exit" { status = $3 } END { exit status }' "$dir/result"
}

case $mode in
tests)
	put_tests "$@"
	prepare_image
	boot || :
	"$HERE/judge.sh" "$dir" || {
		say "the guest's console is in $dir/console"
		exit 1
	}
	;;
program)
	put_program "$@"
	prepare_image
	show_program
	program_status
	;;
root)
	put_root "$@"
	prepare_image
	show_program
	program_status
	;;
shell)
	put_shell "$@"
	prepare_image
	boot terminal
	;;
*)
	die "unknown mode: $mode"
	;;
esac
