# SPDX-License-Identifier: GPL-2.0-only
#
# Passes lines on and counts those that are verdicts: "ok    ", "FAIL  " and
# "skip  ". Fails if any failed, or if none passed.

{
	print
	fflush()
}

/^ok    / { passed++ }
/^FAIL  / { failed++ }
/^skip  / { skipped++ }

END {
	printf "%d passed, %d failed", passed, failed
	if (skipped)
		printf ", %d skipped", skipped
	print ""
	exit failed || !passed
}
