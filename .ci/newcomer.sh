#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What a newcomer does: runs the commands of the README, as they are written, on a
# bare Debian 12, loads the module in a guest with Debian's kernel, runs the
# program of the README there, and removes everything. Only root can run this.

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"
# shellcheck source=bare-root.sh
. "$(dirname "$0")/bare-root.sh"

root=$BUILD/newcomer/root
tree=/root/dataspace

# block KIND N: the nth block of a kind in the README
block()
{
	awk -v fence="\`\`\`$1" -v n="$2" '
		code && /^```/ { exit }
		code
		$0 == fence && !--n { code = 1 }' "$TOP/README.md"
}

copy_tree()
{
	mkdir -p "$root$tree"
	(cd "$TOP" && git -c safe.directory='*' ls-files -z --cached --others \
		--exclude-standard | tar -c --null -T - --ignore-failed-read) |
		tar -x -C "$root$tree"
}

mkdir -p "$BUILD/newcomer"
bare_root "$root"
copy_tree
kver=$(KERNELS=6.1 "$HERE/deps.sh" build && "$HERE/kernel.sh" 6.1 version)
run_as "$root" "$kver"

block sh 1 | grep '^apt-get' | (echo "cd $tree" && cat) |
	script "$root" root/prepare
block sh 1 | grep -v '^apt-get' | (echo "cd $tree" && cat) |
	script "$root" root/install
(echo "cd /root" && block sh 2) | script "$root" root/compile
block c 1 >"$root/root/program.c"
block text 1 >"$root/root/expected"
script "$root" root/run <<'END'
cd /root
modprobe dataspace
[ -c /dev/dataspace ]
getent group dataspace
./program >output
diff expected output
dataspace alloc -n newcomer 64K -- dataspace list
rmmod dataspace
END
script "$root" root/remove <<END
cd $tree
make uninstall modules_uninstall PREFIX=/usr
END

say "preparing"
in_root "$root" /root/prepare >"$BUILD/newcomer/prepare.log" 2>&1 ||
	die "see $BUILD/newcomer/prepare.log"
[ -d "$root/lib/modules/$kver/build" ] ||
	die "this machine has the headers of $kver, Debian has newer ones: apt-get upgrade"
system_files "$root" >"$BUILD/newcomer/before"
say "building and installing"
in_root "$root" /root/install
in_root "$root" /root/compile
say "running"
"$HERE/run.sh" -k 6.1 root "$root" /root/run
say "removing"
in_root "$root" /root/remove
system_files "$root" >"$BUILD/newcomer/after"
diff "$BUILD/newcomer/before" "$BUILD/newcomer/after"
