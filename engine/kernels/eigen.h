/* eigen.h: eigenvalues and singular values of batches of dense matrices, stored by columns as in linalg.h. float32, float64, complex64,
 * complex128. Functions return false and an error when there is no memory; info is 0, or not 0 where the iteration did not converge. */
#ifndef TJ__KERNELS_EIGEN_H
#define TJ__KERNELS_EIGEN_H

#include "backend.h"

typedef struct tj__eigen_kernels {
  /* Hermitian matrices, of which the lower triangle is read. w [n]: eigenvalues in ascending order, real. vectors: they replace A. */
  bool (*eigh)(tj_dtype dtype, int64_t batches, int64_t n, void *a, void *w, bool vectors, int32_t *info);
  /* A = U S V^H; A [m x n] is overwritten. s [min(m, n)] in descending order, real. u [m x m or m x k] and vh [n x n or k x n], k = min(m, n);
   * both NULL: singular values only. */
  bool (*svd)(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, void *u, void *s, void *vh, bool full, int32_t *info);
  /* Any square matrices; w [n] and v [n x n] are complex. v may be NULL. */
  bool (*eig)(tj_dtype dtype, int64_t batches, int64_t n, const void *a, void *w, void *v, int32_t *info);
} tj__eigen_kernels;

#endif
