#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: python3-numpy
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >program.py <<'END'
import os, socket
import numpy

def receive(sock):
    _, fds, _, _ = socket.recv_fds(sock, 1, 1)
    array = numpy.memmap(os.fdopen(fds[0], "rb", closefd=False), numpy.int64, "r")
    assert array.sum() == 131071 * 65536, array.sum()
    try:
        os.pwrite(fds[0], b"x", 0)
    except OSError as error:
        os._exit(error.errno)

fd = os.memfd_create("numbers")
os.ftruncate(fd, 1 << 20)
array = numpy.memmap(os.fdopen(fd, "rb+", closefd=False), numpy.int64, "r+")
array[:] = numpy.arange(131072)
ours, theirs = socket.socketpair()
reader = os.fork()
if reader == 0:
    receive(theirs)
    os._exit(0)
socket.send_fds(ours, [b"x"], [fd])
_, status = os.waitpid(reader, 0)
assert os.waitstatus_to_exitcode(status) == 9, status
END
DATASPACE_PRELOAD_SEND=numbers=ro dataspace run --preload -- \
	python3 program.py >python.log 2>&1 || wrong "the program has failed"
made numbers || wrong "there was no dataspace"
grep -q 'sent 1048576 bytes, read-only' preload.log || wrong "no alias was sent"
works "arrays in memory; who is sent one can read it and not write"
