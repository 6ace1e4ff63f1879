#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the module and the RAM service, and runs the service's demo in a guest.
# Usage: demo.sh [KERNEL]

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

kernel=${1:-6.12}
KERNELS=$kernel "$HERE/deps.sh" build vm
kver=$("$HERE/kernel.sh" "$kernel" version)
cd "$TOP"
make -s --no-print-directory module KVER="$kver" MODDIR="$BUILD/$kver"
make -s --no-print-directory examples
"$HERE/run.sh" -k "$kernel" program userlib/examples/ram_service --demo
