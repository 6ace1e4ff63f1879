#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: valgrind
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

run()
{
	dataspace run --preload -- valgrind -q --error-exitcode=9 \
		--sim-hints=lax-ioctls /compat/bin/overflow "$1" >out 2>valgrind.log
}

run 4096 || wrong "an error in a program that has none"
[ ! -s valgrind.log ] || wrong "it has said something"
grep -qx dddd out || wrong "other bytes"
made numbers || wrong "there was no dataspace"
run 4100
[ $? -eq 9 ] || wrong "the overflow was not found"
grep -q 'Invalid write' valgrind.log || wrong "the overflow was not told"
works "with --sim-hints=lax-ioctls: finds an overflow, and tells nothing of a program that has none"
