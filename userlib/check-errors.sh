#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks that the header and the manual name the same errors for each page of the
# manual, that the manual of the device names those of the device's header, and
# that the manual knows each error that the module's code names.
# Usage: check-errors.sh HEADER UAPI-HEADER MANDIR MODULEDIR

set -eu

header=$1
uapi=$2
man=$3
module=$4

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

errors()
{
	grep -oE '\bE(2BIG|[A-Z]+)\b' | LC_ALL=C sort -u
}

# The comment about a function, from its first line to its end.
comment_on()
{
	awk -v first="^ \\\\* $1 - " '$0 ~ first { on = 1 } on; /\*\// { on = 0 }' \
		"$header"
}

# The functions whose errors a comment refers to.
referred_to()
{
	sed 's/^ \*//' | tr -s '\n\t ' ' ' |
		grep -oE '(what|errors of) dataspace_[a-z_]+' | sed 's/.* //'
}

# The errors of the functions that a page is about. -EINTR is said once for all.
errors_in_header()
{
	for function; do
		comment_on "$function"
		for other in $(comment_on "$function" | referred_to); do
			comment_on "$other"
		done
	done | errors
}

errors_in_page()
{
	awk '/^\.SH/ { on = ($2 == "ERRORS") } on && /^\.B[RI]? / { print $2 }' "$1" |
		errors | grep -vx EINTR || :
}

functions_of()
{
	awk '/^\.SH/ { on = ($2 == "NAME"); next } on' "$1" |
		sed 's/ *\\-.*//; s/,//'
}

# compare PAGE: what $work/header and $work/page have
compare()
{
	diff "$work/header" "$work/page" >"$work/diff" && return
	echo "$1: the header (<) and the manual (>) name different errors:" >&2
	grep '^[<>]' "$work/diff" >&2
	status=1
}

pages=0
for page in "$man"/man3/*.3; do
	grep -q '^\.SH ERRORS' "$page" || continue
	# The names of functions are words.
	# shellcheck disable=SC2046
	errors_in_header $(functions_of "$page") >"$work/header"
	errors_in_page "$page" >"$work/page"
	[ -s "$work/header" ] || status=1
	compare "${page##*/}"
	pages=$((pages + 1))
done
[ "$pages" -gt 0 ] || status=1

grep '^ \* .*E[A-Z0-9]*\|^ \*  - E' "$uapi" | errors >"$work/header"
awk '/^\.SH/ { on = ($2 == "ERRORS") } on && /^\.B E/ { print $2 }' \
	"$man/man4/dataspace.4" | errors >"$work/page"
compare dataspace.4

# errnos of the module that never get to a program
internal='EAGAIN|EEXIST|ENAMETOOLONG|ENODATA|ERESTARTSYS'
grep -hoE -e '-E[A-Z0-9]+\b' "$module"/*.c | errors |
	grep -vxE "$internal" >"$work/module"
cat "$man"/man4/* "$man"/man7/* | errors >"$work/manual"
unknown=$(LC_ALL=C comm -23 "$work/module" "$work/manual")
[ -z "$unknown" ] || {
	echo "the module has errors that the manual does not know: $unknown" >&2
	status=1
}
exit "$status"
