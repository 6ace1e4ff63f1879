#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: qemu-system-common qemu-system-x86
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

# The number in the second sector of the disk.
written()
{
	od -A n -t u4 -j 512 -N 4 disk.img | tr -d ' '
}

writes()
{
	[ "$(written)" -gt 10 ]
}

cp /compat/disk.img .
qemu-storage-daemon \
	--blockdev driver=file,node-name=disk,filename=disk.img \
	--export type=vhost-user-blk,id=disk,node-name=disk,writable=on,addr.type=unix,addr.path=disk.sock \
	>server.log 2>&1 &
server=$!
await listens disk.sock
DATASPACE_PRELOAD_SEND="*=rw" dataspace run --preload -- \
	qemu-system-x86_64 -nodefaults -display none -accel tcg -M pc,memory-backend=ram -m 32M \
	-object memory-backend-memfd,id=ram,size=32M,seal=off \
	-chardev socket,id=disk,path=disk.sock,reconnect=1 \
	-device vhost-user-blk-pci,chardev=disk \
	-serial file:serial >qemu.log 2>&1 &
machine=$!
await writes
maps_dataspace "$server" || wrong "the server maps no dataspace"
fd=$(has_dataspace "$machine" memory-backend) || wrong "the machine has no dataspace"
dataspace revoke "$machine/$fd"
wait "$server"
# 128 and SIGBUS
[ $? -eq 135 ] || wrong "the server was not cut off"
kill -0 "$machine" || wrong "the machine has ended"
grep -q "$(printf %08x $(($(written) - 1)))" serial ||
	wrong "the machine has not written the number before that on the disk"
works "serves a machine whose memory is a dataspace by vhost-user-blk; ends by SIGBUS when that is revoked"
