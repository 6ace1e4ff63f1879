#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the benchmark in a guest whose clock counts instructions, and prints the
# table; figures are thousands of instructions where nothing else is said. The
# same as a file of comma-separated values is in $BUILD/bench/bench.csv, and the
# reasons for what is not there in $BUILD/bench/reasons.
# Usage: bench.sh [WORD...]        works whose name has one of the words, or all
#        bench.sh check            compare the ratios with the recorded ones
#        bench.sh record           record them, and draw the plots
# KERNEL: the series, 6.12 by default.

set -eu
BENCH=$(cd "$(dirname "$0")" && pwd)
HERE=$BENCH/../vm
# shellcheck source=../vm/common.sh
. "$HERE/common.sh"

kernel=${KERNEL:-6.12}
out=$BUILD/bench
csv=$out/bench.csv

build()
{
	KERNELS=$kernel "$HERE/deps.sh" build vm
	kver=$("$HERE/kernel.sh" "$kernel" version)
	mkdir -p "$out"
	make -s -C "$TOP" module IMPORTER=m KVER="$kver" MODDIR="$BUILD/$kver" >&2
	make -s -C "$BENCH" OUTPUT="$out" >&2
}

# Addresses are the same in each run: whether a mapping lies in one page table
# or in two makes a difference. The machine is the one that the record is from.
measure()
{
	VM_ICOUNT=1 VM_MACHINE=pc VM_MEM=4096 VM_TIMEOUT=${VM_TIMEOUT:-3600} \
		VM_APPEND="nokaslr norandmaps" \
		nice -n 5 "$HERE/run.sh" -k "$kernel" program "$out/bench" "$@" \
		>"$out/raw" || die "the run failed, see $out/raw"
	grep -q ^end, "$out/raw" || die "the run did not end, see $out/raw"
}

tables()
{
	awk -v format=csv -f "$BENCH/table.awk" "$out/raw" >"$csv"
	sed -n 's/^none,//p' "$out/raw" >"$out/reasons"
	awk -v format=text -f "$BENCH/table.awk" "$out/raw"
}

# Plots come without a licence of their own.
plots()
{
	"$HERE/deps.sh" plot
	gnuplot -e "csv='$csv'; folder='$out'" "$BENCH/plot.gp"
	for plot in handle map live; do
		sed '2i <!-- SPDX-License-Identifier: GPL-2.0-only -->' \
			"$out/$plot.svg" >"$BENCH/$plot.svg"
	done
	awk -f "$BENCH/ratios.awk" "$BENCH/recorded.csv" >"$BENCH/ratios.svg"
}

case ${1:-} in
check)
	[ -f "$BENCH/recorded.csv" ] || die "nothing is recorded to compare with"
	awk -f "$BENCH/check.awk" "$BENCH/recorded.csv" "$csv"
	;;
record)
	{
		echo "# SPDX-License-Identifier: GPL-2.0-only"
		cut -d, -f1-4 "$csv"
	} >"$BENCH/recorded.csv"
	plots
	;;
*)
	build
	measure "$@"
	tables
	;;
esac
