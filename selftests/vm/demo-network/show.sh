#!/bin/sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in a guest: who is in another network namespace reads a read-only alias, can
# read nothing else and write nothing, and reads nothing any more when it is revoked.

set -u
export PATH=$PATH:/usr/bin
cd /tmp || exit

fail()
{
	echo "failed: $*"
	cat shared.log refused 2>/dev/null
	exit 1
}

# Reads from the other namespace; standard error goes to the file "refused".
read_from_far()
{
	/usr/sbin/ip netns exec far read_by_network 10.0.0.1 7471 2>refused
}

# The second of four parts of the memory.
part()
{
	dd if="$1" bs=16384 skip=1 count=1 2>/dev/null
}

# What is in the memory now; the descriptor is 3.
save()
{
	dataspace alias 3 -- sh -c 'cat <&3' >"$1"
}

if [ "${1:-}" = inside ]; then
	cat all >&3
	dataspace alias -o 16K -l 16K 3 -- share_by_network 10.0.0.1 7471 \
		>shared.log 2>&1 &
	sharer=$!
	tries=0
	until read_from_far >copy; do
		tries=$((tries + 1))
		[ "$tries" -lt 20 ] || fail "nothing was read"
		sleep 1
	done
	part all | cmp -s - copy || fail "what was read is not what is shared"
	echo "the other side has read the 16 KiB of the alias, byte for byte"
	sed 's/^/    /' refused
	[ "$(grep -c -v Success refused)" -eq 2 ] || fail "something was not refused"
	save now
	cmp -s all now || fail "the other side has changed something"
	echo "no byte of the 64 KiB has changed"
	dataspace revoke 3
	! read_from_far >copy || fail "it was read after it was revoked"
	echo "after REVOKE it reads nothing:"
	sed 's/^/    /' refused
	kill "$sharer" 2>/dev/null
	exit 0
fi

mkdir -p /run /var/run
/usr/sbin/ip netns add far || fail "no network namespaces"
/usr/sbin/ip link add near type veth peer name eth0 netns far || fail "no veth"
/usr/sbin/ip addr add 10.0.0.1/24 dev near
/usr/sbin/ip link set near up
/usr/sbin/ip -n far addr add 10.0.0.2/24 dev eth0
/usr/sbin/ip -n far link set eth0 up
head -c 65536 /dev/urandom >all
dataspace alloc -s 64K -- sh "$0" inside
