#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Packs the initramfs of the guest: busybox, ./init, drivers, the module under
# test, and the contents of the folder PAYLOAD.
# Usage: initramfs.sh OUTPUT PAYLOAD MODULE [MODROOT KVER]
# MODULE may be empty. Without MODROOT the kernel has the drivers built in. VM_DRIVERS names drivers
# that are needed beyond the usual ones.
# VM_ARCH: the architecture of the guest, amd64 by default.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

# The drivers are for the result port and for disks, and, where the kernel has
# them, for other users of memory: ciphers, PCI devices, RDMA and its checksum, and
# network namespaces.
drivers="virtio_pci virtio_console virtio_blk brd loop ${VM_DRIVERS:-}"
if_there="algif_hash algif_skcipher algif_aead authencesn"
if_there="$if_there vfio-pci vfio_iommu_type1 crc32_generic ib_uverbs rdma_rxe"
if_there="$if_there veth"

# The drivers that tests load themselves, if they are there.
for_tests="vivid vgem"

# Prints insmod lines for each driver and those that it depends on.
show_depends()
{
	for driver in $drivers; do
		modprobe -d "$1" -S "$2" --show-depends "$driver"
	done
	for driver in $if_there; do
		show_depends_of "$1" "$2" "$driver"
	done
}

show_depends_of()
{
	modprobe -d "$1" -S "$2" --show-depends "$3" 2>/dev/null || :
}

# Copies the drivers of which it reads insmod lines to a folder. They get numbers,
# so that each can be loaded after those that it depends on.
copy_drivers()
{
	mkdir -p "$1"
	awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		awk '{ printf "%02d %s\n", NR, $0 }' |
		while read -r number file; do
			name=${file##*/}
			case $name in
			*.xz) xz -dc "$file" ;;
			*) cat "$file" ;;
			esac >"$1/$number-${name%.xz}"
		done
}

copy_all_drivers()
{
	show_depends "$1" "$2" | copy_drivers "$root/lib/drivers"
	for driver in $for_tests; do
		show_depends_of "$1" "$2" "$driver" |
			copy_drivers "$root/lib/more/$driver"
	done
}

output=$1
payload=$2
module=$3

package="busybox-static"
[ "${VM_ARCH:-amd64}" = amd64 ] || package=$package:$VM_ARCH
busybox=$("$HERE/fetch.sh" "$package" ./bin/busybox)/bin/busybox
root=$(mktemp -d)
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/lib/drivers" \
	"$root/proc" "$root/sys" "$root/tmp"
cp "$busybox" "$root/bin/busybox"
cp "$HERE/init" "$root/init"
[ -z "$module" ] || cp "$module" "$root/lib/dataspace.ko"
importer=${module%module/*}selftests/importer/dataspace_importer.ko
[ ! -e "$importer" ] || cp "$importer" "$root/lib/"
cp -R "$payload/." "$root/"
[ -z "${4:-}" ] || copy_all_drivers "$4" "$5"

(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc -R +0:+0 --quiet) |
	gzip -1 >"$output"
