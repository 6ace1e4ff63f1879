#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the Debian packages from the files that git tracks, or would if they were
# added, and checks them with lintian, and the units of the broker with systemd. They
# are the same each time for the same commit, whenever its files were written and
# whoever may read them. DEBFULLNAME, DEBEMAIL: who makes them.
# Usage: build.sh OUTPUT VERSION

set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
version=$2
tree=$out/dataspace-$version

files()
{
	git -c safe.directory='*' -C "$top" ls-files --cached --others \
		--exclude-standard | while read -r file; do
		[ ! -e "$top/$file" ] || echo "$file"
	done
}

# The date of the newest change, so that it does not depend on when this runs.
date=$(git -c safe.directory='*' -C "$top" log -1 --format=@%ct)

# The broker is to run where there is only the package that has it: its units are
# well-formed and find it, and the group that it runs in is made.
check_broker()
{
	root=$out/dataspace-root
	dpkg-deb -x "$out"/dataspace-tools_*.deb "$root"
	systemd-analyze verify --man=no --recursive-errors=no --root="$root" \
		dataspaced.service dataspaced.socket
	mkdir "$root/etc"
	systemd-sysusers --root="$root" 2>>"$out/log"
	grep -q '^dataspace:' "$root/etc/group" || {
		echo "dataspace-tools makes no group dataspace" >&2
		exit 1
	}
}

rm -rf "$out/dataspace"*
rm -f "$out"/*.deb
mkdir -p "$tree"
files | tar -c -C "$top" --mtime="$date" --mode=u=rwX,go=rX -T - | tar -x -C "$tree"
mv "$tree/userlib/debian" "$tree/debian"
cat >"$tree/debian/changelog" <<END
dataspace ($version) unstable; urgency=medium

  * See /usr/share/doc/dataspace-tools/NEWS.gz.

 -- ${DEBFULLNAME:-The dataspace authors} <${DEBEMAIL:-dataspace@users.noreply.github.com}>  $(date -u -R -d "$date")
END
cd "$tree"
dpkg-buildpackage -us -uc -b >"$out/log" 2>&1 || {
	tail -n 30 "$out/log" >&2
	exit 1
}
lintian --allow-root --fail-on error,warning "$out"/dataspace_*.changes
check_broker
ls "$out"/*.deb
