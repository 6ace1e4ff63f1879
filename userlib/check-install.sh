#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the library into a folder of its own, builds programs against it as
# a user would, in C and, where there is a compiler, in C++, linked with the
# shared and with the static library, and runs them, and one with the library for
# programs that do not know dataspaces; has bash load its completions; then
# uninstalls and checks that nothing is left.
# Usage: CC=... MAKE=... check-install.sh

set -eu

cd "$(dirname "$0")"
: "${CC:=cc}" "${CXX:=c++}" "${MAKE:=make}"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

# make has to cope with a space in DESTDIR, of which pkg-config's words know
# nothing: it is only there while make runs.
spaced="$stage/d e"
root=$stage/root
install_args="PREFIX=/usr LIBDIR=/usr/lib/here"
export PKG_CONFIG_LIBDIR="$root/usr/lib/here/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root"

# The program needs no module: the library must refuse what is no dataspace.
write_program()
{
	cat >"$1" <<-'END'
		#include <dataspace.h>
		#include <dataspaced.h>
		#include <errno.h>
		#include <string.h>

		int main(int argc, char **argv)
		{
			struct dataspace_info info;

			if (argc != 2 || strcmp(argv[1], DATASPACE_VERSION) ||
			    strcmp(argv[1], dataspace_version()))
				return 1;
			if (dataspace_info(-ENOMEM, &info, sizeof(info)) != -ENOMEM)
				return 2;
			if (dataspace_info(99, &info, sizeof(info)) != -EBADF)
				return 3;
			if (dataspace_info(0, &info, sizeof(info)) != -EBADFD)
				return 4;
			if (sizeof(struct dataspaced_request) != 64 ||
			    sizeof(struct dataspaced_reply) != 16)
				return 5;
			return 0;
		}
	END
}

# build COMPILER SOURCE OUTPUT LIBRARY...
build()
{
	compiler=$1
	source=$2
	output=$3
	shift 3
	# Flags and compilers are words.
	# shellcheck disable=SC2046,SC2086
	$compiler -Wall -Wextra -Werror $(pkg-config --cflags dataspace) \
		-o "$output" "$source" "$@"
}

run()
{
	LD_LIBRARY_PATH="$root/usr/lib/here" "$1" \
		"$(pkg-config --modversion dataspace)" </dev/null || {
		echo "${1##*/} has failed with status $?" >&2
		exit 1
	}
}

# The library that programs are run with refuses a malformed policy.
try_preload()
{
	status=0
	DATASPACE_PRELOAD="$root/usr/lib/here/dataspace/dataspace-preload.so" \
		DATASPACE_PRELOAD_SEND=nonsense \
		"$root/usr/bin/dataspace" run --preload -- sh -c 'exit 0' \
		2>"$stage/message" || status=$?
	if [ "$status" -ne 2 ] || ! grep -q nonsense "$stage/message"; then
		echo "the preloaded library has not read its policy" >&2
		exit 1
	fi
	rm "$stage/message"
}

# bash looks for what completes a command in a file that is called as the command.
try_completion()
{
	for command in dataspace dataspaced; do
		bash -c '. "$1/$2" && complete -p "$2"' bash \
			"$root/usr/share/bash-completion/completions" \
			"$command" >/dev/null || exit
	done
}

# try LANGUAGE COMPILER
try()
{
	program=$stage/program.$1
	write_program "$program"
	# shellcheck disable=SC2046
	build "$2" "$program" "$program.shared" $(pkg-config --libs dataspace)
	run "$program.shared"
	build "$2" "$program" "$program.static" \
		"$root/usr/lib/here/libdataspace.a"
	run "$program.static"
	rm "$program" "$program.shared" "$program.static"
}

# shellcheck disable=SC2086
"$MAKE" -s install DESTDIR="$spaced" $install_args
mv "$spaced" "$root"
try c "$CC"
if command -v "$CXX" >/dev/null; then
	try cc "$CXX"
fi
try_preload
try_completion
mv "$root" "$spaced"
# shellcheck disable=SC2086
"$MAKE" -s uninstall DESTDIR="$spaced" $install_args
left=$(find "$stage" ! -type d -o -name '*dataspace*')
[ -z "$left" ] || {
	echo "uninstall has left: $left" >&2
	exit 1
}
