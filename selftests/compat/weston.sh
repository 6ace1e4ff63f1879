#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: weston
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

# start_client NAME RIGHTS: a client that the compositor gets the memory of with RIGHTS
start_client()
{
	DATASPACE_PRELOAD_SEND="*=$2" WAYLAND_DEBUG=client dataspace run --preload -- \
		weston-simple-shm >"$1.log" 2>&1 &
	client=$!
}

# Whether the compositor has let go of the client's buffers again and again.
is_shown()
{
	[ "$(grep -c 'wl_buffer@[0-9]*\.release' "$1.log")" -gt 5 ]
}

export XDG_RUNTIME_DIR="$PWD" WAYLAND_DISPLAY=wayland-test
weston --backend=headless-backend.so --use-pixman --no-config --idle-time=0 \
	--socket=wayland-test --shell=desktop-shell.so >weston.log 2>&1 &
weston=$!
await listens wayland-test
start_client both rw
both=$client
await is_shown both
maps_dataspace "$both" || wrong "the client maps no dataspace"
maps_dataspace "$weston" || wrong "the compositor maps no dataspace"
start_client read ro
wait "$client"
grep -q 'failed mmap' read.log || wrong "another error of what can be read"
start_client again rw
await is_shown again
kill "$both" || wrong "the first client has ended"
works "shows what a client has with rights to write; maps all to write, so that with a read-only alias a client is disconnected, and no other"
