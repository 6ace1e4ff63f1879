#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the scripts in the guest, each in a folder of its own, and prints for each how
# long it took, which packages it is about, and its last word.
# Usage: run.sh [NAME...]   all of them if none is named

# versions PACKAGE...
versions()
{
	for package; do
		dpkg-query -W -f '${Package} ${source:Upstream-Version}\n' "$package"
	done | sed 's/[+~].*//' | paste -s -d , | sed 's/,/& /g'
}

# try SCRIPT NAME
try()
{
	mkdir -p "/tmp/$2"
	cd "/tmp/$2" || exit
	begun=$(date +%s)
	timeout -s KILL 200 "$1" >verdict 2>error.log </dev/null
	kill -9 -1
	# shellcheck disable=SC2046 # the packages are words
	echo "# $2, $(($(date +%s) - begun)) s: $(versions $(sed -n 's/^# packages: //p' "$1"))"
	grep -q '^\(not \)\?ok ' verdict || {
		echo "not ok $2: it has said nothing"
		cat error.log
	}
	cat verdict
}

export HOME=/root
if [ $# -eq 0 ]; then
	for script in /compat/*.sh; do
		set -- "$@" "$(basename "$script" .sh)"
	done
fi
for name; do
	try "/compat/$name.sh" "$name"
done
