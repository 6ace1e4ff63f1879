#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks that the Python module explains errors in the words of the header: in no
# others, and in all but those for dataspace_alloc_from(), which it does not have.
# Usage: check-reasons.sh HEADER PYTHON-MODULE

set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

texts()
{
	grep -o '"[^"]* [^"]*"' | LC_ALL=C sort -u
}

# missing FILE OTHER WHAT: what FILE has and OTHER has not
missing()
{
	LC_ALL=C comm -23 "$work/$1" "$work/$2" >"$work/missing"
	[ -s "$work/missing" ] || return 0
	echo "$3:" >&2
	cat "$work/missing" >&2
	status=1
}

grep 'return "' "$1" | texts >"$work/header"
awk '/^dataspace_explain_alloc_from\(/ { off = 1 } !off && /return "/; /^}/ { off = 0 }' \
	"$1" | texts >"$work/needed"
sed -n '/^_REASONS/,/^def _check/p' "$2" | texts >"$work/python"
[ -s "$work/needed" ] || status=1
missing python header "$2 has words that $1 does not have"
missing needed python "$1 has words that $2 does not have"
exit "$status"
