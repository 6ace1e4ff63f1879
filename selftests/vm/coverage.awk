# SPDX-License-Identifier: GPL-2.0-only
#
# Reads what gcov prints about each line of the module, and prints a verdict for
# each file. A line of a header has run if it has in one of the objects.
#
# Usage: awk -f coverage.awk kind=exceptions EXCEPTIONS kind=lines LINES

# "FILE | TEXT | REASON", where TEXT is "name()" for a whole function, or a part
# of a line, with "name() " before it if only lines of that function are meant.
function one_exception()
{
	if (split($0, part, / *[|] */) != 3 || part[3] == "") {
		print "FAIL  coverage: not an exception: " $0
		return
	}
	reasons++
	reason_file[reasons] = part[1]
	reason_text[reasons] = part[2]
}

function explains(what, key,    name)
{
	name = function_of[key] "()"
	if (what == name)
		return 1
	if (index(what, name " ") == 1)
		what = substr(what, length(name) + 2)
	return index(text[key], what)
}

function is_explained(key,    i)
{
	for (i = 1; i <= reasons; i++) {
		if (reason_file[i] == file_of[key] &&
		    explains(reason_text[i], key))
			return 1
	}
	return 0
}

# "COUNT: NUMBER:TEXT", where COUNT is "-" for a line without code.
function one_line(    count, number, key)
{
	count = $0
	sub(/:.*/, "", count)
	gsub(/[ *]/, "", count)
	sub(/^[^:]*: */, "")
	number = $0 + 0
	sub(/^[0-9]*:/, "")
	if (match($0, /^[a-z].*[ *][a-z_0-9]+\(/) && !/;$/) {
		current = substr($0, 1, RLENGTH - 1)
		sub(/.*[ *]/, "", current)
	}
	if (count == "-")
		return
	key = file ":" number
	if (!(key in text)) {
		order[++keys] = key
		file_of[key] = file
		text[key] = $0
		function_of[key] = current
	}
	if (count ~ /^[0-9]/)
		has_run[key] = 1
}

function verdict(file,    what)
{
	what = "coverage: " file ": " run[file] + 0 " of " lines[file] " lines"
	if (explained[file])
		what = what ", " explained[file] " explained"
	print (open[file] ? "FAIL  " : "ok    ") what
	printf "%s", open[file]
	all_run += run[file]
	all_lines += lines[file]
}

kind == "exceptions" && !/^#/ && NF { one_exception() }

kind == "lines" && /^ *-: *0:Source:/ {
	file = $0
	wanted = sub(/.*\/module\//, "", file)
	current = ""
}

kind == "lines" && /^ *[^ :]+: *[1-9][0-9]*:/ && wanted { one_line() }

END {
	for (i = 1; i <= keys; i++) {
		key = order[i]
		file = file_of[key]
		if (!lines[file]++)
			files[++nr_files] = file
		if (key in has_run)
			run[file]++
		else if (is_explained(key))
			explained[file]++
		else
			open[file] = open[file] "      | " key ":" text[key] "\n"
	}
	for (i = 1; i <= nr_files; i++)
		verdict(files[i])
	if (all_lines)
		printf "      coverage: %.1f %% of %d lines of the module\n",
			100 * all_run / all_lines, all_lines
}
