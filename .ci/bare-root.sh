# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A root of a bare Debian 12, as a newcomer has it, for scripts that install things
# there and run them in a guest. A script that sources this file has set $HERE to
# the folder selftests/vm, has sourced common.sh, and is root.

# Prints the lines of sources.list for the mirrors that this machine uses.
mirrors()
{
	for label in Debian Debian-Security; do
		apt-get indextargets --format "deb \$(REPO_URI) \$(CODENAME) main" \
			"Label: $label" 'Created-By: Packages'
	done | sort -u
}

make_bare_root()
{
	say "making a root of a bare Debian 12"
	rm -rf "$bare"
	mkdir -p "$bare"
	mirror=$(mirrors | awk '$3 == "bookworm" { print $2; exit }')
	debootstrap --variant=minbase bookworm "$bare" ${mirror:+"$mirror"} \
		>"$bare.log" || die "it failed, see $bare.log"
	mirrors >"$bare/etc/apt/sources.list"
	# What is only recommended would hide what the README forgets.
	printf 'APT::%s;\n' 'Get::Assume-Yes "true"' 'Install-Recommends "false"' \
		>"$bare/etc/apt/apt.conf.d/90bare"
	echo force-unsafe-io >"$bare/etc/dpkg/dpkg.cfg.d/unsafe-io"
	touch "$bare/ready"
}

# bare_root FOLDER: makes one there. What is downloaded is kept in the cache.
bare_root()
{
	"$HERE/deps.sh" root vm
	bare=$CACHE/roots/bookworm-bare
	mkdir -p "$CACHE/roots"
	(
		flock 9
		[ -e "$bare/ready" ] || make_bare_root
	) 9>"$bare.lock"
	rm -rf "$1"
	cp -a "$bare" "$1"
	in_root "$1" apt-get -qq update
}

# in_root FOLDER COMMAND...
in_root()
{
	# shellcheck disable=SC2016 # to be expanded in there
	unshare --mount --propagation private sh -eu -c '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		exec chroot "$root" env -i HOME=/root DEBIAN_FRONTEND=noninteractive \
			${http_proxy:+http_proxy="$http_proxy"} \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			"$@"
	' bare-root.sh "$@" </dev/null
}

# run_as FOLDER KERNEL: has uname -r in there tell the kernel of a guest.
run_as()
{
	cat >"$1/usr/local/bin/uname" <<-END
		#!/bin/sh
		[ "\$*" != -r ] || exec echo $2
		exec /bin/uname "\$@"
	END
	chmod +x "$1/usr/local/bin/uname"
}

# script FOLDER PATH: puts there what is on standard input.
script()
{
	{
		printf '#!/bin/sh\nset -eu\n'
		cat
	} >"$1/$2"
	chmod +x "$1/$2"
}

# need_headers FOLDER KERNEL: ends this if there are headers of another kernel than the
# one that a guest would boot.
need_headers()
{
	[ -d "$1/lib/modules/$2/build" ] ||
		die "this machine has the headers of $2, Debian has newer ones: apt-get upgrade"
}

# block KIND N: prints the nth block of a kind in the README.
block()
{
	"$TOP/userlib/example-of.sh" "$TOP/README.md" "$@"
}

# copy_tree FOLDER: copies there what git tracks, or would if it were added.
copy_tree()
{
	mkdir -p "$1"
	(cd "$TOP" && git -c safe.directory='*' ls-files -z --cached --others \
		--exclude-standard | tar -c --null -T - --ignore-failed-read) |
		tar -x -C "$1"
}

# put_program FOLDER: puts there the program of the README, and scripts that compile
# it, and that run it and the commands for dataspaced in a guest.
put_program()
{
	block c 1 >"$1/root/program.c"
	block text 1 >"$1/root/expected"
	block sh 3 >"$1/root/share"
	(echo "cd /root" && block sh 2) | script "$1" root/compile
	script "$1" root/run <<-'END'
		cd /root
		modprobe dataspace
		[ -c /dev/dataspace ]
		getent group dataspace
		./program >output
		diff expected output
		dataspace alloc -n newcomer 64K -- dataspace list
		mount -t tmpfs tmpfs /run
		. ./share >output
		seq 3 | diff - output
		kill $(pidof dataspaced dataspace sleep)
		wait
		rmmod dataspace
	END
}

# system_files FOLDER: prints all files there but those that the system writes for
# itself. The home of root is the newcomer's own.
system_files()
{
	(cd "$1" && find . -path ./root -prune -o -path ./proc -prune -o \
		-path ./var -prune -o -path ./tmp -prune -o ! -type d -print) |
		grep -vE '/modules\.[a-z.]*$|/etc/(ld\.so\.cache|g?shadow-?|group-?|passwd-?)$' |
		LC_ALL=C sort
}
