#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: linux-perf
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

length=3145728

# What dataspace(4) shows, of one program.
traced()
{
	perf "$@" -- dataspace run --preload -- /compat/bin/holder wanted >perf.log 2>&1 ||
		wrong "perf $1 has failed"
}

# told FIELD...: whether it tells of one event with all of these
told()
{
	perf script >events.log 2>&1 || wrong "perf script has failed"
	lines=$(grep dataspace_alloc: events.log)
	for field; do
		lines=$(echo "$lines" | grep "$field")
	done
	[ "$(echo "$lines" | grep -c .)" -eq 1 ]
}

mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
echo 0 >/proc/sys/kernel/perf_event_paranoid
traced record -a -e 'dataspace:*'
told holder "length=$length" || wrong "perf tells of no ALLOC"
grep -q dataspace_release: events.log || wrong "perf tells of no release"
traced record -a -e dataspace:dataspace_alloc --filter "length >= 1048576"
told holder "length=$length" || wrong "perf tells of no ALLOC with a filter"
traced record -a -e dataspace:dataspace_alloc --filter "length > $length"
told && wrong "the filter lets through what it must not"
traced stat -x , -a -e 'dataspace:*'
grep -q '^1,.*dataspace_alloc' perf.log || wrong "perf counts no ALLOC"

traced record -d -e page-faults
perf script -F comm,event --show-mmap-events >events.log 2>&1
grep -q 'MMAP.*/dataspace:[0-9]* (deleted)' events.log ||
	wrong "perf does not know the mapping"
perf script -F comm,addr >addresses.log 2>&1
grep -q 'holder' addresses.log || wrong "perf has sampled no fault of the program"
works "tells what a program maps and where its faults are, and of ALLOC and release by tracepoints"
