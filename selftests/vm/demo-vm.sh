#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs QEMU and qemu-storage-daemon, as Debian has built them, in a guest with the
# module: the one hands 17 of 64 MiB to the other, and takes that back.
# Usage: demo-vm.sh [KERNEL]

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

kernel=${1:-6.12}
root=$BUILD/demo-vm
KERNELS=$kernel "$HERE/deps.sh" build vm
kver=$("$HERE/kernel.sh" "$kernel" version)
cd "$TOP"
make -s --no-print-directory module KVER="$kver" MODDIR="$BUILD/$kver"
make -s --no-print-directory userlib LIB_BUILD="$BUILD/amd64/userlib"

rm -rf "$root"
copy_programs "$root" /usr/bin/qemu-system-x86_64 /usr/bin/qemu-storage-daemon \
	/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so
mkdir -p "$root/bin" "$root/usr/share/qemu" "$root/usr/local/lib/dataspace"
cp -L /usr/share/seabios/bios-256k.bin /usr/share/qemu/kvmvapic.bin "$root/usr/share/qemu/"
cp "$BUILD/amd64/userlib/tools/dataspace" "$root/usr/bin/"
cp "$BUILD/amd64/userlib/dataspace-preload.so" "$root/usr/local/lib/dataspace/"
userlib/example-of.sh userlib/man/man1/dataspace-preload.1 2 >"$root/usr/share/example"

# Options that a guest without a screen needs.
cat >"$root/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
exec /usr/bin/qemu-system-x86_64 -nodefaults -display none -accel tcg -M pc \
	-serial file:serial "$@"
END
chmod +x "$root/bin/qemu-system-x86_64"

gcc -m32 -c -o "$BUILD/demo-vm.o" "$HERE/demo-vm/disk.S"
ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$root/usr/share/disk.img" "$BUILD/demo-vm.o"
truncate -s 1M "$root/usr/share/disk.img"

VM_TIMEOUT=900 "$HERE/run.sh" -k "$kernel" -r "$root" program "$HERE/demo-vm/show.sh"
