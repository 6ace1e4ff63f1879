#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks what bash offers for the last word of a command line: all commands and
# options that the sources have, and what some arguments can be.
# Usage: check-completion.sh

set -eu

cd "$(dirname "$0")"
export LC_ALL=C
status=0

# shellcheck source=tools/dataspace.bash
. tools/dataspace.bash

# For there to be one.
_dataspace_targets()
{
	echo 812/3
}

commands()
{
	sed -n 's/^\t{ "\([a-z]*\)", command_.*/\1/p' tools/main.c
}

# options_of FUNCTION FILE...: the long options that the function knows
options_of()
{
	local start="^int $1\\("

	shift
	cat "$@" | awk -v start="$start" '
		$0 ~ start { on = 1 }
		/^}/ { on = 0 }
		on && /{ "[a-z]*", (no|required)_argument/ {
			split($0, part, "\"")
			print "--" part[2]
		}'
}

# What is offered for the last of the words.
candidates()
{
	local complete

	complete=$(complete -p "$1" | sed 's/.* -F \([^ ]*\) .*/\1/')
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	"$complete"
	printf '%s\n' "${COMPREPLY[@]}"
}

# expect CANDIDATES WORD...: that just these are offered for the last word
expect()
{
	local wanted found

	wanted=$(printf '%s\n' "$1" | sort)
	shift
	found=$(candidates "$@" | sort)
	[ "$found" != "$wanted" ] || return 0
	printf 'offered for "%s": %s, not: %s\n' "$*" "$found" "$wanted" >&2
	status=1
}

[ -n "$(commands)" ]
expect "$(commands; echo --help; echo --version)" dataspace ""
for command in $(commands); do
	expect "$(options_of "command_$command" tools/*.c)" dataspace "$command" -
done
expect $'alias\nalloc' dataspace al
expect --self dataspace revoke --s
expect $'read\nro\nrw' dataspace alloc -r r
expect rw dataspace publish --rights rw
expect root dataspace publish -u root
expect 812/3 dataspace info 8
expect 812/3 dataspace alias --length 4K ""
expect check-completion.sh dataspace send check-comp
expect "" dataspace alloc ""
expect "$(options_of main tools/daemon/main.c)" dataspaced ""
expect --total dataspaced --t
exit "$status"
