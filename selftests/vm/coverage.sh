#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Tells which lines of the module have run in a guest whose kernel counts them,
# file by file, and lists those that have not. Fails if one of them is neither
# tested nor explained in the file coverage-exceptions.
# Usage: coverage.sh RESULT OBJECTS
# RESULT is what the guest has reported, OBJECTS where the module was built.

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
awk -f "$HERE/coverage.awk" kind=explained "$HERE/coverage-exceptions" \
	kind=lines lines | awk -f "$HERE/totals.awk"
