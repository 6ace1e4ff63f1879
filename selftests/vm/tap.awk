# SPDX-License-Identifier: GPL-2.0-only
#
# Reads the guest's report and prints a verdict for every test. A missing result,
# a program that did not run and a report without its end are failures, and so is
# a skipped test that gives no reason.
#
# Usage: awk -f tap.awk kind=tests TESTS kind=result RESULT

function pass(what)
{
	print "ok    " what
}

# Prints what the program has printed since the last verdict, too.
function fail(what)
{
	print "FAIL  " what
	printf "%s", output
	output = ""
}

function skip(what, reason)
{
	print "skip  " what ": " reason
}

# Prints a line that a program wants to be seen even if nothing has failed.
function note(line)
{
	sub(/.*note: /, "", line)
	print "      " program ": " line
}

function start_program(name)
{
	program = name
	plan = -1
	seen = wrong = 0
	output = ""
	asked_for[name] = 2
}

# Returns what follows the last "# SKIP" of a line.
function skip_reason(line)
{
	sub(/.*# *SKIP */, "", line)
	return line == "unknown" ? "" : line
}

function complain(what)
{
	wrong++
	fail(program ": " what)
}

# A line is "ok 3 - name # SKIP reason", of which a program may leave out parts.
function test_name(line)
{
	sub(/^(not )?ok *[0-9]* *-? */, "", line)
	sub(/ *# *SKIP.*/, "", line)
	return line == "" ? "test " seen : line
}

function one_result(line,    name)
{
	seen++
	name = test_name(line)
	if (line ~ /^not ok/)
		complain(name)
	else if (line !~ /# *SKIP/)
		pass(program ": " name)
	else if (skip_reason(line) == "")
		complain(name ": skipped without a reason")
	else
		skip(program ": " name, skip_reason(line))
	output = ""
}

function one_plan(line)
{
	plan = substr(line, 4) + 0
	if (plan)
		return
	if (line !~ /# *SKIP/ || skip_reason(line) == "") {
		complain("no test in it")
		return
	}
	skip(program, skip_reason(line))
	skipped_whole = program
}

function end_program(status, seconds)
{
	if (plan < 0)
		complain("no plan")
	else if (plan != seen)
		complain("announced " plan " results, gave " seen)
	if (status == 137)
		complain("killed after " seconds " s")
	else if (status != 0 && !wrong && skipped_whole != program)
		complain("ended with status " status)
	program = output = ""
}

function cut_off()
{
	complain("did not end")
	program = ""
}

kind == "tests" && NF {
	asked_for[$1] = 1
	next
}

kind == "result" && /^@/ {
	if (program != "" && $1 != "@exit")
		cut_off()
	if ($1 == "@kernel")
		print "kernel " $2
	else if ($1 == "@run")
		start_program($2)
	else if ($1 == "@exit")
		end_program($3, $4)
	else if ($1 == "@done")
		done = 1
	next
}

kind == "result" && program != "" {
	output = output "      | " $0 "\n"
	if (/^1\.\.[0-9]/)
		one_plan($0)
	else if (/^(not )?ok( |$)/)
		one_result($0)
	else if (/^#.*note: /)
		note($0)
	next
}

END {
	if (program != "")
		cut_off()
	for (name in asked_for)
		if (asked_for[name] == 1)
			fail(name ": did not run")
	if (!done)
		fail("the guest did not report its end")
}
