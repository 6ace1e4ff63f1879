#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs what is missing, has make run the parts of the check in check.mk, goes
# on after a failure, and ends with the totals.
# JOBS: how many parts may run at the same time
# Usage: check.sh all|configs|debug|fuzz...

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

say "$*, on $KERNELS"
"$HERE/deps.sh" build deb lint network vm
cd "$TOP"
begun=$(date +%s)
{
	status=0
	make -ks -j"${JOBS:-$(nproc)}" -Orecurse --no-print-directory \
		-f .ci/check.mk "$@" 3>&2 2>&1 || status=$?
	echo "== all of it, $(($(date +%s) - begun)) s, status $status"
} | awk -v RECALL=16 -f "$HERE/totals.awk"
