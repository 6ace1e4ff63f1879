#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs QEMU and qemu-storage-daemon, as Debian has built them, in a guest with the
# module: the one hands 17 of 64 MiB to the other, and takes that back.
# Usage: demo-vm.sh [KERNEL]
# BUILT: not empty if the module and the library are there, and not to be built anew

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

kernel=${1:-6.12}
root=$BUILD/demo-vm
library=$BUILD/amd64/userlib
KERNELS=$kernel "$HERE/deps.sh" build vm
kver=$("$HERE/kernel.sh" "$kernel" version)
cd "$TOP"
if [ -z "${BUILT:-}" ]; then
	make -s --no-print-directory module KVER="$kver" MODDIR="$BUILD/$kver"
	make -s --no-print-directory userlib LIB_BUILD="$library"
fi

rm -rf "$root"
copy_programs "$root" /usr/bin/qemu-system-x86_64 /usr/bin/qemu-storage-daemon \
	/usr/lib/x86_64-linux-gnu/qemu/accel-tcg-x86_64.so
mkdir -p "$root/bin" "$root/usr/share/qemu" "$root/usr/local/lib/dataspace"
cp -L /usr/share/seabios/bios-256k.bin /usr/share/qemu/kvmvapic.bin "$root/usr/share/qemu/"
cp "$library/tools/dataspace" "$root/usr/bin/"
cp "$library/dataspace-preload.so" "$root/usr/local/lib/dataspace/"
userlib/example-of.sh userlib/man/man1/dataspace-preload.1 2 >"$root/usr/share/example"

# Options that a guest without a screen needs.
cat >"$root/bin/qemu-system-x86_64" <<'END'
#!/bin/sh
exec /usr/bin/qemu-system-x86_64 -nodefaults -display none -accel tcg -M pc \
	-serial file:serial "$@"
END
chmod +x "$root/bin/qemu-system-x86_64"

make_disk "$root/usr/share/disk.img"
gcc -O2 -Wall -Wextra -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -shared -fPIC -Iuserlib/include -Iuapi \
	-o "$root/usr/lib/hostile.so" "$HERE/demo-vm/hostile.c" "$library/libdataspace.a"

VM_TIMEOUT=240 "$HERE/run.sh" -k "$kernel" -r "$root" program "$HERE/demo-vm/show.sh"
