# SPDX-License-Identifier: GPL-2.0-only
#
# Draws the picture of the README: some of the recorded ratios as bars.
# Usage: awk -f ratios.awk recorded.csv >ratios.svg

BEGIN {
	FS = ","
	width = 400
	unit = 150 # pixels for what the other thing costs
	left = 12
	row = 52
	pick("make+close a handle", 1073741824,
	     "Make and close an alias of 1 GiB", "an eventfd")
	pick("allocate+free", 67108864,
	     "Allocate and free 64 MiB", "a dma-heap buffer")
	pick("first map+touch", 1048576,
	     "Map 1 MiB and write to each page", "a memfd")
	pick("revoke N mapped", 100000,
	     "Revoke 100,000 mapped aliases", "unmapping and closing each")
}

function pick(work, size, text, other)
{
	texts[++count] = text
	others[count] = other
	of[work "," size] = count
}

function text_at(x, y, size, colour, text)
{
	printf "<text x=\"%d\" y=\"%d\" font-size=\"%d\" fill=\"%s\">%s</text>\n",
		x, y, size, colour, text
}

function bar(x, y, w, colour)
{
	printf "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\" fill=\"%s\"/>\n",
		x, y, w < 1 ? 1 : w, colour
}

($1 "," $2) in of {
	ratio[of[$1 "," $2]] = $4
}

END {
	height = 40 + count * row + 30
	print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	print "<!-- SPDX-License-Identifier: GPL-2.0-only -->"
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" "
	printf "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n", width, height
	printf "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", width, height
	text_at(left, 24, 15, "#111111", "Same cost to allocate, far less to map or revoke")
	for (i = 1; i <= count; i++) {
		y = 40 + (i - 1) * row
		if (ratio[i] == "") {
			print "no figure for: " texts[i] >"/dev/stderr"
			exit 1
		}
		text_at(left, y + 14, 13, "#111111", texts[i])
		bar(left, y + 20, unit * ratio[i], "#2166ac")
		text_at(left + unit * (ratio[i] > 1 ? ratio[i] : 1) + 8, y + 32, 12,
			"#111111", sprintf("%.3g × %s", ratio[i], others[i]))
	}
	printf "<path d=\"M%d 40 V%d\" stroke=\"#888888\" stroke-dasharray=\"4 3\"/>\n",
		left + unit, 40 + count * row
	text_at(left, height - 12, 12, "#555555",
		"Dashed line: the alternative. CPU work; shorter is better.")
	print "</svg>"
}
