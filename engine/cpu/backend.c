/* backend.c: the CPU's tables of kernels, one an instruction set, and the choice among them. */
#include "../kernels/backend.h"

#include <stdlib.h>

/* The levels that were compiled, from the least to the best: X(base) X(avx2) X(avx512). The build says which. */
#ifndef TJ_ISA_LEVELS
#define TJ_ISA_LEVELS(X) X(base)
#endif
#define LEVELS TJ_ISA_LEVELS

#define DECLARE(level, family) extern const struct tj__##family##_kernels tj__cpu_##family##_##level;
#define ENTRY(level, family) .family = &tj__cpu_##family##_##level,
#define DECLARE_base(family) DECLARE(base, family)
#define DECLARE_avx2(family) DECLARE(avx2, family)
#define DECLARE_avx512(family) DECLARE(avx512, family)
#define ENTRY_base(family) ENTRY(base, family)
#define ENTRY_avx2(family) ENTRY(avx2, family)
#define ENTRY_avx512(family) ENTRY(avx512, family)

#define DECLARE_LEVEL(level) TJ__FAMILIES(DECLARE_##level)
LEVELS(DECLARE_LEVEL)

enum level {
#define NUMBER(level) LEVEL_##level,
  LEVELS(NUMBER) LEVEL_COUNT
};

static const tj__backend backends[LEVEL_COUNT] = {
#define BACKEND(level) [LEVEL_##level] = {.name = "cpu-" #level, TJ__FAMILIES(ENTRY_##level)},
    LEVELS(BACKEND)};

/* What the files of a level are compiled for: x86-64-v3 and x86-64-v4. */
__attribute__((unused)) static bool has_base(void) { return true; }
#if defined(__x86_64__)
__attribute__((unused)) static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}
__attribute__((unused)) static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

/* The best level that the machine has, or at most the one that TORCHJS_ISA names (for tests). */
static int choose_level(void) {
  int level = LEVEL_base;
#define TRY(name) \
  if (has_##name()) level = LEVEL_##name;
  LEVELS(TRY)
#ifdef __wasm__
  const char *wanted = NULL; /* no environment, and one level a module */
#else
  const char *wanted = getenv("TORCHJS_ISA");
#endif
  if (wanted) {
#define MATCH(name) \
  if (strcmp(wanted, #name) == 0) level = TJ__MIN(level, (int)LEVEL_##name);
    LEVELS(MATCH)
  }
  return level;
}

static const tj__backend *_Atomic cpu; /* chosen at the first use; two threads that race choose the same */

const char *tj__backend_use(int level) {
  if (level < 0 || level > choose_level()) return NULL;
  atomic_store_explicit(&cpu, &backends[level], memory_order_release);
  return backends[level].name;
}

const tj__backend *tj__backend_of(tj_device device) {
  if (TJ__LIKELY(device == TJ_CPU)) {
    const tj__backend *chosen = atomic_load_explicit(&cpu, memory_order_acquire);
    if (TJ__UNLIKELY(!chosen)) {
      chosen = &backends[choose_level()];
      atomic_store_explicit(&cpu, chosen, memory_order_release);
    }
    return chosen;
  }
  return device == TJ_WEBGPU(0) && tj__device_memory ? &tj__webgpu_backend : tj__no_device(device);
}

const tj__backend *tj__backend_for(tj_tensor *const *tensors, int64_t n) {
  const tj_tensor *first = NULL;
  for (int64_t i = 0; i < n; i++) {
    if (!tensors[i]) continue;
    if (!first) first = tensors[i];
    if (TJ__UNLIKELY(tensors[i]->storage->device != first->storage->device))
      return tj__fail_devices(first->storage->device, tensors[i]->storage->device);
  }
  return tj__backend_of(first ? first->storage->device : TJ_CPU);
}
