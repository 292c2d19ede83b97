/* loop.h: the frame of the generated pointwise loops. Included with TJ__ISA_NAME defined. */
#ifndef TJ__LOOP_H
#define TJ__LOOP_H

#include <complex.h>
#include <math.h>

#include "iter/iter.h"
#include "kernels/backend.h"

/* Numbers of 16 bits step in their own dtype: that is a function of the dtype in memory, not of the one computed in. */
#define TJ__NEXTAFTER_HALF(name, to_bits, from_bits)              \
  static inline float nextafter_##name(float x, float y) {        \
    if (x != x || y != y) return x + y;                           \
    if (x == y) return y;                                         \
    uint16_t bits = to_bits(x);                                   \
    if (x == 0) bits = y > 0 ? 1 : 0x8001;                        \
    else bits = (uint16_t)(bits + ((x < y) == (x > 0) ? 1 : -1)); \
    return from_bits(bits);                                       \
  }
TJ__NEXTAFTER_HALF(float16, tj__float_to_half, tj__half_to_float)
TJ__NEXTAFTER_HALF(bfloat16, tj__float_to_bfloat16, tj__bfloat16_to_float)

#define TJ__LOOP(name)                                                                                \
  void TJ__ISA(name)(char *const *data, const int64_t *strides, int64_t n, const tj__params *params); \
  void TJ__ISA(name)(char *const *data, const int64_t *strides, int64_t n, const tj__params *params)

/* A loop of float16 or bfloat16 on top of the float32 loop (engine/cpu/halves.c). */
#define TJ__HALF_INPUTS 4
typedef struct tj__half_loop {
  tj__loop loop; /* float32's */
  tj_dtype dtype;
  int inputs;
  bool half_result; /* else bool */
} tj__half_loop;
void TJ__ISA(tj__through_float32)(char *const *data, const int64_t *strides, int64_t n, const tj__params *params, tj__half_loop how);

/* Elements are independent even where the output is an input (in place), which the compiler cannot know. */
#if defined(__clang__)
#define TJ__INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#define TJ__SEPARATE /* pointers are restrict: clang needs no more, and warns about a demand that a sanitizer keeps it from meeting */
#else
#define TJ__INDEPENDENT _Pragma("GCC ivdep")
#define TJ__SEPARATE _Pragma("GCC ivdep")
#endif

/* Loops over bytes are loops over whole vectors, and one over what is left that is not made one of vectors again. */
#define TJ__BYTES 64
#define TJ__ONE_BY_ONE __asm__ volatile("")

#define TJ__PARAM_F32(k) ((float)params->p[k].f)
#define TJ__PARAM_F64(k) (params->p[k].f)
#define TJ__PARAM_INT(k) (params->p[k].i)
#define TJ__PARAM_BOOL(k) ((uint8_t)(params->p[k].i != 0))
#define TJ__PARAM_C64(k) CMPLXF((float)params->p[k].f, (float)params->p[k].im)
#define TJ__PARAM_C128(k) CMPLX(params->p[k].f, params->p[k].im)

#endif
