# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Tests of dataspace.py: needs /dev/dataspace and numpy."""

import errno
import os
import select
import socket
import sys

import numpy

import dataspace

PAGE = os.sysconf("SC_PAGESIZE")


def fails(code, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return error.errno == code
    return False


def says(reason, function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return reason in error.strerror
    return False


def test_view_without_copy():
    root = dataspace.alloc(4 * PAGE)
    view = memoryview(root.map(writable=True))
    part = memoryview(root.alias(PAGE, PAGE).map())
    view[PAGE] = 42
    return part[0] == 42 and len(part) == PAGE and part.readonly


def test_numpy_view_without_copy():
    root = dataspace.alloc(4 * PAGE)
    all_of_it = numpy.frombuffer(root.map(writable=True), dtype=numpy.uint32)
    part = numpy.frombuffer(root.alias(PAGE, PAGE).map(), dtype=numpy.uint32)
    all_of_it[:] = numpy.arange(len(all_of_it))
    first = PAGE // 4
    before = int(part.sum())
    all_of_it[first] += 1
    return (
        not part.flags.owndata
        and not part.flags.writeable
        and part[0] == first + 1
        and int(part.sum()) == before + 1
    )


def test_numpy_cannot_write_without_the_right():
    root = dataspace.alloc(PAGE)
    part = numpy.frombuffer(root.alias(0, PAGE).map(), dtype=numpy.uint8)
    try:
        part.flags.writeable = True
    except ValueError:
        return True
    return False


def test_revoked_read_is_stale():
    root = dataspace.alloc(PAGE)
    part = root.alias(0, PAGE)
    before = os.pread(part.fileno(), 1, 0)
    root.revoke()
    return before == b"\0" and fails(errno.ESTALE, os.pread, part.fileno(), 1, 0)


def test_closes():
    with dataspace.alloc(PAGE) as root:
        fd = root.fileno()
    return fails(errno.EBADF, os.fstat, fd)


def test_info():
    root = dataspace.alloc(3 * PAGE, dataspace.READ | dataspace.MAP)
    info = root.info()
    return (
        len(root) == 3 * PAGE
        and info.rights == dataspace.READ | dataspace.MAP
        and info.granule == PAGE
        and info.resident == 3 * PAGE
    )


def test_rights():
    root = dataspace.alloc(PAGE, dataspace.RO)
    clipped = root.alias(0, PAGE, dataspace.RW, dataspace.ALIAS_CLIP)
    return (
        fails(errno.EPERM, root.alias, 0, PAGE, dataspace.RW)
        and clipped.info().rights == dataspace.RO
        and fails(errno.EACCES, lambda: root.map(writable=True))
    )


def test_send_and_receive():
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    root = dataspace.alloc(PAGE)
    root.send(ends[0])
    return dataspace.recv(ends[1]).info().id == root.info().id


def test_revoke_and_poll():
    root = dataspace.alloc(PAGE)
    alias = root.alias(0, PAGE)
    poll = select.poll()
    poll.register(root, select.POLLIN)
    before = poll.poll(0)
    root.revoke()
    return not before and poll.poll(0) and fails(errno.ESTALE, alias.alias, 0, PAGE)


def test_seal():
    root = dataspace.alloc(PAGE)
    part = root.alias(0, PAGE)
    root.seal(dataspace.SEAL_NOW)
    return root.info().state & dataspace.STATE_SEALED and fails(
        errno.EPERM, os.pwrite, root.fileno(), b"x", 0
    ) and says("the dataspace lacks the right to write", part.seal)


def test_name():
    root = dataspace.alloc(PAGE)
    root.set_name("from Python")
    with open(f"/proc/self/fdinfo/{root.fileno()}", encoding="ascii") as file:
        return "dataspace-name:\tfrom Python\n" in file.read()


def test_says_which_name_is_none():
    root = dataspace.alloc(PAGE)
    return says("at most 31 bytes", root.set_name, "x" * 32) and says(
        "no control characters", root.set_name, "\n"
    )


def test_says_why_it_has_not_allocated():
    return (
        fails(errno.EINVAL, dataspace.alloc, 0)
        and says("the length is 0", dataspace.alloc, 0)
        and says("the right to read is missing", dataspace.alloc, PAGE, dataspace.MAP)
        and says("no such run of memory", dataspace.alloc, 1 << 60)
        and says(
            "not enough memory",
            dataspace.alloc,
            1 << 60,
            dataspace.RW,
            dataspace.ALLOC_SCATTERED,
        )
    )


def test_says_why_there_is_no_alias():
    root = dataspace.alloc(2 * PAGE)
    return (
        says("the length is 0", root.alias, 0, 0)
        and says("the offset is not a multiple", root.alias, 1, PAGE)
        and says("the length is not a multiple", root.alias, 0, 1)
        and says("does not lie in", root.alias, PAGE, 2 * PAGE)
        and says("does not lie in", root.alias, -PAGE, PAGE)
        and says("the right to read is missing", root.alias, 0, PAGE, dataspace.MAP)
    )


def test_says_which_right_an_alias_cannot_have():
    root = dataspace.alloc(PAGE)
    leaf = root.alias(0, PAGE, dataspace.READ)
    part = root.alias(0, PAGE)
    without = says("lacks the right to derive", leaf.alias, 0, PAGE, dataspace.READ)
    more = says("cannot have a right", part.alias, 0, PAGE, dataspace.RW)
    root.seal()
    return (
        without
        and more
        and says("is sealed", root.alias, 0, PAGE, dataspace.RW)
        and not says("", root.alias, 0, PAGE)
    )


def test_says_that_it_was_revoked():
    root = dataspace.alloc(PAGE)
    part = root.alias(0, PAGE)
    root.revoke()
    return says("the dataspace was revoked", part.alias, 0, PAGE)


def main():
    tests = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    failed = 0
    print(f"TAP version 13\n1..{len(tests)}")
    for number, (name, function) in enumerate(tests, 1):
        good = bool(function())
        failed += not good
        print(f"{'' if good else 'not '}ok {number} {name}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
