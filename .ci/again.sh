#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs all tests, and those programs of them again that have failed while nothing
# else was wrong: neither with the kernel, nor with a program's end, nor with what
# is left of the module. If they pass then, alone in a fresh guest, their verdicts
# are "again", with all that they have said; what fails once in a while is to be
# looked at, but an emulated machine can be too late for a test, too.
# Usage: again.sh FOLDER COMMAND...     COMMAND takes the folder, or programs in it

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

folder=$1
shift
mkdir -p "$BUILD"
first=$(mktemp "$BUILD/first.XXXXXX")
second=$first.again
trap 'rm -f "$first" "$second"' EXIT

# Nothing if anything else has failed.
failed_programs()
{
	awk '
	/^FAIL  / {
		program = $2
		sub(/:$/, "", program)
		bad = bad || $2 !~ /:$/ || $3 !~ /^[a-z_0-9]+(\.[a-z_0-9]+)*$/ ||
			NF != 3 || program ~ /^(module-|page_owner|kmemleak)/
		failed[program] = 1
	}
	END {
		for (program in failed)
			if (!bad)
				print program
	}' "$first"
}

# The programs are words.
# shellcheck disable=SC2046
passes_again()
{
	[ -n "$(failed_programs)" ] && cd "$folder" &&
		"$@" $(failed_programs) >"$second"
}

if "$@" "$folder" >"$first"; then
	cat "$first"
elif (passes_again "$@"); then
	sed 's/^FAIL  /again /' "$first"
	sed 's/^/      | again: /' "$second"
else
	cat "$first"
	[ ! -e "$second" ] || sed 's/^/      | again: /' "$second"
	exit 1
fi
