#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What a newcomer does: runs the commands of the README, as they are written, on a
# bare Debian 12, loads the module in a guest with Debian's kernel, runs the
# program of the README there, and removes everything. Then the same files have to
# come from a tree, and be installed to a place, whose path has a space in it. Only
# root can run this.

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"
# shellcheck source=bare-root.sh
. "$(dirname "$0")/bare-root.sh"

out=$BUILD/newcomer
root=$out/root
tree=/root/dataspace

mkdir -p "$out"
bare_root "$root"
copy_tree "$root$tree"
put_program "$root"
kver=$(KERNELS=6.1 "$HERE/deps.sh" build && "$HERE/kernel.sh" 6.1 version)
run_as "$root" "$kver"

block sh 1 | grep '^apt-get' | script "$root" root/prepare
block sh 1 | grep -v '^apt-get' | (echo "cd $tree" && cat) |
	script "$root" root/install
script "$root" root/remove <<END
cd $tree
make uninstall modules_uninstall PREFIX=/usr
END
script "$root" root/install-spaced <<END
mv $tree '$tree of mine'
cd '$tree of mine'
make clean
make
make modules_install install PREFIX=/usr DESTDIR='/root/to be packed'
END

say "preparing"
in_root "$root" /root/prepare >"$out/prepare.log" 2>&1 ||
	die "see $out/prepare.log"
need_headers "$root" "$kver"
system_files "$root" >"$out/before"
say "building and installing"
in_root "$root" /root/install
system_files "$root" | LC_ALL=C comm -13 "$out/before" - >"$out/installed"
in_root "$root" /root/compile
say "running"
"$HERE/run.sh" -k 6.1 root "$root" /root/run
say "removing"
in_root "$root" /root/remove
system_files "$root" >"$out/after"
diff "$out/before" "$out/after"
say "installing from and to a path with a space"
in_root "$root" /root/install-spaced
# In the root /lib is a link to /usr/lib.
system_files "$root/root/to be packed" | sed 's|^\./lib/|./usr/lib/|' |
	LC_ALL=C sort | diff "$out/installed" -
