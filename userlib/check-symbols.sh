#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks that the header, the version map and the shared library name the same
# functions, and the manual these and those of the header that has inline functions
# only; and that the static library defines no global name outside of the library's
# own.
# Usage: check-symbols.sh HEADER INLINE-HEADER MAP MANDIR SHARED STATIC

set -eu

header=$1
inline=$2
map=$3
man=$4
shared=$5
static=$6

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A name is at the beginning of a line, too, where a type fills one.
names_in_header()
{
	sed -n 's/^\([a-z][a-z0-9_ ]*[ *]\)*\(dataspace_[a-z_]*\)(.*/\2/p' "$@" |
		LC_ALL=C sort
}

names_in_map()
{
	sed -n 's/^[[:space:]]*\(dataspace_[a-z_]*\);$/\1/p' "$map"
}

# What is exported without a version is marked, so that it differs.
names_in_shared()
{
	nm -D --defined-only "$shared" |
		awk '$2 != "A" && !sub("@@DATASPACE_[0-9.]*$", "", $3) { $3 = $3 "@" }
		     $2 != "A" { print $3 }'
}

# The first section of each page.
names_in_man()
{
	cat "$man"/man3/*.3 |
		awk '/^\.SH/ { on = ($2 == "NAME"); next } on' |
		sed 's/ *\\-.*//' | sed 's/, */\n/g' | grep '^dataspace'
}

# A page of its own for each name, if only one that points to another.
names_of_pages()
{
	for page in "$man"/man3/*.3; do
		basename "$page" .3
	done
}

# compare HEADERS WHAT: the names in there with those on standard input
compare()
{
	LC_ALL=C sort >"$work/other"
	diff "$work/$1" "$work/other" >"$work/diff" && return
	echo "the $1 and the $2 name different functions:" >&2
	cat "$work/diff" >&2
	touch "$work/failed"
}

names_in_header "$header" >"$work/header"
names_in_header "$header" "$inline" >"$work/headers"
[ -s "$work/header" ] || {
	echo "no function found in $header" >&2
	exit 1
}
names_in_map | compare header "version map"
names_in_shared | compare header "shared library"
names_in_man | compare headers "manual"
names_of_pages | compare headers "list of pages"

if nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' |
	grep -v -e '^dataspace_' -e '^libdataspace_' >"$work/foreign"; then
	echo "$static defines foreign names:" >&2
	cat "$work/foreign" >&2
	touch "$work/failed"
fi
[ ! -e "$work/failed" ]
