# SPDX-License-Identifier: GPL-2.0-only
#
# Draws what handles and mappings cost against the size, and one more handle
# against the number of those that live.
# Usage: gnuplot -e "csv='bench.csv'; folder='where the plots go'" plot.gp

set datafile separator ","
set terminal svg size 720,400 dynamic font "sans-serif,13" background "white"
set logscale xy
set format y "10^{%L}"
set ylabel "instructions"
set key outside right
set grid
set style data linespoints
set linetype 1 linewidth 2
set linetype 9 linecolor "#909090"

# Each kind has the same colour everywhere.
kinds = "dataspace eventfd dup memfd 'memfd ro' hugetlb 'shmem thp' udmabuf dma-heap"

# With the head of the file, for the names of the columns.
table(work) = "< sed -n '1p; /^".work.",/p' ".csv

set xlabel "size in bytes"
set logscale x 2
set format x "2^{%L}"
set xrange [2048:2147483648]

set output folder."/handle.svg"
set title "one more handle, made and closed"
plot for [i in "1 2 3 4 5 6 8"] \
	table("make+close a handle") using "size":word(kinds, i + 0) \
	linetype i + 0 title word(kinds, i + 0)

set output folder."/map.svg"
set title "mapping memory that is there, and touching every page"
plot for [i in "1 4 6 7 8 9"] \
	table("second map+touch") using "size":word(kinds, i + 0) \
	linetype i + 0 title word(kinds, i + 0)

set output folder."/live.svg"
set title "one more handle among many, made and closed"
set xlabel "live handles"
set logscale x 10
set format x "10^{%L}"
set xrange [0.5:2000000]
set yrange [500:100000]
plot for [i in "1 2 3"] \
	table("one more among N (whole)") using "size":word(kinds, i + 0) \
	linetype i + 0 title word(kinds, i + 0)
