#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a line for every test of a finished run and the totals; fails unless
# all of it is well. DIR holds the files "tests" (the programs that had to
# run), "result" (what came through the port) and "console".
# Usage: judge.sh DIR

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)

cd "$1"
for file in tests result console; do
	[ -e "$file" ] || : >"$file"
done
awk -f "$HERE/judge.awk" kind=tests tests kind=result result \
	kind=console console
