#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds everything without a warning, with each compiler that is there, for
# this machine and, where the compiler can link for it, for 32-bit programs.
# Usage: MAKE=... check-build.sh COMPILER...

set -eu

cd "$(dirname "$0")"
: "${MAKE:=make}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo 'int main(void) { return 0; }' >"$work/empty.c"

can_build()
{
	"$@" -static -o "$work/empty" "$work/empty.c" 2>/dev/null
}

build()
{
	echo "build: $*"
	"$MAKE" -s O="$work/out" CC="$*" CFLAGS="-O2 -Werror" all examples
	rm -r "$work/out"
}

# Debian's compilers look for asm/ elsewhere if they are to make these.
m32="-m32 -idirafter /usr/include/x86_64-linux-gnu"

built=
for compiler; do
	for machine in "" "$m32"; do
		# shellcheck disable=SC2086
		can_build "$compiler" $machine || continue
		# shellcheck disable=SC2086
		build "$compiler" $machine
		built=yes
	done
done
[ -n "$built" ] || {
	echo "none of the compilers is there: $*" >&2
	exit 1
}
