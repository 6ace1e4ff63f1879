#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks that the module, the header and the manual name the same keys of fdinfo in
# the same order.
# Usage: check-fdinfo.sh MODULE-SOURCE UAPI-HEADER MANDIR

set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sed -n 's/.*"\(\\n\)*\(dataspace-[a-z]*\):\\t.*/\2/p' "$1" >"$work/module"
sed -n 's/^ \*  - \(dataspace-[a-z]*\):.*/\1/p' "$2" >"$work/header"
sed -n 's/^\.B dataspace\\-\([a-z]*\)$/dataspace-\1/p' "$3/man4/dataspace.4" \
	>"$work/manual"
[ -s "$work/module" ] || {
	echo "no keys in $1" >&2
	exit 1
}
status=0
for other in header manual; do
	diff "$work/module" "$work/$other" >&2 || {
		echo "the module (<) and the $other (>) name different keys" >&2
		status=1
	}
done
exit "$status"
