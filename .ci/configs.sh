#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Compiles the module for kernels that lack an option, a kernel for each option.
# Of these kernels only the headers are made, so that modpost does not know which
# symbols they export. Prints a verdict for each option, and the totals.
# Usage: configs.sh [OPTION...]    all of them if none is named

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

# Prints which options have to be off for an option to be off: those that select
# it.
selectors()
{
	case $1 in
	COMPAT) echo IA32_EMULATION ;;
	DMA_SHARED_BUFFER) echo 'UDMABUF|DMABUF_HEAPS.*' ;;
	CONTIG_ALLOC)
		echo 'CMA|COMPACTION|TRANSPARENT_HUGEPAGE.*|MEMORY_HOTREMOVE'
		;;
	MEMCG) echo MEMCG ;;
	NUMA) echo '.*NUMA.*' ;;
	*) echo "$1.*" ;;
	esac
}

configure()
{
	grep -hE '^CONFIG_' "$HERE/base.config" "$HERE/x86.config" |
		grep -vE "^CONFIG_($(selectors "$1"))=" >"$kdir/options"
	KCONFIG_ALLCONFIG=$kdir/options \
		make -s -C "$source" O="$kdir" allnoconfig
	if grep "^CONFIG_$1=" "$kdir/.config" >&2; then
		return 1
	fi
}

# Drops what modpost says about symbols: it knows none.
compile()
{
	make -s --no-print-directory module KDIR="$kdir" MODDIR="$1" W=1 \
		KBUILD_MODPOST_WARN=1 2>&1 |
		sed '/symvers is missing/,/own risk/d
			/undefined!$/d
			/suppressed .* unresolved/d'
	[ -e "$1/module/dataspace.ko" ] || echo "there is no module"
}

build_without()
{
	out=$BUILD/configs/$1
	rm -rf "$out"
	configure "$1" >/dev/null &&
		make -s -C "$source" O="$kdir" modules_prepare >/dev/null &&
		compile "$out"
}

verdict()
{
	if output=$(build_without "$1" 2>&1) && [ -z "$output" ]; then
		echo "ok    compiles without $1"
	else
		echo "FAIL  compiles without $1"
		echo "$output" | sed 's/^/      | /'
	fi
}

[ $# -gt 0 ] || set -- TRANSPARENT_HUGEPAGE MEMCG DEBUG_FS DMA_SHARED_BUFFER \
	COMPAT CMA NUMA CONTIG_ALLOC
whole=$("$HERE/build-kernel.sh" kasan)
source=$(realpath "$whole/source")
kdir=$BUILD/configs/kernel
mkdir -p "$kdir"
cd "$TOP"
for option; do
	verdict "$option"
done | awk -f "$HERE/totals.awk"
