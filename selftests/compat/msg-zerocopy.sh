#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >program.py <<'END'
import mmap, os, socket, struct

SO_ZEROCOPY, MSG_ZEROCOPY = 60, 0x4000000
SO_EE_ORIGIN_ZEROCOPY = 5
LENGTH = 1 << 20
data = os.urandom(LENGTH)

def connect():
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        return ours, server.accept()[0]

# Sends all of a mapping, and waits to be told that the kernel is done with its pages.
def send(map):
    ours, theirs = connect()
    ours.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    received, sent, calls = b"", 0, 0
    while sent < LENGTH:
        sent += ours.send(memoryview(map)[sent:sent + 65536], MSG_ZEROCOPY)
        calls += 1
        while len(received) < sent:
            received += theirs.recv(sent - len(received))
    told = 0
    while told < calls:
        try:
            _, control, _, _ = ours.recvmsg(0, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            continue
        _, origin, _, _, _, first, last = struct.unpack("IBBBBII", control[0][2][:16])
        assert origin == SO_EE_ORIGIN_ZEROCOPY, origin
        told += last - first + 1
    return received

fd = os.memfd_create("packets")
os.ftruncate(fd, LENGTH)
map = mmap.mmap(fd, LENGTH)
map[:] = data
assert send(map) == data
ours, theirs = socket.socketpair()
socket.send_fds(ours, [b"x"], [fd])
alias = socket.recv_fds(theirs, 1, 1)[1][0]
assert send(mmap.mmap(alias, LENGTH, prot=mmap.PROT_READ)) == data
END
DATASPACE_PRELOAD_SEND=packets=ro dataspace run --preload -- \
	python3 program.py >python.log 2>&1 || wrong "the program has failed"
grep -q 'sent 1048576 bytes, read-only' preload.log || wrong "no alias was sent"
works "MSG_ZEROCOPY sends from it by TCP, and from a read-only alias"
