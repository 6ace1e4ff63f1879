#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs tests on a debug kernel with the module that was built for it. Many tests
# look at every page of the machine: they are done sooner if it has less memory.
# HALF: first or second, to run only every other program
# Usage: debug.sh FLAVOUR FILE...
#        debug.sh FLAVOUR FOLDER [FILE...]

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

flavour=$1
module=$BUILD/$flavour/module/dataspace.ko
image=$("$HERE/build-kernel.sh" "$flavour")/arch/x86/boot/bzImage
shift

# Prints the paths of the programs.
programs()
{
	if [ -d "$1" ]; then
		sed -n "s|^[^:]*:|$1/|p" "$1/kselftest-list.txt"
		shift
	fi
	printf '%s\n' "$@"
}

# run.sh names its folder after the image.
if [ -n "${HALF:-}" ]; then
	mkdir -p "$BUILD/vm"
	ln -sf "$image" "$BUILD/vm/$flavour-$HALF"
	image=$BUILD/vm/$flavour-$HALF
	# shellcheck disable=SC2046 # a word for each program
	set -- $(programs "$@" | sed -n "$([ "$HALF" = first ] && echo 1 || echo 2)~2p")
fi

# How many places of the module the fuzzer could reach, for it to tell a share.
places=$(objdump -r "$module" | grep -c __sanitizer_cov_trace_pc)
minutes=${FUZZ_MINUTES:-1}

# The kernel passes NAME=VALUE on to init, and that to the programs. With
# DEBUG_VM_PGFLAGS the kernel stops when /proc/kpageflags shows a page that is just
# being split or freed, so the model does not look there.
VM_APPEND="LOOK_AT_PAGES=0 page_owner=on kmemleak=on FUZZ_PLACES=$places FUZZ_MINUTES=$minutes"
VM_APPEND="$VM_APPEND ${SEED:+SEED=$SEED}"
VM_LIMIT=$((900 + minutes * 60))
VM_TIMEOUT=$((3600 + minutes * 60))
VM_MEM=${VM_MEM:-512}
export VM_APPEND VM_LIMIT VM_TIMEOUT VM_MEM
exec "$HERE/run.sh" -k "$image" -m "$module" tests "$@"
