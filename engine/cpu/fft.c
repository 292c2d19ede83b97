/* fft.c: discrete Fourier transforms on the CPU. */
#include "../kernels/fft.h"

#include <math.h>
#include <stdlib.h>

#include "../kernels/backend.h"
#include "../kernels/copy.h"
#include "loop.h"

extern const tj__copy_kernels TJ__ISA(tj__cpu_copy);

/* Plans are looked up for a moment only. */
static atomic_flag plans_locked = ATOMIC_FLAG_INIT;
static void lock_plans(void) {
  while (atomic_flag_test_and_set_explicit(&plans_locked, memory_order_acquire)) continue;
}
static void unlock_plans(void) { atomic_flag_clear_explicit(&plans_locked, memory_order_release); }

#define R float
#define SUFFIX f32
#include "fft_lines.inc"

#define R double
#define SUFFIX f64
#include "fft_lines.inc"

static bool transform(const tj__fft_args *g) { return g->dtype == TJ_FLOAT64 ? transform_f64(g) : transform_f32(g); }

const tj__fft_kernels TJ__ISA(tj__cpu_fft) = {transform};
