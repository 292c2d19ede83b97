# wasm.mk: the engine as WebAssembly, from the same sources as everywhere else, by plain clang and the C library of WASI, of which nothing that
# talks to a system is linked. Included by the Makefile.
#
# Two sets of objects: all for SIMD, and what gains by fused multiplication and addition once more for relaxed SIMD. Each is linked
# twice: with a memory of its own, and, for threads, with a shared one that the host brings.

WASM_CC ?= $(if $(findstring ccache,$(CC)),ccache )clang-19
WASM := $(BUILD)/wasm
# Modules travel: what is no loop over elements is compiled for size, loops that are seldom run are too, and what networks spend their time in for
# speed. (-O2 gives shorter generated loops than -Os; of those, only the activations gain by unrolling.)
WASM_FAST := $(addprefix engine/cpu/,gemm attention) $(GEN)/cpu/pointwise_activation
WASM_SMALL := $(addprefix engine/cpu/,linalg eigen eig sort histogram distance creation resample index special/bessel special/gamma special/normal special/polynomials)
WASM_LOOPS := $(addprefix engine/cpu/,norm optim softmax) $(addprefix $(GEN)/,$(GEN_CPU:.c=) $(GEN_COLD:.c=))
WASM_RELAXED := engine/cpu/gemm.base engine/cpu/conv.base engine/cpu/attention.base
WASM_FLAGS := --target=wasm32-wasi -std=gnu11 -fvisibility=hidden -fwrapv -fno-math-errno -fno-trapping-math -ffp-contract=fast \
  -fno-asynchronous-unwind-tables -ftls-model=local-exec -matomics -mbulk-memory -mnontrapping-fptoint -msign-ext $(WARN) -Werror=format \
  -DTJ_VERSION='"$(VERSION)"' -isystem bindings/wasm/libc -include bindings/wasm/libc/sizes.h -I. -Iengine -Iinclude/torchjs -I$(GEN)
# Without -O: with it clang would run whatever wasm-opt is installed.
WASM_LINK := --target=wasm32-wasi -mexec-model=reactor -Wl,--strip-all -Wl,--gc-sections -Wl,--stack-first -Wl,-z,stack-size=1048576 \
  -Wl,--max-memory=4294967296 -Wl,--no-check-features -Wl,--export=__stack_pointer
WASM_SINGLE := -Wl,--export=__tls_base
WASM_SHARED := -Wl,--shared-memory -Wl,--import-memory -Wl,--export=__wasm_init_tls -Wl,--export=__tls_size -Wl,--export=__tls_align

# The names of the native objects, elsewhere: one level of kernels, the baseline.
WASM_NAMES := $(strip $(ENGINE_SRC:.c=) $(addprefix gen/,$(GEN_OPS:.c=)) $(CPU_SRC:.c=.base) \
  $(addprefix gen/,$(GEN_CPU:.c=.base) $(GEN_COLD:.c=.base)) $(BINDING_SRC:.c=) gen/calls gen/webgpu bindings/wasm/futex bindings/wasm/memory bindings/wasm/shell)
WASM_OBJ := $(WASM_NAMES:%=$(WASM)/simd/%.o)
WASM_RELAXED_OBJ := $(WASM_RELAXED:%=$(WASM)/relaxed/%.o)
$(WASM_OBJ) $(WASM_RELAXED_OBJ): | $(BUILD)/.tools-wasm $(GEN)/sources.mk

wasm_opt = $(if $(filter $(WASM_FAST),$(1)),-O2,$(if $(filter $(WASM_LOOPS),$(1)),-O2 -fno-unroll-loops,$(if $(filter-out $(WASM_SMALL),$(filter engine/cpu/%,$(1))),-Os,-Oz)))
WASM_COMPILE = @mkdir -p $(@D) && echo "  CC $@" && $(WASM_CC) $(WASM_FLAGS) $(call wasm_opt,$(<:.c=)) -MMD -MP -c -o $@
define wasm_rules
$(WASM)/$(1)/gen/%.base.o: $(GEN)/%.c
	$$(WASM_COMPILE) $(2) -DTJ__ISA_NAME=base $$<
$(WASM)/$(1)/gen/%.o: $(GEN)/%.c
	$$(WASM_COMPILE) $(2) $$<
$(WASM)/$(1)/%.base.o: %.c
	$$(WASM_COMPILE) $(2) -DTJ__ISA_NAME=base $$<
$(WASM)/$(1)/%.o: %.c
	$$(WASM_COMPILE) $(2) $$<
endef
$(eval $(call wasm_rules,simd,-msimd128))
$(eval $(call wasm_rules,relaxed,-msimd128 -mrelaxed-simd))
-include $(WASM_OBJ:.o=.d) $(WASM_RELAXED_OBJ:.o=.d)

WASM_RELAXED_ALL := $(filter-out $(WASM_RELAXED:%=$(WASM)/simd/%.o),$(WASM_OBJ)) $(WASM_RELAXED_OBJ)
WASM_LD = @mkdir -p $(@D) && echo "  LD $@" && $(WASM_CC) $(WASM_LINK)
$(WASM)/torchjs-simd.wasm: $(WASM_OBJ)
	$(WASM_LD) $(WASM_SINGLE) -o $@ $^ && node bindings/wasm/tls_base.mjs $@
$(WASM)/torchjs-simd-threads.wasm: $(WASM_OBJ)
	$(WASM_LD) $(WASM_SHARED) -o $@ $^
$(WASM)/torchjs-relaxed.wasm: $(WASM_RELAXED_ALL)
	$(WASM_LD) $(WASM_SINGLE) -o $@ $^ && node bindings/wasm/tls_base.mjs $@
$(WASM)/torchjs-relaxed-threads.wasm: $(WASM_RELAXED_ALL)
	$(WASM_LD) $(WASM_SHARED) -o $@ $^
WASM_MODULES := $(foreach m,simd simd-threads relaxed relaxed-threads,$(WASM)/torchjs-$(m).wasm)
dist/wasm/%.wasm: $(WASM)/%.wasm
	@mkdir -p $(@D) && cp $< $@
dist/wasm/%.js: $(WASM)/%.wasm bindings/wasm/embed.mjs
	@mkdir -p $(@D) && node bindings/wasm/embed.mjs $< $@
wasm: $(WASM_MODULES:$(WASM)/%=dist/wasm/%) dist/wasm/torchjs-simd.js dist/wasm/torchjs-simd-threads.js ## the engine as WebAssembly: four modules in dist/wasm

$(WASM)/simd/bindings/wasm/memory.o: WASM_FLAGS += -DTJ__WASM_NARROW
