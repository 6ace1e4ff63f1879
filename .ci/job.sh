#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# One part of check.sh that goes on beside others: all that is done without a
# kernel, or on one. Library and tests are there already.
# Usage: job.sh static checks
#        job.sh tests KERNEL[+VARIANT]
#        job.sh without something
#        job.sh debug|fuzz FLAVOUR

set -eu
HERE=$(cd "$(dirname "$0")/../selftests/vm" && pwd)
# shellcheck source=../selftests/vm/common.sh
. "$HERE/common.sh"
# shellcheck source=common.sh
. "$TOP/.ci/common.sh"

without_job()
{
	verdicts "kernels without something" "$TOP/.ci/configs.sh"
}

static_job()
{
	verdicts "the judge" "$HERE/selfcheck.sh"
	verdicts "static checks" "$TOP/.ci/lint.sh"
	step "library: its own checks" make -s -C userlib check
}

build_module()
{
	kver=$("$HERE/kernel.sh" "$1" version)
	kdir=$("$HERE/kernel.sh" "$1" headers)
	with_compiler_of "$1" make -s module KDIR="$kdir" MODDIR="$BUILD/$kver"
}

example()
{
	"$HERE/run.sh" -k "$(series_of "$1")" program \
		"$(library_of "$(programs_of "$1")")/examples/$2" --demo
}

# Where a guest's memory is a dataspace. To make a guest patches the kernel's
# code, which only one emulated processor at a time gets along with.
guest_memory()
{
	name="memory of a guest on $1"
	if ! output=$(VM_CPUS=1 VM_DRIVERS="kvm-amd kvm-intel" \
		"$HERE/run.sh" -k "$series" program "$BUILD/install/access" \
		-v kvm -v kvm_read_only -t a_guest_writes_if_its_owner_may 2>&1)
	then
		echo "FAIL  $name"
		echo "$output" | quote
	elif echo "$output" | grep -q '# SKIP'; then
		echo "skip  $name: no KVM in the machine"
	else
		echo "ok    $name"
	fi
}

# machine VARIANT
machine()
{
	case $1 in
	1cpu) VM_CPUS=1 ;;
	4cpus) VM_CPUS=4 ;;
	2nodes) VM_NODES=2 VM_MEM=4096 ;;
	init_on_free) VM_APPEND="init_on_alloc=0 init_on_free=1" ;;
	lockdown) VM_APPEND="LOCKDOWN=confidentiality" ;;
	i386 | trixie | "") ;;
	*) die "unknown variant: $1" ;;
	esac
	export VM_CPUS VM_NODES VM_MEM VM_APPEND
}

tests_job()
{
	VM_TIMEOUT=${VM_TIMEOUT:-3600}
	export VM_TIMEOUT
	machine "$(variant_of "$1")"
	series=$(series_of "$1")
	programs=$(programs_of "$1")
	step "module for $1" build_module "$series"
	verdicts "tests on $1" "$HERE/run.sh" -k "$series" tests \
		"$(build_of "$programs")/install"
	[ "$programs" != amd64 ] ||
		verdicts "memory of a guest on $1" guest_memory "$1"
	step "RAM service on $1" example "$1" ram_service
	step "buffer pool on $1" example "$1" buffer_pool
}

debug_module()
{
	make -s module KDIR="$kdir" MODDIR="$BUILD/$flavour" \
		KCOV_INSTRUMENT=y GCOV_PROFILE=y
}

# The places in the module that the fuzzer could reach.
places()
{
	objdump -r "$BUILD/$flavour/module/dataspace.ko" |
		grep -c __sanitizer_cov_trace_pc
}

# Many tests look at every page of the machine: the smaller it is, the sooner
# they are done. What is like a variable at the end is one for the programs.
debug_tests()
{
	append="page_owner=on kmemleak=on FUZZ_PLACES=$(places)"
	append="$append FUZZ_MINUTES=$FUZZ_MINUTES ${SEED:+SEED=$SEED}"
	VM_MEM=${VM_MEM:-512} VM_APPEND=$append \
		"$HERE/run.sh" -k "$kdir/arch/x86/boot/bzImage" \
		-m "$BUILD/$flavour/module/dataspace.ko" tests "$@"
}

# Sets $kdir.
debug_prepare()
{
	step "the $flavour kernel" "$HERE/build-kernel.sh" "$flavour"
	kdir=$("$HERE/build-kernel.sh" "$flavour")
	step "module for it" debug_module
}

debug_job()
{
	flavour=$1
	FUZZ_MINUTES=${FUZZ_MINUTES:-1}
	VM_TIMEOUT=${VM_TIMEOUT:-3600}
	export VM_TIMEOUT
	debug_prepare
	rm -rf "$BUILD/install-$flavour"
	cp -R "$BUILD/install" "$BUILD/install-$flavour"
	echo dataspace:fuzz >>"$BUILD/install-$flavour/kselftest-list.txt"
	verdicts "tests on the $flavour kernel" \
		debug_tests "$BUILD/install-$flavour"
	[ "$flavour" != kasan ] ||
		verdicts "lines of the module that no test reaches" \
			"$HERE/coverage.sh" "$BUILD/vm/bzImage-tests/result" \
			"$BUILD/$flavour/module"
}

# Beyond the time itself there is a batch that has to end, and the boot.
fuzz_job()
{
	flavour=$1
	FUZZ_MINUTES=${FUZZ_MINUTES:-10}
	VM_LIMIT=$((FUZZ_MINUTES * 60 + 200))
	VM_TIMEOUT=$((VM_LIMIT + 600))
	export VM_LIMIT VM_TIMEOUT
	debug_prepare
	verdicts "fuzzing the module for $FUZZ_MINUTES minutes" \
		debug_tests "$BUILD/install/fuzz"
}

"$1_job" "$2"
