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

# With the head of the file, for the names of the columns.
table(work) = "< sed -n '1p; /^".work.",/p' ".csv

set xlabel "size in bytes"
set logscale x 2
set format x "2^{%L}"
set xrange [2048:2147483648]

set output folder."/handle.svg"
set title "one more handle, made and closed"
plot for [kind in "dataspace eventfd dup memfd 'memfd ro' hugetlb udmabuf"] \
	table("make+close a handle") using "size":kind title kind

set output folder."/map.svg"
set title "mapping memory that is there, and touching every page"
plot for [kind in "dataspace memfd hugetlb 'shmem thp' udmabuf dma-heap"] \
	table("second map+touch") using "size":kind title kind

set output folder."/live.svg"
set title "one more handle among many, made and closed"
set xlabel "live handles"
set logscale x 10
set format x "10^{%L}"
set xrange [0.5:2000000]
set yrange [500:100000]
plot for [kind in "dataspace eventfd dup"] \
	table("one more among N (whole)") using "size":kind title kind
