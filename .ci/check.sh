#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks, all builds, and all tests on each of $KERNELS; or, on demand,
# builds for kernels that do without something, all tests on a kernel that watches
# itself, or just random calls on that one.
# Goes on after a failure, and ends with the totals of all of it.
# Usage: check.sh [all|configs|debug|fuzz]...
# FLAVOUR: which kernel that watches itself, see build-kernel.sh
# JOBS: how many guests may run at the same time
# FUZZ_MINUTES: how long random calls go on; SEED: where they start from

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"
BEGUN=$(date +%s)
FLAVOUR=${FLAVOUR:-kasan}
export BEGUN FLAVOUR
# shellcheck source=common.sh
. "$TOP/.ci/common.sh"

# make_tests PROGRAMS TARGET
make_tests()
{
	for_arch "$1" make -s --no-print-directory -C selftests KSFT="$ksft" \
		LIB_BUILD="$(library_of "$1")" OUTPUT="$folder/selftests" \
		INSTALL_PATH="$folder/install" COLLECTION=dataspace "$2"
}

# install_tests PROGRAMS
install_tests()
{
	folder=$(build_of "$1")
	rm -rf "$folder/install" &&
		for_arch "$1" make -s -j"$(nproc)" selftests BUILD="$folder" \
			LIB_BUILD="$(library_of "$1")" &&
		make_tests "$1" install &&
		make_tests "$1" emit_tests >"$folder/install/kselftest-list.txt"
}

# The builds for all kernels, and for this machine.
all_programs()
{
	for kernel in this $KERNELS; do
		programs_of "$kernel"
	done | sort -u
}

# What is the same for all kernels.
prepare()
{
	step "library" make -s userlib
	for programs in $(all_programs); do
		step "tests for $programs" install_tests "$programs"
	done
}

# The jobs of a group, by name.
jobs_of()
{
	case $1 in
	all)
		echo "static checks"
		for kernel in $KERNELS; do
			echo "tests $kernel"
		done
		;;
	configs) echo "without something" ;;
	debug) echo "debug $FLAVOUR" ;;
	fuzz) echo "fuzz $FLAVOUR" ;;
	*) die "unknown group: $1" ;;
	esac
}

# An emulated guest keeps hardly more than one processor busy. By name they come
# in a good order: the one that takes longest first; and the source that the last
# one needs is there when the debug kernel has been built.
run_jobs()
{
	for group; do
		jobs_of "$group"
	done | sort | xargs -P "${JOBS:-$(nproc)}" -L 1 "$TOP/.ci/job.sh"
}

[ $# -gt 0 ] || set -- all
say "$*, on $KERNELS"
"$HERE/deps.sh" build lint vm
ksft=${KSFT:-$("$HERE/source.sh")/tools/testing/selftests}
mkdir -p "$BUILD"
cd "$TOP"
{
	prepare
	run_jobs "$@" || echo "FAIL  not all was checked"
} | awk -v RECALL=16 -f "$HERE/totals.awk"
