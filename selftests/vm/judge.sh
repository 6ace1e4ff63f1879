#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints a verdict for every test of a finished run, and the totals. Fails if one
# of the verdicts is FAIL. DIR has the files "tests" (the programs that had to
# run), "result" (what the guest has reported) and "console".
# Usage: judge.sh DIR

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)

cd "$1"
touch tests result console
{
	awk -f "$HERE/tap.awk" kind=tests tests kind=result result ||
		echo "FAIL  judge"
	awk -f "$HERE/console.awk" console ||
		echo "FAIL  judge"
} | awk -f "$HERE/totals.awk"
