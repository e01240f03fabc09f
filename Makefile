# Docket. `make help` lists what there is.
#
#   make SAN=address,undefined …   the same with sanitizers, in a build folder of its own
#   make LTO=1 …                   the programs optimised over all their files at once, in a build folder of its own:
#                                  twice as long to build, and what install and bench take (LTO=no: not they either)
#   make WERROR=1 …                warnings are errors (CI)
#   make V=1 …                     whole commands

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON ?= /usr/bin/python3
PYTEST = PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -p no:cacheprovider -q
SAN ?=
comma := ,
LTO ?= $(filter install bench,$(MAKECMDGOALS))
lto := $(filter-out no,$(LTO))
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(lto),-lto)

CC ?= gcc
PKG_CONFIG ?= pkg-config
PACKAGES := libczmq libzmq libpq yaml-0.1 libcurl gmime-3.0 libmicrohttpd libpcre2-8 jansson libsodium libical libxml-2.0 libstrophe
PKG_CFLAGS := $(shell { $(PKG_CONFIG) --cflags $(PACKAGES); } 2>/dev/null | sed 's/-I/-isystem /g')
PKG_LIBS = $(shell { $(PKG_CONFIG) --libs $(1); } 2>/dev/null)
INSTALL ?= install
# A line a step; V=1 shows the whole commands.
quiet = $(if $(V),,@echo "  $(1)  $@" &&)
# As many jobs as cores for the builds that other targets start, unless make was told a number.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wformat=2 -Wvla -Wstrict-prototypes -Wmissing-prototypes \
	-Werror=incompatible-pointer-types
OPT ?= -O2 -g
# Code for the linker's optimiser beside the usual code: what is linked with LTO_LINK uses the one, unit tests the other.
LTO_COMPILE := $(if $(lto),-flto=auto -ffat-lto-objects)
LTO_LINK = $(if $(lto),-flto=auto $(OPT) $(HARDEN))
# Debian's hardening (the compiler makes position-independent programs by itself); sanitizers watch more closely than _FORTIFY_SOURCE.
HARDEN ?= -fno-omit-frame-pointer -fstack-protector-strong $(if $(SAN)$(filter -O0,$(OPT)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
CFLAGS_ALL = -std=c11 -D_POSIX_C_SOURCE=200809L $(WARNINGS) $(if $(WERROR),-Werror) $(OPT) $(LTO_COMPILE) $(HARDEN) \
	$(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all) \
	-DDOCKET_VERSION='"$(VERSION)"' -Icommon $(PKG_CFLAGS) -include common/banned.h -MMD -MP $(CFLAGS)
LDFLAGS_ALL = -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)

# Which libraries a program may reach (the worker opens no database, the broker builds no mail).
LIBS_COMMON   := $(call PKG_LIBS,libczmq libzmq yaml-0.1 libpcre2-8 jansson libsodium libmicrohttpd) -lmsgpackc -lm
LIBS_broker    = $(LIBS_COMMON) $(call PKG_LIBS,libpq libical)
LIBS_worker    = $(LIBS_COMMON) $(call PKG_LIBS,libical)
LIBS_notifier  = $(LIBS_COMMON) $(call PKG_LIBS,libpq libcurl gmime-3.0 libical)
LIBS_xmpp      = $(LIBS_COMMON) $(call PKG_LIBS,libstrophe)
LIBS_client    = $(LIBS_COMMON)
LIBS_mail      = $(LIBS_COMMON) $(call PKG_LIBS,gmime-3.0 libxml-2.0)
LIBS_all       = $(LIBS_COMMON) $(call PKG_LIBS,libpq libcurl gmime-3.0 libical libxml-2.0)

ROOMS := common broker worker notifier client
src = $(wildcard $(1)/*.c)
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

# A room's main file stays out of its archive, so that unit tests can link the rest.
MAINS := broker/broker_main.c worker/worker_main.c notifier/notifier_main.c notifier/xmpp_main.c
CLIENT_LIB   := $(wildcard client/lib_*.c)
CLIENT_CLI   := $(wildcard client/cli_*.c)
CLIENT_BENCH := $(wildcard client/bench_*.c)
CLIENT_MAIL  := $(wildcard client/mail_*.c)

GEN := $(BUILD)/gen/broker_sql.c $(BUILD)/gen/notifier_sql.c $(BUILD)/gen/schema_files.c $(BUILD)/gen/shipped_process.c
GEN_OBJ := $(GEN:.c=.o)

BIN := $(addprefix $(BUILD)/bin/,docket-broker docket-worker docket-notifier docket-xmpp docket docket-mail docket-bench)
LIBRARY := $(BUILD)/lib/libdocket.a $(BUILD)/lib/libdocket.so

.PHONY: all
all: $(BIN) $(LIBRARY) ## build the programs into build/bin, the library into build/lib

# ---- objects ----

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(CFLAGS_ALL) $(if $(filter client/lib_%,$<),-fPIC -fvisibility=hidden) $(if $(filter common/%,$<),-fPIC) -I$(<D) -c $< -o $@

$(BUILD)/gen/%.o: $(BUILD)/gen/%.c
	$(call quiet,CC) $(CC) $(CFLAGS_ALL) -c $< -o $@

# A folder itself is needed too: a file that was renamed or removed is none of the list's any more.
process_files := $(sort $(shell find deploy/process -type f 2>/dev/null))

$(BUILD)/gen/broker_sql.c: $(wildcard broker/sql/*.sql) broker/sql build-aux/embed
	@mkdir -p $(@D)
	$(call quiet,EM) EMBED_ROOT=broker/sql build-aux/embed broker_sql $(wildcard broker/sql/*.sql) > $@
$(BUILD)/gen/notifier_sql.c: $(wildcard notifier/sql/*.sql) notifier/sql build-aux/embed
	@mkdir -p $(@D)
	$(call quiet,EM) EMBED_ROOT=notifier/sql build-aux/embed notifier_sql $(wildcard notifier/sql/*.sql) > $@
$(BUILD)/gen/schema_files.c: $(wildcard deploy/schema/*.sql) deploy/schema build-aux/embed
	@mkdir -p $(@D)
	$(call quiet,EM) EMBED_ROOT=deploy/schema build-aux/embed schema_files $(sort $(wildcard deploy/schema/*.sql)) > $@
$(BUILD)/gen/shipped_process.c: $(process_files) build-aux/embed
	@mkdir -p $(@D)
	$(call quiet,EM) EMBED_ROOT=deploy/process build-aux/embed shipped_process $(process_files) > $@

# ---- archives: what tests and programs link ----

AR_common   := $(BUILD)/lib/internal/common.a
AR_broker   := $(BUILD)/lib/internal/broker.a
AR_worker   := $(BUILD)/lib/internal/worker.a
AR_notifier := $(BUILD)/lib/internal/notifier.a
AR_client   := $(BUILD)/lib/internal/client.a
AR_ALL      := $(AR_broker) $(AR_worker) $(AR_notifier) $(AR_client) $(AR_common)

define archive
	@mkdir -p $(@D)
	@rm -f $@
	$(call quiet,AR) $(AR) rcs $@ $(filter %.o,$^)
endef

$(AR_common): $(call obj,$(call src,common)) $(GEN_OBJ)
	$(archive)
$(AR_broker): $(call obj,$(filter-out $(MAINS),$(call src,broker)))
	$(archive)
$(AR_worker): $(call obj,$(filter-out $(MAINS),$(call src,worker)))
	$(archive)
$(AR_notifier): $(call obj,$(filter-out $(MAINS),$(call src,notifier)))
	$(archive)
$(AR_client): $(call obj,$(filter-out client/cli_main.c client/bench_main.c client/mail_main.c,$(call src,client)))
	$(archive)

# ---- programs and library ----

$(BUILD)/bin/docket-broker: $(call obj,broker/broker_main.c) $(AR_broker) $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LTO_LINK) $(LDFLAGS_ALL) $^ $(LIBS_broker) -o $@
$(BUILD)/bin/docket-worker: $(call obj,worker/worker_main.c) $(AR_worker) $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LTO_LINK) $(LDFLAGS_ALL) $^ $(LIBS_worker) -o $@
$(BUILD)/bin/docket-notifier: $(call obj,notifier/notifier_main.c) $(AR_notifier) $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LTO_LINK) $(LDFLAGS_ALL) $^ $(LIBS_notifier) -o $@
$(BUILD)/bin/docket-xmpp: $(call obj,notifier/xmpp_main.c notifier/xmpp_rooms.c notifier/xmpp_tell.c notifier/xmpp_wire.c) $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LTO_LINK) $(LDFLAGS_ALL) $^ $(LIBS_xmpp) -o $@
$(BUILD)/bin/docket: $(call obj,$(CLIENT_CLI)) $(BUILD)/lib/libdocket.a $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LTO_LINK) $(LDFLAGS_ALL) $^ $(LIBS_client) -o $@
$(BUILD)/bin/docket-mail: $(call obj,$(CLIENT_MAIL)) $(BUILD)/lib/libdocket.a $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LTO_LINK) $(LDFLAGS_ALL) $^ $(LIBS_mail) -o $@
$(BUILD)/bin/docket-bench: $(call obj,$(CLIENT_BENCH)) $(BUILD)/lib/libdocket.a $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LTO_LINK) $(LDFLAGS_ALL) $^ $(LIBS_client) -o $@

# What the library needs of common/ goes into it; only names that start with docket_ are visible.
LIB_COMMON := $(addprefix common/,err.c utf8.c buf.c wire.c wire_check.c wire_tree.c wire_put.c wire_json.c tracking.c clock.c)
$(BUILD)/lib/libdocket.a: $(call obj,$(CLIENT_LIB) $(LIB_COMMON))
	$(archive)
$(BUILD)/lib/libdocket.so: $(call obj,$(CLIENT_LIB) $(LIB_COMMON)) client/libdocket.map
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LDFLAGS_ALL) -shared -Wl,-soname,libdocket.so.0 -Wl,--version-script=client/libdocket.map \
		$(filter %.o,$^) $(call PKG_LIBS,libczmq libzmq jansson libsodium) -lmsgpackc -lm -o $@

# ---- tests ----

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(AR_ALL)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LDFLAGS_ALL) $< -Wl,--start-group $(AR_ALL) -Wl,--end-group $(LIBS_all) $(call PKG_LIBS,cmocka) -o $@
$(BUILD)/obj/tests/unit/%.o: tests/unit/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(CFLAGS_ALL) $(addprefix -I,$(filter-out common,$(ROOMS))) -c $< -o $@

# What the types refuse: each file compiles with -DRIGHT, and does not without.
REFUSED := $(patsubst tests/unit/refused/%.c,$(BUILD)/tests/refused/%.ok,$(wildcard tests/unit/refused/*.c))
compiles = $(CC) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -Inotifier -fsyntax-only
$(BUILD)/tests/refused/%.ok: tests/unit/refused/%.c $(wildcard notifier/*.h common/*.h) Makefile
	@mkdir -p $(@D)
	@$(compiles) -DRIGHT $< || { echo "$<: does not compile with -DRIGHT, so it shows nothing"; exit 1; }
	@if $(compiles) $< 2>/dev/null; then echo "$<: compiles, and must not"; exit 1; fi
	@touch $@

.PHONY: unit
unit: $(UNIT) $(REFUSED) ## unit tests alone; T=name runs those whose name holds it
	@build-aux/run-unit $(if $(T),$(foreach t,$(UNIT),$(if $(findstring $(T),$(t)),$(t))),$(UNIT))

# `make test` on an empty machine first installs what is missing, so the build runs in a second make that sees it.
.PHONY: test test-run bench fault demo
test: deps ## unit and system tests; T=name runs those whose name holds it
	@$(MAKE) --no-print-directory $(jobs) all unit-programs
	@$(MAKE) --no-print-directory test-run
test-run:
	@DOCKET_BUILD=$(abspath $(BUILD)) DOCKET_BIN=$(abspath $(BUILD)/bin) PYTHON=$(PYTHON) build-aux/run-tests "$(T)" $(UNIT)
.PHONY: unit-programs
unit-programs: $(UNIT)

fault: deps ## long runs: kill -9 of everything under load, big backlogs; T=name selects
	@$(MAKE) --no-print-directory $(jobs) all unit-programs
	@DOCKET_BUILD=$(abspath $(BUILD)) DOCKET_BIN=$(abspath $(BUILD)/bin) $(PYTEST) tests/fault $(if $(T),-k "$(T)")

# Mutants: a copy of the sources and of what is built, in a build folder of its own, with one guard after another taken out.
.PHONY: mutants
mutants: deps ## take out each guard in turn: the tests named for it must fail (tests/mutants/table.py); MUTANT=name one
	@$(MAKE) --no-print-directory $(jobs) all unit-programs
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) tests/mutants/run $(MUTANT)

# Fuzzing: libFuzzer of clang, in a build folder of its own. Found inputs are kept below it; what breaks is left as crash-….
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
SECONDS ?= 60
FUZZ_SEEDS_zone := /usr/share/zoneinfo/Europe
FUZZ_SEEDS_process := deploy/process/rules tests/fuzz/seeds/process
FUZZ_SEEDS_mustache := deploy/process/templates
FUZZ_SEEDS_mail := tests/system/mails
FUZZ_SEEDS_ics := tests/fuzz/seeds/ics
.PHONY: fuzz fuzz-run
fuzz: ## random bytes into everything that reads bytes from outside; T=name one target, SECONDS=n each (60)
	@$(MAKE) --no-print-directory $(jobs) BUILD=build-fuzz CC=clang HARDEN=-fno-omit-frame-pointer fuzz-run T="$(T)" SECONDS=$(SECONDS) \
		CFLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -Wno-unknown-warning-option" LDFLAGS="-fsanitize=fuzzer,address,undefined"
fuzz-run: $(patsubst %,$(BUILD)/fuzz/%,$(if $(T),$(filter $(T),$(FUZZ)),$(FUZZ)))
	@for one in $(if $(T),$(filter $(T),$(FUZZ)),$(FUZZ)); do \
		mkdir -p $(BUILD)/corpus/$$one; \
		case $$one in zone) seeds="$(FUZZ_SEEDS_zone)";; ics) seeds="$(FUZZ_SEEDS_ics)";; process) seeds="$(FUZZ_SEEDS_process)";; mustache) seeds="$(FUZZ_SEEDS_mustache)";; mail) seeds="$(FUZZ_SEEDS_mail)";; *) seeds=;; esac; \
		echo "  FUZZ $$one, $(SECONDS) s"; \
		$(BUILD)/fuzz/$$one -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(BUILD)/$$one- $(BUILD)/corpus/$$one $$seeds || exit 1; \
	done
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(AR_ALL)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LDFLAGS_ALL) $< -Wl,--start-group $(AR_ALL) -Wl,--end-group $(LIBS_all) -o $@
$(BUILD)/obj/tests/fuzz/%.o: tests/fuzz/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC) $(CC) $(CFLAGS_ALL) $(addprefix -I,$(filter-out common,$(ROOMS))) -c $< -o $@

BENCH := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(AR_broker) $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LDFLAGS_ALL) $^ $(LIBS_broker) -o $@
$(BUILD)/bench/promises: $(BUILD)/obj/tests/bench/promises.o $(AR_worker) $(AR_common)
	@mkdir -p $(@D)
	$(call quiet,LD) $(CC) $(LDFLAGS_ALL) $^ $(LIBS_worker) -o $@
$(BUILD)/obj/tests/bench/promises.o: private CFLAGS_ALL += -Iworker

bench: deps ## measure on the embedded PostgreSQL, with ratios to the raw ceiling; T="run deadlines recompute notify decisions" some of it
	@$(MAKE) --no-print-directory $(jobs) LTO="$(or $(lto),no)" all bench-programs
	@DOCKET_BUILD=$(abspath $(BUILD)) DOCKET_BIN=$(abspath $(BUILD)/bin) DOCKET_BENCH=$(abspath $(BUILD)/bench); \
	export DOCKET_BUILD DOCKET_BIN DOCKET_BENCH; failed=; \
	for part in $(or $(T),run deadlines recompute notify decisions); do $(PYTHON) tests/bench/$$part.py || failed="$$failed $$part"; done; \
	if [ -n "$$failed" ]; then echo "bench: broken or below its aim:$$failed"; exit 1; fi
.PHONY: bench-programs
bench-programs: $(BENCH) $(BUILD)/tests/test_calendar_model

demo: deps ## replay a real incident log on a whole Docket; KEEP=1 leaves it running, DEMO_LOG=FILE replays another
	@$(MAKE) --no-print-directory $(jobs) all
	@DOCKET_BUILD=$(abspath $(BUILD)) DOCKET_BIN=$(abspath $(BUILD)/bin) $(PYTHON) deploy/local/demo $(if $(KEEP),--keep) $(if $(DEMO_LOG),--log "$(DEMO_LOG)")

# ---- linters ----

HEADERS := $(wildcard $(addsuffix /*.h,$(ROOMS)))
LINTED := $(wildcard $(addsuffix /*.c,$(ROOMS)))
TIDY_FLAGS = -std=c11 -D_POSIX_C_SOURCE=200809L -DDOCKET_VERSION='"$(VERSION)"' $(addprefix -I,$(ROOMS)) $(PKG_CFLAGS) \
	-include common/banned.h

.PHONY: lint check-headers check-exports compile-db
lint: check-headers check-exports ## clang-format, clang-tidy and cppcheck: all must be silent
	@clang-format --dry-run -Werror $(SOURCES)
	@build-aux/tidy $(LINTED) -- $(TIDY_FLAGS)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=build-aux/cppcheck-suppressions -j $$(nproc) $(addprefix -I,$(ROOMS)) $(LINTED)
check-headers: ## each header compiles alone
	@for header in $(HEADERS); do \
		echo "#include \"$${header#*/}\"" | $(CC) $(CFLAGS_CHECK) -I$${header%%/*} -x c - || { echo "$$header"; exit 1; }; \
	done
CFLAGS_CHECK = $(filter-out -MMD -MP,$(CFLAGS_ALL)) -Werror -fsyntax-only
check-exports: unit-programs all ## what a file exports and no other file uses
	@BUILD=$(BUILD) build-aux/exports $(ROOMS)
compile-db: ## compile_commands.json, for editors
	@build-aux/compile-db $(LINTED) $(wildcard tests/unit/*.c) -- $(CC) $(TIDY_FLAGS) > compile_commands.json

.PHONY: docs
docs: all ## what the programs say about themselves: docs/cli.md, the settings in docs/operations.md, deploy/etc
	@build-aux/docs $(BUILD)/bin

# ---- dependencies and installation ----

.PHONY: deps install uninstall place
deps: ## install what is missing from Debian (as root or through sudo); DEPS=no refuses to
	@DEPS=$(DEPS) build-aux/deps

# Where systemd, pkg-config, man and the shells look for things below PREFIX.
at = $(DESTDIR)$(PREFIX)/$(1)
UNITS := $(notdir $(wildcard deploy/systemd/*.service))
PAGES := man1/docket.1 man1/docket-bench.1 $(addprefix man8/,docket-broker.8 docket-worker.8 docket-notifier.8 docket-mail.8 docket-xmpp.8)
# All that is installed: files, and folders that are wholly ours.
PLACED = $(addprefix bin/,$(notdir $(BIN))) $(addprefix lib/,libdocket.a libdocket.so libdocket.so.0 pkgconfig/libdocket.pc sysusers.d/docket.conf) \
	$(addprefix lib/systemd/system/,$(UNITS)) $(addprefix share/man/,$(PAGES)) include/docket.h share/bash-completion/completions/docket \
	share/zsh/site-functions/_docket share/fish/vendor_completions.d/docket.fish share/docket share/doc/docket

install: ## into DESTDIR/PREFIX: programs (optimised; LTO=no: as make builds them), library, man pages, completion, units, samples, docs
	@$(MAKE) --no-print-directory $(jobs) LTO="$(or $(lto),no)" all
	@umask 022 && $(MAKE) --no-print-directory LTO="$(or $(lto),no)" place
uninstall: ## take it all away again; /etc/docket and the database stay
	rm -rf $(foreach path,$(PLACED),$(call at,$(path)))

# Of a version before nothing is left: a rule that is no longer shipped would come into an empty database.
place:
	$(INSTALL) -d $(sort $(dir $(foreach path,$(PLACED),$(call at,$(path)))))
	rm -rf $(call at,share/docket) $(call at,share/doc/docket)
	$(INSTALL) -d $(call at,share/docket) $(call at,share/doc/docket/docs)
	$(INSTALL) -m 0755 $(BIN) $(call at,bin)
	$(INSTALL) -m 0644 $(BUILD)/lib/libdocket.a $(call at,lib)
	$(if $(lto),strip --remove-section='.gnu.lto_*' --remove-section='.gnu.debuglto_*' --strip-symbol=__gnu_lto_v1 $(call at,lib/libdocket.a))
	$(INSTALL) -m 0755 $(BUILD)/lib/libdocket.so $(call at,lib/libdocket.so.0)
	ln -sf libdocket.so.0 $(call at,lib/libdocket.so)
	$(INSTALL) -m 0644 client/docket.h $(call at,include)
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|' client/libdocket.pc.in > $(call at,lib/pkgconfig/libdocket.pc)
	$(BUILD)/bin/docket --man > $(call at,share/man/man1/docket.1)
	for page in $(filter-out man1/docket.1,$(PAGES)); do build-aux/man $(BUILD)/bin $${page#*/} > $(call at,share/man)/$$page || exit 1; done
	$(BUILD)/bin/docket completion bash > $(call at,share/bash-completion/completions/docket)
	$(BUILD)/bin/docket completion zsh > $(call at,share/zsh/site-functions/_docket)
	$(BUILD)/bin/docket completion fish > $(call at,share/fish/vendor_completions.d/docket.fish)
	for unit in $(UNITS); do sed 's|@PREFIX@|$(PREFIX)|' deploy/systemd/$$unit > $(call at,lib/systemd/system)/$$unit || exit 1; done
	$(INSTALL) -m 0644 deploy/systemd/sysusers.conf $(call at,lib/sysusers.d/docket.conf)
	cp -R deploy/process deploy/schema deploy/etc deploy/prometheus $(call at,share/docket)
	$(INSTALL) -m 0644 README.md CONTRIBUTING.md LICENSE $(call at,share/doc/docket)
	$(INSTALL) -m 0644 docs/*.md $(call at,share/doc/docket/docs)
	cp -R examples $(call at,share/doc/docket)
	ln -sfn ../../docket $(call at,share/doc/docket/deploy) # what the pages call deploy/
	chmod -R u=rwX,go=rX $(call at,share/docket) $(call at,share/doc/docket)

# ---- housekeeping ----

SOURCES := $(wildcard $(addsuffix /*.[ch],$(ROOMS)) tests/unit/*.[ch] tests/bench/*.[ch] tests/fuzz/*.[ch])

.PHONY: fmt clean help
fmt: ## format all C files by .clang-format
	clang-format -i $(SOURCES)
clean: ## remove everything that was built
	rm -rf build $(filter-out build-aux,$(wildcard build-*))
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

-include $(wildcard $(addprefix $(BUILD)/obj/,$(addsuffix /*.d,$(ROOMS) tests/unit tests/bench tests/fuzz)) $(BUILD)/gen/*.d)
.SECONDARY:
