# SPDX-License-Identifier: GPL-2.0-only
#
# Compares ratios with recorded ones. More than 10 % worse is a failure, and so
# is a figure that is missing.
# Usage: awk -f check.awk RECORDED CSV

BEGIN {
	FS = ","
}

/^#/ || $1 == "work" {
	next
}

FNR == NR {
	if ($4 != "")
		recorded[$1 "," $2] = $4
	next
}

{
	current[$1 "," $2] = $4
}

END {
	for (line in recorded) {
		checked++
		if (current[line] == "")
			problem = "no figure"
		else if (current[line] > 1.1 * recorded[line])
			problem = "ratio " current[line] ", was " recorded[line]
		else
			continue
		print "FAIL  " line ": " problem
		failed++
	}
	print checked - failed " passed, " failed + 0 " failed"
	exit failed || !checked
}
