# SPDX-License-Identifier: GPL-2.0-only
#
# Commands for the whole tree: the module, the library, the tests, and the virtual
# machine that the tests run in. Kbuild reads the file Kbuild, not this one.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
BUILD ?= $(CURDIR)/.build

XDG_CACHE_HOME ?= $(or $(HOME),/tmp)/.cache
DATASPACE_CACHE ?= $(XDG_CACHE_HOME)/dataspace

# Where the module is built: in the tree itself, or in a copy of its sources, so
# that builds for several kernels can lie beside each other. Kbuild takes no path
# with a space in it: of such a tree a copy is built in the cache.
ifeq ($(words $(CURDIR)),1)
MODDIR ?= $(CURDIR)
else
MODDIR ?= $(DATASPACE_CACHE)/module-$(shell echo '$(CURDIR)' | cksum | cut -d ' ' -f 1)
endif

# What is installed: below DESTDIR, if that is given, for a package to be made of.
PREFIX ?= /usr/local
INSTALL ?= install
INSTALL_MOD_PATH ?= $(DESTDIR)
INSTALL_MOD_DIR ?= updates
VERSION := $(shell sed -n 's/^.define DATASPACE_VERSION "\(.*\)"$$/\1/p' \
	userlib/include/dataspace.h)
SRCDIR ?= /usr/src/dataspace-$(VERSION)
KSFT ?= $(DATASPACE_CACHE)/source/tools/testing/selftests

# The kernels, and variants of kernels, that check tests on, and those that
# check-all adds to them; see selftests/vm/common.sh.
KERNELS ?= 6.1 6.12 7.3
MORE_KERNELS ?= 6.12+1cpu 6.12+4cpus 6.12+2nodes 6.12+init_on_free 6.12+poison \
	6.12+lockdown 6.12+i386 6.12+trixie 6.12+swiotlb 6.12+nodebugfs \
	7.3+cma 6.12-arm64 6.12-arm64+cma 6.12-arm64-64k

# With TURN=1 check does one more of these, another each day: it runs the tests on a
# kernel, installs everything on a bare Debian, or tries Debian's programs. What takes
# an hour by itself is for check-all and check-debug: other processors, debug kernels,
# and builds for kernels without something.
MORE_PARTS := newcomer packages compat
TURNS := $(filter-out 6.12-arm64%,$(MORE_KERNELS)) $(MORE_PARTS)
ifdef TURN
TODAY := $(word $(shell expr $$(date +%s) / 86400 % $(words $(TURNS)) + 1),$(TURNS))
KERNELS += $(filter-out $(MORE_PARTS),$(TODAY))
endif
export BUILD DATASPACE_CACHE KERNELS

VM := selftests/vm

# A library for another machine is not built among the sources.
ifneq ($(CROSS_COMPILE),)
LIB_BUILD ?= $(BUILD)/userlib
endif
ifneq ($(LIB_BUILD),)
export LIB_BUILD
endif
USERLIB = $(MAKE) -C userlib $(if $(LIB_BUILD),O='$(LIB_BUILD)')

# A module is built with the kind of compiler that its kernel was built with,
# whatever CC says for the library, unless CONFIG_CC_IS_CLANG says otherwise, too.
has_config = $(shell grep -qsx 'CONFIG_$1=y' '$(KDIR)/.config' && echo 1)
LLVM ?= $(call has_config,CC_IS_CLANG)
CLANG_CC := $(findstring clang,$(notdir $(firstword $(CC))))
ifneq ($(LLVM),)
KERNEL_CC = $(if $(CLANG_CC),,CC=$(filter %/,$(LLVM))clang$(filter -%,$(LLVM)))
else ifneq ($(CONFIG_CC_IS_CLANG),y)
KERNEL_CC = $(if $(CLANG_CC),CC=$(CROSS_COMPILE)gcc)
endif
KBUILD = $(MAKE) -C '$(KDIR)' M='$(MODDIR)' $(if $(LLVM),LLVM=$(LLVM)) $(KERNEL_CC)

.PHONY: all
all: module userlib ## build the module, the library and the command (the default)

.PHONY: module
module: headers stage ## build module/dataspace.ko for KVER or KDIR (IMPORTER=m: and one for the tests)
	+$(KBUILD) modules

# What a module is built from.
MODULE_SOURCES := Kbuild module uapi userlib/include/dataspace.h
MODULE_SOURCES += $(if $(IMPORTER),selftests/importer)

.PHONY: stage
stage:
ifneq ($(MODDIR),$(CURDIR))
	@mkdir -p '$(MODDIR)'
	@cd '$(MODDIR)' && find . -name '*.[ch]' ! -name '*.mod.c' | \
		while read -r file; do \
			[ -e '$(CURDIR)'/"$$file" ] || rm "$$file"; \
		done
	@find $(MODULE_SOURCES) -name '*.[ch]' ! -name '*.mod.c' -o -name Kbuild | \
		tar -c -T - | tar -x -C '$(MODDIR)'
endif

.PHONY: headers
headers:
	@[ -e '$(KDIR)/Makefile' ] || { \
		echo "No headers of kernel $(KVER) in $(KDIR)."; \
		echo "On Debian: apt-get install linux-headers-$(KVER)"; \
		echo "Or say KVER=<version> or KDIR=<build directory>."; \
		exit 1; \
	} >&2

.PHONY: userlib
userlib: ## build the library
	+$(USERLIB)

.PHONY: examples
examples: ## build the examples and the programs of the manual
	+$(USERLIB) examples

SELFTESTS = $(MAKE) --no-print-directory -C selftests KSFT=$(KSFT) \
	OUTPUT=$(BUILD)/selftests

.PHONY: selftests
selftests: userlib $(KSFT)/lib.mk ## build the tests (KSFT: a kernel's tools/testing/selftests)
	@mkdir -p $(BUILD)/selftests
	+$(SELFTESTS) all

.PHONY: install_tests
install_tests: selftests examples ## put the tests and the list of them into BUILD/install
	rm -rf $(BUILD)/install
	+$(SELFTESTS) INSTALL_PATH=$(BUILD)/install install
	+$(SELFTESTS) -s COLLECTION=dataspace emit_tests \
		>$(BUILD)/install/kselftest-list.txt

$(DATASPACE_CACHE)/source/tools/testing/selftests/lib.mk:
	$(VM)/source.sh

# depmod of Debian's kernels is skipped by Kbuild, which looks for a System.map. A
# module below INSTALL_MOD_PATH, or DESTDIR, is for another machine to run it on.
# Kbuild takes no path with a space in it, so the module goes there by a detour.
# Debian's file kernel.release of 6.1 does not have what uname -r prints.
KERNEL_RELEASE = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"$$/\1/p' \
	'$(KDIR)/include/generated/utsrelease.h')
RUN_DEPMOD = $(if $(INSTALL_MOD_PATH),,PATH="$$PATH:/usr/sbin:/sbin" depmod $(KERNEL_RELEASE))

.PHONY: modules_install
modules_install: module ## install the module for KVER (DESTDIR)
	+@stage=$$(mktemp -d) && trap 'rm -rf "$$stage"' EXIT && \
	$(KBUILD) modules_install INSTALL_MOD_PATH="$$stage" \
		INSTALL_MOD_DIR='$(INSTALL_MOD_DIR)' DEPMOD=true && \
	cd "$$stage" && find . -name 'dataspace.ko*' -exec $(INSTALL) -D -m 0644 \
		'{}' '$(INSTALL_MOD_PATH)/{}' \;
	$(RUN_DEPMOD)

.PHONY: modules_uninstall
modules_uninstall: headers ## remove the module for KVER
	find '$(INSTALL_MOD_PATH)/lib/modules/$(KERNEL_RELEASE)/$(INSTALL_MOD_DIR)' \
		-name 'dataspace.ko*' -delete
	$(RUN_DEPMOD)

# DKMS builds the module anew for each kernel that is installed later.
.PHONY: dkms-source
dkms-source: ## install the sources of the module for DKMS (DESTDIR, SRCDIR)
	$(INSTALL) -d '$(DESTDIR)$(SRCDIR)'
	tar -c --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' --exclude='.*' \
		--owner=0 --group=0 --mode=u=rwX,go=rX --sort=name Makefile \
		COPYING $(MODULE_SOURCES) | tar -x -C '$(DESTDIR)$(SRCDIR)'
	sed 's/#MODULE_VERSION#/$(VERSION)/' module/dkms.conf \
		>'$(DESTDIR)$(SRCDIR)/dkms.conf'

.PHONY: dkms-install
dkms-install: dkms-source ## have DKMS build and install the module
	dkms add -m dataspace -v $(VERSION)
	dkms install -m dataspace -v $(VERSION) -k $(KVER)

.PHONY: dkms-uninstall
dkms-uninstall: ## remove it from DKMS
	dkms remove -m dataspace -v $(VERSION) --all
	rm -rf '$(SRCDIR)'

.PHONY: deb
deb: ## build Debian packages into BUILD/deb
	@selftests/vm/deps.sh deb
	@userlib/debian/build.sh '$(BUILD)/deb' $(VERSION)

# The files that let programs open the device: where they go, and what they are
# called there.
SYSTEM_FILES := module/dataspace.udev:udev/rules.d/60-dataspace.rules \
	module/dataspace.sysusers:sysusers.d/dataspace.conf \
	module/dataspace.modules-load:modules-load.d/dataspace.conf

.PHONY: install-system
install-system:
	for file in $(SYSTEM_FILES); do \
		$(INSTALL) -D -m 0644 "$${file%:*}" \
			'$(DESTDIR)$(PREFIX)/lib/'"$${file#*:}" || exit; \
	done

.PHONY: install
install: userlib install-system ## install all but the module (DESTDIR, PREFIX, LIBDIR, INCLUDEDIR)
	+$(USERLIB) install
	$(if $(DESTDIR),,module/activate.sh)

.PHONY: uninstall
uninstall: ## remove what install installed
	+$(USERLIB) uninstall
	for file in $(SYSTEM_FILES); do \
		$(RM) '$(DESTDIR)$(PREFIX)/lib/'"$${file#*:}"; \
	done

.PHONY: demo
demo: ## show the RAM service at work in a virtual machine
	@$(VM)/demo.sh

.PHONY: demo-vm
demo-vm: ## show QEMU handing 17 of 64 MiB to the server of its disk, in a virtual machine
	@$(VM)/demo-vm.sh

.PHONY: demo-network
demo-network: ## show a read-only part being read over a network, in a virtual machine
	@$(VM)/demo-network.sh

.PHONY: lint
lint: ## static checks of all that is in the tree
	@.ci/lint.sh

# Of debug and all, debug takes longer, so check.sh is to start with it.
.PHONY: check
check: ## static checks, all builds, all tests on each of KERNELS (DEBUG=1: check-debug, too; TURN=1: and one of TURNS, another each day; PROGRAMS: just these tests)
	@.ci/check.sh $(if $(DEBUG),debug) $(filter $(MORE_PARTS),$(TODAY)) all

.PHONY: check-all
check-all: ## check on all kernels and machines that there are, configs, newcomer, packages and compat
	@KERNELS="$(KERNELS) $(MORE_KERNELS)" \
		.ci/check.sh $(if $(DEBUG),debug) all configs $(MORE_PARTS)

.PHONY: configs
configs: ## compile the module for kernels without an option that it can use
	@.ci/configs.sh

.PHONY: newcomer
newcomer: ## run the commands of the README on a bare Debian 12, and the program in a guest
	@.ci/newcomer.sh

.PHONY: packages
packages: deb ## install the Debian packages on a bare Debian 12 with two kernels, and run a program on each
	@.ci/packages.sh

.PHONY: compat
compat: ## try programs of Debian with dataspaces that they know nothing of
	@.ci/compat.sh

.PHONY: compat-tested
compat-tested: ## write into selftests/compat.md what has come of the last make compat
	cp $(BUILD)/compat/compat.md selftests/compat.md

.PHONY: tested
tested: ## write into selftests/tested.md which kernels were tested, and the totals
	@.ci/update-tested.sh

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
	+$(if $(and $(wildcard $(KDIR)/Makefile),$(wildcard $(MODDIR)/Kbuild)),$(KBUILD) clean)
	$(MAKE) -C userlib clean
	rm -rf '$(BUILD)'

.PHONY: help
help: ## this text
	@sed -n 's/^\([a-z_-]*\):.*## /\1\t/p' Makefile | \
		expand -t 18
