# SPDX-License-Identifier: GPL-2.0-only
#
# Reads what a run of the guest left behind and says what it is worth. What is
# missing counts as failed: results that were announced, programs that were
# asked for, the end of the report. So does any complaint of the kernel, and a
# skipped test that does not say why.
#
# Usage: awk -f judge.awk kind=tests TESTS kind=result RESULT
#                         kind=console CONSOLE

BEGIN {
	complaint = "WARNING:|(^|[^A-Z_])BUG[ :]|Oops|lockdep|possible circular|" \
		"possible recursive|KASAN|KCSAN|UBSAN|KFENCE|" \
		"unreferenced object|suspected memory leaks|Call Trace|" \
		"general protection fault|RIP:|kernel BUG|Bad page|" \
		"Kernel panic|INFO: task .* blocked|INFO: rcu|" \
		"rcu.*stall|soft lockup|hard LOCKUP|invoked oom-killer|" \
		"page allocation failure|refcount_t:"
	during = "boot"
}

function pass(what)
{
	passed++
	print "ok    " what
}

function fail(what)
{
	failed++
	print "FAIL  " what
}

function skip(what, reason)
{
	skipped++
	print "skip  " what ": " reason
}

function start_program(name)
{
	program = name
	plan = -1
	seen = wrong = 0
	output = ""
	asked_for[name] = 2
}

# What follows the last "# SKIP" of a line.
function skip_reason(line)
{
	sub(/.*# *SKIP */, "", line)
	return line == "unknown" ? "" : line
}

function one_result(line,    name)
{
	seen++
	name = line
	sub(/^(not )?ok *[0-9]* *-? */, "", name)
	sub(/^# *SKIP.*/, "", name)
	sub(/ *# *SKIP.*/, "", name)
	name = program ": " (name == "" ? "test " seen : name)
	if (line ~ /^not ok/) {
		wrong++
		fail(name)
	} else if (line !~ /# *SKIP/) {
		pass(name)
	} else if (skip_reason(line) == "") {
		wrong++
		fail(name ": skipped without a reason")
	} else {
		skip(name, skip_reason(line))
	}
}

function one_plan(line)
{
	plan = substr(line, 4) + 0
	if (plan)
		return
	if (line ~ /# *SKIP/ && skip_reason(line) != "") {
		skip(program, skip_reason(line))
		skipped_whole = program
	} else {
		wrong++
		fail(program ": no test in it")
	}
}

function complain(what)
{
	wrong++
	fail(program ": " what)
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
	if (wrong)
		printf "%s", output
	program = ""
}

function cut_off()
{
	complain("did not end")
	printf "%s", output
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
	next
}

kind == "console" && /dataspace-vm: run / {
	during = $NF
	context = 0
	next
}

kind == "console" && $0 ~ complaint {
	if (!(during in complaints))
		fail("kernel log, " during)
	complaints[during] = 1
	dirty = 1
	context = 40
}

kind == "console" && context-- > 0 {
	print "      | " $0
}

END {
	if (program != "")
		cut_off()
	for (name in asked_for)
		if (asked_for[name] == 1)
			fail(name ": did not run")
	if (!done)
		fail("the guest did not report its end")
	if (!dirty)
		pass("kernel log")
	printf "%d passed, %d failed", passed, failed
	printf skipped ? ", " skipped " skipped\n" : "\n"
	exit failed > 0
}
