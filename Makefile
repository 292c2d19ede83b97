# torch.js: make help
SHELL := /bin/bash
.DELETE_ON_ERROR:

VERSION := $(shell sed -n 's/^  "version": "\(.*\)",/\1/p' package.json)
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
# address,undefined or thread: with clang, or gcc where its runtimes are installed
SANITIZE ?=
OPT ?= -O3

GEN := $(BUILD)/gen
WARN := -Wall -Wextra
CFLAGS_ALL := -std=gnu11 -g1 $(OPT) -fPIC -fvisibility=hidden -fwrapv -fno-math-errno -fno-trapping-math -ffp-contract=fast -fno-asynchronous-unwind-tables $(WARN) \
  -DTJ_VERSION='"$(VERSION)"' -I. -Iengine -Iinclude/torchjs -I$(GEN) $(CFLAGS)
LDLIBS_ALL := -lm -lpthread -Wl,-z,nodelete
ifneq ($(SANITIZE),)
CFLAGS_ALL += -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
LDLIBS_ALL += -fsanitize=$(SANITIZE)
endif

ISAS := base
ifeq ($(shell uname -m),x86_64)
ISAS += avx2 avx512
ARCH_avx2 := -march=x86-64-v3
ARCH_avx512 := -march=x86-64-v4 -mprefer-vector-width=512
endif
ifneq ($(filter-out base,$(ISAS)),)
ARCH_base := -O2 # rare dtypes, and machines of before 2013: half the size of -O3
endif

# gcc ends a loop over vectors with loops over shorter ones: a quarter of the size of the pointwise loops, for the last few elements of a row.
ONE_WIDTH := $(if $(shell $(CC) -Werror --param vect-epilogues-nomask=0 -fsyntax-only -x c /dev/null 2>&1),,--param vect-epilogues-nomask=0)

.PHONY: help demo package site site-files wasm test test-webgpu fuzz fuzz-build fuzz-replay fuzz-short bench bench-browser bench-webgpu-peers bench-onednn bench-scaling check check-arm check-ulp install uninstall clean lib addon ts gen examples test-c test-ts test-golden format
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 24

# ---- tools: what is missing is installed through apt and npm -------------------------------------------------------

$(BUILD)/.tools-%: scripts/tools.sh
	@mkdir -p $(BUILD)
	@sh scripts/tools.sh $* && touch $@

NPM := node_modules/.package-lock.json
$(NPM): package.json package-lock.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# ---- generated sources ---------------------------------------------------------------------------------------------

SCHEMA := $(wildcard schema/ops/*.yaml schema/grammar/*.yaml schema/shape_errors.yaml codegen/*.mjs) $(wildcard schema/dtypes.tsv schema/webgpu.txt) bindings/common/builtins.def engine/webgpu/math.wgsl
$(GEN)/sources.mk: $(SCHEMA) | $(NPM)
	node codegen/main.mjs --out $(GEN)
	@touch $@
gen: $(GEN)/sources.mk
ifneq ($(filter-out help clean uninstall,$(or $(MAKECMDGOALS),help)),)
include $(GEN)/sources.mk
endif

# ---- the engine ----------------------------------------------------------------------------------------------------

ENGINE_SRC := $(wildcard engine/core/*.c engine/iter/*.c engine/autograd/*.c engine/ops/*.c engine/text/*.c engine/expr/*.c engine/optim/*.c engine/cpu/special/*.c engine/webgpu/*.c) engine/cpu/backend.c
CPU_SRC := $(filter-out engine/cpu/backend.c,$(wildcard engine/cpu/*.c))
BINDING_SRC := $(wildcard bindings/common/*.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
isa_obj = $(foreach isa,$(ISAS),$(patsubst %.c,$(BUILD)/obj/%.$(isa).o,$(1)))
ENGINE_OBJ := $(call obj,$(ENGINE_SRC)) $(BUILD)/obj/gen/webgpu.o $(addprefix $(BUILD)/obj/gen/,$(GEN_OPS:.c=.o)) $(call isa_obj,$(CPU_SRC)) \
  $(foreach isa,$(ISAS),$(addprefix $(BUILD)/obj/gen/,$(GEN_CPU:.c=.$(isa).o))) $(addprefix $(BUILD)/obj/gen/,$(GEN_COLD:.c=.base.o))
BINDING_OBJ := $(call obj,$(BINDING_SRC)) $(BUILD)/obj/gen/calls.o

$(BUILD)/obj/engine/cpu/backend.o: CFLAGS_ALL += -D'TJ_ISA_LEVELS(X)=$(foreach isa,$(ISAS),X($(isa)))'
# What puts operators together, prints, parses and writes shaders is as quick when small.
SMALL := $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard engine/ops/*.c engine/text/*.c engine/expr/*.c engine/webgpu/*.c))
$(SMALL): CFLAGS_ALL += $(if $(filter -O3,$(OPT)),-Os)
$(ENGINE_OBJ) $(BINDING_OBJ): | $(BUILD)/.tools-build $(GEN)/sources.mk
COMPILE = @mkdir -p $(@D) && echo "  CC $@" && $(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@
$(BUILD)/obj/gen/%.o: $(GEN)/%.c
	$(COMPILE) $<
$(BUILD)/obj/%.o: %.c
	$(COMPILE) $<
define isa_rules
$(BUILD)/obj/gen/%.$(1).o: $(GEN)/%.c
	$$(COMPILE) -DTJ__ISA_NAME=$(1) $$(ARCH_$(1)) $$(ONE_WIDTH) $$<
$(BUILD)/obj/%.$(1).o: %.c
	$$(COMPILE) -DTJ__ISA_NAME=$(1) $$(ARCH_$(1)) $$<
endef
$(foreach isa,$(ISAS),$(eval $(call isa_rules,$(isa))))
-include $(ENGINE_OBJ:.o=.d) $(BINDING_OBJ:.o=.d)

SONAME := libtorchjs.so.0
$(BUILD)/libtorchjs.a: $(ENGINE_OBJ)
	@rm -f $@ && ar rcs $@ $^
$(BUILD)/$(SONAME): $(ENGINE_OBJ)
	@echo "  LD $@" && $(CC) -shared -Wl,-soname,$(SONAME) -o $@ $^ $(LDLIBS_ALL)
$(BUILD)/libtorchjs.so: $(BUILD)/$(SONAME)
	@ln -sf $(SONAME) $@
lib: $(BUILD)/libtorchjs.so $(BUILD)/libtorchjs.a ## the engine as a C library: build/libtorchjs.so and .a

# ---- WebAssembly ---------------------------------------------------------------------------------------------------

include bindings/wasm/wasm.mk

# ---- Node addon and TypeScript -------------------------------------------------------------------------------------

# What is packed is stripped; debuggers find the rest in the other file by the link.
$(BUILD)/torchjs.debug.node: bindings/node/addon.map $(ENGINE_OBJ) $(BINDING_OBJ) $(BUILD)/obj/bindings/node/addon.o
	@echo "  LD $@" && $(CC) -shared -Wl,--version-script=$< -o $@ $(filter %.o,$^) $(LDLIBS_ALL)
$(BUILD)/torchjs.node: $(BUILD)/torchjs.debug.node
	@objcopy --strip-all --add-gnu-debuglink=$< $< $@
$(BUILD)/obj/bindings/node/addon.o: CFLAGS_ALL += -Inode_modules/node-api-headers/include
$(BUILD)/obj/bindings/node/addon.o: | $(NPM) $(BUILD)/.tools-build $(GEN)/sources.mk
-include $(BUILD)/obj/bindings/node/addon.d
addon: $(BUILD)/torchjs.node ## the Node addon: build/torchjs.node

TS_SRC := $(shell find ts/src -name '*.ts' -not -path '*/generated/*')
dist/.built: $(TS_SRC) tsconfig.json scripts/page.mjs $(GEN)/sources.mk | $(NPM)
	@[ ! -d dist ] || find dist -mindepth 1 -maxdepth 1 ! -name wasm -exec rm -rf {} + # what sources no longer are
	node node_modules/typescript/bin/tsc -p tsconfig.json
	node scripts/page.mjs
	@touch $@
ts: dist/.built addon ## the TypeScript package: dist/

EXAMPLES_TS := $(shell find examples -name '*.ts')
$(BUILD)/examples/.built: $(EXAMPLES_TS) examples/tsconfig.json dist/.built
	node node_modules/typescript/bin/tsc -p examples/tsconfig.json
	@touch $@
$(BUILD)/examples/digits-c: examples/digits.c $(BUILD)/libtorchjs.so
	@echo "  CC $@" && $(CC) -std=c11 -O2 $(WARN) -o $@ $< -Iinclude/torchjs -I$(GEN) -L$(BUILD) -Wl,-rpath,'$$ORIGIN/..' -ltorchjs -lm
examples: ts $(BUILD)/examples/.built $(BUILD)/examples/digits-c ## the examples, TypeScript and C

demo: ts $(BUILD)/examples/.built ## train the digit classifier; report in out/digits
	node $(BUILD)/examples/digits/train.js

# What is published: the package, and one with the addon for this platform, on which it depends where there is one.
PLATFORM := packages/linux-x64
$(PLATFORM)/torchjs.node: $(BUILD)/torchjs.node
	@cp $< $@ && cp LICENSE $(PLATFORM)/
package: ts wasm $(PLATFORM)/torchjs.node ## the packages for npm: build/*.tgz
	npm pack --silent --ignore-scripts --pack-destination $(BUILD) . ./$(PLATFORM)

# A page that trains in the browser, as static files.
SITE := out/site
$(SITE)/.built: $(wildcard site/*.html site/*.css site/*.js) examples/data/digits.csv $(BUILD)/examples/.built $(WASM_MODULES:$(WASM)/%=dist/wasm/%)
	@rm -rf $(SITE) && mkdir -p $(SITE)/uplot
	@cp site/*.html site/*.css site/*.js examples/data/digits.csv $(BUILD)/examples/digits/classifier.js $(SITE)/
	@cp node_modules/uplot/dist/uPlot.iife.min.js node_modules/uplot/dist/uPlot.min.css $(SITE)/uplot/
	@cp -r dist $(SITE)/torch.js && touch $@
site-files: $(SITE)/.built
site: site-files ## a page that trains a network in the browser, served on this machine (PORT)
	node tests/browser/server.mjs $(SITE) $(or $(PORT),8080)

# ---- tests ---------------------------------------------------------------------------------------------------------

CASES ?= ../shared/golden
test: | $(BUILD)/.tools-test $(BUILD)/.tools-webgpu ## every test; the last line says how many passed and failed
	@node tests/all.mjs --cases $(CASES)
test-webgpu: ts wasm $(BUILD)/examples/.built | $(BUILD)/.tools-webgpu ## the device webgpu: its tests and all recorded cases on it
	@node tests/webgpu/run.mjs --cases $(CASES)
TEST_C_SRC := $(wildcard tests/c/*_test.c)
TEST_C := $(patsubst tests/c/%.c,$(BUILD)/tests/%,$(TEST_C_SRC))
$(BUILD)/tests/%: tests/c/%.c $(BUILD)/libtorchjs.a | $(BUILD)/.tools-test
	@mkdir -p $(@D) && echo "  CC $@" && $(CC) $(CFLAGS_ALL) -MMD -MP -o $@ $< $(BUILD)/libtorchjs.a -lcmocka $(LDLIBS_ALL)
-include $(TEST_C:=.d)

# The fuzzer and the sweep over every operator make up calls from build/gen/forms.c and run them through the calls of the bindings.
$(BUILD)/obj/gen/forms.o: CFLAGS_ALL += -Itests/fuzz
$(BUILD)/obj/gen/forms.o: $(GEN)/sources.mk
CALLS_OBJ := $(BINDING_OBJ) $(BUILD)/obj/gen/forms.o
$(BUILD)/tests/sweep_test: tests/c/sweep_test.c $(CALLS_OBJ) $(BUILD)/libtorchjs.a | $(BUILD)/.tools-test
	@mkdir -p $(@D) && echo "  CC $@" && $(CC) $(CFLAGS_ALL) -MMD -MP -o $@ $< $(CALLS_OBJ) $(BUILD)/libtorchjs.a -lcmocka $(LDLIBS_ALL)
$(BUILD)/tests/calls_fuzz: tests/fuzz/calls_fuzz.c $(CALLS_OBJ) $(BUILD)/libtorchjs.a
	@mkdir -p $(@D) && echo "  CC $@" && $(CC) $(CFLAGS_ALL) -MMD -MP -o $@ $< $(CALLS_OBJ) $(BUILD)/libtorchjs.a $(LDLIBS_ALL) -fsanitize=fuzzer
-include $(BUILD)/tests/calls_fuzz.d

FUZZ_SECONDS ?= 600
# The baseline is compared with the best level of this machine (FUZZ_ISAS names others).
FUZZ_ISAS ?= base $(if $(shell grep -m1 -o avx512bw /proc/cpuinfo 2>/dev/null),avx512,$(if $(shell grep -m1 -o avx2 /proc/cpuinfo 2>/dev/null),avx2))
FUZZ := build/fuzz/tests/calls_fuzz
FUZZ_RUN = ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=512 UBSAN_OPTIONS=print_stacktrace=1 $(FUZZ) -timeout=30 -rss_limit_mb=4096 -max_len=256
fuzz-build: | $(BUILD)/.tools-test
	@$(MAKE) --no-print-directory BUILD=build/fuzz CC="$(if $(findstring clang,$(CC)),$(CC),clang)" OPT=-O1 ISAS="$(FUZZ_ISAS)" SANITIZE=address,undefined,fuzzer-no-link $(FUZZ)
fuzz: fuzz-build ## calls made up at random, baseline against the best kernels, FUZZ_SECONDS long; findings: build/fuzz/found
	@mkdir -p build/fuzz/found build/fuzz/corpus
	$(FUZZ_RUN) -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=build/fuzz/found/ build/fuzz/corpus tests/fuzz/corpus
fuzz-replay: fuzz-build
	$(FUZZ_RUN) -runs=0 tests/fuzz/corpus
fuzz-short: fuzz-build # the same calls each time: 20 seconds or so
	@rm -rf build/fuzz/short && mkdir -p build/fuzz/found build/fuzz/short
	FUZZ_THREADS=1 $(FUZZ_RUN) -seed=1 -runs=30000 -reload=0 -artifact_prefix=build/fuzz/found/ build/fuzz/short tests/fuzz/corpus
test-c: $(TEST_C) ## build the C tests: build/tests/
# The table is a document of the repository: written where everything was tried and nothing failed.
check-ulp: $(BUILD)/tests/math_test ## how far functions are from the truth, over every float32 number, for every instruction set; takes long
	@sed '/^## /,$$d' tests/c/ulp.md >$(BUILD)/ulp.md
	@set -o pipefail; for isa in $(ISAS); do (echo "## $$isa" && TORCHJS_ISA=$$isa $(BUILD)/tests/math_test --all $(STEP) && echo) | tee -a $(BUILD)/ulp.md || exit 1; done
	@[ -n "$(STEP)" ] || cp $(BUILD)/ulp.md tests/c/ulp.md
$(BUILD)/bench/machine: bench/machine.c | $(BUILD)/.tools-build
	@mkdir -p $(@D) && echo "  CC $@" && $(CC) -O3 -march=native $(WARN) -pthread -o $@ $<
bench: $(BUILD)/examples/.built addon $(BUILD)/bench/machine ## the benchmark; PEER='COMMAND' measures a peer beside it
	node bench/run.mjs --machine $(BUILD)/bench/machine $(if $(PEER),--peer '$(PEER)')
$(BUILD)/bench/onednn: bench/onednn.c $(BUILD)/libtorchjs.a | $(BUILD)/.tools-onednn
	@mkdir -p $(@D) && echo "  CC $@" && $(CC) -O2 $(WARN) -fopenmp -Iinclude/torchjs -I$(GEN) -o $@ $< $(BUILD)/libtorchjs.a -ldnnl $(LDLIBS_ALL)
bench-onednn: $(BUILD)/bench/onednn ## matrix products beside oneDNN's, GFLOP/s
	OMP_WAIT_POLICY=passive $<
bench-scaling: $(BUILD)/examples/.built addon ## the large cases of the benchmark on one thread and on two
	node bench/scaling.mjs

bench-webgpu-peers: ## TensorFlow.js and jax-js in one file, for bench/webgpu/peers.mjs
	@cd bench/webgpu/peers && npm ci --no-audit --no-fund --loglevel=error --ignore-scripts
	@mkdir -p $(BUILD)/bench && node_modules/esbuild/bin/esbuild bench/webgpu/peers/libraries.mjs --bundle --format=esm --platform=browser --define:process=undefined --log-level=error \
	  --outfile=$(BUILD)/bench/webgpu_peers.mjs && ls -l $(BUILD)/bench/webgpu_peers.mjs
bench-browser: $(BUILD)/examples/.built wasm | $(BUILD)/.tools-test ## the same in Chromium, beside TensorFlow.js and jax-js
	@cd bench/browser && npm ci --no-audit --no-fund --loglevel=error --ignore-scripts
	node bench/browser/run.mjs

# ---- checks --------------------------------------------------------------------------------------------------------

C_FILES := $(shell git ls-files '*.c' '*.h')
check: dist/.built $(BUILD)/examples/.built | $(BUILD)/.tools-check ## formatting, static analysis, types, schema; two generator runs give the same bytes
	npx prettier --check --log-level warn .
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --error-exitcode=1 -j2 --std=c11 --enable=warning,portability --inline-suppr --suppressions-list=.cppcheck -Iengine -Iinclude/torchjs -I$(GEN) -I. \
	  engine/core engine/iter engine/autograd engine/ops engine/text engine/expr engine/optim bindings/common
	node node_modules/typescript/bin/tsc -p tests/types
	node codegen/main.mjs --check
	rm -rf $(BUILD)/twice && node codegen/main.mjs --out $(BUILD)/twice/c --ts $(BUILD)/twice/ts --reference $(BUILD)/twice/reference
	diff -r $(GEN) $(BUILD)/twice/c && diff -r ts/src/generated $(BUILD)/twice/ts
	@rm -rf $(BUILD)/twice && echo "check: all good"
# Vectors are written as such (tile.h), so that NEON's are the compiler's: here it is asked whether everything compiles for arm64, down to the
# instructions, without warnings; nothing is linked or run.
ARM := clang --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include $(filter-out -MMD -MP,$(CFLAGS_ALL)) -Werror -DTJ__ISA_NAME=base -D'TJ_ISA_LEVELS(X)=X(base)'
ARM_SRC := $(ENGINE_SRC) $(CPU_SRC) $(BINDING_SRC) $(addprefix $(GEN)/,$(GEN_OPS) $(GEN_CPU) $(GEN_COLD))
.PHONY: $(ARM_SRC:%=arm/%)
$(ARM_SRC:%=arm/%): arm/%: | $(BUILD)/.tools-arm $(GEN)/sources.mk
	@$(ARM) -S -o /dev/null $*
check-arm: $(ARM_SRC:%=arm/%) ## the engine compiles for arm64
	@$(ARM) -S -o - engine/cpu/gemm.c | grep -q 'fmla.*v[0-9]*\.4s' && echo "check-arm: $(words $(ARM_SRC)) files, products with fmla on four lanes"

format: | $(NPM) $(BUILD)/.tools-check ## format C and TypeScript in place
	clang-format -i $(C_FILES)
	npx prettier --write --log-level warn .

# ---- install -------------------------------------------------------------------------------------------------------

LIBDIR := $(DESTDIR)$(PREFIX)/lib
INCDIR := $(DESTDIR)$(PREFIX)/include/torchjs
install: lib ## library, headers and pkg-config file to DESTDIR/PREFIX
	install -d $(LIBDIR)/pkgconfig $(INCDIR)
	install -m 755 $(BUILD)/$(SONAME) $(LIBDIR)/
	ln -sf $(SONAME) $(LIBDIR)/libtorchjs.so
	install -m 644 $(BUILD)/libtorchjs.a $(LIBDIR)/
	install -m 644 include/torchjs/*.h $(GEN)/ops.h $(INCDIR)/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' torchjs.pc.in >$(LIBDIR)/pkgconfig/torchjs.pc
uninstall: ## remove what install put there
	rm -rf $(LIBDIR)/$(SONAME) $(LIBDIR)/libtorchjs.so $(LIBDIR)/libtorchjs.a $(LIBDIR)/pkgconfig/torchjs.pc $(INCDIR)

clean: ## remove everything built
	rm -rf build dist out ts/src/generated site/reference
