#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Checks judge.sh: it has to pass a run that went well, and to fail each of many
# runs that went wrong in one way. Needs no guest.

set -eu
HERE=$(cd "$(dirname "$0")" && pwd)

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Writes the files of a run of one program with two tests, none of which failed.
good_run()
{
	echo alias >"$dir/tests"
	cat >"$dir/result" <<-END
		@kernel 6.0
		@run alias
		TAP version 13
		1..2
		ok 1 one
		ok 2 two # SKIP no such hardware
		@exit alias 0 1
		@done
	END
	cat >"$dir/console" <<-END
		[    0.000000] Linux version 6.0
		[    1.000000] dataspace-vm: run alias
		[    2.000000] reboot: Power down
	END
}

judged()
{
	"$HERE/judge.sh" "$dir" >"$dir/verdict"
}

verdict()
{
	if [ "$2" = "$3" ]; then
		echo "ok    judge: $1"
	else
		echo "FAIL  judge: $1"
		sed 's/^/      | /' "$dir/verdict"
	fi
}

# expect good|bad NAME [FILE SED-SCRIPT]
expect()
{
	good_run
	[ $# -eq 2 ] || sed -i "$4" "$dir/$3"
	if judged; then was=good; else was=bad; fi
	verdict "$2" "$was" "$1"
}

# Each complaint is in a run of its own, so that it has to be recognised by itself.
complaint()
{
	expect bad "kernel says $1" console "2a [    1.500000] $1"
}

# race FUNCTION: the lines of a report, as sed appends them.
race()
{
	echo "2a [    1.500000] BUG: KCSAN: data-race in $1 / exit_mm\\"
	echo "[    1.500000] write to 0xffff888100000000 of 8 bytes by task 9:\\"
	echo "[    1.500000]  $1\\"
	echo "[    1.500000] ================================="
}

# page_flags FUNCTION: a warning with /proc/kpageflags in its backtrace, as sed
# appends it.
page_flags()
{
	echo "2a [    1.500000] WARNING: CPU: 0 PID: 9 at include/linux/mm.h:9 $1\\"
	echo "[    1.500000] RIP: 0010:$1\\"
	echo "[    1.500000] Call Trace:\\"
	echo "[    1.500000]  kpageflags_read+0x1/0x2\\"
	echo "[    1.500000] ---[ end trace 0000000000000000 ]---"
}

expect good "a clean run"
verdict "counts" "$(tail -n 1 "$dir/verdict")" "2 passed, 0 failed, 1 skipped"
verdict "failures are printed at the end, too" 4 "$(
	printf 'FAIL  it\n      | so\nok    that\n      | no\n' |
		awk -v RECALL=2 -f "$HERE/totals.awk" | grep -c 'FAIL  it\|| so$')"
verdict "a status without a verdict" "1 passed, 1 failed, 0 skipped" "$(
	printf 'ok    it\n== all, status 2\n' |
		awk -f "$HERE/totals.awk" | tail -n 1)"
expect good "a kernel that announces its checks" console \
	"1a [    0.100000] rcu: RCU lockdep checking is enabled."
expect good "a leak, which the check kmemleak is for" console \
	"1a [    0.100000] kmemleak: 1 new suspected memory leaks"
expect good "a data race of the kernel alone" console "$(race vma_end+0x1/0x2)"
expect bad "a data race of the module" console \
	"$(race 'ds_open+0x1/0x2 [dataspace]')"
expect bad "a data race that is cut off" console \
	"$(race vma_end+0x1/0x2 | sed '$d; 3s/.$//')"
expect bad "a warning within a data race" console \
	"$(race 'WARNING: CPU: 0 PID: 1 at mm/memory.c:1')"
expect good "a warning of /proc/kpageflags" console \
	"$(page_flags stable_page_flags+0x1/0x2)"
expect bad "a warning of another function" console \
	"$(page_flags ds_open+0x1/0x2)"
expect bad "a warning of /proc/kpageflags that is cut off" console \
	"$(page_flags stable_page_flags+0x1/0x2 | sed '$d; 4s/.$//')"
expect bad "a bug within a warning of /proc/kpageflags" console \
	"$(page_flags stable_page_flags+0x1/0x2 |
		sed '3s/Call Trace/BUG: unable to handle page fault/')"
expect bad "empty result" result "1,\$d"
expect bad "empty console" console "1,\$d"
expect bad "no end" result '/@done/d'
expect bad "cut off in a program" result "/@exit/,\$d"
expect bad "program that did not run" tests "\$a other"
expect bad "failed test" result 's/^ok 1/not ok 1/'
expect bad "missing result" result '/^ok 1/d'
expect bad "one result too many" result '/^ok 1/p'
expect bad "no plan" result '/^1\.\./d'
expect bad "plan of nothing" result 's/^1\.\.2/1..0/; /^ok/d'
expect bad "skip without a reason" result 's/ no such hardware//'
expect bad "skip for unknown reason" result 's/no such hardware/unknown/'
expect bad "exit status" result 's/^@exit alias 0/@exit alias 1/'
expect bad "killed" result 's/^@exit alias 0/@exit alias 137/'
complaint "WARNING: CPU: 0 PID: 1 at mm/memory.c:1"
complaint "BUG: unable to handle page fault for address: 0000000000000000"
complaint "BUG kmalloc-64 (Not tainted): Poison overwritten"
complaint "kernel BUG at mm/memory.c:1!"
complaint "Oops: 0000 [#1] SMP"
complaint "WARNING: possible circular locking dependency detected"
complaint "WARNING: suspicious RCU usage"
complaint "turning off the locking correctness validator."
complaint "general protection fault, probably for non-canonical address"
complaint "UBSAN: shift-out-of-bounds in mm/memory.c:1"
complaint "BUG: Bad page state in process alias  pfn:1"
complaint "Kernel panic - not syncing: Fatal exception"
complaint "INFO: task alias:1 blocked for more than 120 seconds."
complaint "rcu: INFO: rcu_preempt self-detected stall on CPU"
complaint "alias invoked oom-killer: gfp_mask=0xcc0"
complaint "Memory cgroup out of memory: Killed process 70 (alias)"
complaint "alias: page allocation failure: order:10"
