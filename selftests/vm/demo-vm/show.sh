#!/bin/sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in a guest that has QEMU: a machine of 64 MiB in it, whose disk is served by
# qemu-storage-daemon, first with memory of QEMU's own, then with dataspaces, of which
# the daemon gets 17 MiB, until that is revoked. Ends with 1 if something of what the
# screen is to show is not so.

set -u
export PATH=$PATH:/usr/bin
cd /tmp || exit
secret=THE_GUEST_KEEPS_THIS_TO_ITSELF

fail()
{
	echo "failed: $*"
	cat qemu.log server.log
	exit 1
}

# expect WHAT VALUE WANTED
expect()
{
	[ "$2" = "$3" ] || fail "$1: $2 instead of $3"
}

# Waits for a command to succeed.
await()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 300 ] || fail "gave up waiting: $*"
		sleep 1
	done
}

# start_server [COMMAND...]: what the server is run with
start_server()
{
	"$@" qemu-storage-daemon \
		--blockdev driver=file,node-name=disk,filename=/usr/share/disk.img \
		--export type=vhost-user-blk,id=disk,node-name=disk,writable=on,addr.type=unix,addr.path=disk.sock \
		>>server.log 2>&1 &
	server=$!
	await grep -q ' 00010000 .*disk.sock$' /proc/net/unix
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

mapped_bytes()
{
	sum=0
	for mapping in $(mappings "$1" | tr ' ' ,); do
		end=${mapping#*,}
		sum=$((sum + 0x${end%,*} - 0x${mapping%%,*}))
	done
	echo "$sum"
}

mapped()
{
	echo $(($(mapped_bytes "$1") >> 20)) MiB
}

# Whether the text is in the memory of the machine that a process has mapped.
finds_secret()
{
	mappings "$1" | while read -r start end _; do
		dd if="/proc/$1/mem" bs=4096 skip=$((0x$start >> 12)) \
			count=$(((0x$end - 0x$start) >> 12)) 2>/dev/null
	done | tr -d '\0' | grep -q "$secret" && echo yes || echo no
}

# What a server that has got aliases must have and not have.
expect_part()
{
	expect "bytes that the server maps" "$(mapped_bytes "$server")" $((17 << 20))
	expect "text in the server's memory" "$(finds_secret "$server")" no
	! grep REACHED server.log || fail "the server has reached something else"
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
expect "text in the server's memory" "$(finds_secret "$server")" yes
kill "$machine" "$server"
wait

export DATASPACE_PRELOAD_LOG=/tmp/preload.log
rm -f disk.sock
start_server env LD_PRELOAD=/usr/lib/hostile.so
before=$(written)
start_machine
await writes_beyond "$before"
row "dataspaces, two aliases sent"
expect_part
sed 's/^/    /' preload.log
sed -n 's/  */ /g; s/^.*\/dataspace:/    server: &/p' "/proc/$server/maps"
echo "what the server cannot do with them:"
sed -n 's/^hostile:/   /p' server.log | sort -u
expect "attempts" "$(grep -c '^hostile: ' server.log)" $((8 * $(grep -c ': sent ' preload.log)))

for fd in $(dataspaces "$machine"); do
	dataspace revoke "$machine/$fd"
done
wait "$server"
status=$?
before=$(written)
row "revoked"
expect "signal of the server" $((status - 128)) "$(kill -l BUS)"
kill -0 "$machine" || fail "QEMU has ended"
echo "    the server has ended with signal $((status - 128)), QEMU lives"

rm -f disk.sock
start_server
await writes_beyond $((before + 10))
row "a fresh server, fresh aliases"
expect_part
! grep -q E serial || fail "a transfer has failed"
kill "$machine" "$server"
wait
