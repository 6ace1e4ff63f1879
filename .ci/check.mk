# SPDX-License-Identifier: GPL-2.0-only
#
# The parts of the check, and which part needs which. check.sh runs this.
# KERNELS: SERIES[+VARIANT]..., see selftests/vm/common.sh
# PROGRAMS: which test programs to run, all of them if none is named
# FLAVOUR: which debug kernel, see selftests/vm/build-kernel.sh
# FUZZ_MINUTES: how long random calls go on; SEED: where they start

VM := selftests/vm
FLAVOUR ?= kasan
export VM_TIMEOUT ?= 3600

# A part may run make: the "+" shares the jobs of this make with that one.
PART := +.ci/part.sh

# SERIES+VARIANT needs the module for SERIES and one of the builds of the library
# and the tests.
series = $(firstword $(subst +, ,$1))
build = $(or $(filter i386 trixie,$(lastword $(subst +, ,$1))),\
	$(if $(findstring -arm64,$1),arm64,amd64))
folder = $(BUILD)/$(call build,$1)
variant = $(word 2,$(subst +, ,$1))
programs = $(or $(PROGRAMS:%=$1/install/%),\
	$(PROGRAMS_$(call variant,$2):%=$1/install/%),$1/install)

SERIES := $(sort $(foreach kernel,$(KERNELS),$(call series,$(kernel))))
BUILDS := $(sort amd64 $(foreach kernel,$(KERNELS),$(call build,$(kernel))))
TESTS := $(KERNELS:%=tests-%)
EXAMPLES := $(KERNELS:%=examples-%)
KVM := $(patsubst %,kvm-%,$(filter-out %-arm64 %-arm64-64k,$(SERIES)))

# C++ and Python are tried on one kernel: what they call is the same everywhere. So
# are holds of locks, which take a machine that counts instructions.
BINDINGS := $(firstword $(filter 6.12,$(SERIES)) $(filter-out %-arm64 %-arm64-64k,$(SERIES)))

# The programs with tests for machines that have guests, and one that has the kernel
# change its own code all the time, which processors that are emulated at the same
# time do not survive every time; that machine has one processor. The commands of the
# manual do that, too.
PATCHING_PROGRAM := trace
KVM_PROGRAMS := access $(PATCHING_PROGRAM)

# A variant may be for some programs only: those with tests of bounce buffers, as others
# want devices to have none; and a few, as all but the tree is the same without debugfs.
PROGRAMS_swiotlb := bounce
PROGRAMS_nodebugfs := alias alloc reload

# Most programs keep one processor busy, so there are two guests with the debug
# kernel, each with half of the programs.
HALVES := first second

.PHONY: all compat configs deb debug fuzz lint judge library newcomer packages source debug-kernel \
	debug-module $(TESTS) $(EXAMPLES) $(BINDINGS:%=bindings-%) $(BINDINGS:%=holds-%) $(KVM) \
	$(BINDINGS:%=network-%) $(BINDINGS:%=demo-vm-%) \
	$(BUILDS:%=build-%) $(HALVES:%=debug-%) \
	$(SERIES:%=kernel-%) $(SERIES:%=module-%)

# make starts the parts in this order; those that take longest come first.
all: $(TESTS) $(KVM) $(EXAMPLES) $(BINDINGS:%=bindings-%) $(BINDINGS:%=holds-%) \
	$(BINDINGS:%=network-%) $(BINDINGS:%=demo-vm-%) deb lint library judge

.SECONDEXPANSION:

$(TESTS): tests-%: build-$$(call build,$$*) module-$$(call series,$$*)
	$(PART) "$(or $(PROGRAMS),tests) on $*" \
		env VM_EXCEPT=$(if $(findstring -arm64,$*),,$(PATCHING_PROGRAM)) \
		$(VM)/run.sh -k $* tests $(call programs,$(call folder,$*),$*)

$(KVM): kvm-%: build-amd64 module-%
	$(PART) "tests with one processor and KVM on $*" $(VM)/run.sh -k $*+kvm tests \
		$(KVM_PROGRAMS:%=$(BUILD)/amd64/install/%) \
		$(BUILD)/amd64/userlib/check-manual

$(EXAMPLES): examples-%: build-$$(call build,$$*) module-$$(call series,$$*)
	$(PART) "examples on $*" $(VM)/run.sh -k $* tests \
		$(call folder,$*)/userlib/check-examples \
		$(call folder,$*)/userlib/check-tool \
		$(call folder,$*)/userlib/check-broker
	$(PART) "RAM service on $*" $(VM)/run.sh -k $* program \
		$(call folder,$*)/userlib/examples/ram_service --demo
	$(PART) "buffer pool on $*" $(VM)/run.sh -k $* program \
		$(call folder,$*)/userlib/examples/buffer_pool --demo

$(BINDINGS:%=bindings-%): bindings-%: build-amd64 module-%
	$(PART) "C++ and Python" make -s -C userlib bindings O=$(BUILD)/amd64/userlib
	$(PART) "C++ and Python on $*" $(VM)/run.sh -k $* tests \
		$(BUILD)/amd64/userlib/check/bindings

$(BINDINGS:%=network-%): network-%: build-amd64 module-%
	$(PART) "network on $*" env BUILT=yes $(VM)/demo-network.sh $*

$(BINDINGS:%=demo-vm-%): demo-vm-%: build-amd64 module-%
	$(PART) "QEMU and the server of its disk on $*" env BUILT=yes $(VM)/demo-vm.sh $*

$(BINDINGS:%=holds-%): holds-%: build-amd64 module-%
	$(PART) "holds of locks on $*" env VM_ICOUNT=1 VM_CPUS=1 VM_APPEND=ICOUNT=1 \
		$(VM)/run.sh -k $* program $(BUILD)/amd64/install/holds

$(BUILDS:%=build-%): build-%: source
	$(PART) "library and tests for $*" for_arch $* make -s install_tests \
		BUILD=$(BUILD)/$* LIB_BUILD=$(BUILD)/$*/userlib

$(SERIES:%=module-%): module-%: kernel-%
	$(PART) "module for $*" with_compiler_of $* make -s module IMPORTER=m \
		KDIR=$$($(VM)/kernel.sh $* headers) \
		MODDIR=$(BUILD)/$$($(VM)/kernel.sh $* version)

$(SERIES:%=kernel-%): kernel-%: source
	$(PART) "kernel $*" eval '$(VM)/kernel.sh $* image && $(VM)/kernel.sh $* modules'

source:
	$(PART) "source of the kernel" $(VM)/source.sh

lint: source
	$(PART) "static checks" .ci/lint.sh

library:
	$(PART) "library's own checks" make -s -C userlib check

deb:
	$(PART) "Debian packages" make -s deb

judge:
	$(PART) "judge" $(VM)/selfcheck.sh

compat: build-amd64 module-6.12
	$(PART) "programs of Debian" env BUILT=yes .ci/compat.sh

newcomer:
	$(PART) "newcomer's run" .ci/newcomer.sh

packages: deb
	$(PART) "packages on a bare Debian" .ci/packages.sh

configs: debug-kernel
	$(PART) "module without options" .ci/configs.sh

debug-kernel: source
	$(PART) "$(FLAVOUR) kernel" $(VM)/build-kernel.sh $(FLAVOUR)

debug-module: debug-kernel
	$(PART) "module for the $(FLAVOUR) kernel" make -s module IMPORTER=m \
		KDIR=$$($(VM)/build-kernel.sh $(FLAVOUR)) \
		MODDIR=$(BUILD)/$(FLAVOUR) KCOV_INSTRUMENT=y GCOV_PROFILE=y

# Lines that have not run are told even if a test has failed.
$(HALVES:%=debug-%): debug-%: debug-module build-amd64
	-$(PART) "$(FLAVOUR) $(or $(PROGRAMS),tests), $* half" \
		env HALF=$* .ci/debug.sh $(FLAVOUR) \
		$(call programs,$(BUILD)/amd64) $(BUILD)/amd64/install/fuzz

debug: $(HALVES:%=debug-%)
ifeq ($(FLAVOUR)$(PROGRAMS),kasan)
	$(PART) "lines of the module that no test reaches" $(VM)/coverage.sh \
		$(BUILD)/$(FLAVOUR)/module \
		$(HALVES:%=$(BUILD)/vm/$(FLAVOUR)-%-tests/result)
endif

fuzz: export FUZZ_MINUTES ?= 10
fuzz: debug-module build-amd64
	$(PART) "$(FLAVOUR) fuzzing" .ci/debug.sh $(FLAVOUR) \
		$(BUILD)/amd64/install/fuzz
