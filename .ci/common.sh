# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# How check.sh and job.sh run a part of the work and print what came of it.
# Several may print at the same time: what belongs together stays together.

tell()
{
	say "$1, after $(($(date +%s) - BEGUN)) s"
}

# Prints standard input in one go.
together()
{
	flock "$BUILD/print.lock" cat
}

quote()
{
	sed 's/^/      | /'
}

# step NAME COMMAND...: one that has no verdicts of its own.
step()
{
	name=$1
	shift
	tell "$name"
	if output=$("$@" 2>&1); then
		echo "ok    $name"
	else
		printf 'FAIL  %s\n%s\n' "$name" "$(echo "$output" | quote)" |
			together
	fi
}

# verdicts NAME COMMAND...: one that prints its verdicts, and fails only if one
# of them is bad. They are kept in a file of that name.
verdicts()
{
	name=$1
	status=0
	out=$BUILD/verdicts/$1
	shift
	mkdir -p "$BUILD/verdicts"
	tell "$name"
	"$@" >"$out" 2>"$out.errors" || status=$?
	if ! grep -q '^\(ok\|FAIL\|skip\)  ' "$out"; then
		echo "FAIL  $name: no verdict" >>"$out"
	elif [ "$status" -ne 0 ] && ! grep -q '^FAIL  ' "$out"; then
		echo "FAIL  $name: ended with status $status" >>"$out"
	fi
	{
		echo "== $name"
		cat "$out"
		quote <"$out.errors"
	} | together
	rm -f "$out.errors"
}

# Where the library of a build of the programs is.
library_of()
{
	case $1 in
	amd64) echo "$TOP/userlib" ;;
	*) echo "$(build_of "$1")/userlib" ;;
	esac
}
