#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks, all builds, and all tests on each of $KERNELS. Goes on after a
# failure, and ends with the totals of all of it.

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

# verdicts NAME COMMAND...: one that prints its verdicts and fails with them.
verdicts()
{
	name=$1
	shift
	say "$name"
	"$@" >"$BUILD/verdicts" 2>"$BUILD/errors" || :
	grep -q '^\(ok\|FAIL\|skip\)  ' "$BUILD/verdicts" ||
		echo "FAIL  $name: no verdict"
	cat "$BUILD/verdicts"
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
	done
}

"$HERE/deps.sh" build lint vm
ksft=${KSFT:-$("$HERE/source.sh")/tools/testing/selftests}
mkdir -p "$BUILD"
cd "$TOP"
all_steps | awk -f "$HERE/totals.awk"
