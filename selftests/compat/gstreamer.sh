#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: python3-gi gir1.2-gst-plugins-base-1.0
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >program.py <<'END'
import gi, os
gi.require_version("Gst", "1.0")
gi.require_version("GstAllocators", "1.0")
from gi.repository import Gst, GstAllocators

Gst.init(None)
fd = os.memfd_create("numbers")
os.ftruncate(fd, 8192)
os.pwrite(fd, b"hello", 4096)
memory = GstAllocators.FdAllocator.alloc(GstAllocators.FdAllocator.new(), fd, 8192,
                                         GstAllocators.FdMemoryFlags.DONT_CLOSE)
buffer = Gst.Buffer.new()
buffer.append_memory(memory)
assert buffer.extract_dup(4096, 5) == b"hello"
assert buffer.fill(0, b"there") == 5
assert os.pread(fd, 5, 0) == b"there"
END
dataspace run --preload -- python3 program.py >python.log 2>&1 ||
	wrong "the program has failed"
made numbers || wrong "there was no dataspace"
works "GstFdMemory: reads and writes"
