#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints members of an array in C, { NAME, TEXT } each: the sessions in a shell that
# manual pages have in their sections EXAMPLES, which begin with a prompt. What is
# there beside them has to be one program in C, which is the first block.
# Usage: sessions-of.sh PAGE...

set -eu

here=$(dirname "$0")

# member NAME TEXT
member()
{
	echo "{ \"$1\","
	echo "$2" | sed -e 's/["\\]/\\&/g' -e 's/.*/"&\\n"/'
	echo "},"
}

for page; do
	n=1
	while text=$("$here/example-of.sh" "$page" $n) && [ -n "$text" ]; do
		case $n-$text in
		?-"$ "* | ?-"# "*)
			member "${page##*/}, $n" "$text"
			;;
		1-"#include "*) ;;
		*)
			echo "$page: block $n of EXAMPLES is run by nothing" >&2
			exit 1
			;;
		esac
		n=$((n + 1))
	done
done
