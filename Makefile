# vgpu-agent: build, test, install. `make help` lists what it does.
#
# Out of tree: everything goes to build/<variant>. Sources are found by folder, so a new file needs no change here.
# CC, CFLAGS, CPPFLAGS, LDFLAGS are the packager's; what the project needs is added to them.

VARIANT ?= release
BUILD ?= build/$(VARIANT)
prefix ?= /usr/local
bindir ?= $(prefix)/bin
sbindir ?= $(prefix)/sbin
# Where the programs look.
sysconfdir ?= /etc
mandir ?= $(prefix)/share/man
libexecdir ?= $(prefix)/libexec
datadir ?= $(prefix)/share
docdir ?= $(prefix)/share/doc/vgpu-agent
unitdir ?= $(prefix)/lib/systemd/system

# `no`: without vgpu-agent-libvirt, which gives guests their devices.
LIBVIRT ?= yes
ifeq ($(filter yes no,$(LIBVIRT)),)
$(error LIBVIRT is `yes` or `no`, not `$(LIBVIRT)`)
endif
WITH_LIBVIRT := $(filter yes,$(LIBVIRT))

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
LIBS_attacher := libvirt
LIBS_mdevsim := fuse3
LIBS_tests := cmocka

SOURCES_lib := $(wildcard lib/*.c)
SOURCES_config := $(filter-out %/generate.c,$(wildcard config/*.c))
SOURCES_model := $(wildcard placement/*.c)
SOURCES_client := $(wildcard placement/client/*.c)
SOURCES_transfer := $(wildcard placement/transfer/*.c)
SOURCES_server := $(filter-out %/main.c,$(wildcard placement/server/*.c placement/server/*/*.c))
SOURCES_agent := $(filter-out %/main.c agent/libvirt/%,$(wildcard agent/*.c agent/*/*.c agent/*/*/*.c))
# libvirt is linked into a program of its own: in the agent no call may hang.
SOURCES_attacher := $(if $(WITH_LIBVIRT),$(filter-out %/main.c,$(wildcard agent/libvirt/*.c)))
SOURCES_mdevsim := $(filter-out %/main.c,$(wildcard tests/sim/*.c))
SOURCES_fuzz := $(filter-out tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c))
SOURCES_bench := $(filter-out tests/bench/bench_%,$(wildcard tests/bench/*.c))
ARCHIVES := lib config model client transfer server agent attacher mdevsim unit fuzz bench

archives = $(foreach a,$(1),$(if $(SOURCES_$(a)),$(BUILD)/lib$(a).a))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
pkg = $(shell $(PKG_CONFIG) --libs $(foreach a,$(1),$(LIBS_$(a))))

PARTS_vgpu-agent := agent client model config lib
PARTS_vgpu-agent-libvirt := attacher agent lib
PARTS_placementd := server transfer client model config lib
PARTS_mdevsim := mdevsim lib
MAIN_vgpu-agent := agent/main.c
MAIN_vgpu-agent-libvirt := $(if $(WITH_LIBVIRT),agent/libvirt/main.c)
MAIN_placementd := placement/server/main.c
MAIN_mdevsim := tests/sim/main.c
PROGRAMS := $(foreach p,vgpu-agent vgpu-agent-libvirt placementd mdevsim,$(if $(wildcard $(MAIN_$(p))),$(BUILD)/$(p)))

# One program a file: tests/unit/<folder of the source>/test_*.c, linked with everything that may be tested.
UNIT_TESTS := $(foreach d,* */* */*/* */*/*/*,$(wildcard tests/unit/$(d)/test_*.c))
UNIT_SOURCES := $(filter-out $(if $(WITH_LIBVIRT),,tests/unit/agent/libvirt/%),$(UNIT_TESTS))
# What the tests share: an archive, so that a test takes in only what it uses.
SOURCES_unit := $(filter-out $(UNIT_TESTS),$(wildcard tests/unit/*.c) $(foreach d,* */* */*/* */*/*/*,$(wildcard tests/unit/$(d)/*.c)))
UNIT_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(UNIT_SOURCES))
# Measurements in C: tests/bench/bench_*.c, made of the same.
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
PARTS_unit := unit $(if $(WITH_LIBVIRT),attacher) agent server transfer client model config mdevsim lib

.DEFAULT_GOAL := all
.SECONDARY:

.PHONY: all
all: $(PROGRAMS) generated ## the programs, under build/

# ---- what must be on the machine ----
# What: a library as pkg-config knows it, a program, or a module of python3; then the package that has it in Debian and in Fedora.
NEEDS_build := program:$(lastword $(CC)):gcc:gcc program:$(PKG_CONFIG):pkg-config:pkgconf-pkg-config \
	library:libcurl:libcurl4-openssl-dev:libcurl-devel library:json-c:libjson-c-dev:json-c-devel \
	library:libmicrohttpd:libmicrohttpd-dev:libmicrohttpd-devel library:gnutls:libgnutls28-dev:gnutls-devel \
	library:inih:libinih-dev:inih-devel library:sqlite3:libsqlite3-dev:sqlite-devel library:uuid:uuid-dev:libuuid-devel \
	library:yaml-0.1:libyaml-dev:libyaml-devel library:expat:libexpat1-dev:expat-devel library:fuse3:libfuse3-dev:fuse3-devel \
	$(if $(WITH_LIBVIRT),library:libvirt:libvirt-dev:libvirt-devel)
NEEDS_tests := library:cmocka:libcmocka-dev:libcmocka-devel program:prove:perl:perl-Test-Harness program:python3:python3:python3 \
	program:fusermount3:fuse3:fuse3 python:jsonschema:python3-jsonschema:python3-jsonschema
NEEDS_lint := program:clang-format:clang-format:clang-tools-extra program:clang-tidy:clang-tidy:clang-tools-extra \
	program:cppcheck:cppcheck:cppcheck program:shellcheck:shellcheck:ShellCheck program:git:git:git-core \
	program:rst2html:python3-docutils:python3-docutils program:bashate:python3-bashate:python3-bashate
# Debian's only.
PACKAGES_upstream := python3-placement uwsgi-core uwsgi-plugin-python3 mariadb-server-core mariadb-client-core python3-pymysql \
	python3-keystone python3-openstackclient python3-osc-placement python3-gabbi python3-nova openssl
PACKAGES_bench = wrk $(PACKAGES_upstream) $(PACKAGES_attach)
PACKAGES_bare := debootstrap debian-archive-keyring
# dpkg-checkbuilddeps wants build-essential of every build.
PACKAGES_deb := build-essential debhelper lintian
PACKAGES_rpm := rpm
PACKAGES_look := chromium
PACKAGES_fuzz := clang libclang-rt-14-dev
PACKAGES_kernel := qemu-system-x86 busybox-static cpio
PACKAGES_attach := $(PACKAGES_kernel) libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients python3-libvirt
PACKAGES_nova := $(PACKAGES_upstream) $(PACKAGES_attach) rabbitmq-server python3-glance qemu-utils genisoimage e2fsprogs iproute2 udev

# Sets `debian` and `fedora` to the packages that are missing.
find_needs = debian= fedora=; for need in $(1); do old=$$IFS IFS=:; set -- $$need; IFS=$$old; \
	case $$1 in library) $(PKG_CONFIG) --exists "$$2" 2>/dev/null;; program) command -v "$$2" >/dev/null;; \
	python) python3 -c "import $$2" 2>/dev/null;; esac || \
	{ debian="$$debian $$3" fedora="$$fedora $$4"; }; done
find_packages = fedora= debian=$$(for p in $(1); do \
	dpkg-query -W -f='$${db:Status-Abbrev}' "$$p" 2>/dev/null | grep -q '^ii' || printf ' %s' "$$p"; done)
find_for = $(if $(NEEDS_$(1)),$(call find_needs,$(NEEDS_$(1))),$(call find_packages,$(PACKAGES_$(1))))
# Then says what is missing and fails, or, where the argument is not empty, installs it as root.
define provide
	[ -n "$$debian" ] || exit 0; \
	if [ -n "$(1)" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing with apt-get, which takes a minute or so:$$debian"; apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends \
			$$debian >/dev/null; \
	else echo "missing packages; as root: apt-get install --no-install-recommends$$debian" >&2; \
		[ -z "$$fedora" ] || echo "  or on Fedora: dnf install$$fedora" >&2; exit 1; fi
endef

.PHONY: deps
deps: ## install the Debian packages that are missing (as root; else say which)
	@$(call find_needs,$(NEEDS_build) $(NEEDS_tests)); $(call provide,yes)

# `make deps-lint` installs what `make lint` wants, which itself only says what is missing; and so on.
MORE_DEPS := lint upstream bench bare fuzz kernel attach nova deb rpm look
.PHONY: $(MORE_DEPS:%=deps-%) $(MORE_DEPS:%=need-%)
$(MORE_DEPS:%=deps-%): deps-%:
	@$(call find_for,$*); $(call provide,yes)
$(MORE_DEPS:%=need-%): need-%:
	@$(call find_for,$*); $(call provide)

# Of the package prometheus only this one program is wanted: the rest is a service that would begin to run.
deps-look: build/tools/promtool
build/tools/promtool:
	@mkdir -p $@.deb; ( cd $@.deb && apt-get download -qq -o APT::Sandbox::User=root prometheus >/dev/null )
	@dpkg-deb --fsys-tarfile $@.deb/prometheus_*.deb | tar -x --strip-components=3 -C $(@D) ./usr/bin/promtool; rm -rf $@.deb

# ---- compile and link; V=1 shows the commands ----
say = $(if $(V),,@echo "$(1) $(2)";)
# Every object depends on a stamp of the flags, so that a change of flags rebuilds.
FLAGS_STAMP := $(BUILD)/.flags
.PHONY: FORCE
$(FLAGS_STAMP): FORCE
	@mkdir -p $(@D); flags='$(CC) $(ALL_CFLAGS) $(ALL_CPPFLAGS) $(ALL_LDFLAGS)'; \
	[ "$$flags" = "$$(cat $@ 2>/dev/null)" ] || printf '%s' "$$flags" >$@

# These goals install what is missing; all others say what to install.
INSTALLS := $(filter demo sandbox check,$(MAKECMDGOALS))
# The headers of the libraries must be there before the first compiler starts.
$(BUILD)/.deps: Makefile
	@mkdir -p $(@D); ( $(call find_needs,$(NEEDS_build) $(if $(INSTALLS),$(NEEDS_tests))); $(call provide,$(INSTALLS)) ) && touch $@
$(BUILD)/.deps-tests: Makefile | $(BUILD)/.deps
	@( $(call find_needs,$(NEEDS_tests)); $(call provide,$(INSTALLS)) ) && touch $@
$(call objects,$(UNIT_SOURCES) $(SOURCES_unit) $(wildcard tests/bench/*.c)): | $(BUILD)/.deps-tests

$(BUILD)/tests/sim/%.o: PART_CPPFLAGS = -DFUSE_USE_VERSION=312 $(shell $(PKG_CONFIG) --cflags fuse3)
$(BUILD)/%.o: %.c $(FLAGS_STAMP) | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) $(ALL_CPPFLAGS) $(PART_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The agent looks for vgpu-agent-libvirt there, unless it is in its own folder.
$(BUILD)/.libexecdir: FORCE
	@mkdir -p $(@D); [ '$(libexecdir)' = "$$(cat $@ 2>/dev/null)" ] || printf '%s' '$(libexecdir)' >$@
$(BUILD)/agent/daemon/attach_place.o: PART_CPPFLAGS = -DLIBEXECDIR=\"$(libexecdir)\"
$(BUILD)/agent/daemon/attach_place.o: $(BUILD)/.libexecdir

# The pages for people, with the hashes that a browser lets run, become part of the programs.
define page_rule
$$(BUILD)/pages/$(1).html: lib/page/assemble $(2)/page.html lib/page/page.css lib/page/page.js $(2)/page.js
	@mkdir -p $$(@D)
	$$(call say,PAGE,$$@)$$< $$(@:.html=) $$(wordlist 2,5,$$^)
$$(BUILD)/$(3).o: PART_CPPFLAGS = -DPAGES=\"$$(BUILD)/pages\"
$$(BUILD)/$(3).o: $$(BUILD)/pages/$(1).html
endef
$(eval $(call page_rule,agent,agent/daemon/page,agent/daemon/pages))
$(eval $(call page_rule,placementd,placement/server/page,placement/server/pages))

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
$(foreach p,vgpu-agent $(if $(WITH_LIBVIRT),vgpu-agent-libvirt) placementd mdevsim,$(eval $(call program_rule,$(p))))

$(UNIT_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(call archives,$(PARTS_unit))
$(BENCH_PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(call archives,bench $(PARTS_unit))
$(UNIT_PROGRAMS) $(BENCH_PROGRAMS):
	$(call say,LD,$@)$(CC) $(ALL_CFLAGS) -o $@ $^ $(ALL_LDFLAGS) $(call pkg,$(PARTS_unit) tests) -lm

# To be preloaded into the programs, whatever they are built with.
PRELOADED := $(patsubst %.c,$(BUILD)/%.so,$(filter-out $(if $(WITH_LIBVIRT),,%/fake_libvirt.c),$(wildcard tests/system/*.c)))
$(PRELOADED): $(BUILD)/%.so: %.c $(wildcard tests/system/*.h) $(FLAGS_STAMP) | $(BUILD)/.deps
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(ALL_CPPFLAGS) -std=gnu11 $(WARNINGS) -O2 -g -fPIC -shared -o $@ $<

FUZZ_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
PARTS_fuzz := fuzz agent server transfer client model config lib
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
.PHONY: generated
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
# Where each file goes: folder, mode, files. What is copied or read by programs is not below docdir: images of containers
# and small systems are made without share/doc.
define installed
$(sbindir) 0755 $(BUILD)/vgpu-agent $(BUILD)/placementd
$(libexecdir)/vgpu-agent 0755 $(filter %/vgpu-agent-libvirt,$(PROGRAMS))
$(mandir)/man5 0644 $(filter %.5,$(GENERATED))
$(mandir)/man8 0644 $(MAN_PAGES)
$(sysconfdir)/vgpu-agent 0644 $(BUILD)/etc/vgpu-agent.conf.sample
$(sysconfdir)/placementd 0644 $(BUILD)/etc/placementd.conf.sample
$(unitdir) 0644 $(UNITS)
$(docdir) 0644 LICENSE NEWS.rst README.rst SECURITY.rst $(wildcard doc/*.rst)
$(datadir)/vgpu-agent/systemd 0644 $(wildcard etc/systemd/vgpu-agent.service.d/*.conf)
$(datadir)/vgpu-agent/monitoring 0644 $(wildcard etc/monitoring/*)
$(datadir)/vgpu-agent/schemas 0644 $(wildcard etc/schemas/*.json)
$(prefix)/lib/udev/rules.d 0644 etc/udev/90-vgpu-agent.rules
$(prefix)/lib/sysusers.d 0644 $(wildcard etc/sysusers.d/*.conf)
$(prefix)/lib/tmpfiles.d 0644 $(TMPFILES)
$(prefix)/share/bash-completion/completions 0644 $(wildcard etc/completion/*)
endef
export installed
# What earlier versions installed in docdir: an installation over one of theirs still has it.
FORMER := libvirt.conf whole-cards.conf examples/vgpu-agent.rules.yml examples/vgpu-agent.grafana.json

.PHONY: install
install: all $(MAN_PAGES) $(UNITS) $(TMPFILES) ## programs, configuration, units, manual pages; DESTDIR= prefix= are heeded
	@echo "$$installed" | while read -r folder mode files; do set -e; [ -n "$$files" ] || continue; \
		echo "install $$folder"; $(INSTALL) -d "$(DESTDIR)$$folder"; $(INSTALL) -m "$$mode" $$files "$(DESTDIR)$$folder"; done
	@# A configuration that is there is the operator's. It may hold secrets.
	@for p in vgpu-agent placementd; do f="$(DESTDIR)$(sysconfdir)/$$p/$$p.conf"; \
		[ -e "$$f" ] || $(INSTALL) -m 0640 $(BUILD)/etc/$$p.conf.sample "$$f"; done
	@f="$(DESTDIR)$(sysconfdir)/default/vgpu-agent"; [ -e "$$f" ] || $(INSTALL) -D -m 0644 etc/default/vgpu-agent "$$f"

# For those who try the agent, not for its hosts.
.PHONY: install-mdevsim
install-mdevsim: $(BUILD)/mdevsim $(BUILD)/man/mdevsim.1
	@set -e; for folder in $(bindir) $(mandir)/man1 $(datadir)/mdevsim/hosts; do echo "install $$folder"; $(INSTALL) -d "$(DESTDIR)$$folder"; done; \
	$(INSTALL) -m 0755 $< "$(DESTDIR)$(bindir)"; $(INSTALL) -m 0644 $(BUILD)/man/mdevsim.1 "$(DESTDIR)$(mandir)/man1"; \
	$(INSTALL) -m 0644 tests/hosts/*.json "$(DESTDIR)$(datadir)/mdevsim/hosts"

.PHONY: uninstall
uninstall: $(MAN_PAGES) $(UNITS) $(TMPFILES) ## take away what install put there, but configuration and data; the same prefix=
	@[ -e "$(DESTDIR)$(sbindir)/vgpu-agent" ] || echo "nothing is installed in $(DESTDIR)$(sbindir); prefix= is as it was for make install" >&2
	@echo "$$installed" | while read -r folder mode files; do for f in $$files; do rm -f "$(DESTDIR)$$folder/$${f##*/}"; done; done
	@for f in $(FORMER); do rm -f "$(DESTDIR)$(docdir)/$$f"; done
	@# The folders that are ours alone.
	@for folder in $(libexecdir)/vgpu-agent $(datadir)/vgpu-agent $(docdir); do folder="$(DESTDIR)$$folder"; \
		[ ! -d "$$folder" ] || find "$$folder" -depth -type d -empty -delete; done

# ---- packages ----
# From what a release consists of, in a copy: the tree stays as it is. A packager's `VERSION=` and `CC=` are heeded.
RELEASE := build/packages/vgpu-agent-$(VERSION)
# Whoever gives packages to others puts a name of their own here (etc/README.rst).
MAINTAINER ?= vgpu-agent maintainers <maintainers@vgpu-agent.invalid>
MADE = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y NEWS.rst))
# The flags of this make would override what the packages are built with.
for_package = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL
say_log = || { tail -n 40 $(1) >&2; echo "the whole of it: $(1)" >&2; exit 1; }

.PHONY: dist
dist:
	@mkdir -p build/packages; tar -czf $(RELEASE).tar.gz --exclude=__pycache__ --owner=0 --group=0 --numeric-owner \
		--transform 'flags=r;s|^|vgpu-agent-$(VERSION)/|' *.rst LICENSE Makefile agent config devstack doc etc lib placement tests

.PHONY: deb
deb: need-deb dist ## Debian packages in build/packages, lintian's judgement of them
	@rm -rf $(RELEASE); tar -xzf $(RELEASE).tar.gz -C build/packages; cp -r etc/debian $(RELEASE)
	@for f in changelog control; do sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@MAINTAINER@|$(MAINTAINER)|' -e "s|@DATE@|$$(date -R -u -d @$(MADE))|" \
		etc/debian/$$f >$(RELEASE)/debian/$$f; done
	@echo "dpkg-buildpackage"; ( cd $(RELEASE) && $(for_package) dpkg-buildpackage -b -us -uc ) >$(RELEASE).deb.log 2>&1 $(call say_log,$(RELEASE).deb.log)
	@lintian --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs build/packages/vgpu-agent_$(VERSION)-1_*.changes

.PHONY: check-deb
check-deb: need-bare deb ## the packages on a bare Debian 12, and on a real systemd in QEMU: installed, upgraded, removed, purged
	@tests/bare/packages build/packages '$(VERSION)'
	@tests/kernel/run --packages build/packages '$(VERSION)'

.PHONY: rpm
rpm: need-rpm dist ## RPM packages in build/packages, as far as this machine's rpmbuild goes
	@echo "rpmbuild"; $(for_package) rpmbuild -bb --nodeps --define '_topdir $(abspath build/packages/rpm)' \
		--define '_sourcedir $(abspath build/packages)' --define '_rpmdir $(abspath build/packages)' \
		--define 'package_version $(VERSION)' --define 'packager $(MAINTAINER)' etc/rpm/vgpu-agent.spec >$(RELEASE).rpm.log 2>&1 $(call say_log,$(RELEASE).rpm.log)

# ---- tests: the ladder ----
# The tests wait more than they work; sanitizers work. The files that take longest begin first.
TEST_JOBS = $(if $(filter release,$(VARIANT)),$$((2 * $$(nproc))),$$(nproc))
SYSTEM_FILES := $(patsubst %,tests/system/test_%.py,crash trouble)
SYSTEM_FILES += $(filter-out $(SYSTEM_FILES),$(shell ls -S tests/system/test_*.py))
prove = BUILD=$(abspath $(BUILD)) tests/prove $(if $(QUIET),-Q)

.PHONY: check
check: all $(PRELOADED) $(UNIT_PROGRAMS) | $(BUILD)/.deps-tests ## units, and the real binaries on simulated hosts (README's test command)
	@$(prove) -j "$(TEST_JOBS)" $(UNIT_PROGRAMS) $(SYSTEM_FILES)

.PHONY: check-unit
check-unit: $(UNIT_PROGRAMS) | $(BUILD)/.deps-tests
	@$(prove) -j "$$(nproc)" $(UNIT_PROGRAMS)

# `make unit/config` runs the unit tests of one folder. No make of its own builds them: it would write the same objects as
# this one, at the same time.
units_below = $(filter $(BUILD)/tests/unit/$(1)/%,$(UNIT_PROGRAMS))
.SECONDEXPANSION:
unit/%: $$(call units_below,$$*) FORCE
	@$(if $(call units_below,$*),$(prove) -j "$$(nproc)" $(call units_below,$*),echo "tests/unit/$* has no tests" >&2; exit 1)

.PHONY: check-system
check-system: all $(PRELOADED) | $(BUILD)/.deps-tests
	@$(prove) -j "$(TEST_JOBS)" $(SYSTEM_FILES)

.PHONY: check-san
check-san: ## the same under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory VARIANT=san INSTALLS= check

.PHONY: check-crash
check-crash: all $(PRELOADED) ## killed or failing at every single call and request, of every kind of plan
	@EXHAUSTIVE=1 BUILD=$(abspath $(BUILD)) tests/system/run -j "$$((2 * $$(nproc)))" --timeout 3600 test_crash test_faults

# Each seed is a script of its own; SEEDS= (1-40) does those, STEPS= so many steps in each mode, always from seed 1 on.
.PHONY: check-oracle
check-oracle: all $(PRELOADED) ## STEPS=500 SEEDS= MODE=: random scripts of Nova, operators and enemies before a second judge
	@BUILD=$(abspath $(BUILD)) tests/system/oracle/run --steps $(or $(STEPS),500) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(MODE),--mode $(MODE)) $(if $(AGAIN),--again $(AGAIN))

HOSTILE ?=
.PHONY: check-hostile
check-hostile: all $(PRELOADED) ## placementd under attack: what a well-behaved client has of it; HOSTILE='--seconds 60 writers'
	@BUILD=$(abspath $(BUILD)) tests/hostile/run $(HOSTILE)

.PHONY: check-oracle-planted check-plan-planted
check-oracle-planted: all ## faults planted in a copy of the tree: the second judge finds each
	@tests/system/oracle/run --planted
	@tests/system/oracle/run --mode kinds --planted

check-plan-planted: ## the same before the judge of the planner's random worlds
	@tests/unit/agent/plan/planted

# The daemon's cycles, and where its storms begin (tests/system/test_soak.py).
SEED ?= 1
.PHONY: soak
soak: all ## CYCLES=10000 under storms of faults and restarts, with sanitizers and without; then some under valgrind
	@$(MAKE) --no-print-directory VARIANT=san run-soak CYCLES=$(or $(CYCLES),10000)
	@$(MAKE) --no-print-directory run-soak CYCLES=$(or $(CYCLES),10000)
	@$(MAKE) --no-print-directory run-soak CYCLES=250 VALGRIND=1
.PHONY: run-soak
run-soak: all
	@BUILD=$(abspath $(BUILD)) CYCLES=$(CYCLES) SEED=$(SEED) $(if $(VALGRIND),VALGRIND=1) \
		tests/system/run -v --timeout 3600 test_soak

.PHONY: check-upstream
check-upstream: all need-upstream ## against OpenStack's own Placement and command line
	@BUILD=$(abspath $(BUILD)) tests/upstream/run

.PHONY: check-conformance
check-conformance: all need-upstream ## GABBITS=DIR: a folder of upstream's API tests against placementd
	@BUILD=$(abspath $(BUILD)) tests/upstream/conformance $(GABBITS)

.PHONY: check-kernel
check-kernel: all ## on a real kernel's mediated devices and whole cards, in QEMU
	@BUILD=$(abspath $(BUILD)) tests/kernel/run

.PHONY: check-attach
check-attach: all need-attach ## guests of a real libvirtd in the same QEMU get their devices
	@BUILD=$(abspath $(BUILD)) tests/kernel/run --attach

.PHONY: kernel-shell
kernel-shell: all ## a shell on the kernel of check-kernel, beside its emulated cards
	@BUILD=$(abspath $(BUILD)) tests/kernel/run --shell

.PHONY: check-bare
check-bare: need-bare ## README's two commands on a bare Debian 12 (debootstrap), as root and as a plain user; QUICK=1
	@tests/bare/run $(if $(QUICK),--quick)

.PHONY: check-units
check-units: all ## the systemd units as they are installed, on a real systemd in the same QEMU
	@rm -rf build/kernel-installed; $(MAKE) --no-print-directory install prefix=/usr DESTDIR=build/kernel-installed >/dev/null
	@BUILD=$(abspath $(BUILD)) tests/kernel/run --units build/kernel-installed

# Each part by its own: PART='life revert', MODE=owner, PLACEMENT=openstack.
.PHONY: check-nova
check-nova: all need-nova ## a real cloud: what becomes of guests' GPUs in each of Nova's actions; PART= MODE= (an hour a mode)
	@rm -rf build/nova-installed; $(MAKE) --no-print-directory install prefix=/usr DESTDIR=build/nova-installed >/dev/null
	@BUILD=$(abspath $(BUILD)) tests/nova/run $(addprefix --mode ,$(MODE)) $(addprefix --part ,$(PART)) $(addprefix --placement ,$(PLACEMENT))

# Each fuzzer starts from tests/fuzz/corpus/<its name> and keeps what it finds below build/fuzz.
FUZZ_TIME ?= 60
.PHONY: fuzz
fuzz: need-fuzz ## libFuzzer on every parser, FUZZ_TIME seconds each
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang run-fuzz
.PHONY: run-fuzz
run-fuzz: $(FUZZ_PROGRAMS)
	@set -e; for program in $(FUZZ_PROGRAMS); do name=$${program##*/}; seeds=tests/fuzz/corpus/$$name; [ -d $$seeds ] || seeds=; \
		mkdir -p $(BUILD)/corpus/$$name; echo "$$name"; \
		$$program -max_total_time=$(FUZZ_TIME) -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 -artifact_prefix=$(BUILD)/$$name- \
			$(BUILD)/corpus/$$name $$seeds; done

.PHONY: demo
demo: all | $(BUILD)/.deps-tests ## the main job, told in a terminal
	@BUILD=$(abspath $(BUILD)) tests/demo

.PHONY: sandbox
sandbox: all | $(BUILD)/.deps-tests ## a GPU host to try things on, simulated: Placement, the daemon and a shell beside them
	@BUILD=$(abspath $(BUILD)) tests/sandbox

.PHONY: bench
bench: all $(BENCH_PROGRAMS) need-bench ## measurements, beside OpenStack's Placement in one run; BENCH='--only scaling'
	@BUILD=$(abspath $(BUILD)) tests/bench/run $(BENCH)

# ---- lint ----
TIDY_FLAGS = -std=gnu11 $(ALL_CPPFLAGS) -DFUSE_USE_VERSION=312 $(shell $(PKG_CONFIG) --cflags fuse3)
C_FILES = $(filter-out tests/kernel/module/%,$(shell git ls-files '*.c' '*.h'))
.PHONY: lint
lint: lint-format lint-floors lint-tidy lint-cppcheck lint-shell lint-documents ## clang-format, the order of folders, clang-tidy, cppcheck, shellcheck, docutils

.PHONY: lint-format
lint-format: need-lint
	@clang-format --dry-run --Werror $(C_FILES)

.PHONY: lint-floors
lint-floors:
	@tests/floors

.PHONY: lint-tidy
lint-tidy: need-lint $(BUILD)/.deps
	@printf '%s\n' $(filter $(if $(WITH_LIBVIRT),agent/%.c,$(SOURCES_agent) agent/main.c) config/%.c lib/%.c placement/%.c,$(C_FILES)) | xargs -P "$$(nproc)" -n 4 bash -o pipefail -c \
		'clang-tidy --quiet "$$@" -- $(TIDY_FLAGS) 2>&1 | { grep -v "warnings* generated" || true; }' bash

.PHONY: lint-cppcheck
lint-cppcheck: need-lint
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,portability --std=c11 -j "$$(nproc)" \
		--suppress=missingIncludeSystem $(ALL_CPPFLAGS) agent config lib placement

.PHONY: lint-shell
lint-shell: need-lint
	@shellcheck -s bash devstack/plugin.sh devstack/settings $(wildcard etc/completion/*)
	@# As DevStack checks itself, lines may be long.
	@bashate -i E006 -e E005,E042 devstack/plugin.sh devstack/settings
	@shellcheck $(wildcard .ci/run) lib/page/assemble $$(git grep -lE '^#!/bin/(ba)?sh|^#!/bin/busybox|^#!/usr/bin/env bash' -- tests)

.PHONY: lint-documents
lint-documents: need-lint
	@git ls-files -z '*.rst' | xargs -0 -n 1 rst2html --strict >/dev/null

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 28
