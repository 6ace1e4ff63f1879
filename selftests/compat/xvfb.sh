#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: xvfb python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >client.py <<'END'
import mmap, os, socket, struct, sys

SIDE = 64
BYTES = 4 * SIDE * SIDE
BAD_ACCESS = 10

server = socket.socket(socket.AF_UNIX)
server.connect("/tmp/.X11-unix/X7")

def receive(n):
    data = b""
    while len(data) < n:
        more = server.recv(n - len(data))
        if not more:
            sys.exit("the server has gone")
        data += more
    return data

def send(opcode, minor, body, fds=()):
    data = struct.pack("<BBH", opcode, minor, 1 + len(body) // 4) + body
    socket.send_fds(server, [data], fds) if fds else server.sendall(data)

# The next reply, or the number of an error.
def answer():
    head = receive(32)
    if head[0] == 0:
        return head[1]
    return head + receive(4 * struct.unpack_from("<I", head, 4)[0])

# Whether the server lives; an error of the request before comes first.
def error():
    send(43, 0, b"")
    head = answer()
    if isinstance(head, int):
        answer()
        return head
    return 0

server.sendall(struct.pack("<BxHHHHxx", ord("l"), 11, 0, 0, 0))
head = receive(8)
setup = receive(4 * struct.unpack_from("<H", head, 6)[0])
base, = struct.unpack_from("<I", setup, 4)
vendor, = struct.unpack_from("<H", setup, 16)
screen = 32 + (vendor + 3) // 4 * 4 + 8 * setup[21]
root, = struct.unpack_from("<I", setup, screen)
depth = setup[screen + 38]
send(98, 0, struct.pack("<Hxx7sx", 7, b"MIT-SHM"))
shm = answer()[9]
gc = base + 1
send(55, 0, struct.pack("<III", gc, root, 0))

def make(name):
    fd = os.memfd_create(name)
    os.ftruncate(fd, 2 * BYTES)
    return fd, mmap.mmap(fd, 2 * BYTES)

def attach(segment, fd, read_only):
    send(shm, 6, struct.pack("<IBxxx", segment, read_only), [fd])
    return error()

def put(segment):
    send(shm, 3, struct.pack("<IIHHHHHHhhBBBxII", root, gc, SIDE, SIDE, 0, 0, SIDE,
                             SIDE, 0, 0, depth, 2, 0, segment, 0))
    return error()

def get(segment):
    send(shm, 4, struct.pack("<IhhHHIBxxxII", root, 0, 0, SIDE, SIDE, 0xffffffff, 2,
                             segment, BYTES))
    head = answer()
    return head if isinstance(head, int) else 0

def shown():
    send(73, 2, struct.pack("<IhhHHI", root, 0, 0, SIDE, SIDE, 0xffffffff))
    return answer()[32:32 + BYTES]

def colours(data):
    return [data[i:i + 3] for i in range(0, BYTES, 4)]

def expect(what, value, wanted):
    if value != wanted:
        sys.exit(f"{what}: {value}")

def fill(memory):
    memory[:BYTES] = os.urandom(BYTES)

both, memory = make("both")
fill(memory)
expect("attach", attach(base + 2, both, 0), 0)
expect("put", put(base + 2), 0)
expect("what is shown", colours(shown()), colours(memory[:BYTES]))
expect("get", get(base + 2), 0)
expect("what was got", colours(memory[BYTES:]), colours(memory[:BYTES]))

read, memory = make("read")
fill(memory)
expect("attach, to write", attach(base + 3, read, 0), BAD_ACCESS)
expect("attach, to read", attach(base + 4, read, 1), 0)
expect("put from what can be read", put(base + 4), 0)
expect("what is shown then", colours(shown()), colours(memory[:BYTES]))
expect("get into what can be read", get(base + 4), BAD_ACCESS)
expect("whether it was written", memory[BYTES:], bytes(BYTES))

for fd in both, read:
    expect("revoke", os.system(f"dataspace revoke {os.getpid()}/{fd}"), 0)
put(base + 2)
put(base + 4)
expect("the server afterwards", error(), 0)
END
Xvfb :7 -screen 0 64x64x24 -nolisten tcp >xvfb.log 2>&1 &
await listens /tmp/.X11-unix/X7
DATASPACE_PRELOAD_SEND='both=rw;read=ro' dataspace run --preload -- \
	python3 client.py >client.log 2>&1 || wrong "the client has failed"
[ "$(grep -c 'read: sent .* read-only' preload.log)" -eq 2 ] || wrong "no alias was sent"
works "MIT-SHM: of a read-only alias it puts images and gets none; it lives on when they are revoked"
