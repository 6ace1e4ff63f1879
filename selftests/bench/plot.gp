# SPDX-License-Identifier: GPL-2.0-only
#
# Draws what handles and mappings cost against the size, and one more handle
# against the number of those that live.
# Usage: gnuplot -e "csv='bench.csv'; folder='where the plots go'" plot.gp

set datafile separator ","
set terminal svg size 390,340 dynamic font "sans-serif,12" background "white"
set logscale xy
set format y "%.0s%c"
set ylabel "CPU instructions"
set key outside below
set grid
set style data linespoints
set linetype 1 linewidth 2
set linetype 9 linecolor "#909090"

# Each kind has the same colour everywhere.
kinds = "dataspace eventfd dup memfd 'memfd ro' hugetlb 'shmem thp' udmabuf dma-heap"

# With the head of the file, for the names of the columns.
table(work) = "< sed -n '1p; /^".work.",/p' ".csv

set xtics ("4 KiB" 4096, "64 KiB" 65536, "1 MiB" 1048576, "16 MiB" 16777216, \
	"256 MiB" 268435456)
set xrange [2048:2147483648]

set output folder."/handle.svg"
set title "An alias costs the same for 4 KiB and for 1 GiB"
plot for [i in "1 2 3 4 5 6 8"] \
	table("make+close a handle") using "size":word(kinds, i + 0) \
	linetype i + 0 title word(kinds, i + 0)

set output folder."/map.svg"
set title "Mapping and touching cost little from 1 MiB on"
plot for [i in "1 4 6 7 8 9"] \
	table("second map+touch") using "size":word(kinds, i + 0) \
	linetype i + 0 title word(kinds, i + 0)

set output folder."/live.svg"
set title "One more alias stays cheap among a million"
set xlabel "aliases that live already"
set xtics ("1" 1, "100" 100, "10,000" 10000, "1,000,000" 1000000)
set xrange [0.5:2000000]
set yrange [500:100000]
plot for [i in "1 2 3"] \
	table("one more among N (whole)") using "size":word(kinds, i + 0) \
	linetype i + 0 title word(kinds, i + 0)
