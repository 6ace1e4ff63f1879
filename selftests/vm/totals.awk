# SPDX-License-Identifier: GPL-2.0-only
#
# Passes lines on and counts those that are verdicts: "ok    ", "FAIL  ", "skip  ",
# and "again " for what failed and then did not. Fails if any failed, or if none
# passed.
# RECALL: how many lines of what each that failed has said are told once more at
# the end, for those who are shown no more than that

{
	print
	fflush()
}

/^ok    / { passed++ }
/^FAIL  / { failed++ }
/^skip  / { skipped++ }
/^again / { again++ }

/^(FAIL|again) / {
	bad = $0
	left = RECALL
}
!/^(FAIL|again|     ) / { left = 0 }
left-- > 0 { recalled = recalled "\n" ($0 == bad ? "      " $0 : $0) }

END {
	if (recalled)
		print "== once more, what failed" recalled
	printf "%d passed, %d failed", passed, failed
	if (skipped)
		printf ", %d skipped", skipped
	if (again)
		printf ", %d only when tried again", again
	print ""
	exit failed || !passed
}
