# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""Dataspaces: memory that can be handed out in part, with rights.

    import dataspace
    root = dataspace.alloc(1 << 20)
    part = root.alias(4096, 8192, dataspace.READ | dataspace.MAP)
    part.send(sock)                     # a socket of the family AF_UNIX
    view = memoryview(part.map())       # no copy

numpy makes an array of it that is no copy, either, and that can be written only
with map(writable=True):

    array = numpy.frombuffer(part.map(), dtype=numpy.float32)

A touch of memory that was revoked ends the program with SIGBUS. A program that
has to survive that uses os.pread(part.fileno(), ...), which raises OSError.

A call that fails raises OSError with the error number. dataspace(7) tells what
dataspaces are, and the manual pages of the functions of the same names the rest.
"""

import ctypes
import mmap
import os

READ, WRITE, EXEC, MAP, DERIVE, EXPORT = (1 << n for n in range(6))
RO = READ | MAP | DERIVE | EXPORT
RW = RO | WRITE
ALLOC_SCATTERED = 1
ALIAS_CLIP = 1
REVOKE_SELF = 1
SEAL_NOW = 1
STATE_CONTIGUOUS, STATE_SEALED, STATE_REVOKED, STATE_ALIAS = (1 << n for n in range(4))

_library = ctypes.CDLL(os.environ.get("LIBDATASPACE", "libdataspace.so.1"))
_u32 = ctypes.c_uint32
_u64 = ctypes.c_uint64


class Info(ctypes.Structure):
    """What info() tells; see dataspace_info(3)."""

    _fields_ = [(name, _u32) for name in ("size", "flags", "rights", "state")] + [
        (name, _u64)
        for name in (
            "length",
            "id",
            "exclusive",
            "aliases",
            "mappings",
            "granule",
            "derived_mappings",
            "devices",
            "resident",
        )
    ]


def _function(name, *arguments):
    function = getattr(_library, "dataspace_" + name)
    function.argtypes = arguments
    function.restype = ctypes.c_int
    return function


_alloc = _function("alloc", _u64, _u32, _u32)
_alias = _function("alias", ctypes.c_int, _u64, _u64, _u32, _u32)
_info = _function("info", ctypes.c_int, ctypes.POINTER(Info), ctypes.c_size_t)
_revoke = _function("revoke", ctypes.c_int, _u32)
_seal = _function("seal", ctypes.c_int, _u32)
_set_name = _function("set_name", ctypes.c_int, ctypes.c_char_p)
_send = _function("send", ctypes.c_int, ctypes.c_int)
_recv = _function("recv", ctypes.c_int)


def _check(result):
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


class Dataspace:
    """A descriptor of a dataspace, which close() or the end of "with" closes."""

    def __init__(self, fd):
        """Takes over the descriptor fd."""
        self._fd = fd

    def fileno(self):
        if self._fd < 0:
            raise ValueError("the dataspace is closed")
        return self._fd

    def close(self):
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def __len__(self):
        return self.info().length

    def alias(self, offset, length, rights=RO, flags=0):
        return Dataspace(_check(_alias(self.fileno(), offset, length, rights, flags)))

    def info(self):
        info = Info()
        _check(_info(self.fileno(), ctypes.byref(info), ctypes.sizeof(info)))
        return info

    def revoke(self, flags=0):
        _check(_revoke(self.fileno(), flags))

    def seal(self, flags=0):
        _check(_seal(self.fileno(), flags))

    def set_name(self, name):
        _check(_set_name(self.fileno(), os.fsencode(name)))

    def send(self, sock):
        _check(_send(sock.fileno(), self.fileno()))

    def map(self, offset=0, length=None, writable=False):
        """An mmap.mmap of it, which has the buffer protocol.

        Python keeps a descriptor of its own for the mapping until it is closed:
        until then the dataspace lives, not only what is mapped of it.
        """
        if length is None:
            length = len(self) - offset
        prot = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
        return mmap.mmap(self.fileno(), length, mmap.MAP_SHARED, prot, offset=offset)


def alloc(length, rights=RW, flags=0):
    return Dataspace(_check(_alloc(length, rights, flags)))


def recv(sock):
    return Dataspace(_check(_recv(sock.fileno())))
