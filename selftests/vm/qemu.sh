#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a kernel in QEMU and returns when the guest is off. What the guest
# reports is then in DIR/result, what the kernel said in DIR/console.
# Usage: qemu.sh DIR KERNEL INITRAMFS [terminal]
# With "terminal" the console is the terminal that this runs on.
# VM_MEM, VM_CPUS: size of the guest; VM_MACHINE: which one QEMU is to be;
# VM_TIMEOUT: seconds until it is stopped;
# VM_APPEND: more for the kernel's command line; VM_ICOUNT: not empty for a guest
# with one processor whose clock counts instructions, one a nanosecond.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

dir=$1
kernel=$2
initramfs=$3
limit=${VM_TIMEOUT:-1800}

# -cpu max without the fifth level of page tables, which emulation pays for.
if [ -n "${VM_ICOUNT:-}" ]; then
	accel="-accel tcg,thread=single -icount shift=0,sleep=off"
	accel="$accel -cpu max,la57=off"
	VM_CPUS=1
elif [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
	accel="-accel kvm -cpu host"
else
	accel="-accel tcg,thread=multi -cpu max,la57=off"
fi

console="-serial file:$dir/console"
watch="timeout -k 10 $limit"
if [ "${4:-}" = terminal ]; then
	console="-serial mon:stdio"
	watch=
	exec </dev/tty
else
	exec </dev/null
fi

rm -f "$dir/result" "$dir/console"
truncate -s 64M "$dir/disk"

# A warning is not a panic: the tests after it still run. An oops is.
# Merged slab caches would hide behind each other's names.
append="console=ttyS0 loglevel=7 printk.devkmsg=on oops=panic panic=-1"
append="$append mitigations=off slab_nomerge ${VM_APPEND:-}"

status=0
# shellcheck disable=SC2086 # the options are words
$watch qemu-system-x86_64 -nodefaults -no-reboot -display none $accel \
	-machine "${VM_MACHINE:-pc}" \
	-m "${VM_MEM:-2048}" -smp "${VM_CPUS:-2}" \
	-kernel "$kernel" -initrd "$initramfs" -append "$append" $console \
	-drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe" \
	-device virtio-serial-pci \
	-chardev "file,id=result,path=$dir/result" \
	-device virtserialport,chardev=result,name=dataspace.result ||
	status=$?
rm -f "$dir/disk"
[ "$status" -ne 124 ] || say "stopped the guest after $limit s"
exit "$status"
