#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks that the structures that the manual shows are those of the header, and
# that all of them are shown.
# Usage: check-listings.sh HEADER MANDIR

set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each structure on a line of its own, without comments.
structures()
{
	awk '/^struct [a-z_]* {$/ { on = 1 }
		on { sub(/[[:space:]]*\/\*.*\*\//, ""); text = text " " $0 }
		on && /^};/ { print text; text = ""; on = 0 }' "$@" |
		tr -s '[:space:]' ' ' | sed 's/ struct/\nstruct/g' |
		grep . | LC_ALL=C sort
}

structures "$1" >"$work/header"
structures "$2"/man3/* "$2"/man4/* >"$work/manual"
[ -s "$work/header" ] || {
	echo "no structure found in $1" >&2
	exit 1
}
diff "$work/header" "$work/manual" || {
	echo "$1 and the manual show different structures" >&2
	exit 1
}
