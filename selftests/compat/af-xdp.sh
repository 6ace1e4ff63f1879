#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >program.py <<'END'
import ctypes, errno, mmap, os, socket, struct

AF_XDP, SOL_XDP, XDP_UMEM_REG = 44, 283, 4
LENGTH = 1 << 20
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]

# Registers a mapping for packets; 0 or an error.
def register(fd, prot):
    address = libc.mmap(None, LENGTH, prot, mmap.MAP_SHARED, fd, 0)
    umem = socket.socket(AF_XDP, socket.SOCK_RAW)
    try:
        umem.setsockopt(SOL_XDP, XDP_UMEM_REG,
                        struct.pack("QQIIIxxxx", address, LENGTH, 4096, 0, 0))
        return 0
    except OSError as error:
        return error.errno

fd = os.memfd_create("packets")
os.ftruncate(fd, LENGTH)
assert register(fd, mmap.PROT_READ | mmap.PROT_WRITE) == 0
ours, theirs = socket.socketpair()
socket.send_fds(ours, [b"x"], [fd])
alias = socket.recv_fds(theirs, 1, 1)[1][0]
refused = register(alias, mmap.PROT_READ)
assert refused == errno.EFAULT, refused
END
DATASPACE_PRELOAD_SEND=packets=ro dataspace run --preload -- \
	python3 program.py >python.log 2>&1 || wrong "the program has failed"
grep -q 'sent 1048576 bytes, read-only' preload.log || wrong "no alias was sent"
works "AF_XDP takes it as memory for packets, and refuses a read-only alias (EFAULT)"
