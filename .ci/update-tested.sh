#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Writes into selftests/tested.md what was tested: a row for each kernel on which the tests
# have run here, with the totals and the day. Rows of other kernels stay.

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

record=$TOP/selftests/tested.md

rows()
{
	for file in "$BUILD/verdicts/tests on "*; do
		[ -e "$file" ] || die "nothing was tested here yet"
		totals=$(sed -n '/^[0-9]* passed, /p' "$file" | tail -n 1)
		[ -n "$totals" ] || continue
		version=$(sed -n 's/^kernel //p' "$file")
		echo "| ${file##*/tests on } | ${version:-?} | $totals |" \
			"$(date -r "$file" +%F) |"
	done
}

old_rows()
{
	sed -n '/^| kernel /d;/^| /p' "$record"
}

# Prints the first row of each kernel: a new row comes before the old one.
table()
{
	echo "| kernel | version | tests | day |"
	echo "|---|---|---|---|"
	{
		rows
		old_rows
	} | awk -F '|' '!seen[$2]++' | sort -V
}

mkdir -p "$BUILD"
{
	sed '/^|/,$d' "$record"
	table
} >"$BUILD/tested.md"
cp "$BUILD/tested.md" "$record"
