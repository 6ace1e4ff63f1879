# SPDX-License-Identifier: GPL-2.0-only
#
# Writes the table of what the scripts have found, from what run.sh has printed.

BEGIN {
	print "# Programs that know nothing of dataspaces"
	print ""
	print "`make compat` tries these on Linux 6.12, as Debian 12 has built them. They have dataspaces where they would make files in"
	print "memory, as dataspace-preload(1) tells, or are sent some. The script of that name looks at what they have done, byte for byte;"
	print "what fails has to fail as it is told here. `make compat-tested` writes this table."
	print ""
	print "| script | programs | what came of it |"
	print "|---|---|---|"
}

/^# / {
	programs = $0
	sub(/^# [^:]*: /, "", programs)
}

/^(not )?ok / {
	name = $0
	sub(/^(not )?ok /, "", name)
	result = name
	sub(/:.*/, "", name)
	sub(/^[^:]*: /, "", result)
	print "| [" name "](compat/" name ".sh) | " programs " | " result " |"
}

END {
	print ""
	print "Of vfio-user Debian has the client, in QEMU 11.1 of Debian 13\047s backports, but no server; so only vhost-user is shown, by"
	print "`make demo-vm`."
}
