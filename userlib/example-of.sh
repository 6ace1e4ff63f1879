#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints an example: the Nth block of the section EXAMPLES of a manual page, or the
# Nth block of a kind that a Markdown file has; the first one by default.
# Usage: example-of.sh PAGE [N]
#        example-of.sh FILE.md KIND [N]

set -eu

case $1 in
*.md)
	awk -v fence="\`\`\`$2" -v n="${3:-1}" '
		code && /^```/ { exit }
		code
		$0 == fence && !--n { code = 1 }' "$1"
	;;
*)
	awk -v n="${2:-1}" '
		/^\.SH / { on = ($2 == "EXAMPLES") }
		code && /^\.EE/ { exit }
		code
		on && /^\.EX/ && !--n { code = 1 }' "$1" |
		sed -e 's/^\\&//' -e 's/\\-/-/g' -e "s/\\\\(aq/'/g" -e 's/\\e/\\/g'
	;;
esac
