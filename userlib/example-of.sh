#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the program that a manual page has in its section EXAMPLES.
# Usage: example-of.sh PAGE

set -eu

awk '/^\.SH / { on = ($2 == "EXAMPLES") }
	/^\.EE/ { code = 0 }
	code && on
	/^\.EX/ { code = 1 }' "$1" |
	sed -e 's/^\\&//' -e 's/\\-/-/g' -e 's/\\e/\\/g'
