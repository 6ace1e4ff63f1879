#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Boots a kernel in QEMU and returns when the guest is off. Then DIR/result has
# what the guest has reported, and DIR/console what the kernel has printed.
# Usage: qemu.sh DIR KERNEL INITRAMFS [terminal]
# With "terminal" the console is the terminal that this runs on.
# VM_ARCH: amd64, the default, or arm64; VM_MEM, VM_CPUS: size of the guest;
# VM_NODES: 2 if half of that is on another NUMA node;
# VM_MACHINE: QEMU's machine type, q35 or virt by default;
# VM_DISK: size of its disk, 256M by default; VM_SHARE: a folder that it can mount
# by 9p, as "root"; VM_IMAGE: a file that is its second disk, and is not changed;
# VM_TIMEOUT: seconds until it is stopped; VM_THREAD: "single" if its processors
# are emulated in turn, not at the same time;
# VM_APPEND: more for the kernel's command line; VM_ICOUNT: not empty for a guest
# with one processor whose clock counts instructions, one a nanosecond.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

dir=$1
kernel=$2
initramfs=$3
limit=${VM_TIMEOUT:-1800}

# The processors have no fifth level of page tables and no pointer authentication:
# both are slow when they are emulated.
case ${VM_ARCH:-amd64} in
arm64) qemu=aarch64 machine=virt,gic-version=3 cpu=neoverse-n1 tty=ttyAMA0 ;;
*) qemu=x86_64 machine=q35 cpu=max,la57=off tty=ttyS0 ;;
esac
machine=${VM_MACHINE:-$machine}

if [ -n "${VM_ICOUNT:-}" ]; then
	accel="-accel tcg,thread=single -icount shift=0,sleep=off -cpu $cpu"
	VM_CPUS=1
elif [ -w /dev/kvm ] && [ "$qemu" = "$(uname -m)" ] &&
	grep -qwE 'vmx|svm' /proc/cpuinfo; then
	accel="-accel kvm -cpu host"
else
	accel="-accel tcg,thread=${VM_THREAD:-multi} -cpu $cpu"
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

# q35 is the machine that can have an IOMMU, and its PCI set-up takes a slow kernel
# less time than that of "pc". Behind the IOMMU there is "edu", a device that
# copies memory on request. With the whole of KVM's interrupt controller,
# interrupts would not go through the IOMMU.
dma=
[ "$machine" != q35 ] || dma="-device intel-iommu,intremap=on -device edu"
case $machine$accel in
q35*kvm*) machine=q35,kernel_irqchip=split ;;
esac

# Each node has a processor socket of its own; otherwise the kernel warns.
smp=${VM_CPUS:-2}
nodes=
if [ "${VM_NODES:-1}" -eq 2 ]; then
	half=$((${VM_MEM:-2048} / 2))
	last=$((smp - 1))
	smp=$smp,sockets=2
	nodes="-object memory-backend-ram,id=m0,size=${half}M"
	nodes="$nodes -object memory-backend-ram,id=m1,size=${half}M"
	nodes="$nodes -numa node,memdev=m0,cpus=0-$((last / 2))"
	nodes="$nodes -numa node,memdev=m1,cpus=$((last / 2 + 1))-$last"
fi

share=
[ -z "${VM_SHARE:-}" ] ||
	share="-virtfs local,path=$VM_SHARE,mount_tag=root,security_model=passthrough"

image=
[ -z "${VM_IMAGE:-}" ] ||
	image="-drive file=$VM_IMAGE,format=raw,if=virtio,snapshot=on"

rm -f "$dir/result" "$dir/console"
truncate -s "${VM_DISK:-256M}" "$dir/disk"

# An oops is a panic; a warning is not, so that the tests after it run. Slab caches
# are not merged, so that each is listed by its name. The kernel does not check
# its timer: on a busy machine an emulated timer may be too late for that.
append="console=$tty loglevel=7 printk.devkmsg=on oops=panic panic=-1"
append="$append mitigations=off slab_nomerge no_timer_check ${VM_APPEND:-}"

status=0
# shellcheck disable=SC2086 # the options are words
$watch "qemu-system-$qemu" -nodefaults -no-reboot -display none $accel \
	-machine "$machine" $dma \
	-m "${VM_MEM:-2048}" -smp "$smp" $nodes \
	-kernel "$kernel" -initrd "$initramfs" -append "$append" $console \
	-drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe" \
	$image $share -device virtio-serial-pci,max_ports=1 \
	-chardev "file,id=result,path=$dir/result" \
	-device virtconsole,chardev=result 2>"$dir/qemu" || status=$?
[ "$status" -eq 0 ] || cat "$dir/qemu" >&2
rm -f "$dir/disk"
[ "$status" -ne 124 ] || say "stopped the guest after $limit s"
exit "$status"
