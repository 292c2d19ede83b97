/* gemm.h: matrix products: C = alpha A B + beta C over any strides. Used by the product operators and by convolution.
 *
 * The result does not depend on the number of threads: work is split over rows and columns of C only, and every element sums its k
 * products in an order that depends on k alone. (On the sizes too, where small products are computed in another way than large ones; for
 * bfloat16 also on the processor, which may have instructions that add products by pairs and take denormal numbers for zero.) */
#ifndef TJ__KERNELS_GEMM_H
#define TJ__KERNELS_GEMM_H

#include "backend.h"

/* Strides in elements; any of them may be zero (A, B) or negative. beta = 0: C is not read. dtype: bool and the unsigned types beyond
 * uint8 have no product. */
typedef struct tj__gemm_args {
  tj_dtype dtype;
  int64_t batches, m, n, k;
  const void *a;
  int64_t a_row, a_col, a_batch;
  const void *b;
  int64_t b_row, b_col, b_batch;
  void *c;
  int64_t c_row, c_col, c_batch;
  tj_scalar alpha, beta;
  /* What beta is of, in the place of C: any strides, for dtypes that `starts` names. NULL: C. */
  const void *start;
  int64_t start_row, start_col, start_batch;
} tj__gemm_args;

/* Writes `count` rows of A (or columns of B) from `first`, for k in [k0, k0 + kc), as panels of `width`: element (panel, k, lane) at
 * (panel * kc + k) * width + lane; lanes past `count` are zero. Called from several threads at once. */
typedef void (*tj__gemm_pack)(const void *context, int64_t first, int64_t count, int64_t k0, int64_t kc, int width, void *packed);

/* A product whose operands are not matrices in memory but are written into panels by the caller (implicit convolution). float32 and
 * float64 only. C's column j is at (j / c_block) * c_block_stride + (c_columns ? c_columns[j % c_block] : (j % c_block) * c_col). */
typedef struct tj__gemm_implicit {
  tj_dtype dtype;
  int64_t m, n, k;
  tj__gemm_pack pack_a, pack_b;
  const void *a_context, *b_context;
  const void *a_rows; /* A as it lies in memory, its rows `a_row` apart with unit stride along k; or NULL: there is only pack_a */
  int64_t a_row;
  void *c;
  int64_t c_row, c_col;
  int64_t c_block, c_block_stride;
  const int64_t *c_columns;
  double beta; /* 0 or 1 */
} tj__gemm_implicit;

typedef struct tj__gemm_kernels {
  uint32_t starts;                                 /* bit d: products of dtype d take args' start */
  bool (*gemm)(const tj__gemm_args *args);         /* false and an error when there is no memory for the panels */
  bool (*implicit)(const tj__gemm_implicit *args); /* the same */
  /* *out = sum of a[i] b[i] (conj: of the conjugate of a[i]) */
  void (*dot)(tj_dtype dtype, int64_t n, const void *a, int64_t a_stride, const void *b, int64_t b_stride, bool conj, void *out);
  /* int32 C [m, n], contiguous, = int8 A B over any strides, wrapping; NULL where there is none. false and an error without memory. */
  bool (*int8)(int64_t m, int64_t n, int64_t k, const int8_t *a, int64_t a_row, int64_t a_col, const int8_t *b, int64_t b_row,
               int64_t b_col, int32_t *c);
} tj__gemm_kernels;

#endif
