#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Says where a Debian 12 kernel is, given its series, "6.1" or "6.12".
# Usage: kernel.sh SERIES package   name of the package with its headers
#        kernel.sh SERIES version   as uname -r prints it
#        kernel.sh SERIES headers   folder to build modules against
#        kernel.sh SERIES image     file to boot
#        kernel.sh SERIES modules   folder with lib/modules, depmod done

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/common.sh"

series=$1

# 6.1 is what Debian 12 calls just "amd64".
package()
{
	case $series in
	6.1) echo linux-headers-amd64 ;;
	*) echo "linux-headers-$series-amd64" ;;
	esac
}

version()
{
	depends=$(dpkg-query -W -f '${Depends}' "$(package)" 2>/dev/null) ||
		die "package $(package) is not installed"
	echo "$depends" | sed 's/^linux-headers-\([^ ,]*\).*/\1/'
}

unpack()
{
	dir=$("$HERE/fetch.sh" "linux-image-$1" ./boot ./lib/modules) ||
		die "no image for kernel $1; apt-get install $(package) for a newer one"
	[ -e "$dir/lib/modules/$1/modules.dep" ] || depmod -b "$dir" "$1"
	echo "$dir"
}

case $2 in
package) package ;;
version) version ;;
headers) echo "/lib/modules/$(version)/build" ;;
image)
	kver=$(version)
	echo "$(unpack "$kver")/boot/vmlinuz-$kver"
	;;
modules) unpack "$(version)" ;;
*) die "unknown question: $2" ;;
esac
