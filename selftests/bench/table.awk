# SPDX-License-Identifier: GPL-2.0-only
#
# Makes a table of what the benchmark printed, with a line for each work and
# size and a column for each kind.
# Usage: awk -v format=csv|text -f table.awk RAW

BEGIN {
	FS = ","
	OFS = ","
}

function line_of(work, size,    name)
{
	name = work "," size
	if (!(name in seen)) {
		seen[name] = 1
		if (!(work in works))
			order[++works_count] = work
		works[work] = works[work] " " size
	}
	return name
}

function column_of(kind)
{
	if (!(kind in columns)) {
		columns[kind] = 1
		names[++columns_count] = kind
	}
}

$1 == "peer" {
	peer[line_of($2, $3)] = $4
}

$1 == "figure" {
	column_of($4)
	figure[line_of($2, $3), $4] = $5
}

function readable(size, work)
{
	if (work ~ /N|per handle/)
		return size
	if (size >= 1073741824)
		return size / 1073741824 " GiB"
	if (size >= 1048576)
		return size / 1048576 " MiB"
	return size / 1024 " KiB"
}

function thousands(value, work)
{
	if (value == "")
		return "-"
	if (work ~ /^bytes/)
		return value
	return sprintf(value < 100000 ? "%.2f" : "%.0f", value / 1000)
}

# The first of the peers that has a figure.
function peer_of(line,    count, list, i)
{
	count = split(peer[line], list, "/")
	for (i = 1; i <= count; i++)
		if (figure[line, list[i]] > 0)
			return list[i]
	return ""
}

function ratio(line,    ours, other)
{
	ours = figure[line, "dataspace"]
	other = figure[line, peer_of(line)]
	return ours != "" && other > 0 ? sprintf("%.3f", ours / other) : ""
}

function csv_line(work, size,    line, i, text)
{
	line = work "," size
	text = line "," peer_of(line) "," ratio(line)
	for (i = 1; i <= columns_count; i++)
		text = text "," figure[line, names[i]]
	print text
}

function text_line(work, size,    line, i, r)
{
	line = work "," size
	printf "%-32s %8s", work, readable(size, work)
	for (i = 1; i <= columns_count; i++)
		printf " %10s", thousands(figure[line, names[i]], work)
	r = ratio(line)
	printf "  %s\n", r == "" ? "-" : r " " peer_of(line)
}

function head(    i)
{
	if (format == "csv")
		printf "work,size,peer,ratio"
	else
		printf "%-32s %8s", "work", "size"
	for (i = 1; i <= columns_count; i++)
		printf format == "csv" ? ",%s" : " %10s", names[i]
	print format == "csv" ? "" : "  ours to"
}

END {
	head()
	for (i = 1; i <= works_count; i++) {
		count = split(works[order[i]], sizes, " ")
		for (j = 1; j <= count; j++) {
			if (format == "csv")
				csv_line(order[i], sizes[j])
			else
				text_line(order[i], sizes[j])
		}
	}
}
