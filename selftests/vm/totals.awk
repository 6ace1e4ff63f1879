# SPDX-License-Identifier: GPL-2.0-only
#
# Passes lines on and counts those that are verdicts: "ok    ", "FAIL  ", "skip  ",
# and "again " for what failed and then did not. Fails if any failed, or if none
# passed.

{
	print
	fflush()
}

/^ok    / { passed++ }
/^FAIL  / { failed++ }
/^skip  / { skipped++ }
/^again / { again++ }

END {
	printf "%d passed, %d failed", passed, failed
	if (skipped)
		printf ", %d skipped", skipped
	if (again)
		printf ", %d only when tried again", again
	print ""
	exit failed || !passed
}
