# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts here share, each of which tries one program as Debian has built it,
# in an empty folder, and ends by calling works, fails or wrong. A script says in a
# line "# packages:" what is to be installed. What is expected to fail has to fail in
# the way that is told, else that is wrong, too.

name=$(basename "$0" .sh)
export DATASPACE_PRELOAD_LOG="$PWD/preload.log"

# works WHAT
works()
{
	echo "ok $name: works: $*"
	exit 0
}

# fails WHY
fails()
{
	echo "ok $name: fails: $*"
	exit 0
}

# Whatever files there are may tell why.
wrong()
{
	echo "not ok $name: $*"
	tail -n 20 ./*.log
	exit 1
}

# Waits for a command to succeed.
await()
{
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		[ "$tries" -lt 60 ] || wrong "gave up waiting: $*"
		sleep 1
	done
}

# listens SOCKET: whether connections are accepted, not only its file there
listens()
{
	grep -q " 00010000 .*$1\$" /proc/net/unix
}

# made NAME: whether a file of that name has become a dataspace
made()
{
	grep -q "[:/]$1.*: a dataspace of " preload.log
}

# has_dataspace PID NAME: prints which descriptor of a process is a dataspace
has_dataspace()
{
	found=$(grep -l "^dataspace-name:.$2" "/proc/$1/fdinfo/"*) &&
		basename "${found%% *}"
}

# maps_dataspace PID
maps_dataspace()
{
	grep -q ' /dataspace:' "/proc/$1/maps"
}

# start_holder: runs the program that holds memory whose bytes are in the file
# "wanted". Sets $holder, its process, $fd, $address and $length.
start_holder()
{
	dataspace run --preload -- /compat/bin/holder wanted wait >holder.out 2>holder.log &
	holder=$!
	await [ -s holder.out ]
	# shellcheck disable=SC2034 # for those who call
	read -r fd address length <holder.out
	[ "$(has_dataspace "$holder" numbers)" = "$fd" ] ||
		wrong "the program has no dataspace"
	maps_dataspace "$holder" || wrong "the program maps no dataspace"
}
