#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Static checks of all files in the tree. A check that prints anything has failed.
# Prints a verdict for each check, and the totals.
# Usage: lint.sh [CHECK...]     all of them if none is named

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"

"$HERE/deps.sh" build lint
source=$("$HERE/source.sh")
# Headers are fetched here: in a check what apt-get prints would be a complaint.
for kernel in $(all_series); do
	"$HERE/kernel.sh" "$kernel" headers >/dev/null
done
cd "$TOP"

# Prints the files of some patterns that git tracks, or would if they were added.
files()
{
	git -c safe.directory='*' ls-files --cached --others \
		--exclude-standard -- "$@"
}

module_files=$(files 'module/*.[ch]')
untraced_files=$(files 'module/*.[ch]' ':!module/trace.h')
uapi_files=$(files 'uapi/*.h')
user_files=$(files 'userlib/*.[ch]' 'selftests/*.[ch]')
shell_files=$(files '*.sh' '*.bash' .ci/run selftests/vm/init)

# Drops what is printed for every module because Debian's headers come without the
# vmlinux that BTF is made from.
without_btf_notice()
{
	sed '/^Skipping BTF generation for .* due to unavailability of vmlinux$/d'
}

# build_module NAME KERNEL MAKE-ARGUMENT...: builds a copy of the module's own.
build_module()
{
	copy=$BUILD/lint/$1-$2
	kernel=$2
	kdir=$("$HERE/kernel.sh" "$kernel" headers)
	shift 2
	rm -rf "$copy"
	with_compiler_of "$kernel" make -s --no-print-directory module \
		KDIR="$kdir" MODDIR="$copy" "$@" 2>&1 | without_btf_notice
}

# Debian's kernels for x86-64 are built with gcc, and their configuration has
# options that clang 14 does not know: they are set to nothing. A header of the
# kernel declares the per-CPU segment twice.
build_with_clang()
{
	build_module clang "$1" W=1 CC=clang-14 \
		CONFIG_CC_IS_GCC= CONFIG_CC_IS_CLANG=y \
		CONFIG_CC_IMPLICIT_FALLTHROUGH=-Wimplicit-fallthrough \
		CONFIG_FTRACE_MCOUNT_USE_CC= CONFIG_INIT_STACK_ALL_ZERO= \
		CONFIG_RETHUNK= CONFIG_MITIGATION_RETHUNK= \
		CONFIG_SLS= CONFIG_MITIGATION_SLS= \
		KCFLAGS="-Wno-unknown-warning-option -Wno-duplicate-decl-specifier"
}

# What the module is compiled with is told by a Makefile in place of the kernel's,
# which takes CC and LLVM as that does. A line here is what the kernel was built
# with, what is to build the module, and the arguments of make.
check_compilers()
{
	fake=$BUILD/lint/compilers
	mkdir -p "$fake/gcc" "$fake/clang"
	echo CONFIG_CC_IS_GCC=y >"$fake/gcc/.config"
	echo CONFIG_CC_IS_CLANG=y >"$fake/clang/.config"
	cat >"$fake/gcc/Makefile" <<-'END'
		CC = $(if $(LLVM),$(filter %/,$(LLVM))clang$(filter -%,$(LLVM)),$(CROSS_COMPILE)gcc)
		modules: ; @echo '$(CC)'
	END
	cp "$fake/gcc/Makefile" "$fake/clang/"
	while read -r kernel compiler arguments; do
		# shellcheck disable=SC2086 # the arguments are words
		made=$(make -s --no-print-directory module KDIR="$fake/$kernel" $arguments)
		[ "$made" = "$compiler" ] ||
			echo "$made for a kernel by $kernel, with $arguments"
	done <<-END
		gcc	gcc
		gcc	gcc		CC=clang-14
		gcc	gcc-12		CC=gcc-12
		gcc	clang-14	CC=clang-14 CONFIG_CC_IS_CLANG=y
		gcc	clang-14	LLVM=-14
		gcc	/opt/bin/clang	LLVM=/opt/bin/ CC=gcc
		gcc	arm-gcc		CC=clang-14 CROSS_COMPILE=arm-
		clang	clang
		clang	clang		CC=gcc
		clang	clang-14	CC=clang-14
	END
}

# Prints the global symbols of the module's object files, which lie in $copy:
# "FILE SYMBOL TYPE", where the type U is for a symbol that the file uses only.
module_symbols()
{
	xargs nm -gAP <"$copy/module/dataspace.mod" |
		sed 's|^.*/\([^/]*\)\.o: \([^ ]* .\).*|\1.c \2|'
}

# Reads lines "FILE USED-FILE WHAT", and what tsort prints about them: all files
# of a circle, each of which uses the one after it. Prints why.
explain_circles()
{
	awk '
	function explain(    i) {
		for (i = 1; i <= n; i++)
			print circles ". circle: " file[i] " uses " \
				file[i % n + 1] ": " what[file[i], file[i % n + 1]]
		n = 0
	}
	NR == FNR { what[$1, $2] = $3; next }
	/loop:$/ { explain(); circles++; next }
	{ file[++n] = $2 }
	END { explain() }' "$@"
}

# A file of the module may use files below it, and none that uses it. That holds for
# what it calls, for what else it refers to, and for what it includes.
check_circles()
{
	module_symbols | awk '
	$3 == "U" { users[$2] = users[$2] " " $1; next }
	{ file_of[$2] = $1 }
	END {
		for (symbol in file_of) {
			n = split(users[symbol], user, " ")
			for (i = 1; i <= n; i++)
				print user[i], file_of[symbol], symbol
		}
	}' >"$copy/uses"
	grep '^#include "' module/*.[ch] |
		sed 's|^module/\(.*\):.*"\(.*\)"|\1 \2 #include|' >>"$copy/uses"
	cut -d " " -f 1,2 "$copy/uses" | sort -u | LC_ALL=C tsort 2>&1 >/dev/null |
		explain_circles "$copy/uses" -
}

# Names that are global in the module are global in the whole kernel.
check_prefixes()
{
	module_symbols | awk '
		BEGIN {
			prefix = "dataspace|backing|extent|pool|contig|lineage"
			trace = "__(tracepoint|traceiter|probestub)_"
			trace = trace "|__SC[KT]__tp_func_"
			prefix = "^(__pfx_)?(" trace ")?(" prefix \
				"|range_tree|kver)_"
		}
		$3 != "U" && $2 !~ prefix &&
		$2 !~ /^(__pfx_)?(init|cleanup)_module$/ {
			print $1 ": no prefix: " $2
		}'
}

# without_licence LICENCE PATTERN...: prints the files that do not say that they are
# under it.
without_licence()
{
	licence=$1
	shift
	files "$@" | xargs grep -LE "SPDX-License-Identifier: $licence( \*/| -->)?\$"
}

# As in COPYING and in userlib/debian/copyright, which has what cannot have a line.
check_licences()
{
	without_licence GPL-2.0-only ':!COPYING' ':!*.md' ':!uapi' ':!userlib'
	without_licence 'GPL-2.0-only WITH Linux-syscall-note' uapi
	without_licence GPL-2.0-only userlib/Makefile 'userlib/*.sh' userlib/.gitignore \
		userlib/images
	without_licence 'LGPL-2.1-or-later OR MIT' userlib ':!userlib/Makefile' \
		':!userlib/*.sh' ':!userlib/.gitignore' ':!userlib/images' \
		':!userlib/NEWS' ':!userlib/debian'
}

# Each rule that a test cites has to be in dataspace(7), and each rule there has
# to be cited by a test.
check_rules()
{
	mkdir -p "$BUILD/lint"
	sed -n 's/^\.BR\{0,1\} rule \([0-9]\{1,\}\).*/\1/p' \
		userlib/man/man7/dataspace.7 | sort -u >"$BUILD/lint/rules"
	files 'selftests/*.[ch]' | xargs cat | sed 's|^[[:space:]]*\*||' |
		tr -s '\n\t ' ' ' |
		grep -oE '\brules? [0-9]+((,| and|, and| to) [0-9]+)*' |
		grep -oE '[0-9]+' | sort -u | comm -3 - "$BUILD/lint/rules" |
		sed 's/^\t/cited by no test: rule /
			s/^[0-9]/not in dataspace(7): rule &/'
}

# Each script that tries a program has a row in the table, and no other has one.
check_compat()
{
	mkdir -p "$BUILD/lint"
	sed -n 's/^| \[\(.*\)\].*/\1/p' selftests/compat.md >"$BUILD/lint/rows"
	for script in selftests/compat/*.sh; do
		basename "$script" .sh
	done | diff - "$BUILD/lint/rows"
}

# checkpatch IGNORED-TYPE,... FILE...
checkpatch()
{
	ignored=$1
	shift
	perl "$source/scripts/checkpatch.pl" --strict --no-tree --terse \
		--show-types --no-summary --ignore "$ignored" -f "$@"
}

# Types of warnings that are ignored. The module calls functions of the kernel
# whose names are in mixed case. BIT() is not for programs. Programs do not have the kernel's macros and
# functions that checkpatch recommends, and need volatile for memory that others
# change. Tracepoints are laid out as everywhere in the kernel.
module_ignored=CAMELCASE
trace_ignored=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
uapi_ignored=BIT_MACRO
user_ignored=ARRAY_SIZE,PREFER_DEFINED_ATTRIBUTE_MACRO,PREFER_KERNEL_TYPES
user_ignored=$user_ignored,CAMELCASE,COMPLEX_MACRO,STRCPY,STRLCPY,STRNCPY,VOLATILE,ENOSYS

# The lists of files are words.
# shellcheck disable=SC2086
run_check()
{
	case $1 in
	checkpatch)
		checkpatch "$module_ignored" $untraced_files
		checkpatch "$module_ignored,$trace_ignored" module/trace.h
		checkpatch "$uapi_ignored" $uapi_files
		checkpatch "$user_ignored" $user_files
		rm -f .checkpatch-camelcase.*
		;;
	clang-format)
		clang-format-14 --dry-run -Werror $module_files $uapi_files $user_files
		;;
	kernel-doc)
		perl "$source/scripts/kernel-doc" -none -Wall $module_files $uapi_files
		;;
	shellcheck)
		shellcheck $shell_files
		;;
	spdx)
		check_licences
		;;
	man)
		userlib/check-man.sh userlib/man
		;;
	compat)
		check_compat
		;;
	pictures)
		awk -f selftests/bench/ratios.awk selftests/bench/recorded.csv |
			diff - selftests/bench/ratios.svg
		;;
	library:*)
		make -s --no-print-directory -C userlib \
			O="$BUILD/lint/library-${1#*:}" CC="${1#*:}" all examples
		;;
	tests:*)
		make -s --no-print-directory selftests CC="${1#*:}" \
			BUILD="$BUILD/lint/tests-${1#*:}" | sed '/^  CC  /d'
		;;
	sparse:*)
		build_module sparse "${1#*:}" C=2
		;;
	gcc:*)
		build_module gcc "${1#*:}" W=1
		;;
	symbols:*)
		# CC is for the library: this takes gcc, as the kernel did.
		build_module symbols "${1#*:}" CC=clang-14 >/dev/null
		check_circles
		check_prefixes
		;;
	compilers)
		check_compilers
		;;
	rules)
		check_rules
		;;
	clang:*)
		build_with_clang "${1#*:}"
		;;
	*)
		die "unknown check: $1"
		;;
	esac
}

verdict()
{
	output=$(run_check "$1" 2>&1) || output=${output:-failed}
	if [ -z "$output" ]; then
		echo "ok    lint: $1"
	else
		echo "FAIL  lint: $1"
		echo "$output" | sed 's/^/      | /'
	fi
}

if [ $# -eq 0 ]; then
	set -- checkpatch clang-format compat compilers kernel-doc man pictures rules \
		shellcheck spdx \
		library:gcc library:clang-14 tests:gcc tests:clang-14
	for kernel in $(all_series); do
		set -- "$@" "gcc:$kernel"
		[ "$(release_of "$kernel")" != bookworm ] ||
			set -- "$@" "sparse:$kernel"
		case $(release_of "$kernel")-$(arch_of "$kernel") in
		bookworm-amd64)
			set -- "$@" "clang:$kernel" "symbols:$kernel"
			;;
		esac
	done
fi
for check; do
	verdict "$check"
done | awk -f "$HERE/totals.awk"
