#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Writes into the README what was tested: a row for each kernel on which all
# tests have run here, with what came of it and the day of that.

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

table()
{
	echo "| kernel | version | tests | day |"
	echo "|---|---|---|---|"
	for file in "$BUILD/verdicts/tests on "*; do
		[ -e "$file" ] || die "nothing was tested here yet"
		version=$(sed -n 's/^kernel //p' "$file")
		totals=$(sed -n '/^[0-9]* passed, /p' "$file" | tail -n 1)
		echo "| ${file##*/tests on } | ${version:-?} |" \
			"${totals:-not all} | $(date -r "$file" +%F) |"
	done | sort -V
}

cd "$TOP"
mkdir -p "$BUILD"
table >"$BUILD/table"
sed -i -e "/^<!-- tested/r $BUILD/table" \
	-e '/^<!-- tested/,/^<!-- end/{/^<!--/!d}' README.md
