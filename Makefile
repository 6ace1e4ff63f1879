# SPDX-License-Identifier: GPL-2.0-only
#
# Commands for the whole tree: the module, the library, the tests, and the virtual
# machine that the tests run in. Kbuild reads the file Kbuild, not this one.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
BUILD ?= $(CURDIR)/.build

# Where the module is built: in the tree itself, or in a copy of its sources, so
# that builds for several kernels can lie beside each other.
MODDIR ?= $(CURDIR)

XDG_CACHE_HOME ?= $(or $(HOME),/tmp)/.cache
DATASPACE_CACHE ?= $(XDG_CACHE_HOME)/dataspace
KSFT ?= $(DATASPACE_CACHE)/source/tools/testing/selftests

# The kernels, and variants of kernels, that check tests on, and those that
# check-all adds to them; see selftests/vm/common.sh.
KERNELS ?= 6.1 6.12 7.3
MORE_KERNELS ?= 6.12+1cpu 6.12+4cpus 6.12+2nodes 6.12+init_on_free 6.12+lockdown \
	6.12+i386 6.12+trixie 6.12-arm64 6.12-arm64-64k

# With TURN=1 check does what takes long in turn, one thing each day: tests on one
# of MORE_KERNELS, on a debug kernel, or builds for kernels without something.
TURNS := $(MORE_KERNELS) debug configs
ifdef TURN
TODAY := $(word $(shell expr $$(date +%s) / 86400 % $(words $(TURNS)) + 1),$(TURNS))
KERNELS += $(filter $(MORE_KERNELS),$(TODAY))
endif
export BUILD DATASPACE_CACHE KERNELS

VM := selftests/vm

# A library for another machine is not built among the sources.
LIB_BUILD := $(if $(CROSS_COMPILE),$(BUILD)/userlib,$(CURDIR)/userlib)
export LIB_BUILD

# Modules for a kernel that was built with clang have to be built with clang.
clang_kernel = $(shell grep -qsx 'CONFIG_CC_IS_CLANG=y' $(KDIR)/.config && echo 1)
KBUILD = $(MAKE) -C $(KDIR) M=$(MODDIR) $(if $(clang_kernel),LLVM=1)

.PHONY: all
all: module userlib selftests ## build everything (the default)

.PHONY: module
module: $(KDIR)/Makefile stage ## build module/dataspace.ko for KVER or KDIR
	+$(KBUILD) modules

.PHONY: stage
stage:
ifneq ($(MODDIR),$(CURDIR))
	@mkdir -p $(MODDIR)
	@rsync -a --delete --exclude='*.mod.c' --include='*/' --include='*.[ch]' \
		--include=Kbuild --exclude='*' Kbuild module uapi $(MODDIR)/
endif

$(KDIR)/Makefile:
	@echo "No headers of kernel $(KVER) in $(KDIR)." >&2
	@echo "On Debian: apt-get install linux-headers-$(KVER)" >&2
	@echo "Or say KVER=<version> or KDIR=<build directory>." >&2
	@exit 1

.PHONY: userlib
userlib: ## build the library
	$(MAKE) -C userlib O=$(LIB_BUILD)

SELFTESTS = $(MAKE) --no-print-directory -C selftests KSFT=$(KSFT) \
	OUTPUT=$(BUILD)/selftests

.PHONY: selftests
selftests: userlib $(KSFT)/lib.mk ## build the tests (KSFT: a kernel's tools/testing/selftests)
	@mkdir -p $(BUILD)/selftests
	+$(SELFTESTS) all

.PHONY: install_tests
install_tests: selftests ## put the tests and the list of them into BUILD/install
	rm -rf $(BUILD)/install
	+$(SELFTESTS) INSTALL_PATH=$(BUILD)/install install
	+$(SELFTESTS) -s COLLECTION=dataspace emit_tests \
		>$(BUILD)/install/kselftest-list.txt

$(DATASPACE_CACHE)/source/tools/testing/selftests/lib.mk:
	$(VM)/source.sh

.PHONY: modules_install
modules_install: module ## install the module for KVER
	+$(KBUILD) modules_install

.PHONY: install
install: userlib ## install the library and the header (DESTDIR, PREFIX, LIBDIR, INCLUDEDIR)
	$(MAKE) -C userlib O=$(LIB_BUILD) install

.PHONY: uninstall
uninstall: ## remove what install installed
	$(MAKE) -C userlib uninstall

.PHONY: demo
demo: ## show the RAM service at work in a virtual machine
	@$(VM)/demo.sh

.PHONY: lint
lint: ## static checks of all that is in the tree
	@.ci/lint.sh

# Of debug and all, debug takes longer, so check.sh is to start with it.
.PHONY: check
check: ## static checks, all builds, all tests on each of KERNELS (DEBUG=1: check-debug, too; TURN=1: and one of what takes long, another each day; PROGRAMS: just these tests)
	@.ci/check.sh $(if $(DEBUG),debug) all $(filter debug configs,$(TODAY))

.PHONY: check-all
check-all: ## check on all kernels and machines that there are, and configs
	@KERNELS="$(KERNELS) $(MORE_KERNELS)" \
		.ci/check.sh $(if $(DEBUG),debug) all configs

.PHONY: configs
configs: ## compile the module for kernels without an option that it can use
	@.ci/configs.sh

.PHONY: tested
tested: ## write into the README which kernels were tested, and the totals
	@.ci/update-readme.sh

.PHONY: bench
bench: ## measure against other memory objects, in a machine that counts instructions
	@selftests/bench/bench.sh

.PHONY: bench-check
bench-check: bench ## fail if a ratio got more than 10 % worse than the recorded one
	@selftests/bench/bench.sh check

.PHONY: check-debug
check-debug: ## all tests on a kernel with KASAN and more (FLAVOUR=kcsan: KCSAN)
	@.ci/check.sh debug

.PHONY: fuzz
fuzz: ## random calls on the debug kernel, guided by coverage (FUZZ_MINUTES=10, SEED)
	@.ci/check.sh fuzz

.PHONY: clean
clean: ## remove what was built
	+$(if $(wildcard $(KDIR)/Makefile),$(KBUILD) clean)
	$(MAKE) -C userlib clean
	rm -rf $(BUILD)

.PHONY: help
help: ## this text
	@sed -n 's/^\([a-z_-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | \
		expand -t 18
