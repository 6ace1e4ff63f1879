#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints for each file of the module how many lines have run in a guest whose
# kernel counts that, and lists the lines that have not. Fails if one of these is
# not in the file coverage-exceptions.
# Usage: coverage.sh OBJECTS RESULT...
# OBJECTS: the folder that the module was built in; RESULT: the file that a guest's
# report is in

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

objects=$1
shift
dir=$BUILD/coverage

# Prints what gcov tells of the lines that have run in one guest. coverage.awk takes
# a line as run if it has in any.
lines_of()
{
	rm -rf "$dir"
	mkdir -p "$dir/guest"
	sed '1,/^@coverage$/d; /^@/,$d' "$1" | base64 -d >"$dir/archive"
	[ -s "$dir/archive" ] || die "no coverage is reported in $1"
	tar -C "$dir/guest" -xzf "$dir/archive"
	cp "$objects"/*.gcno "$dir"
	for notes in "$dir"/*.gcno; do
		find "$dir/guest" -name "$(basename "$notes" .gcno).gcda" \
			-exec cp {} "$dir" \;
	done
	(cd "$dir" && gcov -t ./*.gcda 2>errors) ||
		die "gcov: $(cat "$dir/errors")"
}

lines=$BUILD/coverage.lines
for result; do
	lines_of "$result"
done >"$lines"
awk -f "$HERE/coverage.awk" kind=exceptions "$HERE/coverage-exceptions" \
	kind=lines "$lines" | awk -f "$HERE/totals.awk"
