#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks the manual pages with all the formatters that are there, of which one
# must be. Anything that one of them says is a failure.
# Usage: check-man.sh MANDIR

set -eu

cd "$1"
checked=
status=0

complain()
{
	echo "$*" >&2
	status=1
}

# The page that a page of one request stands for, if it is such.
target_of()
{
	sed -n 's/^\.so //p' "$1"
}

# check COMMAND...: runs it on each page that has text
check()
{
	checked=yes
	for page in man*/*; do
		[ -z "$(target_of "$page")" ] || continue
		output=$("$@" "$page" 2>&1) || :
		[ -z "$output" ] || complain "$output"
	done
}

for page in man*/*; do
	target=$(target_of "$page")
	[ -e "${target:-$page}" ] || complain "$page: there is no $target"
done

if command -v mandoc >/dev/null; then
	check mandoc -Tlint -Wstyle
fi
if command -v groff >/dev/null; then
	check groff -man -ww -z
fi

[ -n "$checked" ] || {
	complain "neither mandoc nor groff is there to check the manual"
	complain "On Debian: apt-get install mandoc"
}
exit "$status"
