/* reduce.h: what a device offers for reductions. */
#ifndef TJ__KERNELS_REDUCE_H
#define TJ__KERNELS_REDUCE_H

#include "../iter/iter.h"
#include "backend.h"

typedef enum tj__reduce_kind {
  TJ__REDUCE_SUM, /* bool (uint8 too on the CPU) adds up in int64; integers in int64 only (ops converts); halves in float, written as halves */
  TJ__REDUCE_NANSUM,
  TJ__REDUCE_PROD,
  TJ__REDUCE_MAX, /* NaN wins */
  TJ__REDUCE_MIN,
  TJ__REDUCE_NORM1,   /* sum of |x|; real floating dtypes for the norms */
  TJ__REDUCE_NORM2,   /* square root of the sum of squares */
  TJ__REDUCE_NORMP,   /* (sum of |x|^p)^(1/p) */
  TJ__REDUCE_NORMINF, /* largest |x| */
  TJ__REDUCE_NORMNEGINF,
  TJ__REDUCE_SUM64,   /* the sum in the device's widest numbers (tj__wide_dtype), and written so */
  TJ__REDUCE_SQDEV64, /* sum of (x - center)^2, the same */
} tj__reduce_kind;

/* Dimensions of the input that stay (in the order of the output, which is contiguous) and that go, neighbours already merged.
 * Strides in elements. */
typedef struct tj__reduce_geometry {
  int n_kept, n_reduced;
  int64_t kept[TJ_MAX_DIMS], kept_strides[TJ_MAX_DIMS];
  int64_t reduced[TJ_MAX_DIMS], reduced_strides[TJ_MAX_DIMS];
  int64_t n_out, n_in; /* outputs; elements that go into one */
} tj__reduce_geometry;

typedef struct tj__reduce_params {
  double p;            /* NORMP */
  const void *centers; /* SQDEV64: one an output, of that dtype */
} tj__reduce_params;

typedef struct tj__reduce_kernels {
  /* n_in = 0 gives the neutral element (ops refuses where there is none). false: out of memory, or a dtype that has no such kernel. */
  bool (*reduce)(tj__reduce_kind kind, tj_tensor *out, const tj_tensor *in, const tj__reduce_geometry *g, const tj__reduce_params *params);
  /* Largest (or smallest) elements and where they first are, NaN first of all; in is contiguous [outer, n, inner], n > 0.
   * values (in's dtype) or indices may be NULL. Real dtypes. */
  bool (*extremes)(bool largest, tj_tensor *values, tj_tensor *indices, const tj_tensor *in, int64_t outer, int64_t n, int64_t inner);
  /* The sum over all elements of what a pointwise loop gives for them, which is kept nowhere; inputs (1 or 2) and results are float32, inputs are
   * contiguous and of one size. NULL: no such kernel. false: out of memory. */
  bool (*total)(double *sum, tj__loop loop, const struct tj__params *params, tj_tensor *const *inputs, int n_inputs);
} tj__reduce_kernels;

#endif
