#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# packages: python3
# shellcheck source=lib/common.sh
. /compat/lib/common.sh

cat >program.py <<'END'
import multiprocessing

def add(array):
    for i in range(len(array)):
        array[i] += i

if __name__ == "__main__":
    array = multiprocessing.Array("i", 4096)
    for _ in range(2):
        child = multiprocessing.Process(target=add, args=(array,))
        child.start()
        child.join()
    assert list(array) == [2 * i for i in range(4096)]
END
DATASPACE_PRELOAD_FILES='/dev/shm/pym-*' dataspace run --preload -- \
	python3 program.py >python.log 2>&1 || wrong "the program has failed"
made pym- || wrong "there was no dataspace"
works "multiprocessing.Array, with DATASPACE_PRELOAD_FILES='/dev/shm/pym-*'"
