#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: libasan8
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

run()
{
	ASAN_OPTIONS=verify_asan_link_order=0 dataspace run --preload -- \
		/compat/bin/overflow-asan "$1" >out 2>asan.log
}

! dataspace run --preload -- /compat/bin/overflow-asan 4096 2>order.log ||
	wrong "it need not be told of the order of libraries"
grep -q 'runtime does not come first' order.log || wrong "another error"
run 4096 || wrong "an error in a program that has none"
grep -qx dddd out || wrong "other bytes"
made numbers || wrong "there was no dataspace"
! run 4100 || wrong "the overflow was not found"
grep -q heap-buffer-overflow asan.log || wrong "the overflow was not told"
works "with ASAN_OPTIONS=verify_asan_link_order=0"
