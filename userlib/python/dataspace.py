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

A call that fails raises OSError with the error number, and with what was wrong
in the words of dataspace_explain(3). dataspace(7) tells what dataspaces are, and the manual pages of the functions of the same names the rest.
"""

import ctypes
import errno
import mmap
import os

READ, WRITE, EXEC, MAP, DERIVE, EXPORT = (1 << n for n in range(6))
RO = READ | MAP | DERIVE | EXPORT
RW = RO | WRITE
ALLOC_SCATTERED = 1
ALLOC_LAZY = 4
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


# Why a call has failed, as in dataspace_explain.h, with the same words.
_REASONS = {
    errno.EBADFD: "it is not a dataspace",
    errno.EBUSY: "a page is pinned, as by I/O that is under way",
    errno.EOPNOTSUPP: "the module that is loaded does not know that flag, right or operation",
    errno.EPERM: "the dataspace lacks the right, or is sealed",
    errno.ESTALE: "the dataspace was revoked",
}
_NO_PERMISSION = "no permission to open /dev/dataspace: are you in the group dataspace?"
_NO_MODULE = "there is no /dev/dataspace: the module is not loaded"
_ALLOC_REASONS = {
    errno.EACCES: _NO_PERMISSION,
    errno.EDQUOT: "all dataspaces together would be over the module's limit_mb",
    errno.ENODEV: _NO_MODULE,
    errno.ENOENT: _NO_MODULE,
    errno.ENOMEM: "no such run of memory (see dmesg), or over the limit of the memory cgroup",
    errno.ENOTTY: "the device is not that of the module",
    errno.ENXIO: _NO_MODULE,
    errno.EPERM: _NO_PERMISSION,
    errno.ESTALE: "the memory cgroup that would be charged was removed",
}


def _explain(error):
    return _REASONS.get(error) or os.strerror(error)


def _explain_alloc(length, rights, flags, error):
    if error == errno.EINVAL and not length:
        return "the length is 0"
    if error == errno.EINVAL and not rights & READ:
        return "the right to read is missing"
    if error == errno.ENOMEM and flags & (ALLOC_SCATTERED | ALLOC_LAZY):
        return "not enough memory, or over the limit of the memory cgroup"
    return _ALLOC_REASONS.get(error) or _explain(error)


def _explain_alias(info, offset, length, rights, error):
    if error == errno.EPERM:
        if not info.rights & DERIVE:
            return "the dataspace lacks the right to derive"
        if rights & WRITE and info.state & STATE_SEALED:
            return "the dataspace is sealed: no alias of it can be writable"
        return "an alias cannot have a right that the dataspace lacks"
    if error != errno.EINVAL:
        return _explain(error)
    if not length:
        return "the length is 0"
    if offset % info.granule:
        return "the offset is not a multiple of the page size"
    if length % info.granule:
        return "the length is not a multiple of the page size"
    if min(offset, length) < 0 or offset + length > info.length:
        return "the range does not lie in the dataspace"
    if not rights & READ:
        return "the right to read is missing"
    return _explain(error)


def _explain_seal(error):
    if error == errno.EPERM:
        return "the dataspace lacks the right to write"
    return _explain(error)


def _explain_set_name(name, error):
    if error != errno.EINVAL:
        return _explain(error)
    if len(name) > 31:
        return "a name has at most 31 bytes"
    return "a name has no control characters"


def _check(result, explain=_explain):
    if result < 0:
        raise OSError(-result, explain(-result))
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
        def explain(error):
            return _explain_alias(self.info(), offset, length, rights, error)

        result = _alias(self.fileno(), offset, length, rights, flags)
        return Dataspace(_check(result, explain))

    def info(self):
        info = Info()
        _check(_info(self.fileno(), ctypes.byref(info), ctypes.sizeof(info)))
        return info

    def revoke(self, flags=0):
        _check(_revoke(self.fileno(), flags))

    def seal(self, flags=0):
        _check(_seal(self.fileno(), flags), _explain_seal)

    def set_name(self, name):
        name = os.fsencode(name)
        result = _set_name(self.fileno(), name)
        _check(result, lambda error: _explain_set_name(name, error))

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
    def explain(error):
        return _explain_alloc(length, rights, flags, error)

    return Dataspace(_check(_alloc(length, rights, flags), explain))


def recv(sock):
    return Dataspace(_check(_recv(sock.fileno())))
