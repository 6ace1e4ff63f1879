#!/bin/sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in a guest that has QEMU: a machine of 64 MiB in it, whose disk is served by
# qemu-storage-daemon, first with memory of QEMU's own, then with dataspaces, of which
# the daemon gets 17 MiB, until that is revoked.

set -u
export PATH=$PATH:/usr/bin
cd /tmp || exit
secret=THE_GUEST_KEEPS_THIS_TO_ITSELF

# Waits for a command to succeed.
await()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || {
			echo "gave up waiting: $*"
			cat qemu.log server.log
			exit 1
		}
		sleep 1
	done
}

start_server()
{
	qemu-storage-daemon \
		--blockdev driver=file,node-name=disk,filename=/usr/share/disk.img \
		--export type=vhost-user-blk,id=disk,node-name=disk,writable=on,addr.type=unix,addr.path=disk.sock \
		>>server.log 2>&1 &
	server=$!
	await [ -S disk.sock ]
}

# start_machine [SED-SCRIPT]: types the example of dataspace-preload(1), as it is or
# changed
start_machine()
{
	rm -f serial
	sed -e 's/^[$] //' -e "${1:-}" /usr/share/example >example
	sh example >>qemu.log 2>&1 &
	await pidof qemu-system-x86_64 >/dev/null
	machine=$(pidof qemu-system-x86_64)
}

# The last number that the machine has written to its disk.
written()
{
	[ ! -e serial ] || echo $((0x0$(tail -n 2 serial | head -n 1 | tr -cd 0-9a-f)))
}

writes_beyond()
{
	[ "$(written)" -gt "$1" ] 2>/dev/null
}

# The mappings of a process that are memory of the machine: start, end, name.
mappings()
{
	sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) .* \(\/memfd:memory-backend\|\/dataspace:[0-9]*\).*/\1 \2 \3/p' \
		"/proc/$1/maps" 2>/dev/null
}

mapped()
{
	sum=0
	for mapping in $(mappings "$1" | tr ' ' ,); do
		end=${mapping#*,}
		sum=$((sum + 0x${end%,*} - 0x${mapping%%,*}))
	done
	echo $((sum >> 20)) MiB
}

# Whether the text is in the memory of the machine that a process has mapped.
finds_secret()
{
	mappings "$1" | while read -r start end _; do
		dd if="/proc/$1/mem" bs=4096 skip=$((0x$start >> 12)) \
			count=$(((0x$end - 0x$start) >> 12)) 2>/dev/null
	done | tr -d '\0' | grep -q "$secret" && echo yes || echo no
}

row()
{
	printf '%-30s %8s %8s %15s %13s\n' "$1" "$(mapped "$machine")" \
		"$(mapped "$server")" "$(finds_secret "$server")" "$(written)"
}

# The descriptors of the machine's memory.
dataspaces()
{
	grep -l '^dataspace-name:.*memory-backend-memfd' "/proc/$1/fdinfo/"* |
		sed 's/.*\///'
}

touch qemu.log server.log
start_server
start_machine '/^export/d; s/dataspace run -p -- //'
await writes_beyond 10
printf '%-30s %8s %8s %15s %13s\n' "" QEMU server "server sees" "machine has"
printf '%-30s %8s %8s %15s %13s\n' "" maps maps "text at 1 MiB" "written"
row "memfd"
kill "$machine" "$server"
wait

export DATASPACE_PRELOAD_LOG=/tmp/preload.log
rm -f disk.sock
start_server
before=$(written)
start_machine
await writes_beyond "$before"
row "dataspaces, two aliases sent"
sed 's/^/    /' preload.log
sed -n 's/  */ /g; s/^.*\/dataspace:/    server: &/p' "/proc/$server/maps"

for fd in $(dataspaces "$machine"); do
	dataspace revoke "$machine/$fd"
done
wait "$server"
status=$?
before=$(written)
row "revoked"
echo "    the server has ended with signal $((status - 128)), QEMU lives"
kill -0 "$machine" || exit

rm -f disk.sock
start_server
await writes_beyond $((before + 10))
row "a fresh server, fresh aliases"
! grep -q E serial || { echo "a transfer has failed"; exit 1; }
kill "$machine" "$server"
wait
