/* linalg.c: dense factorisations on the CPU. The bulk of the work is in the engine's matrix product. Complex numbers are compiled for the
 * baseline alone; the other builds call that. */
#include "../kernels/linalg.h"

#include <math.h>

#include "../kernels/gemm.h"
#include "elements.h"
#include "tile.h"

#define T float
#define SUFFIX f32
#include "tile_transpose.inc"
#undef T
#undef SUFFIX
#define T double
#define SUFFIX f64
#include "tile_transpose.inc"
#undef T
#undef SUFFIX

/* x and y exchanged. */
#define SWAP(x, y)          \
  do {                      \
    __typeof__(x) v_ = (x); \
    (x) = (y);              \
    (y) = v_;               \
  } while (0)

/* Rows of some columns exchanged as pivots say. Four columns at a time, whose loads do not wait for each other. */
#define SWAPS(size, T)                                                                                            \
  static void swaps_##size(int64_t columns, T *b, int64_t ld, const int32_t *pivots, int64_t n, bool backwards) { \
    for (int64_t c = 0; c < columns; c += 4, b += 4 * ld)                                                         \
      for (int64_t k = 0; k < n; k++) {                                                                           \
        const int64_t i = backwards ? n - 1 - k : k, p = pivots[i] - 1;                                           \
        for (int64_t q = 0; p != i && q < TJ__MIN(4, columns - c); q++) SWAP(b[q * ld + i], b[q * ld + p]);       \
      }                                                                                                           \
  }
SWAPS(4, float)
SWAPS(8, double)
SWAPS(16, tj__c128)

#define EACH_SCALAR "linalg_dense.inc"
#include "each_scalar.inc"

#if TJ__BASELINE
#define COMPLEX_CASES(BODY, OTHER) \
  case TJ_COMPLEX64: BODY(c64);    \
  case TJ_COMPLEX128:              \
    BODY(c128);
#else
extern const tj__linalg_kernels tj__cpu_linalg_base;
#define COMPLEX_CASES(BODY, OTHER) \
  case TJ_COMPLEX64:               \
  case TJ_COMPLEX128:              \
    return tj__cpu_linalg_base.OTHER;
#endif

#define DISPATCH(BODY, OTHER)                              \
  switch (dtype) {                                         \
    case TJ_FLOAT32: BODY(f32);                            \
    case TJ_FLOAT64: BODY(f64); COMPLEX_CASES(BODY, OTHER) \
    default: return unknown(dtype);                        \
  }

static bool unknown(tj_dtype dtype) { return tj__fail(TJ_ERROR_INTERNAL, "linalg: no factorisation of %s", tj_dtype_name(dtype)) != NULL; }

static bool cholesky(tj_dtype dtype, int64_t batches, int64_t n, void *a, int32_t *info) {
#define BODY(tag) return cholesky_all_##tag(batches, n, a, info)
  DISPATCH(BODY, cholesky(dtype, batches, n, a, info))
#undef BODY
}

static bool lu(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, int32_t *pivots, int32_t *info, bool pivot) {
#define BODY(tag) return lu_all_##tag(batches, m, n, a, pivots, info, pivot)
  DISPATCH(BODY, lu(dtype, batches, m, n, a, pivots, info, pivot))
#undef BODY
}

static bool swap_rows(tj_dtype dtype, int64_t batches, int64_t n, int64_t columns, void *b, const int32_t *pivots, int64_t n_pivots,
                      bool backwards) {
  bool good = n_pivots <= n;
  for (int64_t i = 0; good && i < batches * n_pivots; i++) good = pivots[i] >= 1 && pivots[i] <= n;
  if (!good)
    return tj__fail(TJ_ERROR_RUNTIME, "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
                                      "Did you properly pass the result of lu_factor?") != NULL;
  for (int64_t i = 0; i < batches; i++, pivots += n_pivots) {
    const int64_t at = i * n * columns;
    switch (tj__dtype_sizes[dtype]) {
      case 4: swaps_4(columns, (float *)b + at, n, pivots, n_pivots, backwards); break;
      case 8: swaps_8(columns, (double *)b + at, n, pivots, n_pivots, backwards); break;
      default: swaps_16(columns, (tj__c128 *)b + at, n, pivots, n_pivots, backwards);
    }
  }
  return true;
}

static bool solve_triangular(const tj__triangular_args *g) {
  const tj_dtype dtype = g->dtype;
#define BODY(tag) return triangular_all_##tag(g)
  DISPATCH(BODY, solve_triangular(g))
#undef BODY
}

static bool geqrf(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, void *tau) {
#define BODY(tag) return geqrf_all_##tag(batches, m, n, a, tau)
  DISPATCH(BODY, geqrf(dtype, batches, m, n, a, tau))
#undef BODY
}

static bool orgqr(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, const void *a, const void *tau, void *q) {
#define BODY(tag) return orgqr_all_##tag(batches, m, n, k, a, tau, q)
  DISPATCH(BODY, orgqr(dtype, batches, m, n, k, a, tau, q))
#undef BODY
}

static bool ormqr(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, const void *a, const void *tau, void *c, bool left,
                  bool adjoint) {
#define BODY(tag) return ormqr_all_##tag(batches, m, n, k, a, tau, c, left, adjoint)
  DISPATCH(BODY, ormqr(dtype, batches, m, n, k, a, tau, c, left, adjoint))
#undef BODY
}

static bool ldl(tj_dtype dtype, int64_t batches, int64_t n, void *a, int32_t *pivots, int32_t *info, bool hermitian) {
#define BODY(tag) return ldl_all_##tag(batches, n, a, pivots, info, hermitian), true
  DISPATCH(BODY, ldl(dtype, batches, n, a, pivots, info, hermitian))
#undef BODY
}

/* Whether these can be what ldl wrote: a row from 1 to n, or twice the same one negated for a block of two. */
static bool are_ldl_pivots(const int32_t *pivots, int64_t n) {
  for (int64_t k = 0; k < n; k++) {
    const int64_t row = pivots[k] > 0 ? pivots[k] : -(int64_t)pivots[k];
    if (row < 1 || row > n) return false;
    if (pivots[k] > 0) continue;
    if (k + 1 == n || pivots[k + 1] != pivots[k]) return false;
    k++;
  }
  return true;
}

static bool ldl_solve(tj_dtype dtype, int64_t batches, int64_t n, int64_t columns, const void *a, const int32_t *pivots, void *b,
                      bool hermitian) {
  for (int64_t i = 0; i < batches; i++)
    if (!are_ldl_pivots(pivots + i * n, n))
      return tj__fail(TJ_ERROR_RUNTIME, "torch.linalg.ldl_solve: the pivots are none that ldl_factor gives for matrices of %lld rows",
                      (long long)n) != NULL;
#define BODY(tag) return ldl_solve_all_##tag(batches, n, columns, a, pivots, b, hermitian), true
  DISPATCH(BODY, ldl_solve(dtype, batches, n, columns, a, pivots, b, hermitian))
#undef BODY
}

const tj__linalg_kernels TJ__ISA(tj__cpu_linalg) = {cholesky, lu, swap_rows, solve_triangular, geqrf, orgqr, ormqr, ldl, ldl_solve, NULL};
