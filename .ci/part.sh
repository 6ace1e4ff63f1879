#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs one part of the check, prints its verdicts and how long it took, and keeps
# what it printed in the file $BUILD/verdicts/NAME. A part that prints no verdicts
# gets one, by its exit status, and is quoted if it has failed.
# COMMAND may be a function of selftests/vm/common.sh. File descriptor 3 is told
# when the part begins.
# Usage: part.sh NAME COMMAND...

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

name=$1
shift
out=$BUILD/verdicts/$name
mkdir -p "$BUILD/verdicts"
begun=$(date +%s)
status=0
echo "== $name" >&3

# In a process of its own, so that the end of a function is not the end of this.
("$@") >"$out" 2>&1 || status=$?

has()
{
	grep -q "^\($1\)  " "$out"
}

echo "== $name, $(($(date +%s) - begun)) s"
if has 'ok\|FAIL\|skip'; then
	cat "$out"
	[ "$status" -eq 0 ] || has FAIL ||
		echo "FAIL  $name: ended with status $status"
elif [ "$status" -eq 0 ]; then
	echo "ok    $name"
else
	echo "FAIL  $name: ended with status $status"
	sed 's/^/      | /' "$out"
fi
[ "$status" -eq 0 ] && ! has FAIL
