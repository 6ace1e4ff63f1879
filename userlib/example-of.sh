#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the program that a manual page has in its section EXAMPLES, which is the
# first block there, or the first block of a kind that a Markdown file has.
# Usage: example-of.sh PAGE
#        example-of.sh FILE.md KIND

set -eu

case $1 in
*.md)
	awk -v fence="\`\`\`$2" '
		code && /^```/ { exit }
		code
		$0 == fence { code = 1 }' "$1"
	;;
*)
	awk '/^\.SH / { on = ($2 == "EXAMPLES") }
		code && /^\.EE/ { exit }
		code
		on && /^\.EX/ { code = 1 }' "$1" |
		sed -e 's/^\\&//' -e 's/\\-/-/g' -e 's/\\e/\\/g'
	;;
esac
