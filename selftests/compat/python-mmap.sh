#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: python3-minimal
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >program.py <<'END'
import mmap, os, signal

fd = os.memfd_create("numbers")
os.ftruncate(fd, 1 << 20)
memory = mmap.mmap(fd, 1 << 20)
memory[4096:4101] = b"hello"
assert os.pread(fd, 5, 4096) == b"hello"
os.pwrite(fd, b"x", 1)
assert memory[0:2] == b"\0x"
if os.fork() == 0:
    memory[0:5] = b"child"
    os._exit(0)
os.wait()
assert memory[:5] == b"child", memory[:5]
print("ready", flush=True)
signal.pause()
END
dataspace run --preload -- python3 program.py >out 2>python.log &
program=$!
await [ -s out -o ! -e /proc/$program ]
fd=$(has_dataspace "$program" numbers) || wrong "the program has no dataspace"
maps_dataspace "$program" || wrong "the program maps no dataspace"
dataspace hexdump -n 5 "$program/$fd" | grep -q '63 68 69 6c 64' ||
	wrong "the bytes are not in the dataspace"
works "memory of os.memfd_create, mapped by mmap, shared with a child"
