#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: qemu-system-x86
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

# start SEALS SEAL: a machine that runs the sector of a disk, which writes numbers to
# its serial port
start()
{
	DATASPACE_PRELOAD_SEALS=$1 dataspace run --preload -- \
		qemu-system-x86_64 -nodefaults -display none \
		-accel tcg -M pc,memory-backend=ram -m 32M \
		-object "memory-backend-memfd,id=ram,size=32M,prealloc=on,seal=$2" \
		-drive file=/compat/disk.img,format=raw,if=ide,snapshot=on \
		-serial file:serial >qemu.log 2>&1 &
	machine=$!
}

# Whether the memory of a machine that runs is a dataspace: whether that has the code
# of the sector, which a PC has at 0x7c00.
runs()
{
	await grep -q 00000010 serial
	fd=$(has_dataspace "$machine" memory-backend) || wrong "the machine has no dataspace"
	maps_dataspace "$machine" || wrong "the machine maps no dataspace"
	dataspace alias -o 28K -l 4K "$machine/$fd" -- \
		sh -c 'tail -c 1024 <&3 | head -c 108' >got
	cmp wanted got || wrong "its memory is not in the dataspace"
	kill "$machine"
	wait
	rm serial
}

head -c 108 /compat/disk.img >wanted
start truthful on
! wait "$machine" || wrong "seals that are not there were said to be there"
start truthful off
runs
start lenient on
runs
works "memory-backend-memfd with prealloc=on and seal=off, or with DATASPACE_PRELOAD_SEALS=lenient"
