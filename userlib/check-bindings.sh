#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a folder with the tests of dataspace.hpp, dataspace.py and
# dataspace-preload.so, and with all of Python and numpy that they need, for a guest
# that has neither Python nor a C library.
# Usage: CXX=... check-bindings.sh LIBRARY-BUILD FOLDER

set -eu

cd "$(dirname "$0")"
: "${CXX:=g++}" "${PYTHON:=/usr/bin/python3}"
build=$1
out=$2
python=$(readlink -f "$PYTHON")

# Where Debian has numpy, below the prefix.
PACKAGES=lib/python3/dist-packages

# What Python has loaded when the test begins, by the place below its prefix.
modules()
{
	"$PYTHON" -I -S -c '
import sys
sys.path.append(sys.argv[1])
import array, ctypes, encodings.ascii, encodings.utf_8, errno, fcntl, io, mmap, numpy
import os, select, socket, struct
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    if path and path.startswith(sys.prefix):
        print(os.path.relpath(path, sys.prefix))' "$prefix/$PACKAGES"
}

libraries()
{
	{
		ldd "$python"
		find "$out/python" -name '*.so' -exec ldd '{}' +
	} | awk '$2 == "=>" { print $3 } $1 ~ /ld-linux/ { print $1 }' | sort -u
}

rm -rf "$out"
mkdir -p "$out/python/lib"
"$CXX" -std=c++17 -O2 -Wall -Wextra -Werror -Iinclude -I../uapi -static \
	-o "$out/check-cpp" check-cpp.cpp "$build/libdataspace.a"

prefix=$("$PYTHON" -I -S -c 'import sys; print(sys.prefix)')
modules | while read -r file; do
	install -D -m 0644 "$prefix/$file" "$out/python/$file"
done
libraries | while read -r file; do
	cp -L "$file" "$out/python/lib/"
done
cp "$python" "$out/python/python3"
cp python/dataspace.py python/check_dataspace.py python/check_preload.py "$out/python/"
cp -L "$build/libdataspace.so.1" "$build/dataspace-preload.so" "$out/python/lib/"

# For the example of dataspace-preload(1), which calls both commands.
./example-of.sh man/man1/dataspace-preload.1 >"$out/python/example"
mkdir "$out/python/bin"
cp "$build/check-tool" "$out/python/bin/dataspace"
cat >"$out/python/bin/python3" <<'END'
#!/bin/sh
exec $CHILD -S "$@"
END
chmod +x "$out/python/bin/python3"

cat >"$out/check-python" <<'END'
#!/bin/sh
cd "${0%/*}/python" || exit
export PYTHONHOME="$PWD" PYTHONPATH="$PWD/lib/python3/dist-packages"
export LIBDATASPACE="$PWD/lib/libdataspace.so.1"
exec lib/ld-linux-*.so.* --library-path lib ./python3 -S check_dataspace.py
END
cat >"$out/check-preload" <<'END'
#!/bin/sh
cd "${0%/*}/python" || exit
set -- "$PWD"/lib/ld-linux-*.so.* --library-path "$PWD/lib" "$PWD/python3"
export PYTHONHOME="$PWD" PRELOAD="$PWD/lib/dataspace-preload.so" CHILD="$*"
export DATASPACE_PRELOAD="$PRELOAD" PATH="$PWD/bin:$PATH"
exec "$@" -S check_preload.py
END
chmod +x "$out/check-python" "$out/check-preload"
printf 'dataspace:%s\n' check-cpp check-python check-preload >"$out/kselftest-list.txt"
