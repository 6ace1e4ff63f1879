# SPDX-License-Identifier: GPL-2.0-only
#
# Passes all lines on and counts the verdicts among them: lines that begin with
# "ok    ", "FAIL  " or "skip  ". Fails if a verdict is FAIL, or if none is ok.
# RECALL: how many lines of each failure are printed once more at the end, for
# readers who see only the end

{
	print
	fflush()
}

# A command that has failed, but has not printed what.
/^== .*, status [1-9]/ && !failed {
	print "FAIL  no verdict says why"
	failed++
}

/^ok    / { passed++ }
/^skip  / { skipped++ }

/^FAIL  / {
	failed++
	left = RECALL
}
!/^(FAIL|     ) / { left = 0 }
left-- > 0 { recalled = recalled "\n" (/^FAIL/ ? "      " $0 : $0) }

END {
	if (recalled)
		print "== once more, what failed" recalled
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit failed || !passed
}
