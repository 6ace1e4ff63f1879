#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints for each file of the module how many lines have run in a guest whose
# kernel counts that, and lists the lines that have not. Fails if one of these is
# not in the file coverage-exceptions.
# Usage: coverage.sh RESULT OBJECTS
# RESULT: the file that the guest's report is in; OBJECTS: the folder that the
# module was built in

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

result=$(realpath "$1")
objects=$2
dir=$BUILD/coverage

rm -rf "$dir"
mkdir -p "$dir/guest"
sed '1,/^@coverage$/d; /^@/,$d' "$result" | base64 -d >"$dir/archive"
[ -s "$dir/archive" ] || die "the guest has reported no coverage"
tar -C "$dir/guest" -xzf "$dir/archive"
find "$dir/guest" -name '*.gcda' -exec cp {} "$dir" \;
cp "$objects"/*.gcno "$dir"

cd "$dir"
gcov -t ./*.gcda >lines 2>errors || die "gcov: $(cat errors)"
awk -f "$HERE/coverage.awk" kind=exceptions "$HERE/coverage-exceptions" \
	kind=lines lines | awk -f "$HERE/totals.awk"
