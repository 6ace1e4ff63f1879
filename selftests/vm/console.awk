# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the guest's console. A complaint of the kernel is a failure of the program
# that ran at that moment; init prints a line when a program starts.
#
# These are not failures:
# - a leak: the check kmemleak in init finds out whether it is the module's;
# - a data race between functions of the kernel alone, of which there are many. A
#   report of a race counts if it names a function of the module or was cut off;
# - a warning of /proc/kpageflags, which takes no reference to the page that it
#   reads, so that a debug kernel notices when the page becomes part of a large
#   folio meanwhile.
# The numbers of races and of such warnings are printed.

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

# The report of a race ends with a line of "=".
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

/WARNING: .* stable_page_flags\+/ && !warning {
	warning = "      | " $0 "\n"
	lines = 0
	next
}

function end_warning()
{
	complain()
	printf "%s", warning
	warning = ""
}

warning && /---\[ end trace/ {
	warning = ""
	warnings++
	next
}

warning && (/WARNING:|(^|[^A-Z_])BUG[ :]|Oops/ || ++lines > 100) {
	end_warning()
}

warning {
	warning = warning "      | " $0 "\n"
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
	if (warning)
		end_warning()
	if (warnings)
		print "      kernel log: " warnings " warnings of /proc/kpageflags"
	if (races)
		print "      kernel log: " races " data races without the module"
	if (!NR)
		print "FAIL  kernel log: empty"
	else if (!dirty)
		print "ok    kernel log"
}
