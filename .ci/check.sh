#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks, all builds, and all tests on each of $KERNELS; or, on demand,
# all tests on a kernel that watches itself. Goes on after a failure, and ends
# with the totals of all of it.
# Usage: check.sh [debug]     FLAVOUR: which kernel, see debug-kernel.sh

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

# step NAME COMMAND...: a step that has no verdicts of its own.
step()
{
	name=$1
	shift
	say "$name"
	if output=$("$@" 2>&1); then
		echo "ok    $name"
	else
		echo "FAIL  $name"
		echo "$output" | sed 's/^/      | /'
	fi
}

# verdicts NAME COMMAND...: one that prints its verdicts, and fails only if one
# of them is bad.
verdicts()
{
	name=$1
	status=0
	shift
	say "$name"
	"$@" >"$BUILD/verdicts" 2>"$BUILD/errors" || status=$?
	cat "$BUILD/verdicts"
	if ! grep -q '^\(ok\|FAIL\|skip\)  ' "$BUILD/verdicts"; then
		echo "FAIL  $name: no verdict"
	elif [ "$status" -ne 0 ] && ! grep -q '^FAIL  ' "$BUILD/verdicts"; then
		echo "FAIL  $name: ended with status $status"
	fi
	sed 's/^/      | /' "$BUILD/errors"
}

build_module()
{
	kver=$("$HERE/kernel.sh" "$1" version)
	make -s module KVER="$kver" MODDIR="$BUILD/$kver"
}

make_tests()
{
	make -s --no-print-directory -C selftests KSFT="$ksft" \
		OUTPUT="$BUILD/selftests" INSTALL_PATH="$BUILD/install" \
		COLLECTION=dataspace "$@"
}

install_tests()
{
	rm -rf "$BUILD/install" &&
		make -s selftests &&
		make_tests install &&
		make_tests emit_tests >"$BUILD/install/kselftest-list.txt"
}

example()
{
	"$HERE/run.sh" -k "$1" program "userlib/examples/$2" --demo
}

all_steps()
{
	verdicts "the judge" "$HERE/selfcheck.sh"
	verdicts "static checks" "$TOP/.ci/lint.sh"
	for kernel in $KERNELS; do
		step "module for $kernel" build_module "$kernel"
	done
	step "library" make -s userlib
	step "library: its own checks" make -s -C userlib check
	step "tests" install_tests
	for kernel in $KERNELS; do
		verdicts "tests on $kernel" \
			"$HERE/run.sh" -k "$kernel" tests "$BUILD/install"
		step "RAM service on $kernel" example "$kernel" ram_service
		step "buffer pool on $kernel" example "$kernel" buffer_pool
	done
}

debug_module()
{
	kdir=$("$HERE/debug-kernel.sh" "$FLAVOUR") &&
		make -s module KDIR="$kdir" MODDIR="$BUILD/$FLAVOUR" \
			KCOV_INSTRUMENT=y
}

# Many tests look at every page of the machine: the smaller it is, the sooner
# they are done. What the usual machine makes ACPI compute takes this kernel so
# long that it gives up; q35 has it in a table.
debug_tests()
{
	kdir=$("$HERE/debug-kernel.sh" "$FLAVOUR") || return
	VM_MACHINE=q35 VM_MEM=${VM_MEM:-512} VM_TIMEOUT=${VM_TIMEOUT:-3600} \
		VM_APPEND="page_owner=on kmemleak=on" \
		"$HERE/run.sh" -k "$kdir/arch/x86/boot/bzImage" \
		-m "$BUILD/$FLAVOUR/module/dataspace.ko" tests "$BUILD/install"
}

debug_steps()
{
	step "the $FLAVOUR kernel" "$HERE/debug-kernel.sh" "$FLAVOUR"
	step "module for it" debug_module
	step "tests" install_tests
	verdicts "tests on the $FLAVOUR kernel" debug_tests
}

FLAVOUR=${FLAVOUR:-kasan}
"$HERE/deps.sh" build lint vm
ksft=${KSFT:-$("$HERE/source.sh")/tools/testing/selftests}
mkdir -p "$BUILD"
cd "$TOP"
{
	"${1:-all}_steps" || echo "FAIL  not all was checked"
} | awk -f "$HERE/totals.awk"
