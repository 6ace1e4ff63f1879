#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Packs what the guest boots into: busybox, ./init, the drivers that it needs,
# the module under test, and what is in the folder PAYLOAD.
# Usage: initramfs.sh OUTPUT PAYLOAD MODULE [MODROOT KVER]
# Without MODROOT the kernel has the drivers built in.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

# The result port, and disks for direct I/O.
drivers="virtio_pci virtio_console virtio_blk brd"

# Numbers the drivers, so that init can load them in order of dependency.
copy_drivers()
{
	for driver in $drivers; do
		modprobe -d "$1" -S "$2" --show-depends "$driver"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		awk '{ printf "%02d %s\n", NR, $0 }' |
		while read -r number file; do
			name=${file##*/}
			case $name in
			*.xz) xz -dc "$file" ;;
			*) cat "$file" ;;
			esac >"$root/lib/drivers/$number-${name%.xz}"
		done
}

output=$1
payload=$2
module=$3

busybox=$("$HERE/fetch.sh" busybox-static ./bin/busybox)/bin/busybox
root=$(mktemp -d)
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/dev" "$root/etc" "$root/lib/drivers" \
	"$root/proc" "$root/sys" "$root/tmp"
cp "$busybox" "$root/bin/busybox"
cp "$HERE/init" "$root/init"
cp "$module" "$root/lib/dataspace.ko"
cp -R "$payload/." "$root/"
[ $# -lt 5 ] || copy_drivers "$4" "$5"

(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc -R +0:+0 --quiet) |
	gzip -1 >"$output"
