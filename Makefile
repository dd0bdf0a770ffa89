# vgpu-agent: build, test, install. `make help` lists what it does.
#
# Out of tree: everything goes to build/<variant>. Sources are found by folder, so a new file needs no change here.
# CC, CFLAGS, CPPFLAGS, LDFLAGS are the packager's; what the project needs is added to them.

VARIANT ?= release
BUILD ?= build/$(VARIANT)
prefix ?= /usr/local
sbindir ?= $(prefix)/sbin
# Where the programs look.
sysconfdir ?= /etc
mandir ?= $(prefix)/share/man
unitdir ?= $(prefix)/lib/systemd/system

VERSION := 0.1.0
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
HARDENING_release := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
LINK_release := -pie -Wl,-z,relro,-z,now
HARDENING_san := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_san := -fsanitize=address,undefined
HARDENING_fuzz := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_fuzz := -fsanitize=address,undefined
HARDENING_cov := --coverage -O0
LINK_cov := --coverage
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings \
	-Wvla -Wformat=2 -Wno-missing-field-initializers -Wimplicit-fallthrough
ALL_CFLAGS = -std=gnu11 -pthread $(WARNINGS) $(if $(filter 1,$(WERROR)),-Werror) $(HARDENING_$(VARIANT)) $(CFLAGS)
ALL_CPPFLAGS = -I. -D_GNU_SOURCE -DVERSION=\"$(VERSION)\" $(CPPFLAGS)
ALL_LDFLAGS = -pthread $(LINK_$(VARIANT)) -Wl,--as-needed $(LDFLAGS)

# ---- what the programs are made of: folder archives, in link order ----
LIBS_lib := json-c uuid
LIBS_config := inih
LIBS_client := libcurl json-c
LIBS_server := libmicrohttpd gnutls sqlite3 json-c yaml-0.1
LIBS_agent := libmicrohttpd expat
LIBS_mdevsim := fuse3
LIBS_tests := cmocka

SOURCES_lib := $(wildcard lib/*.c)
SOURCES_config := $(filter-out %/generate.c,$(wildcard config/*.c))
SOURCES_model := $(wildcard placement/*.c)
SOURCES_client := $(wildcard placement/client/*.c)
SOURCES_server := $(filter-out %/main.c,$(wildcard placement/server/*.c placement/server/*/*.c))
SOURCES_agent := $(filter-out %/main.c,$(wildcard agent/*.c agent/*/*.c))
SOURCES_mdevsim := $(filter-out %/main.c,$(wildcard tests/sim/*.c))
ARCHIVES := lib config model client server agent mdevsim unit

archives = $(foreach a,$(1),$(if $(SOURCES_$(a)),$(BUILD)/lib$(a).a))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
pkg = $(shell $(PKG_CONFIG) --libs $(foreach a,$(1),$(LIBS_$(a))))

PARTS_vgpu-agent := agent client model config lib
PARTS_placementd := server client model config lib
PARTS_mdevsim := mdevsim lib
MAIN_vgpu-agent := agent/main.c
MAIN_placementd := placement/server/main.c
MAIN_mdevsim := tests/sim/main.c
PROGRAMS := $(foreach p,vgpu-agent placementd mdevsim,$(if $(wildcard $(MAIN_$(p))),$(BUILD)/$(p)))

# One program a file: tests/unit/<folder of the source>/test_*.c, linked with everything that may be tested.
ALL_UNIT_SOURCES := $(foreach d,* */* */*/*,$(wildcard tests/unit/$(d)/test_*.c))
UNIT_SOURCES := $(ALL_UNIT_SOURCES)
# What the tests share: an archive, so that a test takes in only what it uses.
SOURCES_unit := $(filter-out $(ALL_UNIT_SOURCES),$(wildcard tests/unit/*.c) $(foreach d,* */* */*/*,$(wildcard tests/unit/$(d)/*.c)))
UNIT_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(UNIT_SOURCES))
# Measurements in C: tests/bench/bench_*.c, made of the same.
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
PARTS_unit := unit agent server client model config mdevsim lib

.DEFAULT_GOAL := all
.PHONY: all help deps deps-lint deps-upstream deps-bench deps-bare deps-fuzz generated install uninstall \
	check check-unit check-system check-san check-crash check-hostile check-oracle soak run-soak check-upstream check-conformance check-kernel check-units check-bare fuzz run-fuzz demo bench \
	lint lint-format lint-tidy lint-cppcheck lint-shell lint-floors clean FORCE
.SECONDARY:

all: $(PROGRAMS) generated ## the programs, under build/

# ---- the packages of Debian that are missing ----
PACKAGES := gcc make pkg-config libcurl4-openssl-dev libjson-c-dev libmicrohttpd-dev libgnutls28-dev libinih-dev libsqlite3-dev uuid-dev \
	libyaml-dev libexpat1-dev libfuse3-dev fuse3 libcmocka-dev perl python3
PACKAGES_lint := clang-format clang-tidy cppcheck shellcheck git
PACKAGES_upstream := python3-placement uwsgi-core uwsgi-plugin-python3 mariadb-server-core mariadb-client-core python3-pymysql \
	python3-keystone python3-openstackclient python3-osc-placement python3-gabbi python3-nova openssl
PACKAGES_bench := wrk $(PACKAGES_upstream)
PACKAGES_bare := debootstrap debian-archive-keyring
PACKAGES_fuzz := clang libclang-rt-14-dev
missing = $(strip $(foreach p,$(1),$(shell dpkg-query -W -f='$${db:Status-Abbrev}' $(p) 2>/dev/null | grep -q '^ii' || echo $(p))))

# As root installs what is missing; otherwise says what to install.
define install_missing
	@missing='$(call missing,$(1))'; [ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then \
		echo "installing with apt-get, which takes a minute or so: $$missing"; apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends \
			$$missing >/dev/null; \
	else echo "missing packages; as root: apt-get install --no-install-recommends $$missing" >&2; exit 1; fi
endef

deps: ## install the Debian packages that are missing (as root; else say which)
	$(call install_missing,$(PACKAGES))

deps-lint deps-upstream deps-bench deps-bare deps-fuzz: deps-%:
	$(call install_missing,$(PACKAGES_$*))

# ---- compile and link; V=1 shows the commands ----
say = $(if $(V),,@echo "$(1) $(2)";)
# Every object depends on a stamp of the flags, so that a change of flags rebuilds.
FLAGS_STAMP := $(BUILD)/.flags
$(FLAGS_STAMP): FORCE
	@mkdir -p $(@D); flags='$(CC) $(ALL_CFLAGS) $(ALL_CPPFLAGS) $(ALL_LDFLAGS)'; \
	[ "$$flags" = "$$(cat $@ 2>/dev/null)" ] || printf '%s' "$$flags" >$@

# The headers of the libraries must be there before the first compiler starts.
$(BUILD)/.deps: Makefile
	@mkdir -p $(@D); $(MAKE) --no-print-directory deps && touch $@

$(BUILD)/tests/sim/%.o: PART_CPPFLAGS = -DFUSE_USE_VERSION=312 $(shell $(PKG_CONFIG) --cflags fuse3)
$(BUILD)/%.o: %.c $(FLAGS_STAMP) | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(PART_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

define archive_rule
$$(BUILD)/lib$(1).a: $$(call objects,$$(SOURCES_$(1)))
	@rm -f $$@
	$$(call say,AR,$$@)$$(AR) qcs $$@ $$^
endef
$(foreach a,$(ARCHIVES),$(eval $(call archive_rule,$(a))))

define program_rule
$$(BUILD)/$(1): $$(call objects,$$(MAIN_$(1))) $$(call archives,$$(PARTS_$(1)))
	$$(call say,LD,$$@)$$(CC) $$(ALL_CFLAGS) -o $$@ $$^ $$(ALL_LDFLAGS) $$(call pkg,$$(PARTS_$(1))) -lm
endef
$(foreach p,vgpu-agent placementd mdevsim,$(eval $(call program_rule,$(p))))

$(UNIT_PROGRAMS) $(BENCH_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(call archives,$(PARTS_unit))
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LDFLAGS) $(call pkg,$(PARTS_unit) tests) -lm

# To be preloaded into the programs, whatever they are built with.
PRELOADED := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/system/*.c))
$(PRELOADED): $(BUILD)/%.so: %.c $(wildcard tests/system/*.h) $(FLAGS_STAMP)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CPPFLAGS) -std=gnu11 $(WARNINGS) -O2 -g -fPIC -shared -o $@ $<

FUZZ_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
PARTS_fuzz := server client model config lib
$(FUZZ_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(call archives,$(PARTS_fuzz))
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LDFLAGS) $(call pkg,$(PARTS_fuzz)) -lm

-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)

# ---- sample files and manual pages, from the tables of options ----
GENERATED := $(foreach p,vgpu-agent placementd,$(BUILD)/etc/$(p).conf.sample $(BUILD)/man/$(p).conf.5)
$(BUILD)/generate: $(BUILD)/config/generate.o $(call archives,config lib)
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LDFLAGS) $(call pkg,config lib) -lm
$(BUILD)/etc/%.conf.sample: $(BUILD)/generate
	@mkdir -p $(@D); $< sample $* >$@.new && mv $@.new $@
$(BUILD)/man/%.conf.5: $(BUILD)/generate
	@mkdir -p $(@D); $< man $* >$@.new && mv $@.new $@
generated: $(GENERATED)

# ---- install ----
MAN_PAGES := $(patsubst etc/man/%,$(BUILD)/man/%,$(wildcard etc/man/*.[58]))
UNITS := $(patsubst etc/systemd/%,$(BUILD)/systemd/%,$(wildcard etc/systemd/*.service))
TMPFILES := $(patsubst etc/tmpfiles.d/%,$(BUILD)/tmpfiles.d/%,$(wildcard etc/tmpfiles.d/*.conf))
fill_in = sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@sbindir@|$(sbindir)|g' -e 's|@sysconfdir@|$(sysconfdir)|g' $< >$@
$(BUILD)/man/%: etc/man/% FORCE
	@mkdir -p $(@D); $(fill_in)
$(BUILD)/systemd/%: etc/systemd/% FORCE
	@mkdir -p $(@D); $(fill_in)
$(BUILD)/tmpfiles.d/%: etc/tmpfiles.d/% FORCE
	@mkdir -p $(@D); $(fill_in)

INSTALL ?= install
# Where each file goes: folder, mode, files.
define installed
$(sbindir) 0755 $(BUILD)/vgpu-agent $(BUILD)/placementd
$(mandir)/man5 0644 $(filter %.5,$(GENERATED))
$(mandir)/man8 0644 $(MAN_PAGES)
$(sysconfdir)/vgpu-agent 0644 $(BUILD)/etc/vgpu-agent.conf.sample
$(sysconfdir)/placementd 0644 $(BUILD)/etc/placementd.conf.sample
$(unitdir) 0644 $(UNITS)
$(prefix)/lib/udev/rules.d 0644 etc/udev/90-vgpu-agent.rules
$(prefix)/lib/sysusers.d 0644 $(wildcard etc/sysusers.d/*.conf)
$(prefix)/lib/tmpfiles.d 0644 $(TMPFILES)
$(prefix)/share/bash-completion/completions 0644 $(wildcard etc/completion/*)
endef
export installed

install: all $(MAN_PAGES) $(UNITS) $(TMPFILES) ## programs, configuration, units, manual pages; DESTDIR= prefix= are heeded
	@echo "$$installed" | while read -r folder mode files; do set -e; [ -n "$$files" ] || continue; \
		echo "install $$folder"; $(INSTALL) -d "$(DESTDIR)$$folder"; $(INSTALL) -m "$$mode" $$files "$(DESTDIR)$$folder"; done
	@# A configuration that is there is the operator's. It may hold secrets.
	@for p in vgpu-agent placementd; do f="$(DESTDIR)$(sysconfdir)/$$p/$$p.conf"; \
		[ -e "$$f" ] || $(INSTALL) -m 0640 $(BUILD)/etc/$$p.conf.sample "$$f"; done

uninstall: $(MAN_PAGES) $(UNITS) $(TMPFILES) ## take away what install put there, but configuration and data
	@echo "$$installed" | while read -r folder mode files; do for f in $$files; do rm -f "$(DESTDIR)$$folder/$${f##*/}"; done; done

# ---- tests: the ladder ----
# The tests wait more than they work; sanitizers work. The files that take longest begin first.
TEST_JOBS = $(if $(filter release,$(VARIANT)),$$((2 * $$(nproc))),$$(nproc))
SYSTEM_FILES := $(patsubst %,tests/system/test_%.py,crash trouble)
SYSTEM_FILES += $(filter-out $(SYSTEM_FILES),$(shell ls -S tests/system/test_*.py))
prove = BUILD=$(abspath $(BUILD)) tests/prove $(if $(QUIET),-Q)

check: all $(PRELOADED) $(UNIT_PROGRAMS) ## units, and the real binaries on simulated hosts (README's test command)
	@$(prove) -j "$(TEST_JOBS)" $(UNIT_PROGRAMS) $(SYSTEM_FILES)

check-unit: $(UNIT_PROGRAMS)
	@$(prove) -j "$$(nproc)" $(UNIT_PROGRAMS)

# `make unit/config` runs the unit tests of one folder.
unit/%: FORCE
	@$(MAKE) --no-print-directory check-unit UNIT_SOURCES="$(foreach d,$* $*/* $*/*/*,$(wildcard tests/unit/$(d)/test_*.c))"

check-system: all $(PRELOADED)
	@$(prove) -j "$(TEST_JOBS)" $(SYSTEM_FILES)

check-san: ## the same under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory VARIANT=san check

check-crash: all $(PRELOADED) ## killed or failing at every single call and request, of every kind of plan
	@EXHAUSTIVE=1 BUILD=$(abspath $(BUILD)) tests/system/run -j "$$((2 * $$(nproc)))" --timeout 3600 test_crash test_faults

# Each seed is a script of its own; SEEDS= (1-40) does those, STEPS= so many steps in each mode.
check-oracle: all ## STEPS=500 SEEDS=: random scripts of Nova, operators and enemies before a second judge
	@BUILD=$(abspath $(BUILD)) tests/system/oracle/run --steps $(or $(STEPS),500) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(MODE),--mode $(MODE))

HOSTILE ?=
check-hostile: all $(PRELOADED) ## placementd under attack: what a well-behaved client has of it; HOSTILE='--seconds 60 writers'
	@BUILD=$(abspath $(BUILD)) tests/hostile/run $(HOSTILE)

.PHONY: check-oracle-planted
check-oracle-planted: all ## faults planted in copies of the tree: the second judge finds each
	@tests/system/oracle/run --planted

# The daemon's cycles, and where its storms begin (tests/system/test_soak.py).
SEED ?= 1
soak: ## CYCLES=10000 under storms of faults and restarts, with sanitizers and without; then some under valgrind
	@$(MAKE) --no-print-directory VARIANT=san run-soak CYCLES=$(or $(CYCLES),10000)
	@$(MAKE) --no-print-directory run-soak CYCLES=$(or $(CYCLES),10000)
	@$(MAKE) --no-print-directory run-soak CYCLES=250 VALGRIND=1
run-soak: all
	@BUILD=$(abspath $(BUILD)) CYCLES=$(CYCLES) SEED=$(SEED) $(if $(VALGRIND),VALGRIND=1) \
		tests/system/run -v --timeout 3600 test_soak

check-upstream: all deps-upstream ## against OpenStack's own Placement and command line
	@BUILD=$(abspath $(BUILD)) tests/upstream/run

GABBITS ?= ../shared/gabbits
check-conformance: all deps-upstream ## GABBITS=DIR: a folder of upstream's API tests against placementd
	@BUILD=$(abspath $(BUILD)) tests/upstream/conformance $(GABBITS)

check-kernel: all ## on a real kernel's mediated devices, in QEMU
	@BUILD=$(abspath $(BUILD)) tests/kernel/run

check-bare: deps-bare ## README's two commands on a bare Debian 12 (debootstrap), as root and as a plain user
	@tests/bare/run

check-units: all ## the systemd units as they are installed, on a real systemd in the same QEMU
	@rm -rf build/kernel-installed; $(MAKE) --no-print-directory install prefix=/usr DESTDIR=build/kernel-installed >/dev/null
	@BUILD=$(abspath $(BUILD)) tests/kernel/run --units build/kernel-installed

# Each fuzzer starts from tests/fuzz/corpus/<its name> and keeps what it finds below build/fuzz.
FUZZ_TIME ?= 60
fuzz: deps-fuzz ## libFuzzer on every parser, FUZZ_TIME seconds each
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang run-fuzz
run-fuzz: $(FUZZ_PROGRAMS)
	@set -e; for program in $(FUZZ_PROGRAMS); do name=$${program##*/}; seeds=tests/fuzz/corpus/$$name; [ -d $$seeds ] || seeds=; \
		mkdir -p $(BUILD)/corpus/$$name; echo "$$name"; \
		$$program -max_total_time=$(FUZZ_TIME) -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 -artifact_prefix=$(BUILD)/$$name- \
			$(BUILD)/corpus/$$name $$seeds; done

demo: all ## the main job, told in a terminal
	@BUILD=$(abspath $(BUILD)) tests/demo

bench: all $(BENCH_PROGRAMS) deps-bench ## measurements, beside OpenStack's Placement in one run; BENCH='--only scaling'
	@BUILD=$(abspath $(BUILD)) tests/bench/run $(BENCH)

# ---- lint ----
TIDY_FLAGS = -std=gnu11 $(ALL_CPPFLAGS) -DFUSE_USE_VERSION=312 $(shell $(PKG_CONFIG) --cflags fuse3)
C_FILES = $(filter-out tests/kernel/module/%,$(shell git ls-files '*.c' '*.h'))
lint: lint-format lint-floors lint-tidy lint-cppcheck lint-shell ## clang-format, the order of folders, clang-tidy, cppcheck, shellcheck

lint-format: deps-lint
	@clang-format --dry-run --Werror $(C_FILES)

lint-floors:
	@tests/floors

lint-tidy: deps-lint $(BUILD)/.deps
	@printf '%s\n' $(filter agent/%.c config/%.c lib/%.c placement/%.c,$(C_FILES)) | xargs -P "$$(nproc)" -n 4 bash -o pipefail -c \
		'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS) 2>&1 | { grep -v "warnings* generated" || true; }' bash

lint-cppcheck: deps-lint
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability --std=c11 -j "$$(nproc)" \
		--suppress=missingIncludeSystem $(ALL_CPPFLAGS) agent config lib placement

lint-shell: deps-lint
	@shellcheck -s bash devstack/plugin.sh devstack/settings $(wildcard etc/completion/*)
	@shellcheck $(wildcard .ci/run) $$(git grep -lE '^#!/bin/(ba)?sh|^#!/bin/busybox|^#!/usr/bin/env bash' -- tests)

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28
