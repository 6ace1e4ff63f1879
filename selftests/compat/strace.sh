#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: strace
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

dataspace run --preload -- strace -f -o trace.log /compat/bin/holder wanted >out ||
	wrong "the program has failed"
made numbers || wrong "there was no dataspace"
grep -q 'memfd_create("numbers"' trace.log || wrong "the call is not in the trace"
grep -q 'openat(.*"/dev/dataspace"' trace.log || wrong "nor is that of the library"
grep -q 'exited with 0' trace.log || wrong "the end is not in the trace"
[ "$(stat -c %s wanted)" -gt 0 ] || wrong "the program has saved nothing"
works "traces a program that has a dataspace"
