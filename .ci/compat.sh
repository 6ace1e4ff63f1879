#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the scripts of selftests/compat, each of which tries a program as Debian has
# built it, in a guest with a Debian 12 that has these programs. Prints a verdict for
# each, writes the table of them, and fails if selftests/compat.md has another one,
# but for the versions of the programs. Only root can run this.
# Usage: compat.sh [NAME...]     all of them if none is named
# BUILT: not empty if the module and the library are there, and not to be built anew

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"
# shellcheck source=bare-root.sh
. "$(dirname "$0")/bare-root.sh"

kernel=6.12
scripts=$TOP/selftests/compat
library=$BUILD/amd64/userlib
dir=$BUILD/compat

packages()
{
	sed -n 's/^# packages: //p' "$scripts"/*.sh | tr ' ' '\n' | sort -u
}

# Makes the image of a root with the packages, which has room for what is written.
make_image()
{
	say "making a Debian 12 with $(packages | paste -s -d ' ')"
	bare_root "$dir/root"
	# shellcheck disable=SC2046 # the packages are words
	in_root "$dir/root" apt-get -qq install $(packages) >"$dir/install.log" 2>&1 ||
		die "it failed, see $dir/install.log"
	in_root "$dir/root" apt-get clean
	rm -f "$CACHE"/roots/compat-*
	truncate -s 4G "$1.part"
	mke2fs -q -F -t ext4 -O ^has_journal -E lazy_itable_init=1 \
		-d "$dir/root" "$1.part"
	mv "$1.part" "$1"
	rm -rf "$dir/root"
}

# What the guest has beside the image.
put_files()
{
	rm -rf "$dir/more"
	mkdir -p "$dir/more/compat/bin" "$dir/more/usr/local/bin" \
		"$dir/more/usr/local/lib/dataspace"
	cp -R "$scripts/." "$dir/more/compat/"
	cp "$library/tools/dataspace" "$dir/more/usr/local/bin/"
	cp "$library/dataspace-preload.so" "$dir/more/usr/local/lib/dataspace/"
	for program in holder overflow; do
		compile $program
	done
	compile overflow -asan -fsanitize=address
	compile_kselftests
	make_disk "$dir/more/compat/disk.img"
}

# compile PROGRAM [SUFFIX OPTION...]
compile()
{
	source=$scripts/lib/$1.c
	to=$dir/more/compat/bin/$1${2:-}
	shift $(($# > 1 ? 2 : 1))
	gcc -O1 -g -Wall -Wextra -D_GNU_SOURCE -fno-builtin "$@" -o "$to" "$source"
}

# Of the kernel's own tests those that use files in memory.
compile_kselftests()
{
	from=$("$HERE/source.sh")/tools
	echo "#define LOCAL_CONFIG_HAVE_LIBURING 1" >"$dir/local_config.h"
	for program in cow gup_longterm map_populate mremap_dontunmap mseal_test \
		soft-dirty; do
		gcc -O1 -w -D_GNU_SOURCE -I"$dir" -I"$from/testing/selftests" \
			-isystem "$from/include/uapi" \
			-o "$dir/more/compat/bin/$program" \
			"$from/testing/selftests/mm/$program.c" \
			"$from/testing/selftests/mm/vm_util.c" \
			"$from/testing/selftests/mm/thp_settings.c" -luring
	done
}

run()
{
	"$HERE/run.sh" -k "$kernel" -m "$BUILD/$kver/module/dataspace.ko" -r "$dir/more" \
		root "$image" "/compat/lib/run.sh $*" >"$dir/results"
}

# Prints the verdicts, and what those who have failed have said.
verdicts()
{
	sed -e 's/^ok /ok    compat: /' -e t -e 's/^not ok /FAIL  compat: /' -e t \
		-e '/^# /d' -e 's/^/      | /' "$dir/results"
}

# Compares all but the versions of the programs.
is_current()
{
	cut -d '|' -f 2,4 "$TOP/selftests/compat.md" >"$dir/recorded"
	cut -d '|' -f 2,4 "$dir/compat.md" | diff "$dir/recorded" -
}

"$HERE/deps.sh" build compat image root vm
kver=$("$HERE/kernel.sh" "$kernel" version)
mkdir -p "$dir" "$CACHE/roots"
image=$CACHE/roots/compat-$(packages | cksum | cut -d ' ' -f 1).img
(
	flock 9
	[ -e "$image" ] || make_image "$image"
) 9>"$CACHE/roots/compat.lock"
if [ -z "${BUILT:-}" ]; then
	make -s -C "$TOP" --no-print-directory module KVER="$kver" MODDIR="$BUILD/$kver"
	make -s -C "$TOP" --no-print-directory userlib LIB_BUILD="$library"
fi
put_files
status=0
run "$@" || status=$?
verdicts
[ "$status" -eq 0 ] || die "the guest has ended with status $status"
[ $# -eq 0 ] || exit 0
awk -f "$scripts/lib/table.awk" "$dir/results" >"$dir/compat.md"
if is_current; then
	echo "ok    compat: selftests/compat.md is what has come out"
else
	echo "FAIL  compat: selftests/compat.md is not what has come out: make compat-tested"
	exit 1
fi
