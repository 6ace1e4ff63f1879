#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >program.py <<'END'
from multiprocessing import shared_memory
import os

memory = shared_memory.SharedMemory(create=True, size=8192)
memory.buf[:5] = b"hello"
other = shared_memory.SharedMemory(memory.name)
assert bytes(other.buf[:5]) == b"hello"
assert os.stat("/dev/shm/" + memory.name).st_nlink == 1
other.close()
memory.close()
memory.unlink()
END
DATASPACE_PRELOAD_FILES='/dev/shm/*' dataspace run --preload -- \
	python3 program.py >python.log 2>&1 || wrong "the program has failed"
[ ! -e preload.log ] || wrong "there was a dataspace"
fails "multiprocessing.shared_memory stays a file, as others open it by its name"
