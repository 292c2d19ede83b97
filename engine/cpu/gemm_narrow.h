/* gemm_narrow.h: products of narrow numbers into wide sums: A [m, k] and B [k, n] over any strides, C [m, n] contiguous, k > 0. false: no memory. */
#ifndef TJ__CPU_GEMM_NARROW_H
#define TJ__CPU_GEMM_NARROW_H

#include "../kernels/backend.h"

bool TJ__ISA(tj__gemm_int8)(int64_t m, int64_t n, int64_t k, const int8_t *a, int64_t a_row, int64_t a_col, const int8_t *b, int64_t b_row,
                            int64_t b_col, int32_t *c);
/* Has this processor instructions that multiply bfloat16? They add up in float32, in pairs along k, and take denormal numbers for zero. */
bool TJ__ISA(tj__has_bfloat16_dots)(void);
bool TJ__ISA(tj__gemm_bfloat16)(int64_t m, int64_t n, int64_t k, const uint16_t *a, int64_t a_row, int64_t a_col, const uint16_t *b,
                                int64_t b_row, int64_t b_col, float *c);

#endif
