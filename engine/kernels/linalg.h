/* linalg.h: factorisations of batches of dense matrices and what is solved with them. float32, float64, complex64, complex128.
 *
 * Matrices are stored by columns unless strides are given or it says otherwise: element (i, j) of a matrix with m rows at i + j * m; those of
 * a batch follow each other. Results do not depend on the number of threads. Functions return false and an error when there is no memory. */
#ifndef TJ__KERNELS_LINALG_H
#define TJ__KERNELS_LINALG_H

#include "backend.h"

/* L X = B in place of B; L is n x n and lower triangular, B is n x columns. Strides in elements, of any sign: an upper triangle is a lower one
 * seen from its end, a transposition exchanges two strides. What is above the diagonal of L is not read, nor is the diagonal if `unit`. */
typedef struct tj__triangular_args {
  tj_dtype dtype;
  int64_t batches, n, columns;
  const void *l;
  int64_t l_row, l_col, l_batch;
  void *b;
  int64_t b_row, b_col, b_batch;
  bool unit, conj; /* conj: the conjugate of L */
} tj__triangular_args;

typedef struct tj__linalg_kernels {
  /* A = L L^H in place, from and to the lower triangle; the other one becomes zero. info: 0, or the order of the leading minor that is not
   * positive definite. */
  bool (*cholesky)(tj_dtype dtype, int64_t batches, int64_t n, void *a, int32_t *info);
  /* A = P L U in place of the m x n matrix, which lies by rows: whole ones are exchanged. pivots [min(m, n)]: row i was exchanged with row
   * pivots[i] - 1. info: 0, or 1 + the first i whose U[i][i] is zero. pivot = false: rows stay where they are. */
  bool (*lu)(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, int32_t *pivots, int32_t *info, bool pivot);
  /* Exchanges rows of B [n x columns] as the pivots say, backwards to undo it. */
  bool (*swap_rows)(tj_dtype dtype, int64_t batches, int64_t n, int64_t columns, void *b, const int32_t *pivots, int64_t n_pivots,
                    bool backwards);
  bool (*solve_triangular)(const tj__triangular_args *args);
  /* A = Q R with Householder vectors below the diagonal of the m x n matrix and factors tau [min(m, n)]: LAPACK's geqrf. */
  bool (*geqrf)(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, void *a, void *tau);
  /* The first n columns of the product of k reflectors, which are in columns of `a` [m x k]: orgqr. q is m x n and not `a`. */
  bool (*orgqr)(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, const void *a, const void *tau, void *q);
  /* C [m x n] becomes Q C, Q^H C, C Q or C Q^H: ormqr. `a` has m (left) or n rows and k columns. */
  bool (*ormqr)(tj_dtype dtype, int64_t batches, int64_t m, int64_t n, int64_t k, const void *a, const void *tau, void *c, bool left,
                bool adjoint);
  /* A = L D L^T (hermitian: L D L^H) by Bunch and Kaufman, lower triangle; pivots as LAPACK's sytrf. */
  bool (*ldl)(tj_dtype dtype, int64_t batches, int64_t n, void *a, int32_t *pivots, int32_t *info, bool hermitian);
  bool (*ldl_solve)(tj_dtype dtype, int64_t batches, int64_t n, int64_t columns, const void *a, const int32_t *pivots, void *b,
                    bool hermitian);
  /* Of a device whose numbers cannot be looked at: the error with this text (tj__fail_filled), if an element of info turns out not to be 0. */
  bool (*check)(const tj_tensor *info, const char *message);
} tj__linalg_kernels;

#endif
