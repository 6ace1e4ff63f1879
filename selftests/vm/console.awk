# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the console of the guest. A complaint of the kernel counts as a failure
# of whatever ran at that moment, which the marks that init leaves tell.

# Leaks are not among them: the check at the end tells whose they are. Nor are
# data races between functions of the kernel alone, of which it knows and has
# many: a report of one counts if a function of the module is named in it, or if
# it was cut off. Nor is what /proc/kpageflags warns of: it takes no reference to
# the page that it looks at, and a kernel that watches itself notices when that
# becomes part of another meanwhile. How many do not count is told.

BEGIN {
	complaint = "WARNING:|(^|[^A-Z_])BUG[ :]|Oops|" \
		"possible circular|possible recursive|KASAN|UBSAN|" \
		"locking correctness validator|suspicious RCU usage|" \
		"KFENCE|" \
		"Call [Tt]race|general protection fault|RIP:|Bad page|" \
		"Kernel panic|INFO: task .* blocked|INFO: rcu|rcu.*stall|" \
		"soft lockup|hard LOCKUP|invoked oom-killer|" \
		"[Oo]ut of memory: |page allocation failure|refcount_t:"
	during = "boot"
}

/dataspace-vm: run / {
	during = $NF
	context = 0
}

function complain()
{
	if (!(during in complaints))
		print "FAIL  kernel log, " during
	complaints[during] = 1
	dirty = 1
}

# The report of a race goes up to a line of "=".
function end_race(is_whole)
{
	if (!is_whole || race ~ /\[dataspace\]/) {
		complain()
		printf "%s", race
	} else {
		races++
	}
	race = ""
}

/BUG: KCSAN: / {
	if (race != "")
		end_race(0)
	race = "      | " $0 "\n"
	next
}

race != "" && /=====/ {
	end_race(1)
	next
}

/WARNING: .* stable_page_flags\+/ && !look {
	look = "      | " $0 "\n"
	lines = 0
	next
}

function end_look()
{
	complain()
	printf "%s", look
	look = ""
}

look && /---\[ end trace/ {
	look = ""
	looks++
	next
}

look && (/WARNING:|(^|[^A-Z_])BUG[ :]|Oops/ || ++lines > 100) {
	end_look()
}

look {
	look = look "      | " $0 "\n"
	next
}

$0 ~ complaint {
	complain()
	context = 40
}

race != "" {
	race = race "      | " $0 "\n"
}

context > 0 {
	print "      | " $0
	context--
}

END {
	if (race != "")
		end_race(0)
	if (look)
		end_look()
	if (looks)
		print "      kernel log: " looks " warnings of /proc/kpageflags"
	if (races)
		print "      kernel log: " races " data races without the module"
	if (!NR)
		print "FAIL  kernel log: empty"
	else if (!dirty)
		print "ok    kernel log"
}
