#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks that the structures that pages of the manual show are those of the header,
# and that all of them are shown.
# Usage: check-listings.sh HEADER PAGE...

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

header=$1
shift
structures "$header" >"$work/header"
structures "$@" >"$work/manual"
[ -s "$work/header" ] || {
	echo "no structure found in $header" >&2
	exit 1
}
diff "$work/header" "$work/manual" || {
	echo "$header and the manual show different structures" >&2
	exit 1
}
