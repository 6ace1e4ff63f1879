#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the examples share_by_network and read_by_network, with Debian's libfabric, in
# a guest with the module, in two network namespaces.
# Usage: demo-network.sh [KERNEL]
# BUILT: not empty if the module and the library are there, and not to be built anew

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

kernel=${1:-6.12}
root=$BUILD/demo-network
library=$BUILD/amd64/userlib
KERNELS=$kernel "$HERE/deps.sh" build vm network
kver=$("$HERE/kernel.sh" "$kernel" version)
cd "$TOP"
if [ -z "${BUILT:-}" ]; then
	make -s --no-print-directory module KVER="$kver" MODDIR="$BUILD/$kver"
	make -s --no-print-directory userlib LIB_BUILD="$library"
fi
rm -rf "$root"
make -s --no-print-directory -C userlib network-examples O="$library"
mkdir -p "$root/usr/bin"
cp "$library/tools/dataspace" "$library/examples/share_by_network" \
	"$library/examples/read_by_network" "$root/usr/bin/"
copy_programs "$root" "$(command -v ip)" "$(ldconfig -p | awk '$1 == "libfabric.so.1" { print $NF; exit }')"

VM_DRIVERS=veth VM_TIMEOUT=900 "$HERE/run.sh" -k "$kernel" -r "$root" program \
	"$HERE/demo-network/show.sh"
