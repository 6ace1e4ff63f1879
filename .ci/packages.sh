#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the Debian packages that "make deb" has built on a bare Debian 12 with two
# kernels, loads the module that DKMS has built for each in a guest, runs the
# program of the README there, and purges the packages. Then the same with "make
# dkms-install install". Before that, builds the packages once more, as somebody
# else would: they have to be the same. Only root can run this.

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"
# shellcheck source=bare-root.sh
. "$(dirname "$0")/bare-root.sh"

out=$BUILD/packages
root=$out/root
again=$out/again
tree=/root/dataspace
kernels="6.1 6.12"

# From a tree elsewhere, that others cannot read, whose files are of another day.
build_again()
{
	rm -rf "$again"
	copy_tree "$again"
	chmod -R go= "$again"
	find "$again" -exec touch -d 2001-01-01 {} +
	git_dir=$(git -c safe.directory='*' -C "$TOP" rev-parse --absolute-git-dir)
	(
		umask 077
		env GIT_DIR="$git_dir" GIT_WORK_TREE="$again" TZ=Asia/Kolkata \
			make -s --no-print-directory -C "$again" deb \
			BUILD="$again/.build" >"$again.log" 2>&1
	) || die "see $again.log"
}

# quietly SCRIPT: runs it in the root, and shows what it prints if it fails.
quietly()
{
	in_root "$root" "/root/$1" >"$out/$1.log" 2>&1 || {
		cat "$out/$1.log" >&2
		die "$1 has failed"
	}
}

# All that is ours has our name. The home of root is the tester's own.
nothing_is_left()
{
	find "$root" -path "$root/root" -prune -o -name '*dataspace*' -print >"$out/left"
	diff /dev/null "$out/left"
}

mkdir -p "$out"
say "building the packages again"
build_again
for package in "$BUILD"/deb/*.deb; do
	cmp "$package" "$again/.build/deb/${package##*/}"
done

bare_root "$root"
copy_tree "$root$tree"
put_program "$root"
cp "$BUILD"/deb/*.deb "$root/root/"
KERNELS=$kernels "$HERE/deps.sh" build
run_as "$root" "$("$HERE/kernel.sh" 6.1 version)"

(block sh 1 | grep '^apt-get' && echo "apt-get install linux-headers-6.12-amd64 udev") |
	script "$root" root/prepare
script "$root" root/install <<'END'
apt-get install /root/*.deb
END
# As at boot: systemd loads the module, and udev gives the device to the group.
script "$root" root/boot <<'END'
/root/run
mount -t tmpfs tmpfs /run
/lib/systemd/systemd-udevd --daemon
/lib/systemd/systemd-modules-load
SYSTEMD_IGNORE_CHROOT=1 udevadm settle
stat -c '%G %a' /dev/dataspace | grep -x 'dataspace 660'
END
script "$root" root/purge <<'END'
apt-get purge $(dpkg-query -W -f '${Package}\n' '*dataspace*')
END
script "$root" root/dkms-install <<END
cd $tree
make dkms-install install PREFIX=/usr
END
script "$root" root/dkms-uninstall <<END
cd $tree
make uninstall dkms-uninstall PREFIX=/usr
END

say "preparing"
quietly prepare
for kernel in $kernels; do
	need_headers "$root" "$("$HERE/kernel.sh" "$kernel" version)"
done
say "installing the packages"
quietly install
quietly compile
for kernel in $kernels; do
	say "running on $kernel"
	"$HERE/run.sh" -k "$kernel" root "$root" /root/boot
done
say "purging them"
quietly purge
nothing_is_left

# DKMS is there now.
system_files "$root" >"$out/before"
say "installing by make dkms-install"
quietly dkms-install
"$HERE/run.sh" -k 6.1 root "$root" /root/run
say "removing"
quietly dkms-uninstall
system_files "$root" >"$out/after"
diff "$out/before" "$out/after"
nothing_is_left
