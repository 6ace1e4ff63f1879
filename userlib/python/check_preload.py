# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Tests of dataspace-preload.so: needs /dev/dataspace.

Each test runs a program that knows nothing of dataspaces with the library, and
looks at what comes out of it through a socket, which is the program's
descriptor 3.
"""

import errno
import mmap
import os
import socket
import struct
import sys

PAGE = os.sysconf("SC_PAGESIZE")
LIBRARY = os.environ["PRELOAD"]
PYTHON = os.environ["CHILD"].split() + ["-S", "-c"]

# What all programs begin with: memory of two pages, with something in the second.
MEMORY = """
import errno, fcntl, mmap, os, socket
peer = socket.socket(fileno=3)
fd = os.memfd_create("video", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
os.ftruncate(fd, 8192)
memory = mmap.mmap(fd, 8192)
memory[4096:4101] = b"hello"

def fails(code, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return error.errno == code
    return False

def send(data=b"x", fds=None):
    socket.send_fds(peer, [data], fds or [fd])
"""


class Program:
    """A program with the library, and a policy."""

    def __init__(self, script, begin=MEMORY, **policy):
        self.peer, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if not self.pid:
            os.dup2(other.fileno(), 3)
            os.environ["LD_PRELOAD"] = LIBRARY
            for name, value in policy.items():
                os.environ["DATASPACE_PRELOAD_" + name.upper()] = value
            arguments = PYTHON + [begin + script]
            os.execv(arguments[0], arguments)
        other.close()

    def receive(self):
        """The data and descriptors of one message; none at the end."""
        data, fds, _, _ = socket.recv_fds(self.peer, 4096, 8)
        return data, fds

    def status(self):
        self.peer.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def status_of(script, **arguments):
    return Program(script, **arguments).status()


def fdinfo(fd):
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as file:
        lines = (line.rstrip("\n").split(":\t", 1) for line in file)
        return {line[0]: line[-1] for line in lines}


def received(script="send()", **policy):
    """What the program has sent, with the program still there."""
    program = Program(script + "\npeer.recv(1)", **policy)
    return program, program.receive()[1][0]


def refused(fd, length=PAGE):
    try:
        mmap.mmap(fd, length)
    except OSError as error:
        return error.errno == errno.EACCES
    return False


def test_number_and_flags_are_kept():
    script = """
assert not os.get_inheritable(fd) and os.fstat(fd).st_size == 8192
assert os.readlink(f"/proc/self/fd/{fd}").startswith("/dataspace:")
other = os.memfd_create("other", 0)
os.ftruncate(other, 1)
assert os.get_inheritable(other)
assert os.readlink(f"/proc/self/fd/{other}").startswith("/dataspace:")
"""
    return status_of(script) == 0


def test_contents_are_shared():
    script = """
send()
peer.recv(1)
assert memory[0] == 42
"""
    program = Program(script)
    fd = program.receive()[1][0]
    view = mmap.mmap(fd, 2 * PAGE)
    same = view[PAGE : PAGE + 5] == b"hello"
    view[0] = 42
    program.peer.send(b"x")
    return same and fdinfo(fd)["dataspace-name"] == "video" and program.status() == 0


def test_sends_read_only_alias():
    program, fd = received(send="video=ro")
    view = mmap.mmap(fd, 2 * PAGE, prot=mmap.PROT_READ)
    return (
        view[PAGE : PAGE + 5] == b"hello"
        and refused(fd)
        and fdinfo(fd)["dataspace-rights"] == "read map derive export"
        and program.status() == 0
    )


def test_sends_a_part():
    program, fd = received(send="audio=ro;vid*=read,write,map@4K+4K")
    view = mmap.mmap(fd, PAGE)
    return (
        os.fstat(fd).st_size == PAGE
        and view[:5] == b"hello"
        and fdinfo(fd)["dataspace-rights"] == "read write map"
        and program.status() == 0
    )


def test_rule_for_a_length():
    program, fd = received(send="video:4K=ro;video:8K=rw@4K")
    return os.fstat(fd).st_size == PAGE and program.status() == 0


def test_sends_others_as_they_are():
    program, fd = received(send="audio=ro@0+4K")
    return os.fstat(fd).st_size == 2 * PAGE and not refused(fd) and not program.status()


def test_sends_nothing_that_cannot_be_cut():
    script = """
assert fails(errno.EINVAL, send)
"""
    program = Program(script, send="video=ro@64K+4K")
    return program.receive() == (b"", []) and program.status() == 0


def test_closes_what_it_made():
    script = """
before = os.listdir("/proc/self/fd")
send()
assert os.listdir("/proc/self/fd") == before
"""
    program = Program(script, send="video=ro")
    return len(program.receive()[1]) == 1 and program.status() == 0


def test_truthful_seals():
    script = """
sizes = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == sizes
assert fcntl.fcntl(fd, fcntl.F_ADD_SEALS, sizes) == 0
assert fails(errno.EINVAL, fcntl.fcntl, fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL)
assert fcntl.fcntl(fd, fcntl.F_ADD_SEALS, 0x10) == 0
assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == sizes | 0x10
assert fails(errno.EPERM, os.pwrite, fd, b"x", 0)
memory[0] = 42
"""
    return status_of(script) == 0


def test_sealing_ends_writing():
    script = """
fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
memory[0] = 42
"""
    return status_of(script) == -7


def test_lenient_seals():
    script = """
sizes = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW
assert fcntl.fcntl(fd, fcntl.F_ADD_SEALS, sizes | fcntl.F_SEAL_SEAL) == 0
assert fcntl.fcntl(fd, fcntl.F_GET_SEALS) == sizes | fcntl.F_SEAL_SEAL
"""
    return status_of(script, seals="lenient") == 0


def test_takes_the_files_of_its_policy_only():
    program, fd = received(files="/memfd:audio;/memfd:pic*")
    return "dataspace-id" not in fdinfo(fd) and program.status() == 0


def test_takes_files_that_were_removed():
    script = """
def link(path, remove):
    fd = os.open(path, os.O_RDWR | os.O_CREAT)
    if remove:
        os.unlink(path)
    os.ftruncate(fd, 4096)
    return os.readlink(f"/proc/self/fd/{fd}")

assert link("/dev/shm/removed", True).startswith("/dataspace:")
assert link("/dev/shm/named", False) == "/dev/shm/named"
"""
    return status_of(script, files="/dev/shm/*") == 0


def test_fallocate_gives_the_first_size():
    script = """
other = os.memfd_create("other", 0)
os.posix_fallocate(other, 4096, 4096)
assert os.readlink(f"/proc/self/fd/{other}").startswith("/dataspace:")
assert os.fstat(other).st_size == 8192
"""
    return status_of(script) == 0


def test_lazy_memory():
    script = """
assert os.fstat(fd).st_blocks == 8192 // 512
other = os.memfd_create("other", 0)
os.ftruncate(other, 1 << 20)
assert os.fstat(other).st_blocks == 0
assert len(os.pread(other, 1 << 20, 0)) == 1 << 20
"""
    return status_of(script, lazy="/memfd:other") == 0


def test_size_stays():
    script = """
other = os.memfd_create("other", 0)
os.ftruncate(other, 1000)
os.ftruncate(other, 1000)
assert fails(errno.EINVAL, os.ftruncate, other, 8192)
assert os.fstat(other).st_size == 4096
"""
    return status_of(script) == 0


def test_no_memory_is_an_error():
    script = """
other = os.memfd_create("other", 0)
assert fails(errno.ENOMEM, os.ftruncate, other, 1 << 50)
assert os.readlink(f"/proc/self/fd/{other}").startswith("/memfd:")
"""
    return status_of(script) == 0


def test_malformed_policy_ends_the_program():
    policies = ({"send": "video"}, {"send": "video=red"}, {"seals": "some"})
    return all(status_of("", begin="", **policy) == 2 for policy in policies)


def test_log():
    try:
        os.unlink("log")
    except FileNotFoundError:
        pass
    program, _ = received(send="video=ro@4K", log="log")
    status = program.status()
    with open("log", encoding="ascii") as file:
        lines = [line.split(" ", 2)[2] for line in file]
    return status == 0 and lines == [
        "/memfd:video: a dataspace of 8192 bytes\n",
        "video: sent 4096 bytes, read-only\n",
    ]


def message(request, regions):
    """Of vhost-user, with "fd" for how many there are where that is told."""
    count = len(regions) if request == 5 else 0
    body = struct.pack("<II", count, 0)
    body += b"".join(struct.pack("<4Q", *region) for region in regions)
    return struct.pack("<III", request, 1, len(body)) + body


def test_cuts_a_region_of_vhost_user():
    sent = message(37, [(0x10000, 2 * PAGE, 0x70000, 0)])
    program = Program(
        f"send({sent!r})\npeer.recv(1)", send="video=rw@4K", protocol="vhost-user"
    )
    data, fds = program.receive()
    view = mmap.mmap(fds[0], PAGE)
    cut = message(37, [(0x10000 + PAGE, PAGE, 0x70000 + PAGE, 0)])
    return (
        data == cut
        and os.fstat(fds[0]).st_size == PAGE
        and view[:5] == b"hello"
        and program.status() == 0
    )


def test_cuts_a_table_of_vhost_user():
    regions = [(0, PAGE, 0x70000, 0), (0x20000, PAGE, 0x90000, PAGE)]
    script = f"send({message(5, regions)!r}, [fd, fd])\npeer.recv(1)"
    program = Program(script, send="video=rw@4K", protocol="vhost-user")
    data, fds = program.receive()
    blank, rest = (mmap.mmap(fd, PAGE) for fd in fds)
    regions[1] = regions[1][:3] + (0,)
    return (
        data == message(5, regions)
        and blank[:5] == bytes(5)
        and rest[:5] == b"hello"
        and program.status() == 0
    )


def test_leaves_other_messages_alone():
    sent = message(6, [(0, PAGE, 0x70000, PAGE)])
    program = Program(
        f"send({sent!r})\npeer.recv(1)", send="video=rw@4K", protocol="vhost-user"
    )
    data, fds = program.receive()
    return data == sent and os.fstat(fds[0]).st_size == PAGE and not program.status()


def printed_by_shell(commands):
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.execv("/bin/sh", ["sh", "-c", commands])
    os.close(writer)
    with os.fdopen(reader, encoding="ascii") as file:
        text = file.read()
    os.waitpid(pid, 0)
    return text


def test_example_of_the_manual():
    with open("example", encoding="ascii") as file:
        lines = file.readlines()
    typed = [line[2:] for line in lines if line[:2] in ("$ ", "> ")]
    shown = [line for line in lines if line[:2] not in ("$ ", "> ")]
    return len(shown) == 2 and printed_by_shell("".join(typed)) == "".join(shown)


def main():
    tests = [
        (name, function)
        for name, function in globals().items()
        if name.startswith("test_")
    ]
    failed = 0
    print(f"TAP version 13\n1..{len(tests)}")
    for number, (name, function) in enumerate(tests, 1):
        try:
            good = function()
        except Exception as error:  # pylint: disable=broad-except
            print(f"# {name}: {error!r}")
            good = False
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} {name[5:]}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
