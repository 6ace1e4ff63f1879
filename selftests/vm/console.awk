# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the console of the guest. A complaint of the kernel counts as a failure
# of whatever ran at that moment, which the marks that init leaves tell.

BEGIN {
	complaint = "WARNING:|(^|[^A-Z_])BUG[ :]|Oops|" \
		"possible circular|possible recursive|KASAN|KCSAN|UBSAN|" \
		"locking correctness validator|suspicious RCU usage|" \
		"KFENCE|unreferenced object|suspected memory leaks|" \
		"Call Trace|general protection fault|RIP:|Bad page|" \
		"Kernel panic|INFO: task .* blocked|INFO: rcu|rcu.*stall|" \
		"soft lockup|hard LOCKUP|invoked oom-killer|" \
		"page allocation failure|refcount_t:"
	during = "boot"
}

/dataspace-vm: run / {
	during = $NF
	context = 0
}

$0 ~ complaint {
	if (!(during in complaints))
		print "FAIL  kernel log, " during
	complaints[during] = 1
	dirty = 1
	context = 40
}

context > 0 {
	print "      | " $0
	context--
}

END {
	if (!NR)
		print "FAIL  kernel log: empty"
	else if (!dirty)
		print "ok    kernel log"
}
